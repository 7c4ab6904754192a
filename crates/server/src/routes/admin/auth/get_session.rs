//! `GET /admin/auth`

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};

use super::{refuse, show_user};
use crate::app::App;
use crate::error::ApiError;
use crate::extract::user_of;

/// The user that the credential stands for.
pub(crate) async fn handler(State(app): State<App>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let user = match user_of(&app, &head.headers).await {
        Ok(Some(id)) => show_user(&app, &id).await,
        Ok(None) => Err(ApiError::Unauthorized),
        Err(error) => Err(error),
    };
    match user {
        Ok(user) => user.into_response(),
        Err(error) => refuse(&app, &head, error),
    }
}
