//! The store's one error: neutral of engine and transport.

use std::error::Error;

use crate::Table;

/// Why a unit of work was not done. Nothing of it was saved, unless the text of [`StoreError::Unavailable`] says that it
/// may be: where a connection breaks just when PostgreSQL saves something, nobody knows.
///
/// The text of every variant may be shown to a caller, but for the source of [`StoreError::Internal`],
/// [`StoreError::Limited`] and [`StoreError::Unavailable`], which belongs in a log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A row with the same unique value exists.
    #[error("{} with {} {} already exists", .0.table.name(), .0.columns.join(", "), .0.values.join(", "))]
    Duplicate(Duplicate),
    /// A column that must have a value was given none.
    #[error("{column} of {} must not be null", .table.name())]
    Null {
        /// The table that was written.
        table: Table,
        /// The column without a value.
        column: &'static str,
    },
    /// Customers that do not exist were named, in the order and as often as they were named.
    #[error("the customers {} do not exist", .0.join(", "))]
    UnknownCustomers(Vec<String>),
    /// A customer group that does not exist was named.
    #[error("the customer group {0} does not exist")]
    UnknownCustomerGroup(String),
    /// An account has the e-mail address of its owner for good.
    #[error("the e-mail address of a registered customer cannot be changed")]
    EmailOfAccount,
    /// A cursor is none that this list gave, or not in this order or with these filters.
    #[error("the cursor must be one that this list gave, in the same order and with the same filters")]
    Cursor,
    /// The store cannot answer now, but may later: it is locked, starting or out of connections.
    #[error("the store is not available: {reason}")]
    Unavailable {
        /// What is in the way, in words for a caller.
        reason: &'static str,
        /// What the engine said.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// The database user has no right to what this takes: that of making Stheno's tables, most likely.
    #[error("the store cannot do this: {reason}")]
    Limited {
        /// What is in the way, and what to do instead, in words for a caller.
        reason: &'static str,
        /// What the engine said.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// The disk or the quota is full.
    #[error("the store is full")]
    Full,
    /// The reader of a large answer took no data for too long, so its snapshot was given up.
    #[error("the reader of a large answer was too slow")]
    SlowReader,
    /// The database was written by a newer version of Stheno, or is not a database of ours.
    #[error("{0}")]
    Schema(String),
    /// The URL of the database cannot be used.
    #[error("{0}")]
    Url(String),
    /// Anything else.
    #[error("the store failed")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
}

impl StoreError {
    pub(crate) fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }
}

/// A unique value that is taken: `values` are those of `columns`, in order, as they were to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// The table that was written.
    pub table: Table,
    /// The columns of the unique constraint.
    pub columns: &'static [&'static str],
    /// The values that were to be written.
    pub values: Vec<String>,
}
