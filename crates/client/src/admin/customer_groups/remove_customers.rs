use bytes::Bytes;
use http::Method;
use stheno_api_types::{CustomerGroup, CustomerGroupEnvelope, CustomerIds};

use super::group;
use crate::Error;
use crate::operation::{Operation, Unreadable};
use crate::request::Draft;

/// Removes customers from a group: [`CustomerGroups::remove_customers`](super::CustomerGroups::remove_customers).
#[derive(Clone, Debug)]
pub struct RemoveCustomers {
    pub(crate) id: String,
    pub(crate) body: CustomerIds,
}

impl Operation for RemoveCustomers {
    type Answer = CustomerGroup;

    const NAME: &'static str = "customer_groups.remove_customers";

    fn draft(&self) -> Result<Draft, Error> {
        Draft::new(Method::DELETE, group(&self.id)?.then("/customers/batch")).json(&self.body)
    }

    fn read(&self, body: &Bytes) -> Result<CustomerGroup, Unreadable> {
        let answer: CustomerGroupEnvelope = serde_json::from_slice(body)?;
        Ok(answer.customer_group)
    }
}
