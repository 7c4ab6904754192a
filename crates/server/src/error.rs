//! What can go wrong with a request, and the one table from that to a status and a body.
//!
//! Use [`ApiError::Invalid`] for input that breaks the declared schema or names something that cannot be,
//! [`ApiError::NotFound`] and [`ApiError::Duplicate`] with Medusa's words where a route knows them, and `?` on a
//! [`StoreError`] for everything else.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use serde::Serialize;
use stheno_store::StoreError;

use crate::answer::JSON;
use crate::limits;
use crate::medusa::MedusaError;

/// An answer other than the one asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// No valid credential.
    #[error("Unauthorized")]
    Unauthorized,
    /// No user with this e-mail address and password.
    #[error("Unauthorized")]
    WrongLogin,
    /// A credential that may only read, and a call that writes.
    #[error("this API token may only read")]
    ReadOnly,
    /// A page of a site that is not allowed, and a session's cookie that the browser has sent along.
    #[error(
        "a page of another site may not do this with a session's cookie: allow its origin with --admin-cors"
    )]
    CrossSite,
    /// Input that cannot be worked with; the text names the field.
    #[error("{0}")]
    Invalid(String),
    /// The thing asked for does not exist.
    #[error("{0}")]
    NotFound(String),
    /// A unique value is taken.
    #[error("{0}")]
    Duplicate(String),
    /// The body cannot be read.
    #[error("{0}")]
    Body(#[from] BodyError),
    /// More of something than one caller may.
    #[error("too many {of}; try again in {} seconds", .wait.as_secs_f64().ceil().max(1.0))]
    TooMany { of: String, wait: Duration },
    /// More to do than can be done in time. Nothing has been done for the call.
    #[error("the server has more to do than it can, and did nothing for this call")]
    Busy,
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Medusa was asked whose a session is, and did not say.
    #[error("{0}")]
    Medusa(#[from] Arc<MedusaError>),
    /// A fault of ours.
    #[error("{0}")]
    Internal(&'static str),
}

/// Why a body cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the body is not valid JSON: {0}")]
    Malformed(String),
    #[error("the body cannot be decompressed")]
    Undecodable,
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    #[error("{0}")]
    Unsupported(String),
    #[error("the body could not be read to its end")]
    Broken,
    #[error("the body did not arrive in time")]
    TooSlow,
}

/// The body of an error, as Medusa writes it.
#[derive(Debug, Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    r#type: &'a str,
    message: &'a str,
}

