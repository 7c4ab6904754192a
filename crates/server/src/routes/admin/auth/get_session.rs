//! `GET /admin/auth`

use axum::extract::{FromRequest as _, Request, State};
use axum::response::{IntoResponse as _, Response};

use super::{refuse, show_user};
use crate::app::App;
use crate::extract::Call;

/// The user that the credential stands for.
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
