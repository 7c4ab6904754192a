//! Customers: what is written, and what a list may ask for.

use crate::cursor::{self, Bookmark};
use crate::filter::DateRange;
use crate::metadata::Metadata;
use crate::selection::{Order, Selection, Window};
use crate::{StoreError, Table};

/// A customer to be created.
#[derive(Debug, Clone)]
pub struct NewCustomer {
    /// Unique among customers with an account, and among those without.
    pub email: String,
    /// The given name.
    pub first_name: Option<String>,
    /// The family name.
    pub last_name: Option<String>,
    /// The telephone number, in any form.
    pub phone: Option<String>,
    /// A password container, see `stheno-auth`; a customer with one has an account.
    pub password_hash: Option<String>,
    /// Kept as it is.
    pub metadata: Option<Metadata>,
}

/// What changes on a customer; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct CustomerChanges {
    /// Refused for a customer with an account, as
    /// [`StoreError::EmailOfAccount`](crate::StoreError::EmailOfAccount); `Some(None)` is refused as
    /// [`StoreError::Null`](crate::StoreError::Null).
    pub email: Option<Option<String>>,
    /// `Some(None)` removes it.
    pub first_name: Option<Option<String>>,
    /// `Some(None)` removes it.
    pub last_name: Option<Option<String>>,
    /// `Some(None)` removes it.
    pub phone: Option<Option<String>>,
    /// A new password container.
    pub password_hash: Option<String>,
    /// Merged key by key, see [`merge`](crate::metadata::merge).
    pub metadata: Option<Metadata>,
    /// The ids of all groups that the customer shall be in.
    pub groups: Option<Vec<String>>,
}

/// Which customers a list shows. Whatever is none does not narrow it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomerFilter {
    /// Only customers with this in their e-mail address, a name, or `first last`, in any case.
    pub q: Option<String>,
    /// Only members of at least one of these groups. The relation `groups` then holds these alone.
    pub groups: Option<Vec<String>>,
    /// Only customers with an account, or without one.
    pub has_account: Option<AccountFilter>,
    /// Only customers created within.
    pub created_at: DateRange,
    /// Only customers last changed within.
    pub updated_at: DateRange,
}

/// What a list asks of `has_account`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountFilter {
    /// With an account, or without.
    Is(bool),
    /// Neither: a comparison with null, which no row satisfies.
    Null,
}

/// A list of customers, as it is asked for.
#[derive(Debug, Clone)]
pub struct CustomerList {
    /// Which customers.
    pub filter: CustomerFilter,
    /// In which order.
    pub order: Order,
    /// Which part of them.
    pub window: Window,
    /// What of each.
    pub selection: Selection,
}

impl CustomerList {
    /// The same list, behind the page that told this cursor as its [`next`](crate::Page::next). The offset counts from there.
    ///
    /// # Errors
    /// [`StoreError::Cursor`] if it is not one of this list, in this order and with these filters.
    pub fn after(mut self, cursor: &str) -> Result<Self, StoreError> {
        let rows = cursor::rows_of(Table::Customer, &self.filter);
        self.order.after = Some(Bookmark::read(cursor, rows, &self.order)?);
        Ok(self)
    }
}
