use bytes::Bytes;
use http::Method;
use stheno_api_types::{CustomerGroup, CustomerGroupEnvelope, CustomerIds};

use super::group;
use crate::operation::{Operation, Unreadable};
use crate::request::Draft;
use crate::{Error, Membership};

/// Removes customers from a group: [`CustomerGroups::remove_customers`](super::CustomerGroups::remove_customers).
#[derive(Clone, Debug)]
pub struct RemoveCustomers {
    pub(super) id: String,
    pub(super) body: CustomerIds,
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

impl Membership for RemoveCustomers {
    fn new(group_id: String, customers: CustomerIds) -> Self {
        Self { id: group_id, body: customers }
    }

    fn group_id(&self) -> &str {
        &self.id
    }

    fn customers(&self) -> &CustomerIds {
        &self.body
    }
}
