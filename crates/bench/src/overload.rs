//! More load than the server can carry: what it still answers, how long that takes, and how much memory it costs.
//!
//! The server, with its database, has one core, and the load another. Requests come in open loop, at one, two and four
//! times the rate at which the server is saturated; who has waited too long gives up.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Context as _;
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::calls::{Call, Caller};
use crate::load::{self, Measured, PATIENCE, Pace};
use crate::report::{grouped, machine, mebibytes, rate};
use crate::servers::Server;
use crate::shop::Shop;

/// Where the server and its database run.
pub(crate) const SERVER_CORE: usize = 0;
const LOAD_CORE: usize = 1;

/// How many connections find the saturating load.
const SATURATING: usize = 64;
/// How many connections bring the load.
const CONNECTIONS: usize = 512;

/// Calls that cost enough for one core to ask four times what another can answer.
const CALLS: [Call; 2] = [Call::List, Call::FirstOfLarge];

/// What came of a load of so many times the saturating one.
pub(crate) struct Row {
    call: Call,
    /// None for the closed loop that finds the rate.
    times: Option<f64>,
    offered: f64,
    measured: Measured,
    memory: u64,
}

/// Has this thread, and all that it starts from now on, run on one core.
pub(crate) fn pin(core: usize) -> anyhow::Result<()> {
    let mut cores = CpuSet::new();
    cores.set(core);
    sched_setaffinity(None, &cores).with_context(|| format!("cannot have core {core} to itself"))
}

pub(crate) fn measure(server: &Server, shop: Shop, time: Duration) -> anyhow::Result<Vec<Row>> {
    // On a thread of its own, which goes to the other core.
    std::thread::scope(|scope| {
        let load = scope.spawn(|| {
            pin(LOAD_CORE)?;
            let mut rows = Vec::new();
            for call in CALLS {
                measure_call(server, shop, call, time, &mut rows)?;
            }
            Ok(rows)
        });
        load.join().map_err(|_| anyhow::anyhow!("the load broke off"))?
    })
}

fn measure_call(
    server: &Server,
    shop: Shop,
    call: Call,
    time: Duration,
    rows: &mut Vec<Row>,
) -> anyhow::Result<()> {
    let callers = |count| (0..count).map(|_| Caller::reading(shop)).collect();
    let run = |connections: usize, pace, time| {
        load::run(&server.target, &mut callers(connections), call, pace, time)
    };
    // Once before, so that statements are prepared.
    run(SATURATING, Pace::Closed, time / 4)?;
    let saturating = run(SATURATING, Pace::Closed, time)?;
    let best = saturating.per_second();
    let memory = server.memory()?.now;
    rows.push(Row { call, times: None, offered: best, measured: saturating, memory });
    for times in [1.0, 2.0, 4.0] {
        eprintln!("{}: {times} times {}", call.name(), rate(best));
        let offered = best * times;
        let measured = run(CONNECTIONS, Pace::Open(offered), time)?;
        let memory = server.memory()?.now;
        rows.push(Row { call, times: Some(times), offered, measured, memory });
    }
    Ok(())
}

pub(crate) fn to_markdown(engine: &str, shop: Shop, rows: &[Row]) -> String {
    let mut text = format!(
        "{engine}, {} customers; server and database on one core, the load on another, {SATURATING} connections to find \
         the saturating rate and {CONNECTIONS} for the open loop; {} s each. Who has waited {} s gives up. {}.\n\n",
        grouped(shop.customers),
        rows.first().map_or(0.0, |row| row.measured.time.as_secs_f64().round()),
        PATIENCE.as_secs(),
        machine()
    );
    text.push_str(
        "| call | load | due a second | sent | answered in time | of the best | refused | given up | p50 ms | p99 ms | memory |\n\
         | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for Row { call, times, offered, measured, memory } in rows {
        let best = rows.iter().filter(|row| row.call == *call).map(|row| row.measured.in_time());
        let best = best.fold(0.0, f64::max);
        let load =
            times.map_or_else(|| "saturating, closed loop".to_owned(), |times| format!("{times} times"));
        let a_second = |count: usize| {
            rate(f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / measured.time.as_secs_f64())
        };
        let _ = writeln!(
            text,
            "| {} | {load} | {} | {} | {} | {:.2} | {} | {} | {:.1} | {:.1} | {} |",
            call.name(),
            rate(*offered),
            a_second(measured.sent()),
            rate(measured.in_time()),
            measured.in_time() / best,
            a_second(measured.refused),
            a_second(measured.given_up),
            measured.milliseconds(0.5),
            measured.milliseconds(0.99),
            mebibytes(*memory),
        );
    }
    let faults = rows.iter().filter_map(|row| row.measured.fault.as_deref());
    if let Some(fault) = faults.into_iter().next() {
        let _ = writeln!(text, "\nThe first refusal: {fault}");
    }
    text
}
