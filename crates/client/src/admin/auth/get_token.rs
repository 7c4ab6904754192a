use bytes::Bytes;
use http::Method;
use stheno_api_types::{AccessToken, Credentials};

use super::auth;
use crate::Error;
use crate::operation::{Operation, Unreadable};
use crate::request::Draft;

/// A token in exchange for e-mail address and password: [`Auth::get_token`](super::Auth::get_token).
#[derive(Clone, Debug)]
pub struct GetToken {
    pub(crate) credentials: Credentials,
}

impl Operation for GetToken {
    type Answer = AccessToken;

    const NAME: &'static str = "auth.get_token";
    const AUTHENTICATED: bool = false;

    fn draft(&self) -> Result<Draft, Error> {
        Draft::new(Method::POST, auth().then("/token")).json(&self.credentials)
    }

    fn read(&self, body: &Bytes) -> Result<AccessToken, Unreadable> {
        Ok(serde_json::from_slice(body)?)
    }
}
