//! Who calls: the session of the dashboard, a bearer token, or an API token, in this order. A credential that is not
//! valid is no obstacle to another one that is.

use std::sync::Arc;

use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE};
use stheno_auth::api_token::Access;

use crate::app::App;
use crate::error::ApiError;

const API_TOKEN: &str = "x-medusa-access-token";

/// Who calls, and what the credential is good for.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) user: Arc<str>,
    pub(crate) access: Access,
}

impl Caller {
    fn with_all(user: Arc<str>) -> Self {
        Self { user, access: Access::Full }
    }
}

pub(crate) async fn caller_of(app: &App, headers: &HeaderMap) -> Result<Option<Caller>, ApiError> {
    let credentials = app.credentials();
    let mut unknown = None;
    if let Some(cookies) = cookies(headers) {
        match credentials.user_of_cookie(&cookies).await {
            Ok(Some(user)) => return Ok(Some(Caller::with_all(user))),
            Ok(None) => {}
            // Another credential may do. If none does, this is no refusal: the session may be good.
            Err(error @ ApiError::Medusa(_)) => unknown = Some(error),
            Err(error) => return Err(error),
        }
    }
    if let Some(token) = bearer(headers)
        && let Some(user) = credentials.user_of_bearer(token).await?
    {
        return Ok(Some(Caller::with_all(user)));
    }
    if let Some(token) = headers.get(API_TOKEN).and_then(|token| token.to_str().ok())
        && let Some(user) = credentials.user_of_api_token(token).await?
    {
        return Ok(Some(Caller { user, access: Access::of(token) }));
    }
    unknown.map_or(Ok(None), Err)
}

/// All cookies, as if they had come in one header.
pub(crate) fn cookies(headers: &HeaderMap) -> Option<Vec<u8>> {
    let mut fields = headers.get_all(COOKIE).iter();
    let first = fields.next()?.as_bytes().to_vec();
    Some(fields.fold(first, |joined, field| [&joined, b"; ".as_slice(), field.as_bytes()].concat()))
}

/// The token behind `Authorization: Bearer`, the scheme in any case.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
