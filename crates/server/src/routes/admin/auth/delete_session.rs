//! `DELETE /admin/auth`

use crate::error::ApiError;
use crate::extract::{Call, client_address, cookies};
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
    let Call { app, user, head, .. } = &call;
    if let Some(cookies) = cookies(&head.headers)
        && app.credentials().close_session(&cookies).await?
    {
        app.audit().log_out(user, client_address(app, &head.extensions, &head.headers));
    }
    Ok("OK")
}
