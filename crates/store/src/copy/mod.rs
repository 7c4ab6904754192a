//! Copies a shop from one database to another, on any two engines.
//!
//! The source is read out of one snapshot: what is written to it meanwhile is not in the copy. Rows pass in pieces, so
//! memory does not grow with the shop. There are two ways:
//!
//! - Into an **empty** target, each piece is committed by itself, and the table [`MARK`] stands in the target until all is
//!   there and has been checked. A copy that was broken off is continued by running it again: rows that are there
//!   already are compared with the source's new snapshot, and those that have changed or gone since are written anew or
//!   deleted. At the end the target is exactly the snapshot of the last run.
//! - **Merging** into a target that has rows is one transaction: all or nothing. Rows that are there already, and equal,
//!   are passed over; others that are in the way are [conflicts](Conflict), and never overwritten.

mod end;
pub(crate) mod part;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use self::end::End;
use self::part::{API_TOKENS, Pair, Part, Row, Writing};
use crate::{Catalog, Clock, StoreError};

/// The table that a target has while a copy into it is not finished.
pub(crate) const MARK: &str = "stheno_copy";

/// Why such a target cannot be served.
pub(crate) const UNFINISHED: &str = "a copy into this database was not finished: run the same `stheno copy` again, or \
                                     begin anew with an empty database";

/// How many conflicts are listed before a copy gives up.
const MOST_CONFLICTS: usize = 100_000;

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
            lock_timeout: Duration::from_secs(30),
        }
    }
}

/// What a copy is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// What an earlier run has written is compared with the source as it is now.
    Comparing,
    /// Rows are written.
    Copying,
    /// Both sides are compared.
    Checking,
}

/// How far a copy is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// What it is at.
    pub step: Step,
    /// The table, or the column that is written by itself.
    pub name: &'static str,
    /// How many rows are done.
    pub done: u64,
    /// How many rows there are.
    pub total: u64,
}

/// What has become of a table's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedTable {
    /// The table, or the column that is written by itself.
    pub name: &'static str,
    /// How many rows the source has.
    pub rows: u64,
    /// How many were written.
    pub written: u64,
    /// How many were there already.
    pub present: u64,
    /// How many could not be copied.
    pub left_out: u64,
}

/// A row that cannot be copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The table, or the column that is written by itself.
    pub name: &'static str,
    /// The row's primary key; the values of a key of several columns with a space between.
    pub key: String,
    /// What is in the way.
    pub reason: Reason,
}

/// What is in the way of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The target has a row with its key, with other values in these columns.
    Differs(Vec<String>),
    /// Another row of the target has the same value in these columns, with commas between.
    Taken(String),
    /// What these columns, with commas between, refer to is not there. SQLite says `it`, and not which.
    Missing(String),
    /// The target cannot hold a value, or a rule of the target's forbids the row.
    Unfit(String),
}

impl Reason {
    /// The reason as a word that programs compare with.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Differs(_) => "differs",
            Self::Taken(_) => "taken",
            Self::Missing(_) => "missing_reference",
            Self::Unfit(_) => "unfit",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Differs(columns) => write!(formatter, "is there with another {}", columns.join(", ")),
            Self::Taken(columns) => write!(formatter, "another row has its {columns}"),
            Self::Missing(columns) => write!(formatter, "what {columns} refers to is not there"),
            Self::Unfit(text) => write!(formatter, "does not fit: {text}"),
        }
    }
}

/// A column that the target does not have, or has of a type that cannot hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftBehind {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: String,
    /// The source's type.
    pub declared: String,
    /// The target's type, if it has such a column.
    pub declared_on_target: Option<String>,
}

impl fmt::Display for LeftBehind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, column, declared, declared_on_target } = self;
        write!(formatter, "{table}.{column} ({declared}")?;
        match declared_on_target {
            Some(other) => write!(formatter, ", on the target {other})"),
            None => write!(formatter, ")"),
        }
    }
}

/// What a copy has done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopyReport {
    /// Whether an earlier run was continued.
    pub continued: bool,
    /// What has become of each table's rows, in the order in which they were copied.
    pub tables: Vec<CopiedTable>,
    /// The rows that could not be copied.
    pub conflicts: Vec<Conflict>,
    /// The columns that hold something, and were left behind.
    pub left_behind: Vec<LeftBehind>,
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
    let mut source = End::source(from, options.lock_timeout).await.map_err(CopyError::Source)?;
    let mut target = End::target(to, options.lock_timeout).await.map_err(CopyError::Target)?;
    let identity = source.identity().await.map_err(CopyError::Source)?;
    if source.is_same(&mut target).await.map_err(CopyError::Target)? {
        return Err(CopyError::Same);
    }
    target.migrate(options.clock.now()).await.map_err(CopyError::Target)?;
    let (pairs, left_behind) = what_is_copied(&mut source, target.catalog()).await?;
    if !left_behind.is_empty() && !options.leave_columns {
        return Err(CopyError::Columns(left_behind));
    }
    let report = CopyReport { left_behind, ..CopyReport::default() };
    let run = format!("{:032x}", rand::random::<u128>());
    let way = Way::choose(&mut target, &pairs, &identity, &run, options.merge).await?;
    let copy = Copy { source, target, pairs, way, run, report, unsettled: HashSet::new(), watch };
    copy.run(options.skip_conflicts).await
}