impl ApiError {
    /// The status, the code, the type and the message of each error.
    fn table(&self) -> (StatusCode, Option<&'static str>, &'static str, String) {
        let text = self.to_string();
        match self {
            Self::Unauthorized | Self::WrongLogin => (StatusCode::UNAUTHORIZED, None, "unauthorized", text),
            Self::CrossSite => (StatusCode::FORBIDDEN, Some("cross_site"), "not_allowed", text),
            Self::ReadOnly => (StatusCode::FORBIDDEN, Some("read_only"), "not_allowed", text),
            Self::Invalid(_) => (StatusCode::BAD_REQUEST, None, "invalid_data", text),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, None, "not_found", text),
            Self::Duplicate(_) => {
                (StatusCode::UNPROCESSABLE_ENTITY, Some("invalid_request_error"), "duplicate_error", text)
            }
            Self::Body(error) => {
                let status = match error {
                    BodyError::Malformed(_) | BodyError::Undecodable | BodyError::Broken => {
                        StatusCode::BAD_REQUEST
                    }
                    BodyError::TooSlow => StatusCode::REQUEST_TIMEOUT,
                    BodyError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
                    BodyError::Unsupported(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
                };
                (status, None, "invalid_data", text)
            }
            Self::TooMany { .. } => {
                (StatusCode::TOO_MANY_REQUESTS, Some("too_many_requests"), "not_allowed", text)
            }
            Self::Store(StoreError::Duplicate(_)) => {
                (StatusCode::UNPROCESSABLE_ENTITY, Some("invalid_request_error"), "duplicate_error", text)
            }
            Self::Store(StoreError::Null { table, column }) => {
                let text =
                    format!("Can't insert null value in field {column} on insert in table {}", table.name());
                (StatusCode::BAD_REQUEST, None, "invalid_data", text)
            }
            Self::Store(StoreError::Cursor) => (StatusCode::BAD_REQUEST, None, "invalid_data", text),
            Self::Store(StoreError::UnknownCustomers(ids)) => {
                let ids = serde_json::Value::from(ids.join(", "));
                let text = format!("The following customer ids do not exist: {ids}");
                (StatusCode::NOT_FOUND, None, "not_found", text)
            }
            Self::Store(StoreError::UnknownCustomerGroup(id)) => {
                let text = format!("Customer_group with customer_group_id {id} does not exist.");
                (StatusCode::NOT_FOUND, None, "not_found", text)
            }
            Self::Store(StoreError::EmailOfAccount) => {
                let text = "Email cannot be changed when the user has registered their account".to_owned();
                (StatusCode::BAD_REQUEST, None, "invalid_data", text)
            }
            Self::Busy | Self::Store(StoreError::Unavailable { .. }) => {
                (StatusCode::SERVICE_UNAVAILABLE, Some("unavailable"), "unavailable", text)
            }
            Self::Store(StoreError::Limited { .. }) => {
                (StatusCode::NOT_IMPLEMENTED, Some("not_supported"), "not_allowed", text)
            }
            Self::Medusa(_) => (StatusCode::SERVICE_UNAVAILABLE, Some("unavailable"), "unavailable", text),
            Self::Store(StoreError::Full) => {
                (StatusCode::INSUFFICIENT_STORAGE, Some("store_full"), "unavailable", text)
            }
            Self::Store(_) | Self::Internal(_) => {
                let text = "An unknown error occurred.".to_owned();
                (StatusCode::INTERNAL_SERVER_ERROR, Some("unknown_error"), "unknown_error", text)
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code, r#type, message) = self.table();
        // A refusal is plain text: of a login, said to be text; for want of a credential, without a content type.
        if status == StatusCode::UNAUTHORIZED {
            let mut response = (status, message).into_response();
            if matches!(self, Self::Unauthorized) {
                response.headers_mut().remove(CONTENT_TYPE);
            }
            return response;
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            log_unavailable(&self);
        } else if status.is_server_error() {
            tracing::error!(error = %chain(&self), status = status.as_u16(), "the request failed");
        }
        let body = Body { code, r#type, message: &message };
        // A body of plain text always becomes JSON.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = (status, [(CONTENT_TYPE, JSON)], body).into_response();
        let wait = match self {
            Self::TooMany { wait, .. } => Some(wait),
            _ => (status == StatusCode::SERVICE_UNAVAILABLE).then_some(Duration::from_secs(1)),
        };
        if let Some(wait) = wait {
            response.headers_mut().insert(RETRY_AFTER, limits::retry_after(wait));
        }
        response
    }
}

/// Whether it has been logged that the store is not available, and not yet that it is again.
static IS_AWAY: AtomicBool = AtomicBool::new(false);

/// Takes note that the store answers; whether it had been said that it does not.
pub(crate) fn store_answers() -> bool {
    IS_AWAY.load(Ordering::Relaxed) && IS_AWAY.swap(false, Ordering::Relaxed)
}

/// What is logged once in a while: as long as a database is down, everyone says the same.
#[derive(Debug, Default)]
pub(crate) struct Seldom {
    logged: Option<Instant>,
    kept_back: u64,
}

impl Seldom {
    const PAUSE: Duration = Duration::from_secs(10);

    /// If it is time to log it, how often it has been kept back since the last time.
    pub(crate) fn ask(&mut self, now: Instant) -> Option<u64> {
        if self.logged.is_some_and(|logged| now < logged + Self::PAUSE) {
            self.kept_back += 1;
            return None;
        }
        self.logged = Some(now);
        Some(std::mem::take(&mut self.kept_back))
    }
}

/// Logs that the store is not available, with the request that heard so first.
fn log_unavailable(error: &ApiError) {
    static SELDOM: Mutex<Seldom> = Mutex::new(Seldom { logged: None, kept_back: 0 });
    let kept_back = SELDOM.lock().unwrap_or_else(PoisonError::into_inner).ask(Instant::now());
    let is_the_store = matches!(error, ApiError::Store(_));
    let error = chain(error);
    if let Some(kept_back) = kept_back {
        tracing::warn!(error, kept_back, "the request could not be served");
        if is_the_store {
            IS_AWAY.store(true, Ordering::Relaxed);
        }
    } else {
        tracing::debug!(error, "the request could not be served");
    }
}

/// An error with all its causes, on one line, for the log.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_request_says_is_logged_once_in_a_while() {
        let mut seldom = Seldom::default();
        let start = Instant::now();
        let asked = [0, 1, 9, 10, 11, 25].map(|second| seldom.ask(start + Duration::from_secs(second)));
        assert_eq!(asked, [Some(0), None, None, Some(2), None, Some(1)]);
    }
}
