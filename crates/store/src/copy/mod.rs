//! Copies a shop from one database to another, on any two engines.
//!
//! The source is read out of one snapshot: what is written to it meanwhile is not in the copy. Rows pass in pieces, so
//! memory does not grow with the shop. There are two ways:
//!
//! - Into an **empty** target, each piece is committed by itself, and the table `stheno_copy` stands in the target until all is
//!   there and has been checked. A copy that was broken off is continued by running it again: rows that are there
//!   already are compared with the source's new snapshot, and those that have changed or gone since are written anew or
//!   deleted. At the end the target is exactly the snapshot of the last run.
//! - **Merging** into a target that has rows is one transaction: all or nothing. Rows that are there already, and equal,
//!   are passed over; others that are in the way are [conflicts](Conflict), and never overwritten.

mod compare;
mod end;
pub(crate) mod part;
mod report;
mod run;

use std::time::Duration;

use self::end::End;
use self::part::{API_TOKENS, Pair};
pub use self::report::{Conflict, CopiedTable, CopyReport, LeftBehind, Progress, Reason, Step};
use self::run::{Copy, Way};
use crate::sql::quoted;
use crate::{Catalog, Clock, IdGenerator, IdKind, StoreError, StoreOptions};

/// The table that a target has while a copy into it is not finished.
pub(crate) const MARK: &str = "stheno_copy";

/// Why such a target cannot be served.
pub(crate) const UNFINISHED: &str = "a copy into this database was not finished: run the same `stheno copy` again, or \
                                     begin anew with an empty database";

/// How a shop is copied.
#[derive(Debug, Clone)]
pub struct CopyOptions {
    /// Whether the target may have rows.
    pub merge: bool,
    /// Whether rows that cannot be copied are left out. Otherwise they are a failure: nothing is merged, and a copy into
    /// an empty database stays unfinished.
    pub skip_conflicts: bool,
    /// Whether columns of the source that the target does not have are left behind though they hold something.
    pub leave_columns: bool,
    /// Where the time comes from.
    pub clock: Clock,
    /// Where the id comes from by which a run knows that the target is still its own.
    pub ids: IdGenerator,
    /// How long a statement waits for a lock that another process holds.
    pub lock_timeout: Duration,
}

impl Default for CopyOptions {
    fn default() -> Self {
        Self {
            merge: false,
            skip_conflicts: false,
            leave_columns: false,
            clock: Clock::system(),
            ids: IdGenerator::random(),
            lock_timeout: Duration::from_secs(30),
        }
    }
}

/// Why a shop was not copied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// The source failed.
    #[error("the source")]
    Source(#[source] StoreError),
    /// The target failed.
    #[error("the target")]
    Target(#[source] StoreError),
    /// Source and target are one.
    #[error("source and target are the same database")]
    Same,
    /// The target has rows in these tables.
    #[error("the target is not empty: there are rows in {}", .0.join(", "))]
    NotEmpty(Vec<&'static str>),
    /// A copy into the target was not finished, so nothing can be merged into it.
    #[error("a copy into the target was not finished")]
    Unfinished,
    /// A copy from another source into the target was not finished.
    #[error("a copy from another database into the target was not finished")]
    OtherSource,
    /// The target is a Medusa's, and has rows that are not the source's, which that Medusa may have made or changed since the
    /// copy was begun: the report says which. Of more than 100,000 the first are listed.
    #[error("the target has {} rows that are not the source's", .0.conflicts.len())]
    Theirs(Box<CopyReport>),
    /// Another copy has begun while this one was at work.
    #[error("another copy into the same target has begun")]
    Overtaken,
    /// The target lacks columns that hold something.
    #[error("the target cannot take the columns {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Columns(Vec<LeftBehind>),
    /// Rows cannot be copied: the report says which. Of more than 100,000 the first are listed.
    #[error("{} rows cannot be copied", .0.conflicts.len())]
    Conflicts(Box<CopyReport>),
    /// What has been written is not what was read.
    #[error(
        "the target is not as the source: {name} has {found} of {expected} rows, {different} with other values"
    )]
    Check {
        /// The table, or the column that is written by itself.
        name: &'static str,
        /// How many rows there should be.
        expected: u64,
        /// How many there are.
        found: u64,
        /// How many are other rows than the source's.
        different: u64,
    },
}

/// A row that a database has refused.
#[derive(Debug)]
pub(crate) struct Refused {
    /// Which of those that were to be written.
    pub(crate) row: usize,
    pub(crate) reason: Reason,
}

/// Copies the shop in the database at the URL `from` into that at `to`, and tells `watch` how far it is.
///
/// # Errors
/// [`CopyError`] says what is in the way, and of which database.
pub async fn copy(
    from: &str,
    to: &str,
    options: &CopyOptions,
    watch: impl FnMut(Progress) + Send,
) -> Result<CopyReport, CopyError> {
    let ends = StoreOptions { lock_timeout: options.lock_timeout, connections: 2, ..StoreOptions::default() };
    let mut source = End::source(from, &ends).await.map_err(CopyError::Source)?;
    let mut target = End::target(to, &ends).await.map_err(CopyError::Target)?;
    let identity = source.identity().await.map_err(CopyError::Source)?;
    if source.is_same(&mut target).await.map_err(CopyError::Target)? {
        return Err(CopyError::Same);
    }
    // What is refused for what is in it already is left as it was.
    if target.has_table("customer_group").await.map_err(CopyError::Target)? {
        target.read_catalog().await.map_err(CopyError::Target)?;
        let (pairs, _) = what_is_copied(&mut source, target.catalog(), options).await?;
        if !options.merge && !target.has_table(MARK).await.map_err(CopyError::Target)? {
            run::demand_empty(&mut target, &pairs).await?;
        }
    }
    target.migrate(options.clock.now()).await.map_err(CopyError::Target)?;
    let (pairs, left_behind) = what_is_copied(&mut source, target.catalog(), options).await?;
    let run = options.ids.next(IdKind::Copy, options.clock.now());
    let way = Way::choose(&mut target, &pairs, &identity, &run, options.merge).await?;
    Copy::new(source, target, pairs, way, run, left_behind, watch).run(options.skip_conflicts).await
}

/// All that is copied, and the columns that hold something and are left behind. Refuses to leave them where nobody wants it.
async fn what_is_copied(
    source: &mut End,
    target: &Catalog,
    options: &CopyOptions,
) -> Result<(Vec<Pair>, Vec<LeftBehind>), CopyError> {
    let (mut pairs, unfit) = part::pairs(source.catalog(), target);
    if source.has_table(API_TOKENS).await.map_err(CopyError::Source)? {
        pairs.push(part::api_tokens());
    }
    let mut left_behind = Vec::new();
    for column in unfit {
        let (table, name) = (quoted(column.table), quoted(&column.column));
        let sql = format!("SELECT 'held' FROM {table} WHERE {name} IS NOT NULL LIMIT 1");
        if source.text(&sql).await.map_err(CopyError::Source)?.is_some() {
            left_behind.push(column);
        }
    }
    if !left_behind.is_empty() && !options.leave_columns {
        return Err(CopyError::Columns(left_behind));
    }
    Ok((pairs, left_behind))
}
