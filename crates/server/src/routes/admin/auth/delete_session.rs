//! `DELETE /admin/auth`

use crate::error::ApiError;
use crate::extract::{Call, cookies};

/// Closes the session of the cookie, whichever credential the call was made with.
pub(crate) async fn handler(call: Call) -> Result<&'static str, ApiError> {
    if let Some(cookies) = cookies(&call.head.headers) {
        call.app.credentials().close_session(&cookies).await?;
    }
    Ok("OK")
}
