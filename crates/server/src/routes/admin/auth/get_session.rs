//! `GET /admin/auth`

use axum::extract::{FromRequest as _, Request, State};
use axum::response::{IntoResponse as _, Response};
use stheno_api_types::UserEnvelope;

use super::{refuse, show_user};
use crate::app::App;
use crate::extract::Call;
use crate::openapi::{NotModified, Refused};

/// Shows the user that the credential stands for.
#[utoipa::path(
    get,
    path = "/admin/auth",
    operation_id = "get_session",
    tag = "Authentication",
    responses((status = 200, body = UserEnvelope, description = "The user."), NotModified, Refused),
)]
pub(crate) async fn handler(State(app): State<App>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let call = Call::<(), ()>::from_request(Request::from_parts(head.clone(), body), &app).await;
    let user = match call {
        Ok(call) => show_user(&app, &call.user).await,
        Err(error) => Err(error),
    };
    match user {
        Ok(user) => user.into_response(),
        Err(error) => refuse(&app, &head, error),
    }
}
