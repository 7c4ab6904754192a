use bytes::Bytes;
use http::Method;
use stheno_api_types::{Customer, CustomerList};

use super::group;
use crate::admin::customers::{CustomerField, CustomerRelation, CustomerSort};
use crate::operation::{Expandable, Listing, Operation, Unreadable};
use crate::query::Query;
use crate::request::Draft;
use crate::{Call, Error, Page};

/// Lists the customers of a group: [`CustomerGroups::list_customers`](super::CustomerGroups::list_customers).
#[derive(Clone, Debug)]
pub struct ListCustomers {
    id: String,
    query: Query,
}

impl ListCustomers {
    pub(super) fn new(id: String) -> Self {
        Self { id, query: Query::default() }
    }
}

/// # Listing the customers of a group
impl Call<ListCustomers> {
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

impl Operation for ListCustomers {
    type Answer = Page<Customer>;

    const NAME: &'static str = "customer_groups.list_customers";

    fn draft(&self) -> Result<Draft, Error> {
        Ok(Draft::new(Method::GET, group(&self.id)?.then("/customers")).query(&self.query))
    }

    fn read(&self, body: &Bytes) -> Result<Page<Customer>, Unreadable> {
        let list: CustomerList = serde_json::from_slice(body)?;
        Ok(list.into())
    }
}

impl Expandable for ListCustomers {
    type Relation = CustomerRelation;

    fn query_mut(&mut self) -> &mut Query {
        &mut self.query
    }
}

impl Listing for ListCustomers {
    type Item = Customer;
    type Sort = CustomerSort;
}