async fn what_is_copied(
    source: &mut End,
    target: &Catalog,
) -> Result<(Vec<Pair>, Vec<LeftBehind>), CopyError> {
    let (mut pairs, mut left_behind) = part::pairs(source.catalog(), target);
    if source.has_table(API_TOKENS).await.map_err(CopyError::Source)? {
        pairs.push(part::api_tokens());
    }
    let mut kept = Vec::new();
    for column in left_behind.drain(..) {
        let (table, name) = (crate::sql::quoted(column.table), crate::sql::quoted(&column.column));
        let sql = format!("SELECT 'held' FROM {table} WHERE {name} IS NOT NULL LIMIT 1");
        if source.text(&sql).await.map_err(CopyError::Source)?.is_some() {
            kept.push(column);
        }
    }
    Ok((pairs, kept))
}

/// How the rows come into the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The target is empty.
    New,
    /// The target has what an earlier run has written.
    Continued,
    /// The target has rows of its own.
    Merge,
}

impl Way {
    async fn choose(
        target: &mut End,
        pairs: &[Pair],
        source: &str,
        run: &str,
        merge: bool,
    ) -> Result<Self, CopyError> {
        target.begin().await.map_err(CopyError::Target)?;
        if target.has_table(MARK).await.map_err(CopyError::Target)? {
            if merge {
                return Err(CopyError::Unfinished);
            }
            // Whoever works at it still finds that it is not theirs any more.
            let take = "UPDATE stheno_copy SET run = $1 WHERE source = $2";
            if target.execute(take, &[run, source]).await.map_err(CopyError::Target)? != 1 {
                return Err(CopyError::OtherSource);
            }
            target.commit().await.map_err(CopyError::Target)?;
            return Ok(Self::Continued);
        }
        if merge {
            // What begins here ends with all that is merged.
            return Ok(Self::Merge);
        }
        let mut filled = Vec::new();
        for Pair { target: part, .. } in pairs {
            let any = format!("SELECT 'any' FROM {} LIMIT 1", crate::sql::quoted(part.table));
            if target.text(&any).await.map_err(CopyError::Target)?.is_some() && !filled.contains(&part.table)
            {
                filled.push(part.table);
            }
        }
        if !filled.is_empty() {
            return Err(CopyError::NotEmpty(filled));
        }
        for (sql, values) in [
            ("CREATE TABLE stheno_copy (run text NOT NULL, source text NOT NULL)", &[][..]),
            ("INSERT INTO stheno_copy (run, source) VALUES ($1, $2)", &[run, source]),
        ] {
            target.execute(sql, values).await.map_err(CopyError::Target)?;
        }
        target.commit().await.map_err(CopyError::Target)?;
        Ok(Self::New)
    }
}

struct Copy<W> {
    source: End,
    target: End,
    pairs: Vec<Pair>,
    way: Way,
    /// What this run is known by in the target.
    run: String,
    report: CopyReport,
    /// The ids of customers that are conflicts, whose other parts are left out with them.
    unsettled: HashSet<String>,
    watch: W,
}

impl<W: FnMut(Progress) + Send> Copy<W> {
    async fn run(mut self, skip_conflicts: bool) -> Result<CopyReport, CopyError> {
        if self.way == Way::Continued {
            self.report.continued = true;
            self.tidy().await?;
        }
        for pair in self.pairs.clone() {
            self.copy(&pair).await?;
        }
        if !self.report.conflicts.is_empty() && !skip_conflicts {
            // A transaction that merges ends here, with its connection, and nothing is written.
            return Err(CopyError::Conflicts(Box::new(self.report)));
        }
        self.check().await?;
        Ok(self.report)
    }

    /// Deletes what an earlier run has written and is not so in the source any more; copying writes it anew.
    async fn tidy(&mut self) -> Result<(), CopyError> {
        self.begin().await?;
        for pair in self.pairs.clone().iter().rev() {
            let total = self.target.count(&pair.target).await.map_err(CopyError::Target)?;
            self.target.scan(&pair.target).await.map_err(CopyError::Target)?;
            let mut done = 0;
            loop {
                self.watch(Step::Comparing, &pair.target, done, total);
                let rows = self.target.next(&pair.target).await.map_err(CopyError::Target)?;
                if rows.is_empty() {
                    break;
                }
                done += rows.len() as u64;
                let found = self.source.find(&pair.source, &rows).await.map_err(CopyError::Source)?;
                let compared = Compared::new(&pair.target, &rows, &found, pair.target.width());
                let stale: Arc<[Row]> = compared.missing.into_iter().chain(compared.different).collect();
                delete(&mut self.target, &pair.target, &stale).await.map_err(CopyError::Target)?;
            }
        }
        self.target.commit().await.map_err(CopyError::Target)
    }

