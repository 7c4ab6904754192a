use bytes::Bytes;
use http::Method;
use stheno_api_types::{Customer, CustomerList};

use super::{CustomerField, CustomerRelation, CustomerSort, customers};
use crate::operation::{Expandable, Listing, Operation, Unreadable};
use crate::query::Query;
use crate::request::Draft;
use crate::{Call, Error, Page};

/// Lists customers: [`Customers::list`](super::Customers::list).
#[derive(Clone, Debug, Default)]
pub struct List {
    query: Query,
}

/// # Listing customers
impl Call<List> {
    /// Only customers who are in one of these groups.
    pub fn groups<T: Into<String>>(mut self, ids: impl IntoIterator<Item = T>) -> Self {
        self.operation.query.set_array("groups", ids);
        self
    }

    /// Only customers with an account, or without.
    pub fn has_account(mut self, has_account: bool) -> Self {
        self.operation.query.set("has_account", has_account.to_string());
        self
    }

    /// Asks for these columns. Medusa takes note and sends all of them, and so does Stheno.
    pub fn fields(mut self, fields: impl IntoIterator<Item = CustomerField>) -> Self {
        self.operation.query.set_joined("fields", fields);
        self
    }
}

impl Operation for List {
    type Answer = Page<Customer>;

    const NAME: &'static str = "customers.list";

    fn draft(&self) -> Result<Draft, Error> {
        Ok(Draft::new(Method::GET, customers()).query(&self.query))
    }

    fn read(&self, body: &Bytes) -> Result<Page<Customer>, Unreadable> {
        let list: CustomerList = serde_json::from_slice(body)?;
        Ok(list.into())
    }
}

impl Expandable for List {
    type Relation = CustomerRelation;

    fn query_mut(&mut self) -> &mut Query {
        &mut self.query
    }
}

impl Listing for List {
    type Item = Customer;
    type Sort = CustomerSort;
}
