//! Customers.

mod create;
mod list;
mod parameters;
mod retrieve;
mod update;

pub use create::Create;
pub use list::List;
pub use parameters::{CustomerField, CustomerRelation, CustomerSort};
pub use retrieve::Retrieve;
pub use update::Update;

use stheno_api_types::CreateCustomer;

use crate::request::Path;
use crate::{Call, Client, Error};

/// Customers; see [`Admin::customers`](crate::Admin::customers).
#[derive(Clone, Debug)]
pub struct Customers {
    client: Client,
}

impl Customers {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Makes a customer with an account. `POST /admin/customers`
    ///
    /// Not safe to repeat, and therefore tried again only if the first attempt surely came to nothing; see
    /// [`Retry`](crate::Retry).
    ///
    /// # Errors
    ///
    /// [`is_duplicate`](Error::is_duplicate) if a customer with an account has this e-mail address,
    /// [`is_validation`](Error::is_validation) if it is none.
    ///
    /// ```no_run
    /// # async fn example(customers: stheno_client::Customers) -> Result<(), stheno_client::Error> {
    /// use stheno_client::CreateCustomer;
    ///
    /// let ida = CreateCustomer::new("ida@example.com", "Ida", "Simon", "correct horse");
    /// let customer = customers.create(ida).phone("+45 12 34 56 78").await?;
    /// println!("made {}", customer.id);
    /// # Ok(())
    /// # }
    /// ```
    pub fn create(&self, customer: CreateCustomer) -> Call<Create> {
        Call::new(&self.client, Create { body: customer })
    }

    /// Lists customers, 50 to a page. `GET /admin/customers`
    ///
    /// ```no_run
    /// # async fn example(customers: stheno_client::Customers) -> Result<(), stheno_client::Error> {
    /// use stheno_client::admin::customers::{CustomerRelation, CustomerSort};
    ///
    /// let page = customers
    ///     .list()
    ///     .groups(["cgrp_01JBRG"])
    ///     .has_account(true)
    ///     .order(CustomerSort::Email)
    ///     .expand([CustomerRelation::Groups])
    ///     .await?;
    /// for customer in &page {
    ///     println!("{}", customer.email);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(&self) -> Call<List> {
        Call::new(&self.client, List::default())
    }

    /// Retrieves a customer. `GET /admin/customers/{id}`
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) if there is no such customer; with [`optional`](Call::optional), this is
    /// `None`.
    ///
    /// ```no_run
    /// # async fn example(customers: stheno_client::Customers) -> Result<(), stheno_client::Error> {
    /// let customer = customers.retrieve("cus_01J94J").await?;
    /// println!("{}", customer.email);
    /// # Ok(())
    /// # }
    /// ```
    pub fn retrieve(&self, id: impl Into<String>) -> Call<Retrieve> {
        Call::new(&self.client, Retrieve::new(id.into()))
    }

    /// Changes a customer. `POST /admin/customers/{id}`
    ///
    /// Safe to repeat.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) if there is no such customer or group,
    /// [`is_validation`](Error::is_validation) if the e-mail address of a customer with an account was to change,
    /// [`is_duplicate`](Error::is_duplicate) if the address is taken or a group comes twice.
    ///
    /// ```no_run
    /// # async fn example(customers: stheno_client::Customers) -> Result<(), stheno_client::Error> {
    /// use stheno_client::Change;
    ///
    /// customers.update("cus_01J94J").last_name("Lund").phone(Change::Clear).groups(["cgrp_01JBRG"]).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(&self, id: impl Into<String>) -> Call<Update> {
        Call::new(&self.client, Update::new(id.into()))
    }
}

fn customers() -> Path {
    Path::new("/admin/customers")
}

fn customer(id: &str) -> Result<Path, Error> {
    customers().id(id)
}
