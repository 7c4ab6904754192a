use bytes::Bytes;
use http::Method;
use stheno_api_types::{User, UserEnvelope};

use super::auth;
use crate::Error;
use crate::operation::{Operation, Unreadable};
use crate::request::Draft;

/// The user who is asking: [`Auth::get_session`](super::Auth::get_session).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GetSession;

impl Operation for GetSession {
    type Answer = User;

    const NAME: &'static str = "auth.get_session";

    fn draft(&self) -> Result<Draft, Error> {
        Ok(Draft::new(Method::GET, auth()))
    }

    fn read(&self, body: &Bytes) -> Result<User, Unreadable> {
        let answer: UserEnvelope = serde_json::from_slice(body)?;
        Ok(answer.user)
    }
}
