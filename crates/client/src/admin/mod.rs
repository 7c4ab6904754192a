//! What someone who works on the shop can do.

pub mod auth;
pub mod customer_groups;
pub mod customers;

pub use auth::Auth;
pub use customer_groups::CustomerGroups;
pub use customers::Customers;

use crate::Client;

/// The admin API; see [`Client::admin`].
#[derive(Clone, Debug)]
pub struct Admin {
    client: Client,
}

impl Admin {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Who is asking, tokens and sessions.
    pub fn auth(&self) -> Auth {
        Auth::new(self.client.clone())
    }

    /// Customer groups and their members.
    pub fn customer_groups(&self) -> CustomerGroups {
        CustomerGroups::new(self.client.clone())
    }

    /// Customers.
    pub fn customers(&self) -> Customers {
        Customers::new(self.client.clone())
    }
}
