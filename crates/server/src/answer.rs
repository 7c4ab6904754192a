//! Answers in JSON: whole ones with an ETag, large ones as a stream.

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::Serialize;
use stheno_store::{JsonStream, JsonText};
use xxhash_rust::xxh3::xxh3_128;

use crate::error::ApiError;

/// The content type of every JSON answer.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// A JSON answer.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    start: Vec<u8>,
    /// The rest of a large answer, and the text behind it.
    rest: Option<(JsonStream, Bytes)>,
}

impl Answer {
    /// `{"name": entity}`
    pub(crate) fn of(name: &str, entity: JsonText) -> Self {
        Self::wrapped(&format!("{{\"{name}\":"), entity, "}")
    }

    /// Text of the store's between two others.
    pub(crate) fn wrapped(before: &str, text: JsonText, behind: &str) -> Self {
        let mut start = Vec::with_capacity(before.len() + text.start.len() + behind.len());
        start.extend_from_slice(before.as_bytes());
        start.extend_from_slice(&text.start);
        let rest = text.rest.map(|rest| (rest, Bytes::copy_from_slice(behind.as_bytes())));
        if rest.is_none() {
            start.extend_from_slice(behind.as_bytes());
        }
        Self { status: StatusCode::OK, start, rest }
    }

    /// A value as JSON.
    pub(crate) fn json(value: &impl Serialize) -> Result<Self, ApiError> {
        let start = serde_json::to_vec(value)
            .map_err(|_| ApiError::Internal("an answer cannot be written as JSON"))?;
        Ok(Self { status: StatusCode::OK, start, rest: None })
    }

    /// The same answer with the status of something new.
    pub(crate) fn created(self) -> Self {
        Self { status: StatusCode::CREATED, ..self }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let content_type = [(CONTENT_TYPE, JSON)];
        match self.rest {
            None => {
                let etag = etag(&self.start);
                (self.status, content_type, [(ETAG, etag)], self.start).into_response()
            }
            // A fault on the way breaks the connection: the client must not take a part for the whole.
            Some((rest, behind)) => {
                let start = stream::once(async { Ok(Bytes::from(self.start)) });
                let rest = rest.map(|piece| {
                    piece
                        .map(Bytes::from)
                        .inspect_err(|error| tracing::warn!(%error, "broke off a large answer"))
                });
                let behind = stream::once(async { Ok(behind) });
                (self.status, content_type, Body::from_stream(start.chain(rest).chain(behind)))
                    .into_response()
            }
        }
    }
}

/// A weak tag, as Express makes them: the length, and a hash of the text.
fn etag(text: &[u8]) -> HeaderValue {
    let tag = format!("W/\"{:x}-{:032x}\"", text.len(), xxh3_128(text));
    HeaderValue::try_from(tag).unwrap_or_else(|_| HeaderValue::from_static("W/\"0\""))
}

/// Answers `304 Not Modified` to a reader who has the answer already.
pub(crate) async fn not_modified(request: Request, next: Next) -> Response {
    let condition = match *request.method() {
        Method::GET | Method::HEAD => wanted_tags(request.headers()),
        _ => None,
    };
    let response = next.run(request).await;
    let Some(condition) = condition else {
        return response;
    };
    let unchanged = response.status().is_success()
        && response.headers().get(ETAG).is_some_and(|etag| matches(&condition, etag));
    if !unchanged {
        return response;
    }
    let (mut head, _) = response.into_parts();
    head.status = StatusCode::NOT_MODIFIED;
    head.headers.remove(CONTENT_TYPE);
    Response::from_parts(head, Body::empty())
}

/// The tags of `If-None-Match`, unless the reader wants no stored answer.
fn wanted_tags(headers: &HeaderMap) -> Option<HeaderValue> {
    let no_cache = headers
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.split(',').any(|directive| directive.trim().eq_ignore_ascii_case("no-cache")));
    headers.get(IF_NONE_MATCH).filter(|_| !no_cache).cloned()
}

/// Whether a list of tags has this one, strong or weak.
fn matches(wanted: &HeaderValue, etag: &HeaderValue) -> bool {
    let (Ok(wanted), Ok(etag)) = (wanted.to_str(), etag.to_str()) else {
        return false;
    };
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    wanted.trim() == "*" || wanted.split(',').any(|tag| opaque(tag) == opaque(etag))
}
