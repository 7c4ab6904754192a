//! `POST /admin/auth/token`

use stheno_api_types::AccessToken;
use stheno_store::LoginKind;

use super::{Login, sign_in};
use crate::answer::Answer;
use crate::audit::Attempt;
use crate::error::ApiError;
use crate::extract::OpenCall;
use crate::openapi::LoginRefused;

/// Makes a bearer token, good for 24 hours.
#[utoipa::path(
    post,
    path = "/admin/auth/token",
    operation_id = "get_token",
    tag = "Authentication",
    security(()),
    request_body(
        content = Login,
        example = json!({"email": "admin@example.com", "password": "a-long-password"})
    ),
    responses((status = 200, body = AccessToken, description = "The token."), LoginRefused),
)]
pub(crate) async fn handler(call: OpenCall<Login>) -> Result<Answer, ApiError> {
    let OpenCall { app, body, head } = call;
    let mut attempt = Attempt::new(&app, &head, LoginKind::Token, &body.email);
    let user = sign_in(&app, body, &mut attempt).await;
    let answer = user.and_then(|user| Answer::json(&AccessToken::new(app.credentials().bearer_for(&user))));
    attempt.ended(&answer);
    answer
}
