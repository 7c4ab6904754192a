//! Customer groups: what is written, and what a list may ask for.

use crate::cursor::{self, Bookmark};
use crate::filter::{DateRange, IdFilter};
use crate::metadata::Metadata;
use crate::selection::{Order, Selection, Window};
use crate::{StoreError, Table};

/// A customer group to be created.
#[derive(Debug, Clone)]
pub struct NewCustomerGroup {
    /// Unique among all groups.
    pub name: String,
    /// Kept as it is.
    pub metadata: Option<Metadata>,
}

/// What changes on a customer group; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct CustomerGroupChanges {
    /// The new name; `Some(None)` is refused as [`StoreError::Null`](crate::StoreError::Null).
    pub name: Option<Option<String>>,
    /// Merged key by key, see [`merge`](crate::metadata::merge).
    pub metadata: Option<Metadata>,
}

/// Which customer groups a list shows. Whatever is none does not narrow it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomerGroupFilter {
    /// Only groups with this in their name, in any case.
    pub q: Option<String>,
    /// Only groups with one of these names.
    pub names: Option<Vec<String>>,
    /// Only groups with such an id.
    pub id: Option<IdFilter>,
    /// Only groups created within.
    pub created_at: DateRange,
    /// Only groups last changed within.
    pub updated_at: DateRange,
    /// Only groups that this discount condition names.
    pub discount_condition_id: Option<String>,
}

/// A list of customer groups, as it is asked for.
#[derive(Debug, Clone)]
pub struct CustomerGroupList {
    /// Which groups.
    pub filter: CustomerGroupFilter,
    /// In which order.
    pub order: Order,
    /// Which part of them.
    pub window: Window,
    /// What of each.
    pub selection: Selection,
}

impl CustomerGroupList {
    /// The same list, behind the page that told this cursor as its [`next`](crate::Page::next). The offset counts from there.
    ///
    /// # Errors
    /// [`StoreError::Cursor`] if it is not one of this list, in this order and with these filters.
    pub fn after(mut self, cursor: &str) -> Result<Self, StoreError> {
        let rows = cursor::rows_of(Table::CustomerGroup, &self.filter);
        self.order.after = Some(Bookmark::read(cursor, rows, &self.order)?);
        Ok(self)
    }
}
