use bytes::Bytes;
use http::Method;
use serde_json::Value;
use stheno_api_types::{CustomerGroup, CustomerGroupEnvelope, UpdateCustomerGroup};

use super::{CustomerGroupRelation, group};
use crate::operation::{Expandable, Operation, Unreadable};
use crate::query::Query;
use crate::request::Draft;
use crate::{Call, Error};

/// Changes a group: [`CustomerGroups::update`](super::CustomerGroups::update).
#[derive(Clone, Debug)]
pub struct Update {
    id: String,
    body: UpdateCustomerGroup,
    query: Query,
}

impl Update {
    pub(super) fn new(id: String, body: UpdateCustomerGroup) -> Self {
        Self { id, body, query: Query::default() }
    }
}

/// # Changing a customer group
impl Call<Update> {
    /// A new name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.operation.body.name = Some(name.into());
        self
    }

    /// Keys and values to be merged into the metadata, or a whole [`Metadata`](crate::Metadata). Other keys stay; a value
    /// that is an object replaces the one that is there; a value that is an empty string removes the key.
    pub fn metadata<K: Into<String>, V: Into<Value>>(
        mut self,
        entries: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key.into(), value.into()));
        self.operation.body.metadata.get_or_insert_default().extend(entries);
        self
    }

    /// Removes a key from the metadata.
    pub fn remove_metadata(self, key: impl Into<String>) -> Self {
        // An empty string is Medusa's way to say so.
        self.metadata([(key, "")])
    }
}

impl Operation for Update {
    type Answer = CustomerGroup;

    const NAME: &'static str = "customer_groups.update";

    fn draft(&self) -> Result<Draft, Error> {
        Draft::new(Method::POST, group(&self.id)?).query(&self.query).json(&self.body)
    }

    fn read(&self, body: &Bytes) -> Result<CustomerGroup, Unreadable> {
        let answer: CustomerGroupEnvelope = serde_json::from_slice(body)?;
        Ok(answer.customer_group)
    }
}

impl Expandable for Update {
    type Relation = CustomerGroupRelation;

    fn query_mut(&mut self) -> &mut Query {
        &mut self.query
    }
}
