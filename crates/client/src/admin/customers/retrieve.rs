use bytes::Bytes;
use http::Method;
use stheno_api_types::{Customer, CustomerEnvelope};

use super::{CustomerField, CustomerRelation, customer};
use crate::operation::{Expandable, Operation, Unreadable};
use crate::query::Query;
use crate::request::Draft;
use crate::{Call, Error};

/// Retrieves a customer: [`Customers::retrieve`](super::Customers::retrieve).
#[derive(Clone, Debug)]
pub struct Retrieve {
    id: String,
    query: Query,
}

impl Retrieve {
    pub(super) fn new(id: String) -> Self {
        Self { id, query: Query::default() }
    }
}

/// # Retrieving a customer
impl Call<Retrieve> {
    /// Asks for these columns. Medusa takes note and sends all of them, and so does Stheno.
    pub fn fields(mut self, fields: impl IntoIterator<Item = CustomerField>) -> Self {
        self.operation.query.set_joined("fields", fields);
        self
    }
}

impl Operation for Retrieve {
    type Answer = Customer;

    const NAME: &'static str = "customers.retrieve";

    fn draft(&self) -> Result<Draft, Error> {
        Ok(Draft::new(Method::GET, customer(&self.id)?).query(&self.query))
    }

    fn read(&self, body: &Bytes) -> Result<Customer, Unreadable> {
        let answer: CustomerEnvelope = serde_json::from_slice(body)?;
        Ok(answer.customer)
    }
}

impl Expandable for Retrieve {
    type Relation = CustomerRelation;

    fn query_mut(&mut self) -> &mut Query {
        &mut self.query
    }
}
