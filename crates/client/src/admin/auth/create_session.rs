use bytes::Bytes;
use http::Method;
use stheno_api_types::{Credentials, User, UserEnvelope};

use super::auth;
use crate::Error;
use crate::operation::{Operation, Unreadable};
use crate::request::Draft;

/// Logs in: [`Auth::create_session`](super::Auth::create_session).
#[derive(Clone, Debug)]
pub struct CreateSession {
    pub(super) credentials: Credentials,
}

impl Operation for CreateSession {
    type Answer = User;

    const NAME: &'static str = "auth.create_session";
    const AUTHENTICATED: bool = false;
    const BEGINS_SESSION: bool = true;

    fn draft(&self) -> Result<Draft, Error> {
        Draft::new(Method::POST, auth()).json(&self.credentials)
    }

    fn read(&self, body: &Bytes) -> Result<User, Unreadable> {
        let answer: UserEnvelope = serde_json::from_slice(body)?;
        Ok(answer.user)
    }
}
