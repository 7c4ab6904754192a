//! The only ways into a handler: who calls, with which query and with which body.

mod authentication;
mod body;
#[cfg(fuzzing)]
pub mod fuzzing;
mod peer;
pub(crate) mod selection;

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use http::request::Parts;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use stheno_store::Store;

pub(crate) use self::authentication::{cookies, let_in};
pub(crate) use self::peer::{Peer, client_address, is_secure};
use crate::app::App;
use crate::error::ApiError;
use crate::limits::work::Permit;
use crate::metrics::Refusal;
use crate::position;
use crate::schema::{Schema, Valid};

/// Input that a route declares: its schema, and how the route takes what has passed it.
pub(crate) trait Input: Sized {
    /// What the input may be; none, if the route does not look at it.
    const SCHEMA: Option<&'static Schema>;

    /// Takes input that has passed the schema.
    fn from_valid(valid: Valid) -> Self;
}

/// Input that a route does not look at.
impl Input for () {
    const SCHEMA: Option<&'static Schema> = None;

    fn from_valid(_: Valid) -> Self {}
}

/// A call by a user: authenticated, its body and its query checked, in this order.
#[derive(Debug)]
pub(crate) struct Call<Query = (), Body = ()> {
    pub(crate) app: App,
    pub(crate) user: Arc<str>,
    /// The shop's data, as this user sees it.
    pub(crate) store: Store,
    pub(crate) query: Query,
    pub(crate) body: Body,
    pub(crate) head: Parts,
    _permit: Permit,
}

impl<Query: Input, Body: Input> FromRequest<App> for Call<Query, Body> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let (head, body) = request.into_parts();
        let caller = let_in(app, &head.headers, &head.extensions).await?;
        tracing::Span::current().record("user", &*caller.user);
        caller.may(app, &head)?;
        let user = caller.user;
        let store = app.store().for_caller(position::caller(app, &user, &head)?);
        let body = read_body(app, &head, body, app.config().body_limit).await?;
        // Whoever is slow to send holds up nobody.
        let permit = app.limits().work.begin().await.inspect_err(|_| app.metrics().refuse(Refusal::Busy))?;
        let (query, body) = check_input(&head, body)?;
        Ok(Self { app: app.clone(), user, store, query, body, head, _permit: permit })
    }
}

impl<Query, Body> Call<Query, Body> {
    /// The id in the path, `/admin/<resource>/<id>…`.
    pub(crate) fn id(&self) -> Result<String, ApiError> {
        let segment = self.head.uri.path().split('/').nth(3).unwrap_or_default();
        match percent_decode_str(segment).decode_utf8() {
            Ok(id) if !id.contains('\0') && valid_percent(segment) => Ok(id.into_owned()),
            _ => Err(ApiError::Invalid("id must be percent-encoded UTF-8 without NUL characters".to_owned())),
        }
    }
}

/// The largest body of a call that needs no credential, in bytes: Medusa's limit of all bodies.
const OPEN_BODY_LIMIT: usize = 100 * 1024;

/// A call that needs no credential.
#[derive(Debug)]
pub(crate) struct OpenCall<Body> {
    pub(crate) app: App,
    pub(crate) body: Body,
    pub(crate) head: Parts,
}

impl<Body: Input> FromRequest<App> for OpenCall<Body> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let (head, body) = request.into_parts();
        let limit = app.config().body_limit.min(OPEN_BODY_LIMIT);
        let ((), body) = check_input(&head, read_body(app, &head, body, limit).await?)?;
        Ok(Self { app: app.clone(), body, head })
    }
}

/// Reads the body. One that cannot be read is refused even where the route does not look at it.
async fn read_body(app: &App, head: &Parts, body: axum::body::Body, limit: usize) -> Result<Value, ApiError> {
    let limits = body::Limits { bytes: limit, time: app.config().body_timeout };
    Ok(body::read(head, body, limits).await?)
}

fn check_input<Query: Input, Body: Input>(head: &Parts, body: Value) -> Result<(Query, Body), ApiError> {
    let body = check(body)?;
    let query = check(match (Query::SCHEMA, head.uri.query()) {
        (Some(_), Some(query)) => query_value(query),
        _ => Value::Object(serde_json::Map::new()),
    })?;
    Ok((query, body))
}

fn check<T: Input>(value: Value) -> Result<T, ApiError> {
    let valid = match T::SCHEMA {
        Some(schema) => schema.validate(value).map_err(|invalid| ApiError::Invalid(invalid.to_string()))?,
        None => Valid::default(),
    };
    Ok(T::from_valid(valid))
}

fn query_value(query: &str) -> Value {
    fn convert(value: stheno_qs::Value) -> Value {
        match value {
            stheno_qs::Value::String(text) => Value::String(text),
            stheno_qs::Value::Array(items) => Value::Array(items.into_iter().map(convert).collect()),
            stheno_qs::Value::Object(object) => {
                Value::Object(object.into_iter().map(|(name, value)| (name, convert(value))).collect())
            }
        }
    }
    convert(stheno_qs::Value::Object(stheno_qs::parse(query)))
}

/// Whether every percent sign begins an escape.
fn valid_percent(segment: &str) -> bool {
    segment.split('%').skip(1).all(|rest| {
        let mut digits = rest.bytes();
        let mut hexadecimal = || digits.next().is_some_and(|digit| digit.is_ascii_hexdigit());
        hexadecimal() && hexadecimal()
    })
}