    /// Copies a part, reading ahead of what is written.
    async fn copy(&mut self, pair: &Pair) -> Result<(), CopyError> {
        let total = self.source.count(&pair.source).await.map_err(CopyError::Source)?;
        self.report.tables.push(CopiedTable {
            name: pair.source.name,
            rows: total,
            written: 0,
            present: 0,
            left_out: 0,
        });
        self.source.scan(&pair.source).await.map_err(CopyError::Source)?;
        let mut rows = self.source.next(&pair.source).await.map_err(CopyError::Source)?;
        let mut done = 0;
        self.watch(Step::Copying, &pair.source, done, total);
        while !rows.is_empty() {
            done += rows.len() as u64;
            let ahead = self.source.next(&pair.source);
            let write = write(&mut self.target, pair, &rows, self.way, &self.run, &self.unsettled);
            let (ahead, written) = futures::join!(ahead, write);
            self.settle(written?, rows.len())?;
            rows = ahead.map_err(CopyError::Source)?;
            self.watch(Step::Copying, &pair.source, done, total);
        }
        Ok(())
    }

    /// Takes down what has become of some rows.
    fn settle(&mut self, written: Written, rows: usize) -> Result<(), CopyError> {
        let Written { present, left_out, conflicts } = written;
        if let Some(table) = self.report.tables.last_mut() {
            table.written += (rows - present - left_out) as u64;
            table.present += present as u64;
            table.left_out += left_out as u64;
        }
        let customers = conflicts.iter().filter(|conflict| conflict.name == "customer");
        self.unsettled.extend(customers.map(|conflict| conflict.key.clone()));
        self.report.conflicts.extend(conflicts);
        if self.report.conflicts.len() > MOST_CONFLICTS {
            return Err(CopyError::Conflicts(Box::new(std::mem::take(&mut self.report))));
        }
        Ok(())
    }

    /// Compares both sides, and finishes the copy if they are alike.
    async fn check(&mut self) -> Result<(), CopyError> {
        let is_merge = self.way == Way::Merge;
        if !is_merge {
            self.begin().await?;
        }
        for (index, pair) in self.pairs.clone().iter().enumerate() {
            let CopiedTable { name, rows, left_out, .. } = self.report.tables[index];
            let (mut alike, mut different) = (0, 0);
            // A target that was empty has nothing else; one that was not, at least this.
            let (scanned, scanned_part, other, other_part) = match is_merge {
                true => (&mut self.source, &pair.source, &mut self.target, &pair.target),
                false => (&mut self.target, &pair.target, &mut self.source, &pair.source),
            };
            let fault = |error| if is_merge { CopyError::Source(error) } else { CopyError::Target(error) };
            let other_fault =
                |error| if is_merge { CopyError::Target(error) } else { CopyError::Source(error) };
            scanned.scan(scanned_part).await.map_err(fault)?;
            loop {
                let progress = Progress { step: Step::Checking, name, done: alike + different, total: rows };
                (self.watch)(progress);
                let read = scanned.next(scanned_part).await.map_err(fault)?;
                if read.is_empty() {
                    break;
                }
                let found = other.find(other_part, &read).await.map_err(other_fault)?;
                let compared = Compared::new(scanned_part, &read, &found, pair.target.width());
                alike += compared.alike as u64;
                different += (read.len() - compared.alike) as u64;
            }
            let is_whole = match is_merge {
                true => different <= left_out,
                false => different == 0 && alike == rows - left_out,
            };
            if !is_whole {
                let expected = rows - left_out;
                return Err(CopyError::Check { name, expected, found: alike + different, different });
            }
        }
        if !is_merge {
            self.target.execute("DROP TABLE stheno_copy", &[]).await.map_err(CopyError::Target)?;
        }
        self.target.commit().await.map_err(CopyError::Target)
    }

    async fn begin(&mut self) -> Result<(), CopyError> {
        begin(&mut self.target, &self.run).await
    }

    fn watch(&mut self, step: Step, part: &Part, done: u64, total: u64) {
        (self.watch)(Progress { step, name: part.name, done, total });
    }
}

