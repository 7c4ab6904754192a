use bytes::Bytes;
use http::Method;
use serde_json::Value;
use stheno_api_types::{Change, Customer, CustomerEnvelope, Id, UpdateCustomer};

use super::{CustomerRelation, customer};
use crate::operation::{Expandable, Operation, Unreadable};
use crate::query::Query;
use crate::request::Draft;
use crate::{Call, Error};

/// Changes a customer: [`Customers::update`](super::Customers::update).
#[derive(Clone, Debug)]
pub struct Update {
    id: String,
    body: UpdateCustomer,
    query: Query,
}

impl Update {
    pub(super) fn new(id: String) -> Self {
        Self { id, body: UpdateCustomer::default(), query: Query::default() }
    }
}

/// # Changing a customer
impl Call<Update> {
    /// A new e-mail address, for a customer without an account only.
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.operation.body.email = Some(email.into());
        self
    }

    /// A first name, or [`Change::Clear`].
    pub fn first_name(mut self, first_name: impl Into<Change<String>>) -> Self {
        self.operation.body.first_name = first_name.into();
        self
    }

    /// A last name, or [`Change::Clear`].
    pub fn last_name(mut self, last_name: impl Into<Change<String>>) -> Self {
        self.operation.body.last_name = last_name.into();
        self
    }

    /// A phone number, or [`Change::Clear`].
    pub fn phone(mut self, phone: impl Into<Change<String>>) -> Self {
        self.operation.body.phone = phone.into();
        self
    }

    /// A new password.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.operation.body.password = Some(password.into());
        self
    }

    /// The groups the customer shall be in from now on; from all others the customer is removed. An id may come once only.
    pub fn groups<T: Into<String>>(mut self, ids: impl IntoIterator<Item = T>) -> Self {
        self.operation.body.groups = Some(ids.into_iter().map(Id::from).collect());
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
    type Answer = Customer;

    const NAME: &'static str = "customers.update";

    fn draft(&self) -> Result<Draft, Error> {
        Draft::new(Method::POST, customer(&self.id)?).query(&self.query).json(&self.body)
    }

    fn read(&self, body: &Bytes) -> Result<Customer, Unreadable> {
        let answer: CustomerEnvelope = serde_json::from_slice(body)?;
        Ok(answer.customer)
    }
}

impl Expandable for Update {
    type Relation = CustomerRelation;

    fn query_mut(&mut self) -> &mut Query {
        &mut self.query
    }
}
