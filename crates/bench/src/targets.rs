//! What the figures are meant to be, beside what they are.

use crate::calls::Call;
use crate::report::{BESIDE, Column, MEDUSA, POSTGRES, Report, SQLITE, mebibytes, rate};

/// A figure that is meant to reach something.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) what: String,
    pub(crate) meant: String,
    pub(crate) measured: String,
    pub(crate) is_met: bool,
}

/// How many times a cost may grow from the smallest shop to the largest, or from a small group to a large one.
const GROWTH: f64 = 1.5;
/// The share of a limit that is reached.
const SHARE: f64 = 0.4;
/// How much less memory than Medusa, and how much sooner there.
const MEMORY: f64 = 10.0;
const START: f64 = 20.0;
/// While the largest group is read whole.
const WHOLE: u64 = 100 << 20;

/// How many times faster than Medusa a call is meant to be.
fn times_medusa(call: Call) -> Option<f64> {
    Some(match call {
        Call::Constant | Call::ListCustomers => return None,
        Call::Retrieve | Call::List | Call::Search | Call::SearchMiddle => 20.0,
        Call::Expanded | Call::FirstOfSmall => 15.0,
        Call::FirstOfMiddle => 400.0,
        Call::FirstOfLarge => 2000.0,
        Call::LastOfLarge => 500.0,
        Call::SearchLarge => 8.0,
        Call::Create | Call::Rename | Call::AddOne | Call::RemoveOne | Call::RemoveMany => 5.0,
        Call::AddMany => 2.0,
    })
}

impl Target {
    fn at_least(what: String, meant: f64, measured: f64) -> Self {
        let is_met = measured >= meant;
        Self { what, meant: format!("≥ {}", digits(meant)), measured: digits(measured), is_met }
    }

    fn at_most(what: String, meant: f64, measured: f64) -> Self {
        let is_met = measured <= meant;
        Self { what, meant: format!("≤ {}", digits(meant)), measured: digits(measured), is_met }
    }
}

/// A ratio, with what tells it from its target.
fn digits(figure: f64) -> String {
    if figure < 10.0 { format!("{figure:.2}") } else { rate(figure) }
}

/// All targets that the run has figures for.
pub(crate) fn of(report: &Report) -> Vec<Target> {
    let mut targets = Vec::new();
    if let Some((medusa, stheno)) = report.column(MEDUSA).zip(report.column(BESIDE)) {
        for call in Call::ALL {
            if let (Some(meant), Some(ours), Some(theirs)) =
                (times_medusa(call), stheno.rate(call), medusa.rate(call))
            {
                targets.push(Target::at_least(
                    format!("{}: times Medusa", call.name()),
                    meant,
                    ours / theirs,
                ));
            }
        }
    }
    let resources = |name: &str| report.resources.iter().find(|(known, _)| known == name);
    if let Some(((_, medusa), (_, stheno))) = resources(MEDUSA).zip(resources(BESIDE)) {
        #[expect(clippy::cast_precision_loss, reason = "bytes of memory are below 2^53")]
        let memory = medusa.loaded as f64 / stheno.loaded as f64;
        let what = "memory under the same load: Medusa's for each of Stheno's";
        targets.push(Target::at_least(what.to_owned(), MEMORY, memory));
        let start = medusa.started_in.as_secs_f64() / stheno.started_in.as_secs_f64();
        let what = "start to first answer: Medusa's for each of Stheno's";
        targets.push(Target::at_least(what.to_owned(), START, start));
    }
    for share in report.shares() {
        let what = format!("{}, {}: share of the limit", share.call.name(), share.engine);
        targets.push(Target::at_least(what, SHARE, share.ours / share.limit));
    }
    for growth in report.growth.iter().filter(|growth| growth.call.is_flat() && growth.sizes.len() > 1) {
        let what = format!("{}, {}: growth over the shop", growth.call.name(), growth.engine);
        targets.push(Target::at_most(what, GROWTH, growth.ratio()));
    }
    for column in [BESIDE, POSTGRES, SQLITE].into_iter().filter_map(|name| report.column(name)) {
        if let Some(growth) = growth_over_the_group(column) {
            let what = format!("{}: p50 of the first page, largest group to the smallest", column.name);
            targets.push(Target::at_most(what, GROWTH, growth));
        }
    }
    for (server, whole) in &report.wholes {
        targets.push(Target {
            what: format!("{server}: memory while the largest group is read whole"),
            meant: format!("< {}", mebibytes(WHOLE)),
            measured: mebibytes(whole.memory),
            is_met: whole.memory < WHOLE,
        });
    }
    targets
}

fn growth_over_the_group(column: &Column) -> Option<f64> {
    let p50 = |call| Some(column.closed(call)?.milliseconds(0.5));
    Some(p50(Call::FirstOfLarge)? / p50(Call::FirstOfSmall)?)
}
