//! Writers and readers for a while: what was acknowledged is there, and the server has no more memory at the end than when
//! it had warmed up.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use stheno_testkit::postgres::PostgresDatabase;
use tokio::runtime::Runtime;

use crate::support::{API_TOKEN, Call, Shop};
use crate::writers::{Ledger, Writers, customers};

/// Set to run for longer than a usual run does.
const SECONDS_VARIABLE: &str = "STHENO_SOAK_SECONDS";
const USUAL_SECONDS: u64 = 6;

const READERS: usize = 4;

/// By how much of its memory a server may be larger at the end: what it keeps of what was read last comes and goes.
const GROWTH: f64 = 0.25;

/// What is read over and over: pages of both ends, a search, members, answers that are large.
const READ: [&str; 6] = [
    "/admin/customer-groups?limit=20&order=-created_at&expand=customers",
    "/admin/customer-groups?limit=50&offset=100",
    "/admin/customer-groups?q=writer+7&limit=10",
    "/admin/customers?limit=100&expand=groups&order=-email",
    "/admin/customers?q=an&limit=10",
    "/admin/customers?limit=0",
];

fn soak(what: &str, shop: &Shop) {
    let seconds = std::env::var(SECONDS_VARIABLE).map_or(USUAL_SECONDS, |seconds| seconds.parse().unwrap());
    let server = shop.serve(["--demo"]);
    let customers = customers(&server);
    let mut ledger = Ledger::default();
    let (start, length) = (Instant::now(), Duration::from_secs(seconds));
    let (mut written, mut put_off, read) = (0, 0, AtomicUsize::new(0));
    let mut memory = Vec::new();
    thread::scope(|scope| {
        for reader in 0..READERS {
            let (server, read) = (&server, &read);
            scope.spawn(move || {
                for path in READ.iter().cycle().skip(reader) {
                    if start.elapsed() > length {
                        break;
                    }
                    let call = Call::new("GET", format!("{}{path}", server.url)).with_token(API_TOKEN);
                    assert_eq!(call.send().status, 200, "{path}");
                    read.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        // In parts, after each of which all that was written is compared and deleted: the data does not grow, so that
        // memory need not either.
        for part in 0.. {
            if start.elapsed() > length {
                break;
            }
            let name = format!("part {part} ");
            let writers = Writers::start(&server, &name, &customers);
            thread::sleep(length / 10);
            writers.calls.ends.store(true, Ordering::Relaxed);
            let calls = writers.calls.clone();
            ledger.add(writers);
            written += calls.acknowledged.load(Ordering::Relaxed);
            put_off += calls.put_off.load(Ordering::Relaxed);
            ledger.settle(&server);
            ledger.check_counts(&server, &name);
            ledger.keep(&server, "nobody");
            memory.push(server.memory());
        }
    });
    // What the first parts take is for caches and buffers.
    let (warm, last) = (memory[memory.len() / 3], memory[memory.len() - 1]);
    println!(
        "{what}: {:.0?}, {written} writes, {} reads, {put_off} put off; {:.1} MiB after the first part, {:.1} when warm, {:.1} \
         at the end",
        start.elapsed(),
        read.load(Ordering::Relaxed),
        mebibytes(memory[0]),
        mebibytes(warm),
        mebibytes(last),
    );
    assert!(last as f64 <= warm as f64 * (1.0 + GROWTH), "memory grows: {memory:?} KiB");
    drop(server);
    let verified = shop.run(["migrate", "--verify"]);
    assert!(verified.contains("Everything is as Stheno makes it"), "{verified}");
}

fn mebibytes(kibibytes: u64) -> f64 {
    kibibytes as f64 / 1024.0
}

#[test]
fn a_server_at_work_keeps_everything_and_does_not_grow_on_sqlite() {
    soak("SQLite", &Shop::with_known_credentials());
}

#[test]
fn a_server_at_work_keeps_everything_and_does_not_grow_on_postgresql() {
    let database = Runtime::new().unwrap().block_on(PostgresDatabase::empty());
    soak("PostgreSQL", &Shop::with_known_credentials().with("DATABASE_URL", database.url()));
}
