//! What an operator sees of a request: an id in the log and in the answer, and a line when it is done.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use http::{HeaderName, HeaderValue, Method};
use tracing::Instrument as _;
use tracing::field::Empty;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How long an id that a client brings may be.
const LONGEST: usize = 128;

/// Gives a request its id, and logs its end: what went wrong and what was written at `info`, reads at `debug`.
///
/// A line has the route, not the path, and no query: these may hold personal data.
pub(crate) async fn request(request: Request, next: impl AsyncFnOnce(Request) -> Response) -> Response {
    let id = request.headers().get(REQUEST_ID).filter(|id| is_harmless(id)).cloned().unwrap_or_else(fresh_id);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let span =
        tracing::info_span!("request", id = id.to_str().unwrap_or_default(), %method, route, user = Empty);
    let started = Instant::now();
    let mut response = next(request).instrument(span.clone()).await;
    let status = response.status();
    let milliseconds = (started.elapsed().as_secs_f64() * 1e6).round() / 1e3;
    span.in_scope(|| {
        if status.is_client_error() || status.is_server_error() || !is_read(&method) {
            tracing::info!(status = status.as_u16(), milliseconds, "answered");
        } else {
            tracing::debug!(status = status.as_u16(), milliseconds, "answered");
        }
    });
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

pub(crate) fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn is_harmless(id: &HeaderValue) -> bool {
    let id = id.as_bytes();
    !id.is_empty()
        && id.len() <= LONGEST
        && id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte))
}

fn fresh_id() -> HeaderValue {
    let id = format!("req_{:016x}", rand::random::<u64>());
    HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("req_"))
}
