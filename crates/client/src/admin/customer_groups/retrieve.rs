use std::marker::PhantomData;

use bytes::Bytes;
use http::Method;
use serde::de::DeserializeOwned;
use stheno_api_types::{CustomerGroup, CustomerGroupEnvelope, PartialCustomerGroup};

use super::{CustomerGroupField, CustomerGroupRelation, group};
use crate::operation::{Expandable, Operation, Unreadable};
use crate::query::Query;
use crate::request::Draft;
use crate::{Call, Error};

/// Retrieves a group: [`CustomerGroups::retrieve`](super::CustomerGroups::retrieve). `G` is what comes: a whole group, or a
/// partial one after [`fields`](Call::fields).
#[derive(Clone, Debug)]
pub struct Retrieve<G = CustomerGroup> {
    id: String,
    query: Query,
    answer: PhantomData<fn() -> G>,
}

impl Retrieve {
    pub(super) fn new(id: String) -> Self {
        Self { id, query: Query::default(), answer: PhantomData }
    }
}

/// # Retrieving parts of a customer group
impl Call<Retrieve> {
    /// Only these columns, besides `id`, which always comes.
    pub fn fields(
        mut self,
        fields: impl IntoIterator<Item = CustomerGroupField>,
    ) -> Call<Retrieve<PartialCustomerGroup>> {
        self.operation.query.set_joined("fields", fields);
        self.map(|retrieve| Retrieve { id: retrieve.id, query: retrieve.query, answer: PhantomData })
    }
}

impl<G: DeserializeOwned + Send + 'static> Operation for Retrieve<G> {
    type Answer = G;

    const NAME: &'static str = "customer_groups.retrieve";

    fn draft(&self) -> Result<Draft, Error> {
        Ok(Draft::new(Method::GET, group(&self.id)?).query(&self.query))
    }

    fn read(&self, body: &Bytes) -> Result<G, Unreadable> {
        let answer: CustomerGroupEnvelope<G> = serde_json::from_slice(body)?;
        Ok(answer.customer_group)
    }
}

impl<G: DeserializeOwned + Send + 'static> Expandable for Retrieve<G> {
    type Relation = CustomerGroupRelation;

    fn query_mut(&mut self) -> &mut Query {
        &mut self.query
    }
}
