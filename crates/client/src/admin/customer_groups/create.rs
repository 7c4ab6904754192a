use bytes::Bytes;
use http::Method;
use serde_json::Value;
use stheno_api_types::{CreateCustomerGroup, CustomerGroup, CustomerGroupEnvelope};

use super::groups;
use crate::operation::{Operation, Unreadable};
use crate::request::Draft;
use crate::{Call, Error};

/// Makes a group: [`CustomerGroups::create`](super::CustomerGroups::create).
#[derive(Clone, Debug)]
pub struct Create {
    pub(super) body: CreateCustomerGroup,
}

/// # Making a customer group
impl Call<Create> {
    /// Free data: keys and values, or a whole [`Metadata`](crate::Metadata). Adds to what was given before.
    pub fn metadata<K: Into<String>, V: Into<Value>>(
        mut self,
        entries: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key.into(), value.into()));
        self.operation.body.metadata.get_or_insert_default().extend(entries);
        self
    }
}

impl Operation for Create {
    type Answer = CustomerGroup;

    const NAME: &'static str = "customer_groups.create";

    fn is_repeatable(&self) -> bool {
        false
    }

    fn draft(&self) -> Result<Draft, Error> {
        Draft::new(Method::POST, groups()).json(&self.body)
    }

    fn read(&self, body: &Bytes) -> Result<CustomerGroup, Unreadable> {
        let answer: CustomerGroupEnvelope = serde_json::from_slice(body)?;
        Ok(answer.customer_group)
    }
}
