//! One end of a copy, on either engine.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;

use super::part::{Part, Row};
use super::{MARK, Refused, UNFINISHED};
use crate::answer::Streaming;
use crate::entity::Catalog;
use crate::migrate::{self, Migration};
use crate::{StoreError, StoreOptions, postgres, sqlite};

/// A database that is read, or that is read and written.
pub(super) enum End {
    Sqlite(sqlite::CopyEnd),
    Postgres(Box<postgres::CopyEnd>),
}

/// Forwards a call to the engine.
macro_rules! forward {
    ($end:ident.$method:ident($($argument:expr),*)) => {
        match $end {
            End::Sqlite(end) => end.$method($($argument),*).await,
            End::Postgres(end) => end.$method($($argument),*).await,
        }
    };
}

impl End {
    /// A database as it is at this moment, whatever is written to it from now on. Nothing is made in it.
    pub(super) async fn source(url: &str, options: &StoreOptions) -> Result<Self, StoreError> {
        let lock_timeout = options.lock_timeout;
        let mut end = if crate::postgres::is_url(url) {
            let connector = postgres::Connector::new(url, options)?;
            Self::Postgres(Box::new(postgres::CopyEnd::source(connector, streaming()).await?))
        } else {
            let path = crate::sqlite_path(url)?;
            Self::Sqlite(sqlite::CopyEnd::source(sqlite::Connector { path, lock_timeout }).await?)
        };
        end.refuse_newer().await?;
        if end.has_table(MARK).await? {
            return Err(StoreError::Schema(UNFINISHED.to_owned()));
        }
        end.read_catalog().await?;
        Ok(end)
    }

    /// A database that will be written. Nothing is made in it yet.
    pub(super) async fn target(url: &str, options: &StoreOptions) -> Result<Self, StoreError> {
        if crate::postgres::is_url(url) {
            let connector = postgres::Connector::new(url, options)?;
            let end = postgres::CopyEnd::target(connector, streaming()).await?;
            return Ok(Self::Postgres(Box::new(end)));
        }
        let (path, lock_timeout) = (crate::sqlite_path(url)?, options.lock_timeout);
        Ok(Self::Sqlite(sqlite::CopyEnd::target(sqlite::Connector { path, lock_timeout }).await?))
    }

    /// Brings the tables up to date.
    pub(super) async fn migrate(&mut self, now: Timestamp) -> Result<(), StoreError> {
        forward!(self.migrate(now))?;
        self.read_catalog().await
    }

    pub(super) async fn read_catalog(&mut self) -> Result<(), StoreError> {
        if !self.has_table("customer_group").await? {
            return Err(StoreError::Schema(
                "the database has none of a shop's tables: give one of Stheno's, or a Medusa v1's".to_owned(),
            ));
        }
        forward!(self.read_catalog())
    }

    async fn refuse_newer(&mut self) -> Result<(), StoreError> {
        if !self.has_table("stheno_migration").await? {
            return Ok(());
        }
        let last = self.text("SELECT CAST(max(version) AS text) FROM stheno_migration").await?;
        let last = last.and_then(|version| version.parse().ok()).unwrap_or_default();
        match self.migrations() {
            migrations if last > migrate::last_version(migrations) => {
                Err(StoreError::Schema(migrate::newer_schema(last, migrations)))
            }
            _ => Ok(()),
        }
    }

    fn migrations(&self) -> &'static [Migration] {
        match self {
            Self::Sqlite(_) => migrate::SQLITE,
            Self::Postgres(_) => migrate::POSTGRES,
        }
    }

    pub(super) fn catalog(&self) -> &Catalog {
        match self {
            Self::Sqlite(end) => end.catalog(),
            Self::Postgres(end) => end.catalog(),
        }
    }

    /// Whether both ends are one database. A clone, which is known by the same identity, runs elsewhere.
    pub(super) async fn is_same(&mut self, other: &mut Self) -> Result<bool, StoreError> {
        if self.identity().await? != other.identity().await? {
            return Ok(false);
        }
        let started = "SELECT pg_postmaster_start_time()::text";
        match (&self, &other) {
            (Self::Postgres(_), Self::Postgres(_)) => {
                Ok(self.text(started).await? == other.text(started).await?)
            }
            _ => Ok(true),
        }
    }

    /// What this database is known by, also tomorrow.
    pub(super) async fn identity(&mut self) -> Result<String, StoreError> {
        forward!(self.identity())
    }

    pub(super) async fn has_table(&mut self, name: &str) -> Result<bool, StoreError> {
        forward!(self.has_table(name))
    }

    pub(super) async fn begin(&mut self) -> Result<(), StoreError> {
        forward!(self.begin())
    }

    pub(super) async fn commit(&mut self) -> Result<(), StoreError> {
        forward!(self.commit())
    }

    /// Runs a statement on texts, and answers how many rows it has changed.
    pub(super) async fn execute(&mut self, sql: &str, values: &[&str]) -> Result<u64, StoreError> {
        forward!(self.execute(sql, values))
    }

    /// The text that is the first column of the first row.
    pub(super) async fn text(&mut self, sql: &str) -> Result<Option<String>, StoreError> {
        forward!(self.text(sql))
    }

    /// How many rows a part has.
    pub(super) async fn count(&mut self, part: &Part) -> Result<u64, StoreError> {
        forward!(self.count(part))
    }

    /// Begins to read all rows of a part, in the order of their keys.
    pub(super) async fn scan(&mut self, part: &Part) -> Result<(), StoreError> {
        forward!(self.scan(part))
    }

    /// The next rows of the part that is read; none, if there are no more.
    pub(super) async fn next(&mut self, part: &Arc<Part>) -> Result<Arc<[Row]>, StoreError> {
        forward!(self.next(part)).map(Arc::from)
    }

    /// Those rows of a part that have the keys of these.
    pub(super) async fn find(&mut self, part: &Arc<Part>, rows: &Arc<[Row]>) -> Result<Vec<Row>, StoreError> {
        forward!(self.find(part, rows))
    }

    /// Writes rows, and answers which the database has refused. The others are written.
    pub(super) async fn write(
        &mut self,
        part: &Arc<Part>,
        rows: &Arc<[Row]>,
    ) -> Result<Vec<Refused>, StoreError> {
        forward!(self.write(part, rows))
    }

    /// Runs a statement on the first keys of rows, which it compares as `{is_one}`.
    pub(super) async fn on_keys(&mut self, sql: &str, rows: &Arc<[Row]>) -> Result<(), StoreError> {
        forward!(self.on_keys(sql, rows))
    }

    /// Deletes the rows with the keys of these.
    pub(super) async fn delete(&mut self, part: &Arc<Part>, rows: &Arc<[Row]>) -> Result<(), StoreError> {
        forward!(self.delete(part, rows))
    }
}

/// A copy answers no JSON, so these limits limit nothing.
fn streaming() -> Streaming {
    Streaming { whole_up_to: 0, reader_timeout: Duration::ZERO, permits: Arc::new(Semaphore::new(1)) }
}
