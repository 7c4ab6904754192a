//! Who is asking.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};
use stheno_api_types::Credentials;

use crate::Error;
use crate::request::API_TOKEN;

/// The name of Medusa's session cookie, which is that of the framework's sessions.
const SESSION_COOKIE: &str = "connect.sid";

pub(crate) enum Credential {
    None,
    ApiKey(HeaderValue),
    Bearer(HeaderValue),
    /// The token is fetched when it is first needed; the lock keeps others from fetching it too.
    Login {
        credentials: Credentials,
        token: Token,
        /// For the background: whoever holds the lock of the other may be on a thread that waits for the background.
        background: Token,
    },
    /// The cookie that the server set last.
    Session(Mutex<Option<HeaderValue>>),
}

type Token = tokio::sync::Mutex<Option<HeaderValue>>;

impl Credential {
    pub(crate) fn api_key(key: &str) -> Result<Self, Error> {
        secret(key).map(Self::ApiKey)
    }

    pub(crate) fn bearer(token: &str) -> Result<Self, Error> {
        bearer_header(token).map(Self::Bearer)
    }

    pub(crate) fn login(credentials: Credentials) -> Self {
        Self::Login { credentials, token: Token::default(), background: Token::default() }
    }

    pub(crate) fn session(cookie: Option<&str>) -> Result<Self, Error> {
        let cookie = cookie.map(|cookie| {
            let name_given = cookie.starts_with(SESSION_COOKIE);
            if name_given { secret(cookie) } else { secret(&format!("{SESSION_COOKIE}={cookie}")) }
        });
        Ok(Self::Session(Mutex::new(cookie.transpose()?)))
    }

    /// Whether headers of the caller's own say who is asking in place of this: an API token, or what would be sent for
    /// this. Others of them are for someone on the way: `Authorization` for a proxy, say.
    pub(crate) fn yields_to(&self, headers: &HeaderMap) -> bool {
        let same = match self {
            Self::None | Self::ApiKey(_) => false,
            Self::Bearer(_) | Self::Login { .. } => headers.contains_key(AUTHORIZATION),
            Self::Session(_) => headers.get(COOKIE).is_some_and(holds_session),
        };
        same || headers.contains_key(API_TOKEN)
    }

    /// The header to send. `fetch` is called if a token is needed that is not there.
    pub(crate) async fn header<F>(
        &self,
        in_background: bool,
        fetch: impl FnOnce(Credentials) -> F,
    ) -> Result<Option<(HeaderName, HeaderValue)>, Error>
    where
        F: Future<Output = Result<String, Error>>,
    {
        Ok(match self {
            Self::None => None,
            Self::ApiKey(key) => Some((API_TOKEN, key.clone())),
            Self::Bearer(token) => Some((AUTHORIZATION, token.clone())),
            Self::Login { credentials, token, background } => {
                let mut token = if in_background { background } else { token }.lock().await;
                if token.is_none() {
                    *token = Some(bearer_header(&fetch(credentials.clone()).await?)?);
                }
                token.clone().map(|token| (AUTHORIZATION, token))
            }
            Self::Session(cookie) => {
                let cookie = cookie.lock().unwrap_or_else(PoisonError::into_inner);
                cookie.clone().map(|cookie| (COOKIE, cookie))
            }
        })
    }

    /// Forgets a token that the server refused. Says whether another can be had.
    pub(crate) async fn renew(&self, in_background: bool, refused: &HeaderValue) -> bool {
        let Self::Login { token, background, .. } = self else {
            return false;
        };
        let mut token = if in_background { background } else { token }.lock().await;
        // Another call may have renewed it in the meantime.
        if token.as_ref() == Some(refused) {
            *token = None;
        }
        true
    }

    /// Takes note of a session that the server began.
    pub(crate) fn learn(&self, answer: &HeaderMap) {
        let Self::Session(session) = self else { return };
        if let Some(Ok(cookie)) = session_cookie(answer).map(secret) {
            *session.lock().unwrap_or_else(PoisonError::into_inner) = Some(cookie);
        }
    }

    /// Whether the session that this answer should have begun did not come with it.
    pub(crate) fn misses(&self, answer: &HeaderMap) -> bool {
        matches!(self, Self::Session(_)) && session_cookie(answer).is_none()
    }
}

/// Whether one of these cookies is that of a session.
fn holds_session(cookies: &HeaderValue) -> bool {
    let cookies = String::from_utf8_lossy(cookies.as_bytes());
    cookies.split(';').any(|cookie| cookie.split('=').next().unwrap_or_default().trim() == SESSION_COOKIE)
}

fn session_cookie(answer: &HeaderMap) -> Option<&str> {
    answer
        .get_all(SET_COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok()?.split(';').next())
        .find(|cookie| cookie.split('=').next() == Some(SESSION_COOKIE))
}

impl fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "None",
            Self::ApiKey(_) => "ApiKey(…)",
            Self::Bearer(_) => "BearerToken(…)",
            Self::Login { .. } => "EmailAndPassword(…)",
            Self::Session(_) => "Session(…)",
        })
    }
}

fn bearer_header(token: &str) -> Result<HeaderValue, Error> {
    secret(&format!("Bearer {token}"))
}

/// A header's value that no log may show.
fn secret(text: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| Error::invalid_request("a credential holds characters that no header can hold"))?;
    value.set_sensitive(true);
    Ok(value)
}
