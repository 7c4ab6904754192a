//! `POST /admin/auth/token`

use stheno_api_types::AccessToken;

use super::{Login, sign_in};
use crate::answer::Answer;
use crate::error::ApiError;
use crate::extract::OpenCall;

/// A bearer token, good for 24 hours.
pub(crate) async fn handler(call: OpenCall<Login>) -> Result<Answer, ApiError> {
    let user = sign_in(&call.app, call.body).await?;
    Answer::json(&AccessToken::new(call.app.credentials().bearer_for(&user)))
}
