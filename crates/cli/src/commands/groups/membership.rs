//! Customers on their way into a group, or out of it.

use std::collections::HashSet;
use std::sync::LazyLock;

use anyhow::Result;
use indicatif::ProgressBar;
use stheno_client::{BatchReport, Call, Error, Membership};

use crate::exit::{Exit, failure};
use crate::remote::connection::Shop;
use crate::remote::customers::{self, Named};
use crate::remote::ids::{self, Ids};
use crate::remote::interruption::{Stop, watched};
use crate::remote::output::Output;
use crate::remote::show::not_found;
use crate::remote::undone::{self, Undone};
use crate::remote::{ask, count, note, progress};

/// How the commands work, as `--help` tells it.
pub(super) static RULE: LazyLock<String> =
    LazyLock::new(|| format!("{}\n\n{}\n\n{}", ids::RULE, customers::RULE, undone::RULE));

#[derive(Debug, clap::Args)]
pub(crate) struct Batch {
    /// The group's id
    group: String,

    #[command(flatten)]
    customers: Ids,

    /// How many customers one request holds at most
    #[arg(long, value_name = "NUMBER", default_value_t = 1000, value_parser = clap::value_parser!(u16).range(1..))]
    batch_size: u16,

    /// Only look for the group, and for e-mail addresses, and say what would be done
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    In,
    Out,
}

pub(super) async fn run(
    shop: &Shop,
    batch: Batch,
    direction: Direction,
    yes: bool,
    output: Output,
) -> Result<()> {
    let Batch { group: id, customers: names, batch_size, dry_run } = batch;
    let names = names.read()?;
    let group = shop.groups().retrieve(&id).optional().await.map_err(|error| shop.explain(&error))?;
    let Some(group) = group else { return Err(shop.no_group(&id)) };
    let Named { ids, strangers } = customers::find(shop, names).await?;
    let what = count(ids.len(), "customer");
    let total = ids.len() + strangers.len();
    if dry_run {
        note(&match direction {
            Direction::In => format!("Would add {what} to {}", group.name),
            Direction::Out => format!("Would remove {what} from {}", group.name),
        })?;
        return end(BatchReport::default(), strangers, None, total, output);
    }
    if direction == Direction::Out && ids.len() > 1 {
        ask::confirm(&format!("Remove {what} from {} at {}?", group.name, shop.url()), yes)?;
    }
    let size = batch_size.into();
    let mut report = BatchReport::default();
    let sent = match direction {
        Direction::In => {
            let bar = progress::bar(ids.len(), "adding");
            send(&ids, size, bar, &mut report, |ids| shop.groups().add_customers(&id, ids)).await
        }
        Direction::Out => {
            let bar = progress::bar(ids.len(), "removing");
            send(&ids, size, bar, &mut report, |ids| shop.groups().remove_customers(&id, ids)).await
        }
    };
    let fault = sent.err().map(|stop| {
        let dealt_with: HashSet<&String> = report.done.iter().chain(&report.unknown).collect();
        let not_done = ids.iter().filter(|id| !dealt_with.contains(id)).cloned().collect();
        Fault { explained: stop.explain(shop), not_done }
    });
    let now = match direction {
        Direction::In => format!("in {} now", group.name),
        Direction::Out => format!("not in {} now", group.name),
    };
    match report.done.len() {
        0 if total == 0 => note("no customers were named")?,
        0 => {}
        1 => note(&format!("1 customer is {now}"))?,
        done => note(&format!("{} are {now}", count(done, "customer")))?,
    }
    end(report, strangers, fault, total, output)
}

/// Why it ended early.
struct Fault {
    explained: anyhow::Error,
    not_done: Vec<String>,
}

/// Sends them batch by batch, and reports each, so that it is known what went through, whatever happens.
async fn send<'a, O: Membership>(
    ids: &'a [String],
    batch_size: usize,
    bar: ProgressBar,
    report: &mut BatchReport,
    call: impl Fn(&'a [String]) -> Call<O>,
) -> Result<(), Stop> {
    let ended = watched(async {
        for batch in ids.chunks(batch_size) {
            let sent = call(batch).in_batches().size(batch_size).skip_unknown().await;
            let (BatchReport { done, unknown, .. }, fault) = match sent {
                Ok(report) => (report, None),
                Err(unfinished) => (unfinished.report().clone(), Some(unfinished)),
            };
            report.done.extend(done);
            report.unknown.extend(unknown);
            fault.map_or(Ok(()), |unfinished| Err(Error::from(unfinished)))?;
            bar.inc(batch.len() as u64);
        }
        Ok(())
    });
    let ended = ended.await;
    bar.finish_and_clear();
    ended
}

/// Writes what did not go through, and makes an error of it.
fn end(
    report: BatchReport,
    strangers: Vec<String>,
    fault: Option<Fault>,
    total: usize,
    output: Output,
) -> Result<()> {
    let BatchReport { done, unknown, .. } = report;
    let missing: Vec<String> = strangers.iter().chain(&unknown).cloned().collect();
    let (explained, not_done) = fault.map(|fault| (fault.explained, fault.not_done)).unzip();
    let mut undone = Undone::default();
    undone.extend(strangers, "no customer has this address");
    undone.extend(unknown, "there is no such customer");
    undone.extend(not_done.unwrap_or_default(), "not done");
    undone.write(output)?;
    match explained {
        Some(explained) if done.is_empty() => Err(explained),
        Some(explained) => Err(failure(
            Exit::PartlyDone,
            format!("{} of {} are done: {explained}", done.len(), count(total, "customer")),
        )),
        None => not_found(&missing, total, "customer"),
    }
}
