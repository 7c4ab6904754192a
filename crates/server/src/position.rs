//! Who has written reads it: within this process by the user, and at other processes by a header of the answer that a
//! client may send back.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use http::header::ACCESS_CONTROL_EXPOSE_HEADERS;
use http::request::Parts;
use http::{HeaderName, HeaderValue};
use moka::sync::Cache;
use stheno_store::{Caller, Position};

use crate::app::App;
use crate::error::ApiError;
use crate::observe::is_read;

/// How far the database was written with a write; in a request, what its answer must show at the least.
const POSITION: HeaderName = HeaderName::from_static("x-stheno-position");

/// How many users are remembered, and for how long after their last call. No replica that answers is so far behind.
const CAPACITY: u64 = 10_000;
const REMEMBERED: Duration = Duration::from_secs(600);

pub(crate) fn callers() -> Cache<Arc<str>, Caller> {
    Cache::builder().max_capacity(CAPACITY).time_to_idle(REMEMBERED).build()
}

/// The user as a caller of the store, who has also seen what the request's header says.
pub(crate) fn caller(app: &App, user: &Arc<str>, head: &Parts) -> Result<Caller, ApiError> {
    let caller = app.callers().get_with_by_ref(user, Caller::default);
    if let Some(writer) = head.extensions.get::<Writer>() {
        // A request has one user.
        let _ = writer.0.set(caller.clone());
    }
    head.headers.get_all(POSITION).iter().try_fold(caller, |caller, value| {
        let position = value.to_str().ok().and_then(|text| text.parse::<Position>().ok());
        let position = position.ok_or_else(|| {
            ApiError::Invalid(format!("{POSITION} must be as the answer to a write has it, or be left out"))
        })?;
        Ok(caller.having_seen(position))
    })
}

/// Whose write a request is, once that is known.
#[derive(Debug, Clone, Default)]
struct Writer(Arc<OnceLock<Caller>>);

/// Adds its position to the answer to a write, for pages of other origins too. There is none without replicas.
pub(crate) async fn tell(mut request: Request, next: impl AsyncFnOnce(Request) -> Response) -> Response {
    if is_read(request.method()) {
        return next(request).await;
    }
    let writer = Writer::default();
    request.extensions_mut().insert(writer.clone());
    let mut response = next(request).await;
    let position = writer.0.get().and_then(Caller::written);
    if response.status().is_success()
        && let Some(position) = position.and_then(|position| HeaderValue::try_from(position.to_string()).ok())
    {
        let headers = response.headers_mut();
        headers.insert(POSITION, position);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from(POSITION));
    }
    response
}
