use bytes::Bytes;
use http::Method;

use super::auth;
use crate::Error;
use crate::operation::{Operation, Unreadable};
use crate::request::Draft;

/// Logs out: [`Auth::delete_session`](super::Auth::delete_session).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeleteSession;

impl Operation for DeleteSession {
    type Answer = ();

    const NAME: &'static str = "auth.delete_session";

    /// Who has logged out is not logged in.
    fn is_spent(&self) -> bool {
        true
    }

    fn draft(&self) -> Result<Draft, Error> {
        Ok(Draft::new(Method::DELETE, auth()))
    }

    /// The body is the text `OK`, which says no more than the status.
    fn read(&self, _: &Bytes) -> Result<(), Unreadable> {
        Ok(())
    }
}
