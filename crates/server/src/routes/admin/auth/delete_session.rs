//! `DELETE /admin/auth`

use crate::error::ApiError;
use crate::extract::{Call, cookies};
use crate::openapi::{ReadOnly, Refused};

/// Closes the session of the cookie, whichever credential the call was made with.
#[utoipa::path(
    delete,
    path = "/admin/auth",
    operation_id = "delete_session",
    tag = "Authentication",
    responses(
        (
            status = 200,
            body = String,
            content_type = "text/plain",
            description = "The session is closed.",
            example = "OK",
        ),
        ReadOnly, Refused
    ),
)]
pub(crate) async fn handler(call: Call) -> Result<&'static str, ApiError> {
    if let Some(cookies) = cookies(&call.head.headers) {
        call.app.credentials().close_session(&cookies).await?;
    }
    Ok("OK")
}
