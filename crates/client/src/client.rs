use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::de::DeserializeOwned;
use stheno_api_types::Credentials;

use crate::admin::Admin;
use crate::call::{Call, checked_header};
use crate::credential::Credential;
use crate::raw::Raw;
use crate::request::BaseUrl;
use crate::transport::{Timeouts, Transport, http_client};
use crate::{Error, Retry};

/// A Medusa backend, seen by someone who may use it.
///
/// Cloning is cheap, and clones share their connections. Printed with `{:?}`, it shows no secrets.
///
/// Calls are to be awaited on a tokio runtime with timers and I/O (`enable_all`); elsewhere they panic. Without a runtime,
/// use the feature `blocking`.
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
    /// Whether requests are sent from the background; see `blocking`.
    #[cfg(feature = "blocking")]
    in_background: bool,
}

pub(crate) struct Shared {
    pub(crate) base: BaseUrl,
    pub(crate) credential: Credential,
    pub(crate) headers: HeaderMap,
    pub(crate) retry: Retry,
    pub(crate) timeout: Option<Duration>,
    transport: Arc<dyn Transport>,
    /// For the background, because the connections of the other may belong to a runtime that is being waited in.
    #[cfg(feature = "blocking")]
    background: Arc<dyn Transport>,
}

impl Client {
    /// Begins a client for the server at this address, such as `https://shop.example` or `http://localhost:9000`.
    ///
    /// A path is kept: with `https://shop.example/medusa`, requests go to `https://shop.example/medusa/admin/…`.
    pub fn builder(url: impl Into<String>) -> ClientBuilder {
        ClientBuilder {
            url: url.into(),
            credential: Ok(Credential::None),
            headers: Ok(HeaderMap::new()),
            retry: Retry::default(),
            timeout: Some(Duration::from_secs(120)),
            timeouts: Timeouts { connect: Duration::from_secs(10), read: Duration::from_secs(30) },
            configure_http: None,
            http_client: None,
            #[cfg(any(test, feature = "test"))]
            transport: None,
        }
    }

    /// What someone who works on the shop can do.
    pub fn admin(&self) -> Admin {
        Admin::new(self.clone())
    }

    pub(crate) fn transport(&self) -> &dyn Transport {
        #[cfg(feature = "blocking")]
        if self.is_in_background() {
            return &*self.shared.background;
        }
        &*self.shared.transport
    }

    /// Whether requests are sent from the background; see `blocking`.
    pub(crate) fn is_in_background(&self) -> bool {
        #[cfg(feature = "blocking")]
        return self.in_background;
        #[cfg(not(feature = "blocking"))]
        false
    }

    /// The same client, for a call that is made in the background.
    #[cfg(feature = "blocking")]
    pub(crate) fn in_background(self) -> Self {
        Self { in_background: true, ..self }
    }

    /// Any other request, with this client's address, credentials and care.
    ///
    /// `path` begins with a slash and is sent as it is; put ids into it percent-encoded. An answer without a body is read as
    /// `null`: ask for `()` if none comes.
    ///
    /// ```no_run
    /// # async fn example(medusa: stheno_client::Client) -> Result<(), stheno_client::Error> {
    /// use serde_json::Value;
    /// use stheno_client::http::Method;
    ///
    /// let store = medusa.request::<Value>(Method::GET, "/admin/store").await?;
    /// println!("{}", store["store"]["name"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn request<T>(&self, method: Method, path: impl Into<String>) -> Call<Raw<T>>
    where
        T: DeserializeOwned + Send + 'static,
    {
        Call::new(self, Raw::new(method, path.into()))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("url", &self.shared.base.as_str())
            .field("credential", &self.shared.credential)
            .field("retry", &self.shared.retry)
            .field("timeout", &self.shared.timeout)
            .finish_non_exhaustive()
    }
}

/// Puts a [`Client`] together.
///
/// Of several credentials, the one given last counts.
#[must_use = "there is no client until `build` is called"]
pub struct ClientBuilder {
    url: String,
    credential: Result<Credential, Error>,
    headers: Result<HeaderMap, Error>,
    retry: Retry,
    timeout: Option<Duration>,
    timeouts: Timeouts,
    configure_http: Option<Configure>,
    http_client: Option<reqwest::Client>,
    #[cfg(any(test, feature = "test"))]
    transport: Option<Arc<dyn Transport>>,
}

type Configure = Box<dyn Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send>;

impl ClientBuilder {
    /// A user's API token, sent as `x-medusa-access-token`.
    pub fn api_key(self, key: impl AsRef<str>) -> Self {
        Self { credential: Credential::api_key(key.as_ref()), ..self }
    }

    /// A JSON Web Token, as [`get_token`](crate::Auth::get_token) brings one, sent as `Authorization: Bearer`.
    ///
    /// It is not renewed; with [`email_and_password`](Self::email_and_password), tokens are.
    pub fn bearer_token(self, token: impl AsRef<str>) -> Self {
        Self { credential: Credential::bearer(token.as_ref()), ..self }
    }

