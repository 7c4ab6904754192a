//! `POST /admin/auth`

use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use stheno_api_types::UserEnvelope;
use stheno_auth::session::SessionId;
use stheno_store::LoginKind;

use super::{Login, cookie_mark, refuse, set_cookie, show_user, sign_in};
use crate::app::App;
use crate::audit::Attempt;
use crate::error::ApiError;
use crate::extract::OpenCall;
use crate::openapi::LoginRefused;

/// Opens a session and sets its cookie. Over plain http there is no cookie, as in Medusa, unless so configured.
#[utoipa::path(
    post,
    path = "/admin/auth",
    operation_id = "create_session",
    tag = "Authentication",
    security(()),
    request_body(
        content = Login,
        example = json!({"email": "admin@example.com", "password": "a-long-password"})
    ),
    responses(
        (status = 200, body = UserEnvelope, description = "The user; over https with the session's cookie."),
        LoginRefused
    ),
)]
pub(crate) async fn handler(call: OpenCall<Login>) -> Response {
    let OpenCall { app, body, head } = call;
    let mut attempt = Attempt::new(&app, &head, LoginKind::Session, &body.email);
    let opened = open(&app, &head, body, &mut attempt).await;
    attempt.ended(&opened);
    opened.unwrap_or_else(|error| refuse(&app, &head, error))
}

async fn open(app: &App, head: &Parts, login: Login, attempt: &mut Attempt) -> Result<Response, ApiError> {
    let user = sign_in(app, login, attempt).await?;
    let mut response = show_user(app, &user).await?.into_response();
    if let Some(secure) = cookie_mark(app, head) {
        let id =
            SessionId::generate().map_err(|_| ApiError::Internal("the system gave no random numbers"))?;
        let (cookie, expires) = app.credentials().cookie_for(&id, secure);
        app.store().create_session(id.storage_hash(), &user, expires).await?;
        set_cookie(response.headers_mut(), &cookie);
    } else {
        tracing::warn!(
            "a login over plain http got no session cookie: serve over https, behind a trusted proxy that says so, or \
             with --cookie-secure never"
        );
    }
    Ok(response)
}
