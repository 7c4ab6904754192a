//! The run of a copy: what an earlier one has left, the rows themselves, and the comparison at the end.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::compare::Compared;
use super::end::End;
use super::part::{API_TOKENS, Pair, Part, Row, Writing};
use super::{Conflict, CopiedTable, CopyError, CopyReport, LeftBehind, MARK, Progress, Reason, Step};
use crate::StoreError;
use crate::sql::quoted;

/// How many conflicts are listed before a copy gives up.
const MOST_CONFLICTS: usize = 100_000;

/// How the rows come into the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The target is empty.
    New,
    /// The target has what an earlier run has written.
    Continued,
    /// The target has rows of its own.
    Merge,
}

impl Way {
    /// Finds out which it is, and marks the target where it is empty.
    pub(super) async fn choose(
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
        demand_empty(target, pairs).await?;
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

/// Refuses a target that has rows.
pub(super) async fn demand_empty(target: &mut End, pairs: &[Pair]) -> Result<(), CopyError> {
    let mut filled = Vec::new();
    for Pair { target: part, .. } in pairs {
        let any = format!("SELECT 'any' FROM {} LIMIT 1", quoted(part.table));
        if target.has_table(part.table).await.map_err(CopyError::Target)?
            && target.text(&any).await.map_err(CopyError::Target)?.is_some()
            && !filled.contains(&part.table)
        {
            filled.push(part.table);
        }
    }
    if filled.is_empty() { Ok(()) } else { Err(CopyError::NotEmpty(filled)) }
}

/// A copy at work.
pub(super) struct Copy<W> {
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
    /// A copy that is known as `run` in its target.
    pub(super) fn new(
        source: End,
        target: End,
        pairs: Vec<Pair>,
        way: Way,
        run: String,
        left_behind: Vec<LeftBehind>,
        watch: W,
    ) -> Self {
        let report = CopyReport { left_behind, ..CopyReport::default() };
        Self { source, target, pairs, way, run, report, unsettled: HashSet::new(), watch }
    }

    /// Copies all parts.
    pub(super) async fn run(mut self, skip_conflicts: bool) -> Result<CopyReport, CopyError> {
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

    /// Deletes what an earlier run has written and is not so in the source any more; copying writes it anew. Where a Medusa
    /// may have written meanwhile, what may be its work is not deleted, but refused.
    async fn tidy(&mut self) -> Result<(), CopyError> {
        self.begin().await?;
        let has_medusa = self.target.has_table("migrations").await.map_err(CopyError::Target)?;
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
                if has_medusa && pair.target.table != API_TOKENS {
                    self.report.conflicts.extend(theirs(&pair.target, &compared, &found));
                }
                if self.report.conflicts.len() > MOST_CONFLICTS {
                    return Err(self.theirs());
                }
                let stale: Arc<[Row]> = compared.missing.into_iter().chain(compared.different).collect();
                delete(&mut self.target, &pair.target, &stale).await.map_err(CopyError::Target)?;
            }
        }
        if !self.report.conflicts.is_empty() {
            // The transaction ends with its connection, and nothing is deleted.
            return Err(self.theirs());
        }
        self.target.commit().await.map_err(CopyError::Target)
    }

    fn theirs(&mut self) -> CopyError {
        CopyError::Theirs(Box::new(std::mem::take(&mut self.report)))
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

/// Those of a target's rows that may be the work of a Medusa on it: what the source does not have, or has as it was earlier.
fn theirs(part: &Part, compared: &Compared, found: &[Row]) -> Vec<Conflict> {
    // Whoever changes where a customer is billed at changes the customer's time too.
    if part.writing == Writing::Update {
        return Vec::new();
    }
    let conflict = |row: &Row, reason| Conflict { name: part.name, key: part.shown_key(row), reason };
    let foreign = compared.missing.iter().map(|row| conflict(row, Reason::NotInSource));
    let time = part.columns.iter().position(|column| column.name == "updated_at");
    let sources: HashMap<_, _> = found.iter().map(|row| (&row[..part.key], row)).collect();
    let is_later = |row: &&Row| {
        let source = sources.get(&row[..part.key]);
        time.zip(source).is_some_and(|(time, source)| row[time] > source[time])
    };
    let later = compared.different.iter().filter(is_later).map(|row| conflict(row, Reason::ChangedLater));
    foreign.chain(later).collect()
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
