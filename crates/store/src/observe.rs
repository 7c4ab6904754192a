//! What an operator sees of a store: how long its work takes, how busy it is, how much is in it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::StoreError;

/// Who is told of every unit of work when it is done.
#[derive(Clone)]
pub struct Observer(Arc<dyn Fn(Unit) + Send + Sync>);

impl Observer {
    /// One that is told by a call of `told`, which must be quick.
    pub fn new(told: impl Fn(Unit) + Send + Sync + 'static) -> Self {
        Self(Arc::new(told))
    }

    pub(crate) fn tell<T>(&self, name: &'static str, time: Duration, outcome: &Result<T, StoreError>) {
        let failed = matches!(
            outcome,
            Err(StoreError::Unavailable { .. } | StoreError::Full | StoreError::Internal(_))
        );
        (self.0)(Unit { name, time, failed });
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Observer")
    }
}

/// A unit of work that is done.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Unit {
    /// The name of the method of [`Store`](crate::Store).
    pub name: &'static str,
    /// How long it took. What is streamed of a large answer comes after that.
    pub time: Duration,
    /// Whether the database failed it. A refusal, such as of a name that is taken, is no failure.
    pub failed: bool,
}

/// How busy a store is, at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Load {
    /// How many connections to the database are open, without those to replicas.
    pub connections: usize,
    /// How many of them are at work.
    pub busy: usize,
    /// How many units of work wait: for a connection to PostgreSQL, or for the connection of SQLite that writes.
    pub waiting: usize,
}

/// How much is in a store, without what is deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Customer groups.
    pub customer_groups: u64,
    /// Customers.
    pub customers: u64,
    /// Memberships in groups.
    pub members: u64,
}
