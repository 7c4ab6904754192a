//! `DELETE /admin/auth`

use http::header::COOKIE;

use crate::error::ApiError;
use crate::extract::Call;

/// Closes the session of the cookie, whichever credential the call was made with.
pub(crate) async fn handler(call: Call) -> Result<&'static str, ApiError> {
    if let Some(cookie) = call.head.headers.get(COOKIE) {
        call.app.credentials().close_session(cookie.as_bytes()).await?;
    }
    Ok("OK")
}