/// Begins a transaction in which the target is this run's alone.
async fn begin(target: &mut End, run: &str) -> Result<(), CopyError> {
    target.begin().await.map_err(CopyError::Target)?;
    if !target.has_table(MARK).await.map_err(CopyError::Target)? {
        return Err(CopyError::Overtaken);
    }
    let hold = "UPDATE stheno_copy SET run = $1 WHERE run = $1";
    match target.execute(hold, &[run]).await.map_err(CopyError::Target)? {
        1 => Ok(()),
        _ => Err(CopyError::Overtaken),
    }
}

/// What has become of rows that were to be written. The rest was written.
struct Written {
    present: usize,
    left_out: usize,
    conflicts: Vec<Conflict>,
}

/// Writes rows of the source that the target does not have.
async fn write(
    target: &mut End,
    pair: &Pair,
    rows: &Arc<[Row]>,
    way: Way,
    run: &str,
    unsettled: &HashSet<String>,
) -> Result<Written, CopyError> {
    let part = &pair.target;
    if way != Way::Merge {
        begin(target, run).await?;
    }
    let mut written = Written { present: 0, left_out: 0, conflicts: Vec::new() };
    let missing: Arc<[Row]> = if way == Way::New {
        Arc::clone(rows)
    } else {
        let found = target.find(part, rows).await.map_err(CopyError::Target)?;
        // Where customers are billed at is written later, and compared with them if they may be the target's own.
        let width = if way == Way::Merge { part.columns.len() } else { part.width() };
        let compared = Compared::new(part, rows, &found, width);
        written.present = compared.alike;
        written.conflicts = compared.conflicts(part);
        compared.missing.into()
    };
    let is_settled = |row: &Row| !row[0].as_ref().is_some_and(|id| unsettled.contains(id));
    let missing = match part.writing {
        Writing::Update if !unsettled.is_empty() => {
            written.conflicts.retain(|conflict| !unsettled.contains(&conflict.key));
            missing.iter().filter(|row| is_settled(row)).cloned().collect()
        }
        _ => missing,
    };
    let refused = target.write(part, &missing).await.map_err(CopyError::Target)?;
    written.left_out = rows.len() - written.present - missing.len() + refused.len();
    written.conflicts.extend(refused.into_iter().map(|refused| Conflict {
        name: part.name,
        key: part.shown_key(&missing[refused.row]),
        reason: refused.reason,
    }));
    if way != Way::Merge {
        target.commit().await.map_err(CopyError::Target)?;
    }
    Ok(written)
}

/// Deletes rows that an earlier run has written, and what keeps them from being deleted.
async fn delete(target: &mut End, part: &Arc<Part>, rows: &Arc<[Row]>) -> Result<(), StoreError> {
    if part.writing == Writing::Update {
        return target.on_keys("UPDATE customer SET billing_address_id = NULL WHERE id {is_one}", rows).await;
    }
    let before: &[&str] = match part.table {
        "customer" => &[
            "UPDATE customer SET billing_address_id = NULL WHERE billing_address_id IN
               (SELECT id FROM address WHERE customer_id {is_one})",
            "DELETE FROM address WHERE customer_id {is_one}",
        ],
        "address" => &["UPDATE customer SET billing_address_id = NULL WHERE billing_address_id {is_one}"],
        _ => &[],
    };
    for sql in before {
        target.on_keys(sql, rows).await?;
    }
    target.delete(part, rows).await
}

/// Rows of one side, beside those of the other side with the same keys.
struct Compared {
    /// How many are there, and alike.
    alike: usize,
    /// Those that the other side does not have.
    missing: Vec<Row>,
    /// Those that the other side has otherwise.
    different: Vec<Row>,
    /// The columns in which they differ.
    columns: Vec<Vec<String>>,
}

impl Compared {
    /// Compares the first `width` columns.
    fn new(part: &Part, rows: &[Row], found: &[Row], width: usize) -> Self {
        let found: HashMap<_, _> = found.iter().map(|row| (&row[..part.key], row)).collect();
        let mut compared = Self { alike: 0, missing: Vec::new(), different: Vec::new(), columns: Vec::new() };
        for row in rows {
            match found.get(&row[..part.key]) {
                None => compared.missing.push(row.clone()),
                Some(other) if row[..width] == other[..width] => compared.alike += 1,
                Some(other) => {
                    let columns = part.columns[..width].iter().enumerate();
                    let differing = columns.filter(|(index, _)| row[*index] != other[*index]);
                    compared.columns.push(differing.map(|(_, column)| column.name.clone()).collect());
                    compared.different.push(row.clone());
                }
            }
        }
        compared
    }

    fn conflicts(&self, part: &Part) -> Vec<Conflict> {
        let different = self.different.iter().zip(&self.columns);
        different
            .map(|(row, columns)| Conflict {
                name: part.name,
                key: part.shown_key(row),
                reason: Reason::Differs(columns.clone()),
            })
            .collect()
    }
}
