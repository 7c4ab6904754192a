use bytes::Bytes;
use http::Method;
use stheno_api_types::{CustomerGroup, CustomerGroupEnvelope, CustomerIds};

use super::group;
use crate::operation::{Operation, Unreadable};
use crate::request::Draft;
use crate::{Error, Membership};

/// Adds customers to a group: [`CustomerGroups::add_customers`](super::CustomerGroups::add_customers).
#[derive(Clone, Debug)]
pub struct AddCustomers {
    pub(super) id: String,
    pub(super) body: CustomerIds,
}

impl Operation for AddCustomers {
    type Answer = CustomerGroup;

    const NAME: &'static str = "customer_groups.add_customers";

    fn draft(&self) -> Result<Draft, Error> {
        Draft::new(Method::POST, group(&self.id)?.then("/customers/batch")).json(&self.body)
    }

    /// Medusa does not look for the group if there is nobody to add, and then finds none (`cg.add.unknown_group_empty`).
    fn read(&self, body: &Bytes) -> Result<CustomerGroup, Unreadable> {
        let answer: CustomerGroupEnvelope<Option<CustomerGroup>> = serde_json::from_slice(body)?;
        answer
            .customer_group
            .ok_or_else(|| Unreadable::NotFound(format!("CustomerGroup with id {} was not found", self.id)))
    }
}

impl Membership for AddCustomers {
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
