//! Who is asking, tokens and sessions.

mod create_session;
mod delete_session;
mod get_session;
mod get_token;

pub use create_session::CreateSession;
pub use delete_session::DeleteSession;
pub use get_session::GetSession;
pub use get_token::GetToken;

use stheno_api_types::Credentials;

use crate::request::Path;
use crate::{Call, Client};

/// Who is asking, tokens and sessions; see [`Admin::auth`](crate::Admin::auth).
#[derive(Clone, Debug)]
pub struct Auth {
    client: Client,
}

impl Auth {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Logs in. `POST /admin/auth`
    ///
    /// A client built with [`session`](crate::ClientBuilder::session) sends the cookie that comes with the answer from then
    /// on. Stheno, and Medusa in production, send none unless they are reached over https, or a proxy that they trust says so
    /// (`x-forwarded-proto: https`).
    ///
    /// # Errors
    ///
    /// [`is_unauthorized`](crate::Error::is_unauthorized) if e-mail address and password do not belong together.
    /// [`is_session_missing`](crate::Error::is_session_missing) if such a client was sent no cookie.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), stheno_client::Error> {
    /// let medusa = stheno_client::Client::builder("https://shop.example").session().build()?;
    /// let user = medusa.admin().auth().create_session("admin@shop.example", "correct horse").await?;
    /// println!("logged in as {}", user.email);
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_session(
        &self,
        email: impl Into<String>,
        password: impl Into<String>,
    ) -> Call<CreateSession> {
        Call::new(&self.client, CreateSession { credentials: Credentials::new(email, password) })
    }

    /// Logs out. `DELETE /admin/auth`
    ///
    /// # Errors
    ///
    /// [`is_unauthorized`](crate::Error::is_unauthorized) if the client was not logged in, or not any more.
    ///
    /// ```no_run
    /// # async fn example(auth: stheno_client::Auth) -> Result<(), stheno_client::Error> {
    /// auth.delete_session().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete_session(&self) -> Call<DeleteSession> {
        Call::new(&self.client, DeleteSession)
    }

    /// The user who is asking. `GET /admin/auth`
    ///
    /// # Errors
    ///
    /// [`is_unauthorized`](crate::Error::is_unauthorized) if the client's credentials are missing or not valid.
    ///
    /// ```no_run
    /// # async fn example(auth: stheno_client::Auth) -> Result<(), stheno_client::Error> {
    /// println!("logged in as {}", auth.get_session().await?.email);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_session(&self) -> Call<GetSession> {
        Call::new(&self.client, GetSession)
    }

    /// A token in exchange for e-mail address and password. `POST /admin/auth/token`
    ///
    /// A client built with [`email_and_password`](crate::ClientBuilder::email_and_password) does this by itself.
    ///
    /// # Errors
    ///
    /// [`is_unauthorized`](crate::Error::is_unauthorized) if e-mail address and password do not belong together.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), stheno_client::Error> {
    /// use stheno_client::Client;
    ///
    /// let anyone = Client::builder("https://shop.example").build()?;
    /// let answer = anyone.admin().auth().get_token("admin@shop.example", "correct horse").await?;
    /// let medusa = Client::builder("https://shop.example").bearer_token(&answer.access_token).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_token(&self, email: impl Into<String>, password: impl Into<String>) -> Call<GetToken> {
        Call::new(&self.client, GetToken { credentials: Credentials::new(email, password) })
    }
}

fn auth() -> Path {
    Path::new("/admin/auth")
}
