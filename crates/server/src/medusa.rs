//! The Medusa beside which Stheno runs: it keeps its sessions in its memory or in Redis, so it is asked whose they are.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::COOKIE;
use http::{Method, StatusCode};
use moka::Expiry;
use moka::future::Cache;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use serde::Deserialize;
use stheno_auth::session::ForeignCookie;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::config::SettingError;
use crate::tls;

/// How many cookies' answers are remembered.
const CAPACITY: u64 = 10_000;

/// How long it is remembered that a cookie is nobody's. Medusa gives a visitor the cookie before the login that makes it
/// somebody's, so not for long.
const REFUSED_REMEMBERED: Duration = Duration::from_secs(1);

/// How many cookies are asked about at once. Others wait for their turn.
const AT_ONCE: usize = 16;

/// How long a connection to Medusa may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The largest answer that is read: a user with their metadata.
const ANSWER_LIMIT: usize = 1024 * 1024;

/// Where Medusa is: an http or https URL, which may have a path that all of Medusa's come behind.
#[derive(Debug, Clone)]
pub struct MedusaUrl {
    auth: Url,
    http: Client,
}

impl FromStr for MedusaUrl {
    type Err = SettingError;

    /// No error repeats the text, which may hold a password.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong =
            |what: &str| SettingError::new(format!("{what}: give a URL such as http://127.0.0.1:9000"));
        let mut auth: Url = text.trim().parse().map_err(|error| wrong(&format!("it is no URL ({error})")))?;
        if !["http", "https"].contains(&auth.scheme()) {
            return Err(wrong("it must begin with http:// or https://"));
        }
        if !auth.username().is_empty() || auth.password().is_some() {
            return Err(wrong("it must have no user and no password"));
        }
        if auth.query().is_some() || auth.fragment().is_some() {
            return Err(wrong("it must have no ? and no #"));
        }
        let path = format!("{}/admin/auth", auth.path().trim_end_matches('/'));
        auth.set_path(&path);
        let http = client(auth.scheme() == "https")
            .map_err(|error| SettingError::new(format!("https cannot be set up: {error}")))?;
        Ok(Self { auth, http })
    }
}

impl fmt::Display for MedusaUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.auth.as_str().trim_end_matches("/admin/auth"))
    }
}

fn client(https: bool) -> Result<Client, Box<dyn std::error::Error>> {
    let client = Client::builder()
        .tls_backend_preconfigured(tls::client(https)?)
        // The cookie is for Medusa alone, directly.
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        // Node closes a connection that was idle for five seconds.
        .pool_idle_timeout(Duration::from_secs(4));
    Ok(client.build()?)
}

/// Why Medusa did not say whose a session is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MedusaError {
    #[error("Medusa cannot be reached")]
    Unreachable(#[from] reqwest::Error),
    #[error("Medusa did not answer in time")]
    TooSlow,
    #[error("Medusa answered {0}, as if it were another program")]
    Odd(StatusCode),
    #[error("Medusa answered what is no user")]
    NoUser,
}

/// The sessions that Medusa keeps.
#[derive(Debug)]
pub(crate) struct MedusaSessions {
    url: MedusaUrl,
    timeout: Duration,
    /// Whose a cookie is, by its hash.
    answers: Cache<String, Option<Arc<str>>>,
    asking: Semaphore,
}

/// The parts of Medusa's answer that count.
#[derive(Debug, Deserialize)]
struct Session {
    user: User,
}

#[derive(Debug, Deserialize)]
struct User {
    id: String,
}

/// How long an answer is remembered: that of a cookie which is somebody's as long as any credential.
struct Remembered(Duration);

impl Expiry<String, Option<Arc<str>>> for Remembered {
    fn expire_after_create(&self, _: &String, user: &Option<Arc<str>>, _: Instant) -> Option<Duration> {
        Some(if user.is_some() { self.0 } else { self.0.min(REFUSED_REMEMBERED) })
    }
}

impl MedusaSessions {
    /// `remembered` is how long an answer counts, `timeout` how long Medusa may take for it.
    pub(crate) fn new(url: MedusaUrl, remembered: Duration, timeout: Duration) -> Self {
        let answers = Cache::builder().max_capacity(CAPACITY).expire_after(Remembered(remembered)).build();
        Self { url, timeout, answers, asking: Semaphore::new(AT_ONCE) }
    }

    /// The user of a session's cookie. Many who want to know it at once ask once.
    pub(crate) async fn user_of(&self, cookie: &ForeignCookie) -> Result<Option<Arc<str>>, Arc<MedusaError>> {
        self.answers.try_get_with(cookie.storage_hash(), self.ask(cookie)).await
    }

    async fn ask(&self, cookie: &ForeignCookie) -> Result<Option<Arc<str>>, MedusaError> {
        let asked = async {
            let response = self.send(Method::GET, cookie).await?;
            match response.status() {
                StatusCode::OK => {
                    let session: Session =
                        serde_json::from_slice(&read(response).await?).map_err(|_| MedusaError::NoUser)?;
                    Ok(Some(session.user.id.into()))
                }
                // The latter where the session's user has been deleted.
                StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST => Ok(None),
                other => Err(MedusaError::Odd(other)),
            }
        };
        timeout(self.timeout, asked).await.unwrap_or(Err(MedusaError::TooSlow))
    }

    /// Closes the session of a cookie at Medusa. Answers whether there was one: it is no error if it is closed already.
    pub(crate) async fn close(&self, cookie: &ForeignCookie) -> Result<bool, MedusaError> {
        let hash = cookie.storage_hash();
        // Before, so that it is gone even if the caller goes; after, in case it was asked for in between.
        self.answers.invalidate(&hash).await;
        let closed = async {
            match self.send(Method::DELETE, cookie).await?.status() {
                StatusCode::OK => Ok(true),
                StatusCode::UNAUTHORIZED => Ok(false),
                other => Err(MedusaError::Odd(other)),
            }
        };
        let closed = timeout(self.timeout, closed).await.unwrap_or(Err(MedusaError::TooSlow));
        self.answers.invalidate(&hash).await;
        closed
    }

    /// A request with the cookie and nothing else of the caller's.
    async fn send(&self, method: Method, cookie: &ForeignCookie) -> Result<Response, MedusaError> {
        let _turn = self.asking.acquire().await.map_err(|_| MedusaError::TooSlow)?;
        let MedusaUrl { auth, http } = &self.url;
        Ok(http.request(method, auth.clone()).header(COOKIE, cookie.header()).send().await?)
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, MedusaError> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await? {
        body.extend_from_slice(&piece);
        if body.len() > ANSWER_LIMIT {
            return Err(MedusaError::NoUser);
        }
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_may_have_a_path_and_is_shown_as_given() {
        for (given, shown, asked) in [
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000", "http://127.0.0.1:9000/admin/auth"),
            ("http://medusa:9000/", "http://medusa:9000", "http://medusa:9000/admin/auth"),
            ("http://shop.example/api/", "http://shop.example/api", "http://shop.example/api/admin/auth"),
        ] {
            let url: MedusaUrl = given.parse().unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(url.auth.as_str(), asked);
        }
        let given = [
            "",
            "medusa:9000",
            "postgres://medusa",
            "http://",
            "http://a:b@medusa",
            "http://medusa?x",
            "http://m#x",
        ];
        for given in given {
            let error = given.parse::<MedusaUrl>().unwrap_err();
            assert!(
                error.to_string().ends_with("give a URL such as http://127.0.0.1:9000"),
                "{given:?}: {error}"
            );
        }
    }
}