    /// A user's e-mail address and password. A token is fetched with the first request, used for all that follow, and
    /// fetched again when the server refuses it.
    pub fn email_and_password(self, email: impl Into<String>, password: impl Into<String>) -> Self {
        Self { credential: Ok(Credential::login(Credentials::new(email, password))), ..self }
    }

    /// A session: the cookie that [`create_session`](crate::Auth::create_session) brings is kept, and sent from then on.
    ///
    /// Stheno, and Medusa in production, set the cookie only if they are reached over https, or a proxy that they trust says
    /// so; without one, `create_session` is an error.
    pub fn session(self) -> Self {
        Self { credential: Credential::session(None), ..self }
    }

    /// A session that there is already: the value of the cookie `connect.sid`.
    pub fn session_cookie(self, cookie: impl AsRef<str>) -> Self {
        Self { credential: Credential::session(Some(cookie.as_ref())), ..self }
    }

    /// A header for all requests.
    ///
    /// It takes the place of the one that the client would send, and an API token here that of any other credential.
    /// `Authorization` beside an [`api_key`](Self::api_key), and cookies beside a [`session`](Self::session), are sent as
    /// well: for a proxy that wants to know who is asking too.
    pub fn header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        if let Ok(headers) = &mut self.headers {
            match checked_header(name, value) {
                Ok((name, value)) => drop(headers.insert(name, value)),
                Err(error) => self.headers = Err(error),
            }
        }
        self
    }

    /// When to send a request again; by default, up to two times. See [`Retry`].
    pub fn retry(self, retry: Retry) -> Self {
        Self { retry, ..self }
    }

    /// How long a call may take with all its attempts, 120 seconds by default. `None`: as long as it takes.
    pub fn timeout(self, timeout: impl Into<Option<Duration>>) -> Self {
        Self { timeout: timeout.into(), ..self }
    }

    /// How long connecting may take, 10 seconds by default. Has no effect on an [`http_client`](Self::http_client).
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.connect = timeout;
        self
    }

    /// How long the server may be silent, 30 seconds by default. Has no effect on an [`http_client`](Self::http_client).
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.read = timeout;
        self
    }

    /// Changes to the HTTP client that this crate makes: a proxy, say, or an address to bind to.
    ///
    /// TLS is set up already with the feature `rustls`: certificates added here have no effect. It trusts what the platform
    /// trusts, and on Linux the file named by `SSL_CERT_FILE` in its place.
    ///
    /// ```
    /// # fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use stheno_client::{Client, reqwest::Proxy};
    ///
    /// let proxy = Proxy::all("http://proxy.example:3128")?;
    /// let medusa = Client::builder("https://shop.example").configure_http(move |http| http.proxy(proxy.clone())).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn configure_http(
        mut self,
        configure: impl Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + 'static,
    ) -> Self {
        self.configure_http = Some(Box::new(configure));
        self
    }

    /// An HTTP client of your own, whose connections are shared with the rest of your program. With the feature `blocking`,
    /// use one client for waiting and another for `.await`.
    ///
    /// Forbid it to follow redirects: it might carry the API key to wherever they point. The feature `rustls` leaves it
    /// to you to choose a provider for it; without one, reqwest panics.
    pub fn http_client(self, client: reqwest::Client) -> Self {
        Self { http_client: Some(client), ..self }
    }

    /// Something else than HTTP.
    #[cfg(any(test, feature = "test"))]
    pub(crate) fn transport(self, transport: Arc<dyn Transport>) -> Self {
        Self { transport: Some(transport), ..self }
    }

    /// The client.
    ///
    /// # Errors
    ///
    /// [`is_invalid_request`](Error::is_invalid_request) if the address is no address, a credential or header cannot be
    /// sent, or TLS cannot be set up. Nothing is sent yet.
    pub fn build(self) -> Result<Client, Error> {
        let base = BaseUrl::parse(&self.url)?;
        Ok(Client {
            shared: Arc::new(Shared {
                transport: self.carrier(&base)?,
                #[cfg(feature = "blocking")]
                background: self.carrier(&base)?,
                base,
                credential: self.credential?,
                headers: self.headers?,
                retry: self.retry,
                timeout: self.timeout,
            }),
            #[cfg(feature = "blocking")]
            in_background: false,
        })
    }

    fn carrier(&self, base: &BaseUrl) -> Result<Arc<dyn Transport>, Error> {
        #[cfg(any(test, feature = "test"))]
        if let Some(transport) = &self.transport {
            return Ok(transport.clone());
        }
        Ok(Arc::new(match &self.http_client {
            Some(client) => client.clone(),
            None => http_client(self.timeouts, base.is_https(), self.configure_http.as_deref())?,
        }))
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ClientBuilder").field("credential", &self.credential).finish_non_exhaustive()
    }
}
