use bytes::Bytes;
use http::Method;
use stheno_api_types::Deleted;

use super::group;
use crate::Error;
use crate::operation::{Operation, Unreadable};
use crate::request::Draft;

/// Deletes a group: [`CustomerGroups::delete`](super::CustomerGroups::delete).
#[derive(Clone, Debug)]
pub struct Delete {
    pub(super) id: String,
}

impl Operation for Delete {
    type Answer = Deleted;

    const NAME: &'static str = "customer_groups.delete";

    fn draft(&self) -> Result<Draft, Error> {
        Ok(Draft::new(Method::DELETE, group(&self.id)?))
    }

    fn read(&self, body: &Bytes) -> Result<Deleted, Unreadable> {
        Ok(serde_json::from_slice(body)?)
    }
}
