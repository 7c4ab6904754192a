//! Who calls: the session of the dashboard, a bearer token, or an API token, in this order. A credential that is not
//! valid is no obstacle to another one that is.

use std::sync::Arc;

use http::header::{AUTHORIZATION, COOKIE};
use http::request::Parts;
use http::{Extensions, HeaderMap};
use stheno_auth::api_token::Access;
use xxhash_rust::xxh3::xxh3_128;

use crate::app::App;
use crate::error::ApiError;
use crate::limits;
use crate::observe::is_read;

const API_TOKEN: &str = "x-medusa-access-token";

/// Who calls, and what the credential is good for.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) user: Arc<str>,
    pub(crate) access: Access,
    /// Whether the credential is one that a browser sends along by itself, whichever page asks it to.
    pub(crate) by_cookie: bool,
    /// Tells the credential from others: what else is sent beside it makes no other one of it.
    credential: u128,
}

impl Caller {
    /// Refuses what this caller may not do, or what another site's page has the caller's browser do.
    pub(crate) fn may(&self, app: &App, head: &Parts) -> Result<(), ApiError> {
        if is_read(&head.method) {
            return Ok(());
        }
        if self.access == Access::Read {
            return Err(ApiError::ReadOnly);
        }
        // As every browser says it today. Where requests come from is not told by the host they are sent to, which a proxy
        // may have changed.
        let is_cross_site = head.headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
        if self.by_cookie && is_cross_site && !app.config().admin_cors.allows_origin_of(&head.headers) {
            return Err(ApiError::CrossSite);
        }
        Ok(())
    }
}

/// Who calls, unless it is nobody known, or one who calls too often.
pub(crate) async fn let_in(
    app: &App,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Result<Caller, ApiError> {
    let caller = caller_of(app, headers).await?.ok_or(ApiError::Unauthorized)?;
    limits::with_credential(app, caller.credential, extensions)?;
    Ok(caller)
}

async fn caller_of(app: &App, headers: &HeaderMap) -> Result<Option<Caller>, ApiError> {
    let credentials = app.credentials();
    let mut unknown = None;
    if let Some(cookies) = cookies(headers) {
        match credentials.user_of_cookie(&cookies).await {
            Ok(Some((user, session))) => {
                let credential = xxh3_128(session.as_bytes());
                return Ok(Some(Caller { user, access: Access::Full, by_cookie: true, credential }));
            }
            Ok(None) => {}
            // Another credential may do. If none does, this is no refusal: the session may be good.
            Err(error @ ApiError::Medusa(_)) => unknown = Some(error),
            Err(error) => return Err(error),
        }
    }
    if let Some(token) = bearer(headers)
        && let Some(user) = credentials.user_of_bearer(token).await?
    {
        let credential = xxh3_128(token.as_bytes());
        return Ok(Some(Caller { user, access: Access::Full, by_cookie: false, credential }));
    }
    if let Some(token) = headers.get(API_TOKEN).and_then(|token| token.to_str().ok())
        && let Some(user) = credentials.user_of_api_token(token).await?
    {
        let credential = xxh3_128(token.as_bytes());
        return Ok(Some(Caller { user, access: Access::of(token), by_cookie: false, credential }));
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
