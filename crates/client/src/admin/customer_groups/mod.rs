//! Customer groups and their members.

mod add_customers;
mod create;
mod delete;
mod list;
mod list_customers;
mod parameters;
mod remove_customers;
mod retrieve;
mod update;

pub use add_customers::AddCustomers;
pub use create::Create;
pub use delete::Delete;
pub use list::List;
pub use list_customers::ListCustomers;
pub use parameters::{CustomerGroupField, CustomerGroupRelation, CustomerGroupSort};
pub use remove_customers::RemoveCustomers;
pub use retrieve::Retrieve;
pub use update::Update;

use stheno_api_types::{CreateCustomerGroup, CustomerIds, UpdateCustomerGroup};

use crate::request::Path;
use crate::{Call, Client, Error};

/// Customer groups; see [`Admin::customer_groups`](crate::Admin::customer_groups).
#[derive(Clone, Debug)]
pub struct CustomerGroups {
    client: Client,
}

impl CustomerGroups {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Adds customers to a group. `POST /admin/customer-groups/{id}/customers/batch`
    ///
    /// All are added or none. Customers who are members already stay so; the group's `updated_at` does not move. Safe to
    /// repeat. One request can hold as many ids as fit into the body that the server takes: 100 kB in Medusa, about 2,400
    /// ids. For large numbers, use [`in_batches`](Call::in_batches).
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) if there is no such group, or one of the customers does not exist: the
    /// message names all of these. [`is_too_large`](Error::is_too_large) if there are too many.
    ///
    /// ```no_run
    /// # async fn example(groups: stheno_client::CustomerGroups) -> Result<(), stheno_client::Error> {
    /// let group = groups.add_customers("cgrp_01JBRG", ["cus_01J94J", "cus_01J96E"]).await?;
    /// println!("added to {}", group.name);
    /// # Ok(())
    /// # }
    /// ```
    pub fn add_customers<T: Into<String>>(
        &self,
        id: impl Into<String>,
        customer_ids: impl IntoIterator<Item = T>,
    ) -> Call<AddCustomers> {
        Call::new(&self.client, AddCustomers { id: id.into(), body: collect(customer_ids) })
    }

    /// Makes a group. `POST /admin/customer-groups`
    ///
    /// Takes a name, or a [`CreateCustomerGroup`]. Not safe to repeat, and therefore tried again only if the first attempt
    /// surely came to nothing; see [`Retry`](crate::Retry).
    ///
    /// # Errors
    ///
    /// [`is_duplicate`](Error::is_duplicate) if there is a group of this name.
    ///
    /// ```no_run
    /// # async fn example(groups: stheno_client::CustomerGroups) -> Result<(), stheno_client::Error> {
    /// let group = groups.create("VIP").metadata([("tier", 1)]).await?;
    /// println!("made {}", group.id);
    /// # Ok(())
    /// # }
    /// ```
    pub fn create(&self, group: impl Into<CreateCustomerGroup>) -> Call<Create> {
        Call::new(&self.client, Create { body: group.into() })
    }

    /// Deletes a group and its memberships; the customers stay. `DELETE /admin/customer-groups/{id}`
    ///
    /// Safe to repeat: deleting what is not there succeeds too.
    ///
    /// ```no_run
    /// # async fn example(groups: stheno_client::CustomerGroups) -> Result<(), stheno_client::Error> {
    /// let deleted = groups.delete("cgrp_01JBRG").await?;
    /// println!("{} is gone", deleted.id);
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete(&self, id: impl Into<String>) -> Call<Delete> {
        Call::new(&self.client, Delete { id: id.into() })
    }

    /// Lists groups, the youngest first, 10 to a page. `GET /admin/customer-groups`
    ///
    /// ```no_run
    /// # async fn example(groups: stheno_client::CustomerGroups) -> Result<(), stheno_client::Error> {
    /// use stheno_client::admin::customer_groups::{CustomerGroupRelation, CustomerGroupSort};
    ///
    /// let page = groups
    ///     .list()
    ///     .q("vip")
    ///     .order(CustomerGroupSort::Name.descending())
    ///     .expand([CustomerGroupRelation::Customers])
    ///     .limit(20)
    ///     .await?;
    /// println!("{} of {}", page.items.len(), page.count);
    /// for group in &page {
    ///     println!("{} with {} members", group.name, group.customers.as_ref().map_or(0, Vec::len));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(&self) -> Call<List> {
        Call::new(&self.client, List::default())
    }

    /// Lists the customers of a group, by id, 50 to a page. `GET /admin/customer-groups/{id}/customers`
    ///
    /// Every customer brings its `groups`, which hold this group only. The list is empty if there is no such group.
    ///
    /// ```no_run
    /// # async fn example(groups: stheno_client::CustomerGroups) -> Result<(), stheno_client::Error> {
    /// for customer in groups.list_customers("cgrp_01JBRG").q("smith").has_account(true).await? {
    ///     println!("{}", customer.email);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_customers(&self, id: impl Into<String>) -> Call<ListCustomers> {
        Call::new(&self.client, ListCustomers::new(id.into()))
    }

    /// Removes customers from a group. `DELETE /admin/customer-groups/{id}/customers/batch`
    ///
    /// Customers who are not members, or do not exist, are passed over; the group's `updated_at` does not move. Safe to
    /// repeat. As to how many at once, see [`add_customers`](Self::add_customers); for large numbers, use
    /// [`in_batches`](Call::in_batches).
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) if there is no such group. [`is_too_large`](Error::is_too_large) if there are
    /// too many customers.
    ///
    /// ```no_run
    /// # async fn example(groups: stheno_client::CustomerGroups) -> Result<(), stheno_client::Error> {
    /// groups.remove_customers("cgrp_01JBRG", ["cus_01J94J"]).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn remove_customers<T: Into<String>>(
        &self,
        id: impl Into<String>,
        customer_ids: impl IntoIterator<Item = T>,
    ) -> Call<RemoveCustomers> {
        Call::new(&self.client, RemoveCustomers { id: id.into(), body: collect(customer_ids) })
    }

    /// Retrieves a group. `GET /admin/customer-groups/{id}`
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) if there is no such group; with [`optional`](Call::optional), this is `None`.
    ///
    /// ```no_run
    /// # async fn example(groups: stheno_client::CustomerGroups) -> Result<(), stheno_client::Error> {
    /// if let Some(group) = groups.retrieve("cgrp_01JBRG").optional().await? {
    ///     println!("{}", group.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn retrieve(&self, id: impl Into<String>) -> Call<Retrieve> {
        Call::new(&self.client, Retrieve::new(id.into()))
    }

    /// Changes a group's name or metadata. `POST /admin/customer-groups/{id}`
    ///
    /// Safe to repeat.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) if there is no such group, [`is_duplicate`](Error::is_duplicate) if another
    /// group has the name.
    ///
    /// ```no_run
    /// # async fn example(groups: stheno_client::CustomerGroups) -> Result<(), stheno_client::Error> {
    /// let group = groups.update("cgrp_01JBRG").name("Gold").metadata([("tier", 2)]).remove_metadata("trial").await?;
    /// println!("{:?}", group.metadata);
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(&self, id: impl Into<String>) -> Call<Update> {
        Call::new(&self.client, Update::new(id.into(), UpdateCustomerGroup::default()))
    }
}

fn groups() -> Path {
    Path::new("/admin/customer-groups")
}

fn group(id: &str) -> Result<Path, Error> {
    groups().id(id)
}

fn collect<T: Into<String>>(ids: impl IntoIterator<Item = T>) -> CustomerIds {
    ids.into_iter().map(Into::<String>::into).collect()
}
