//! `kill -9` in the middle of sixteen writers, of the server, of PostgreSQL, of both: what was acknowledged is there
//! afterwards, and nothing is half done.

use std::fmt;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use stheno_testkit::postgres::{Killed, PostgresServer};
use tokio::runtime::Runtime;

use crate::support::{API_TOKEN, Call, Server, Shop, text_of};
use crate::writers::{Ledger, Unknown, WRITERS, Writers, customers};

/// Set to run more rounds than a usual run has.
const ROUNDS_VARIABLE: &str = "STHENO_CRASH_ROUNDS";
const USUAL_ROUNDS: usize = 3;

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Victim {
    Server,
    /// The server stays, and must come back by itself.
    Database,
    Both,
}

/// Where the shop's data is, and how to look into it past the server.
enum Engine {
    Sqlite,
    Postgres { server: PostgresServer, runtime: Runtime },
}

impl Engine {
    fn postgres() -> Self {
        let runtime = Runtime::new().unwrap();
        // Unlike in other tests, what is committed is to be on the disk.
        let server = runtime.block_on(PostgresServer::start("fsync = on\nsynchronous_commit = on"));
        Self::Postgres { server, runtime }
    }

    fn shop(&self) -> Shop {
        let shop = Shop::with_known_credentials();
        match self {
            Self::Sqlite => shop,
            Self::Postgres { server, .. } => shop.with("DATABASE_URL", server.url("postgres")),
        }
    }

    fn kill(&self, what: Killed) {
        let Self::Postgres { server, runtime } = self else { panic!("SQLite has no process of its own") };
        runtime.block_on(server.kill(what));
    }

    fn start_again(&self) {
        let Self::Postgres { server, runtime } = self else { panic!("SQLite has no process of its own") };
        runtime.block_on(server.start_again());
    }

    /// That tables and indexes hold together, and no row refers to one that is not there.
    fn check(&self, shop: &Shop) {
        match self {
            Self::Sqlite => {
                let database = shop.database();
                let integrity: String =
                    database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
                assert_eq!(integrity, "ok");
                let mut violations = database.prepare("PRAGMA foreign_key_check").unwrap();
                assert!(!violations.exists([]).unwrap(), "a row refers to one that is not there");
            }
            Self::Postgres { server, runtime } => {
                let mut check = Command::new(server.program("pg_amcheck"));
                check.args([
                    "--install-missing",
                    "--heapallindexed",
                    "--parent-check",
                    "--username=postgres",
                ]);
                check.args(["--host=127.0.0.1", "--port", &server.port().to_string(), "postgres"]);
                let output = check.output().unwrap();
                assert!(output.status.success(), "{}", text_of(&output));
                let orphans = "SELECT count(*) FROM customer_group_customers m
                               WHERE NOT EXISTS (SELECT 1 FROM customer_group g WHERE g.id = m.customer_group_id)
                                  OR NOT EXISTS (SELECT 1 FROM customer c WHERE c.id = m.customer_id)";
                let orphans = runtime.block_on(async {
                    server.connect().await.query_one(orphans, &[]).await.unwrap().get::<_, i64>(0)
                });
                assert_eq!(orphans, 0, "a row refers to one that is not there");
            }
        }
    }
}

/// What `docs/RELIABILITY.md` tells of the rounds.
#[derive(Default)]
struct Figures {
    acknowledged: usize,
    in_flight: usize,
    unknown: Unknown,
    /// From each kill to the first good answer, the shortest first when they are shown.
    outages: Vec<Duration>,
}

impl fmt::Display for Figures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { acknowledged, in_flight, unknown: Unknown { calls, done }, outages } = self;
        let mut outages = outages.clone();
        outages.sort_unstable();
        write!(
            formatter,
            "{} rounds: {acknowledged} calls acknowledged, {in_flight} in flight when it was killed; of {calls} calls that \
             nobody acknowledged {done} were done; first good answer after {:.2?} in the middle, {:.2?} at most",
            outages.len(),
            outages[outages.len() / 2],
            outages[outages.len() - 1],
        )
    }
}

fn rounds(what: &str, engine: &Engine, victim: Victim) {
    let rounds = std::env::var(ROUNDS_VARIABLE).map_or(USUAL_ROUNDS, |rounds| rounds.parse().unwrap());
    let shop = engine.shop();
    let mut server = shop.serve(["--demo"]);
    let customers = customers(&server);
    let mut ledger = Ledger::default();
    let mut figures = Figures::default();
    for round in 0..rounds {
        let name = format!("round {round} ");
        let writers = Writers::start(&server, &name, &customers);
        let calls = &writers.calls;
        // Another time in each round, and never before writing has begun.
        wait_until(|| calls.acknowledged.load(Ordering::Relaxed) >= WRITERS);
        std::thread::sleep(Duration::from_millis(20 + (round as u64 * 137) % 400));
        figures.in_flight += calls.in_flight.load(Ordering::Relaxed);
        let killed = Instant::now();
        let what = if round % 2 == 0 { Killed::Postmaster } else { Killed::Everything };
        match victim {
            Victim::Server => server.kill(),
            Victim::Database => engine.kill(what),
            Victim::Both => {
                server.kill();
                engine.kill(what);
            }
        }
        if victim != Victim::Server {
            engine.start_again();
        }
        if victim != Victim::Database {
            server = shop.serve([]);
        }
        wait_until(|| answers(&server));
        figures.outages.push(killed.elapsed());
        if victim == Victim::Database {
            // Its writers go on.
            let so_far = calls.acknowledged.load(Ordering::Relaxed);
            wait_until(|| calls.acknowledged.load(Ordering::Relaxed) >= so_far + WRITERS);
            calls.ends.store(true, Ordering::Relaxed);
        }
        let calls = writers.calls.clone();
        ledger.add(writers);
        figures.acknowledged += calls.acknowledged.load(Ordering::Relaxed);
        let unknown = ledger.settle(&server);
        figures.unknown.calls += unknown.calls;
        figures.unknown.done += unknown.done;
        ledger.check_counts(&server, &name);
        // Those of one round must outlive the next one's kill, and are enough to look through.
        ledger.keep(&server, &name);
        engine.check(&shop);
    }
    println!("{what}: {figures}");
}

/// Whether the server serves what is in its database.
fn answers(server: &Server) -> bool {
    let call = Call::new("GET", format!("{}/admin/customer-groups?limit=1", server.url));
    call.with_token(API_TOKEN).send().status == 200
}

fn wait_until(mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "nothing goes on");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn what_was_acknowledged_survives_the_server_on_sqlite() {
    rounds("server on SQLite", &Engine::Sqlite, Victim::Server);
}

#[test]
fn what_was_acknowledged_survives_the_server_on_postgresql() {
    rounds("server on PostgreSQL", &Engine::postgres(), Victim::Server);
}

#[test]
fn what_was_acknowledged_survives_postgresql() {
    rounds("PostgreSQL", &Engine::postgres(), Victim::Database);
}

#[test]
fn what_was_acknowledged_survives_server_and_postgresql() {
    rounds("server and PostgreSQL", &Engine::postgres(), Victim::Both);
}
