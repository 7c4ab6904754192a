//! Answers in JSON: whole ones with an ETag, large ones as a stream.

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Serialize;
use stheno_store::{JsonStream, JsonText, StoreError};
use tracing::Span;
use xxhash_rust::xxh3::xxh3_128;

use crate::error::{ApiError, chain};

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
                let span = Span::current();
                let rest = rest.map(move |piece| {
                    piece.map(Bytes::from).inspect_err(|error| span.in_scope(|| log_broken(error)))
                });
                let behind = stream::once(async { Ok(behind) });
                (self.status, content_type, Body::from_stream(start.chain(rest).chain(behind)))
                    .into_response()
            }
        }
    }
}

fn log_broken(error: &StoreError) {
    match error {
        StoreError::SlowReader => tracing::warn!(%error, "broke off a large answer"),
        _ => tracing::error!(error = %chain(error), "broke off a large answer"),
    }
}

/// A weak tag, as Express makes them: the length, and a hash of the text.
fn etag(text: &[u8]) -> HeaderValue {
    let tag = format!("W/\"{:x}-{:032x}\"", text.len(), xxh3_128(text));
    HeaderValue::try_from(tag).unwrap_or_else(|_| HeaderValue::from_static("W/\"0\""))
}

/// Answers `304 Not Modified` to a reader who has the answer already.
pub(crate) async fn not_modified(request: Request, next: impl AsyncFnOnce(Request) -> Response) -> Response {
    let method = request.method().clone();
    let wanted = match method {
        Method::GET | Method::HEAD if !wants_fresh(request.headers()) => {
            list(request.headers(), &IF_NONE_MATCH)
        }
        _ => None,
    };
    let response = next(request).await;
    let (Some(wanted), true) = (wanted, response.status().is_success()) else {
        return response;
    };
    let etag = response.headers().get(ETAG).and_then(|etag| etag.to_str().ok());
    if !etag.is_some_and(|etag| matches(&wanted, etag)) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    head.status = StatusCode::NOT_MODIFIED;
    head.headers.remove(CONTENT_TYPE);
    // The length that HEAD tells is that of the answer, so it keeps its body until it has been told.
    let body = if method == Method::HEAD { body } else { Body::empty() };
    Response::from_parts(head, body)
}

/// Whether the reader wants no stored answer.
fn wants_fresh(headers: &HeaderMap) -> bool {
    list(headers, &CACHE_CONTROL).is_some_and(|list| {
        list.split(',').any(|directive| directive.trim().eq_ignore_ascii_case("no-cache"))
    })
}

/// The elements of a header that is a list, wherever they stand.
fn list(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let fields: Vec<_> = headers.get_all(name).iter().filter_map(|field| field.to_str().ok()).collect();
    (!fields.is_empty()).then(|| fields.join(","))
}

/// Whether a list of tags has this one, strong or weak.
fn matches(wanted: &str, etag: &str) -> bool {
    fn opaque(tag: &str) -> &str {
        tag.trim().trim_start_matches("W/")
    }
    wanted.trim() == "*" || wanted.split(',').any(|tag| opaque(tag) == opaque(etag))
}
