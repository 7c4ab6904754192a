use std::marker::PhantomData;

use bytes::Bytes;
use http::Method;
use serde::de::DeserializeOwned;
use stheno_api_types::{CustomerGroup, CustomerGroupList, PartialCustomerGroup};

use super::{CustomerGroupField, CustomerGroupRelation, CustomerGroupSort, groups};
use crate::operation::{Expandable, Listing, Operation, Unreadable};
use crate::query::Query;
use crate::request::Draft;
use crate::{Call, Error, IdFilter, Page};

/// Lists groups: [`CustomerGroups::list`](super::CustomerGroups::list). `G` is what comes: whole groups, or partial ones
/// after [`fields`](Call::fields).
#[derive(Clone, Debug)]
pub struct List<G = CustomerGroup> {
    query: Query,
    answer: PhantomData<fn() -> G>,
}

impl Default for List {
    fn default() -> Self {
        Self { query: Query::default(), answer: PhantomData }
    }
}

/// # Listing customer groups
impl<G: DeserializeOwned + Clone + Send + 'static> Call<List<G>> {
    /// Only groups with one of these names, upper and lower case being different. Has no effect beside `q`.
    ///
    /// Medusa takes a name with a comma in it for two names.
    pub fn name<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.operation.query.set_array("name", names);
        self
    }

    /// Only groups that this discount condition names.
    ///
    /// In Medusa `count` is then that of the page.
    pub fn discount_condition_id(mut self, id: impl Into<String>) -> Self {
        self.operation.query.set("discount_condition_id", id.into());
        self
    }

    /// Only groups with these ids. **For Stheno**: Medusa documents this filter, and refuses it.
    pub fn id(mut self, ids: impl Into<IdFilter>) -> Self {
        self.operation.query.set("id", ids.into());
        self
    }
}

/// # Listing parts of customer groups
impl Call<List> {
    /// Only these columns, besides `id` and `created_at`, which always come.
    pub fn fields(
        mut self,
        fields: impl IntoIterator<Item = CustomerGroupField>,
    ) -> Call<List<PartialCustomerGroup>> {
        self.operation.query.set_joined("fields", fields);
        self.map(|list| List { query: list.query, answer: PhantomData })
    }
}

impl<G: DeserializeOwned + Send + 'static> Operation for List<G> {
    type Answer = Page<G>;

    const NAME: &'static str = "customer_groups.list";

    fn draft(&self) -> Result<Draft, Error> {
        Ok(Draft::new(Method::GET, groups()).query(&self.query))
    }

    fn read(&self, body: &Bytes) -> Result<Page<G>, Unreadable> {
        let list: CustomerGroupList<G> = serde_json::from_slice(body)?;
        Ok(list.into())
    }
}

impl<G: DeserializeOwned + Send + 'static> Expandable for List<G> {
    type Relation = CustomerGroupRelation;

    fn query_mut(&mut self) -> &mut Query {
        &mut self.query
    }
}

impl<G: DeserializeOwned + Clone + Send + 'static> Listing for List<G> {
    type Item = G;
    type Sort = CustomerGroupSort;

    /// Medusa counts the page only if a discount condition is given (`cg.list.discount_condition_limit1`).
    fn counts_all(&self) -> bool {
        !self.query.contains("discount_condition_id")
    }
}
