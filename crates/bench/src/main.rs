//! How fast Stheno answers: beside a real Medusa on the same database, beside what the database itself can give, and
//! beside a constant.
//!
//! Each server is a process of its own; the load comes from one thread of this one, over keep-alive connections. What is
//! compared is measured in turn, several times over, so that whatever else the machine does falls on all of it.

mod calls;
mod chart;
mod constant;
mod database_limit;
mod load;
mod overload;
mod report;
mod servers;
mod shop;
mod targets;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::{Parser, ValueEnum};
use stheno_store::{Store, StoreOptions};
use stheno_testkit::medusa;
use stheno_testkit::postgres::PostgresServer;
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use crate::calls::{Call, Caller};
use crate::load::{Measured, Pace};
use crate::report::{
    BESIDE, CONSTANT, Column, Figures, Growth, MEDUSA, POSTGRES, Report, Resources, SQLITE, Whole, grouped,
};
use crate::servers::Server;
use crate::shop::{Engine, Shop};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// As PostgreSQL is delivered, but for the memory and the checkpoints of a machine of this size. What is acknowledged is
/// on the disk.
const POSTGRES_SETTINGS: &str = "fsync = on
synchronous_commit = on
shared_buffers = '1GB'
max_wal_size = '8GB'
checkpoint_timeout = '30min'
log_line_prefix = '@entry@'
log_parameter_max_length = -1";

/// Where the figures stand in the page, and the chart.
const PAGE: &str = "docs/BENCHMARKS.md";
const CHART: &str = "docs/benchmarks.svg";
const BEGIN: &str = "<!-- figures: written by `cargo xtask bench -- --write` -->\n";
const END: &str = "<!-- end of figures -->\n";

/// Measures how fast Stheno answers.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench --")]
struct Options {
    /// How many customers the shop has; several, to see what grows with them. Calls are compared on the last.
    #[arg(long, value_delimiter = ',', default_value = "10000")]
    customers: Vec<usize>,
    /// What Stheno keeps the shop in.
    #[arg(long, value_delimiter = ',', default_value = "sqlite,postgres")]
    engines: Vec<EngineName>,
    /// Measure a real Medusa, too, and Stheno beside it on its database (instead of one of its own).
    #[arg(long)]
    against_medusa: bool,
    /// Measure these calls only. A removal takes away what an addition before it has added.
    #[arg(long, value_delimiter = ',')]
    calls: Vec<Call>,
    /// How many connections send at once.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// How long each measurement takes, in seconds.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// How often everything is measured.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Measure how the server bears more load than it can carry, instead: on the first of the engines.
    #[arg(long, conflicts_with_all = ["against_medusa", "write"])]
    overload: bool,
    /// Write the figures into docs/BENCHMARKS.md, and the chart beside it.
    #[arg(long)]
    write: bool,
    /// The server's program; by default the release build.
    #[arg(long, value_name = "PATH")]
    program: Option<PathBuf>,
    /// Be the server whose answer is a constant.
    #[arg(long, hide = true, num_args = 2, value_names = ["ADDRESS", "SIZE"])]
    constant: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EngineName {
    Sqlite,
    Postgres,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    if options.overload {
        // Before any thread is made: what this one starts runs where it runs.
        overload::pin(overload::SERVER_CORE)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let Some([address, size]) = options.constant.as_deref() {
        return runtime.block_on(constant::serve(address.parse()?, size.parse()?));
    }
    let mut bench = Bench::new(&options, &runtime)?;
    if options.overload {
        print!("{}", bench.overload()?);
        return Ok(());
    }
    bench.run();
    let report = &bench.report;
    let markdown = report.to_markdown();
    println!("{markdown}");
    if options.write {
        write_page(&markdown)?;
        fs::write(CHART, chart::draw(report)?).with_context(|| format!("cannot write {CHART}"))?;
    }
    ensure!(report.failures.is_empty(), "some of it failed: {}", report.failures.join("; "));
    Ok(())
}

/// Puts the figures into the page, between its marks.
fn write_page(figures: &str) -> anyhow::Result<()> {
    let page = fs::read_to_string(PAGE).with_context(|| format!("cannot read {PAGE}"))?;
    let parts = page.split_once(BEGIN).and_then(|(head, rest)| Some((head, rest.split_once(END)?.1)));
    let (head, tail) = parts.with_context(|| format!("{PAGE} has no place for figures"))?;
    fs::write(PAGE, format!("{head}{BEGIN}\n{figures}\n{END}{tail}"))
        .with_context(|| format!("cannot write {PAGE}"))
}

struct Bench<'a> {
    options: &'a Options,
    runtime: &'a tokio::runtime::Runtime,
    program: PathBuf,
    started: Instant,
    report: Report,
}

/// How often a server is started, to see how long that takes.
const STARTS: usize = 5;
/// How long the database has to see that a server is gone, before the next is started.
const PAUSE: Duration = Duration::from_secs(2);

/// Starts a server several times, one after the other. The last one stays, with the median of the times.
fn started(start: impl Fn() -> anyhow::Result<Server>) -> anyhow::Result<Server> {
    let mut times = Vec::new();
    for _ in 1..STARTS {
        times.push(start()?.started_in);
        std::thread::sleep(PAUSE);
    }
    let mut server = start()?;
    times.push(server.started_in);
    times.sort_unstable();
    server.started_in = times[STARTS / 2];
    Ok(server)
}

/// A server that takes part, under the name of its column.
struct Entrant {
    name: &'static str,
    server: Server,
    callers: Vec<Caller>,
}

/// A shop in a database, gone with the value.
struct Database {
    /// Of the column of the Stheno that keeps its shop here.
    name: &'static str,
    url: String,
    postgres: Option<PostgresServer>,
    _folder: Option<TempDir>,
}

impl<'a> Bench<'a> {
    fn new(options: &'a Options, runtime: &'a tokio::runtime::Runtime) -> anyhow::Result<Self> {
        let beside =
            std::env::current_exe()?.with_file_name(format!("stheno{}", std::env::consts::EXE_SUFFIX));
        let program = options.program.clone().unwrap_or(beside);
        ensure!(
            program.is_file(),
            "there is no program {}: build it, or name it with --program",
            program.display()
        );
        let Options { connections, seconds, rounds, .. } = *options;
        ensure!(connections > 0 && rounds > 0 && seconds > 0.0, "nothing would be measured");
        let customers = options.customers.last().copied().context("give --customers a number")?;
        let report = Report { customers, connections, seconds, rounds, ..Report::default() };
        Ok(Self { options, runtime, program, started: Instant::now(), report })
    }

    /// Measures everything. What fails is noted in the report, and the rest goes on.
    fn run(&mut self) {
        let sizes = self.options.customers.clone();
        for (index, customers) in sizes.iter().enumerate() {
            let is_last = index + 1 == sizes.len();
            if let Err(error) = self.measure(Shop::of(*customers), is_last) {
                self.fail(&format!("a shop of {} customers", grouped(*customers)), &error);
            }
        }
    }

    /// The calls that are measured, in their order.
    fn calls(&self) -> Vec<Call> {
        let chosen = &self.options.calls;
        Call::ALL.into_iter().filter(|call| chosen.is_empty() || chosen.contains(call)).collect()
    }

    fn fail(&mut self, what: &str, error: &anyhow::Error) {
        self.note(&format!("FAILED: {what}: {error:#}"));
        self.report.failures.push(format!("{what}: {error:#}"));
    }

    /// Measures a shop of one size: all that takes part at the last, what may grow at the others.
    fn measure(&mut self, shop: Shop, is_last: bool) -> anyhow::Result<()> {
        let mut databases = Vec::new();
        let mut entrants = Vec::new();
        let mut of_medusa = None;
        for engine in self.options.engines.clone() {
            self.note(&format!("a shop of {} customers: {engine:?}", grouped(shop.customers)));
            let beside = engine == EngineName::Postgres && is_last && self.options.against_medusa;
            let mut filled = self.fill(engine, shop, beside);
            if beside {
                let alone = filled.as_ref().map_err(ToString::to_string).map(|database| database.url.clone());
                match alone.map_err(anyhow::Error::msg).and_then(|url| self.medusa_alone(&url, shop)) {
                    Ok(column) => of_medusa = Some(column),
                    Err(error) => {
                        self.fail("Medusa", &error);
                        filled = self.fill(engine, shop, false);
                    }
                }
            }
            match filled.and_then(|database| Ok((self.enter(&database, shop)?, database))) {
                Ok((entrant, database)) => {
                    databases.push(database);
                    entrants.push(entrant);
                }
                Err(error) => self.fail(&format!("{engine:?}"), &error),
            }
        }
        if is_last {
            let size = self.size_of_a_group(&entrants, shop)?;
            let server = started(|| self.runtime.block_on(Server::constant(size)))?;
            entrants.push(Entrant { name: CONSTANT, server, callers: Vec::new() });
            for Entrant { name, server, .. } in &entrants {
                let memory =
                    Resources { started_in: server.started_in, idle: server.memory()?.now, loaded: 0 };
                self.report.resources.push(((*name).to_owned(), memory));
                server.forget_memory()?;
            }
        }
        let columns = self.load(&mut entrants, is_last);
        for column in &columns {
            self.note_growth(column, shop);
        }
        if !is_last {
            return Ok(());
        }
        self.report.columns = columns;
        if let Some(column) = of_medusa {
            let place = self.report.columns.iter().position(|column| column.name == BESIDE);
            self.report.columns.insert(place.unwrap_or_default(), column);
        }
        for Entrant { name, server, .. } in &entrants {
            match server.memory() {
                Ok(memory) => {
                    let known = self.report.resources.iter_mut().find(|(known, _)| known == name);
                    known.into_iter().for_each(|(_, resources)| resources.loaded = memory.highest);
                }
                Err(error) => self.fail(&format!("{name}, after the load"), &error),
            }
        }
        for database in &databases {
            let Some(entrant) = entrants.iter().find(|entrant| entrant.name == database.name) else {
                continue;
            };
            if let Err(error) = self.read_whole(database, shop) {
                self.fail(&format!("{}, read whole", database.name), &error);
            }
            self.measure_database(database, entrant, shop);
        }
        Ok(())
    }

    /// A shop in a new database.
    fn fill(&self, engine: EngineName, shop: Shop, beside: bool) -> anyhow::Result<Database> {
        let started = Instant::now();
        let database = match engine {
            EngineName::Sqlite => self.sqlite(shop)?,
            EngineName::Postgres => self.postgres(shop, beside)?,
        };
        self.note(&format!("filled in {:.0} s", started.elapsed().as_secs_f64()));
        Ok(database)
    }

    /// Medusa on its database, before that has anything of Stheno's: Stheno's indexes would help it, too.
    fn medusa_alone(&mut self, url: &str, shop: Shop) -> anyhow::Result<Column> {
        let medusa = started(|| {
            let database = url.to_owned();
            // Apart, because it panics where it cannot be started.
            let medusa = self.runtime.spawn(async move { Server::medusa(&database).await });
            self.runtime.block_on(medusa)?
        })?;
        self.note("Medusa, alone");
        let idle = medusa.memory()?.now;
        let mut medusa = [self.entrant(MEDUSA, medusa, shop)?];
        let column = self.load(&mut medusa, true).pop().context("Medusa was not measured")?;
        let [Entrant { server, .. }] = medusa;
        let resources = Resources { started_in: server.started_in, idle, loaded: server.memory()?.highest };
        self.report.resources.push((MEDUSA.to_owned(), resources));
        Ok(column)
    }

    /// Stheno on a database that has all that it wants there.
    fn enter(&self, database: &Database, shop: Shop) -> anyhow::Result<Entrant> {
        if database.postgres.is_some() {
            let migrate =
                Command::new(&self.program).arg("migrate").env("DATABASE_URL", &database.url).output();
            let migrate = migrate.with_context(|| format!("cannot run {}", self.program.display()))?;
            ensure!(migrate.status.success(), "{}", String::from_utf8_lossy(&migrate.stderr));
        }
        let server = started(|| self.stheno(database))?;
        let entrant = self.entrant(database.name, server, shop)?;
        if database.postgres.is_some() {
            self.runtime.block_on(settle(&database.url))?;
        }
        Ok(entrant)
    }

    fn stheno(&self, database: &Database) -> anyhow::Result<Server> {
        let is_medusas = database.name == BESIDE;
        self.runtime.block_on(Server::stheno(&self.program, &database.url, is_medusas))
    }

    /// How much memory a new server takes when it answers with the largest group whole.
    fn read_whole(&mut self, database: &Database, shop: Shop) -> anyhow::Result<()> {
        self.note(&format!("{}: {} members read whole", database.name, grouped(shop.large_members())));
        let server = self.stheno(database)?;
        server.forget_memory()?;
        let started = Instant::now();
        let bytes = self.runtime.block_on(load::send(&server.target, &calls::whole(shop)))?.len();
        let whole = Whole { bytes, time: started.elapsed(), memory: server.memory()?.highest };
        self.report.wholes.push((database.name.to_owned(), whole));
        Ok(())
    }

    /// How the server bears more load than it can carry.
    fn overload(&mut self) -> anyhow::Result<String> {
        let shop = Shop::of(self.report.customers);
        let engine = *self.options.engines.first().context("give --engines a name")?;
        self.note(&format!("a shop of {} customers: {engine:?}", grouped(shop.customers)));
        let database = self.fill(engine, shop, false)?;
        let entrant = self.enter(&database, shop)?;
        let time = Duration::from_secs_f64(self.options.seconds);
        let rows = overload::measure(&entrant.server, shop, time)?;
        Ok(overload::to_markdown(database.name, shop, &rows))
    }

    fn entrant(&self, name: &'static str, server: Server, shop: Shop) -> anyhow::Result<Entrant> {
        let callers = self.runtime.block_on(async {
            let mut callers = Vec::new();
            for number in 0..self.options.connections {
                callers.push(Caller::new(&server.target, shop, format!("{name} {number}")).await?);
            }
            anyhow::Ok(callers)
        })?;
        Ok(Entrant { name, server, callers })
    }

    /// Every call on every entrant, in turn.
    fn load(&mut self, entrants: &mut [Entrant], is_last: bool) -> Vec<Column> {
        let columns =
            entrants.iter().map(|entrant| Column { name: entrant.name.to_owned(), figures: Vec::new() });
        let mut columns: Vec<Column> = columns.collect();
        for call in self.calls().into_iter().filter(|call| is_last || !call.is_write()) {
            self.note(call.name());
            let mut measured = vec![(Measured::default(), Measured::default()); entrants.len()];
            for _ in 0..self.options.rounds {
                for (entrant, (closed, open)) in entrants.iter_mut().zip(&mut measured) {
                    let is_constants = entrant.name == CONSTANT && call != Call::Retrieve;
                    if is_constants || closed.fault.is_some() || self.is_slow(call, closed) {
                        continue;
                    }
                    match self.round(entrant, call, is_last) {
                        Ok((first, second)) => {
                            closed.add(first);
                            open.add(second);
                        }
                        Err(error) => closed.fault = Some(format!("{error:#}")),
                    }
                }
            }
            for (column, (closed, open)) in columns.iter_mut().zip(measured) {
                let call = if column.name == CONSTANT { Call::Constant } else { call };
                if let Some(fault) = closed.fault.as_ref().or(open.fault.as_ref()) {
                    let what = format!("{}, {}", column.name, call.name());
                    self.fail(&what, &anyhow::anyhow!("{fault}"));
                } else if !closed.is_empty() {
                    column.figures.push(Figures { call, closed, open });
                }
            }
        }
        columns
    }

    /// How long a round of a call takes.
    fn time_of(&self, call: Call) -> Duration {
        let time = Duration::from_secs_f64(self.options.seconds);
        // Few additions of many go into a second, and they are removed in a part of the time.
        if call == Call::AddMany { time * 3 } else { time }
    }

    /// Whether one round took so long that it is enough.
    fn is_slow(&self, call: Call, measured: &Measured) -> bool {
        measured.time > self.time_of(call).mul_f64(1.5) * self.options.rounds
    }

    /// One measurement in closed loop, and one in open loop at half of its rate.
    fn round(
        &self,
        entrant: &mut Entrant,
        call: Call,
        is_last: bool,
    ) -> anyhow::Result<(Measured, Measured)> {
        let time = self.time_of(call);
        let Entrant { name, server, callers } = entrant;
        if *name == CONSTANT {
            let shop = Shop::of(self.report.customers);
            let mut callers = (0..self.options.connections).map(|_| Caller::reading(shop)).collect();
            let closed = load::run(&server.target, &mut callers, Call::Constant, Pace::Closed, time)?;
            return Ok((closed, Measured::default()));
        }
        let closed = load::run(&server.target, callers, call, Pace::Closed, time)?;
        // What is added in the open loop, too, would have to be removed in it.
        let is_paired = matches!(call, Call::AddOne | Call::AddMany | Call::RemoveOne | Call::RemoveMany);
        let rate = closed.per_second() / 2.0;
        // So few that percentiles mean nothing, and each of them long due before the last is answered.
        let is_rare = rate * self.options.seconds < 10.0;
        if !is_last || is_paired || is_rare {
            return Ok((closed, Measured::default()));
        }
        let open = load::run(&server.target, callers, call, Pace::Open(rate), time)?;
        Ok((closed, open))
    }

    fn note_growth(&mut self, column: &Column, shop: Shop) {
        let engine = match &*column.name {
            SQLITE => "SQLite",
            BESIDE | POSTGRES => "PostgreSQL",
            _ => return,
        };
        for figures in column.figures.iter().filter(|figures| !figures.call.is_write()) {
            let point = (shop.customers, figures.closed.per_second());
            let known = |growth: &&mut Growth| growth.engine == engine && growth.call == figures.call;
            match self.report.growth.iter_mut().find(known) {
                Some(growth) => growth.sizes.push(point),
                None => self.report.growth.push(Growth { engine, call: figures.call, sizes: vec![point] }),
            }
        }
    }

    /// What PostgreSQL itself gives for some of the calls.
    fn measure_database(&mut self, database: &Database, entrant: &Entrant, shop: Shop) {
        let Some(server) = &database.postgres else { return };
        let flat = [Call::Retrieve, Call::List, Call::FirstOfSmall, Call::FirstOfMiddle, Call::FirstOfLarge];
        for call in self.calls().into_iter().filter(|call| flat.contains(call)) {
            self.note(&format!("pgbench: {}", call.name()));
            let Some(request) = Caller::reading(shop).request(call) else { continue };
            let measure = database_limit::measure(
                server,
                DATABASE,
                &entrant.server.target,
                &request,
                self.options.connections,
                self.options.seconds * f64::from(self.options.rounds),
            );
            match self.runtime.block_on(measure) {
                Ok(limit) => self.report.limits.push((call, limit)),
                Err(error) => self.fail(&format!("pgbench, {}", call.name()), &error),
            }
        }
    }

    /// Tells the person who waits what is done now, and since when.
    fn note(&self, text: &str) {
        eprintln!("{:>5.0} s  {text}", self.started.elapsed().as_secs_f64());
    }

    fn sqlite(&self, shop: Shop) -> anyhow::Result<Database> {
        let folder = tempfile::tempdir().context("no folder for the database")?;
        let path = folder.path().join("bench.db");
        let url = format!("sqlite:{}", path.display());
        self.runtime.block_on(make_tables(&url))?;
        let connection = rusqlite::Connection::open(&path)?;
        connection.execute_batch("BEGIN")?;
        for statement in shop.statements(Engine::Sqlite) {
            connection.execute_batch(&statement)?;
        }
        connection.execute_batch("COMMIT; ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)")?;
        Ok(Database { name: SQLITE, url, postgres: None, _folder: Some(folder) })
    }

    fn postgres(&self, shop: Shop, of_medusa: bool) -> anyhow::Result<Database> {
        self.runtime.block_on(async {
            let server = PostgresServer::start(POSTGRES_SETTINGS).await;
            let client = connect(&server.url("postgres")).await?;
            client.batch_execute(&format!("CREATE DATABASE {DATABASE}")).await?;
            let url = server.url(DATABASE);
            if of_medusa {
                let url = url.clone();
                // Apart, because it panics where it fails.
                tokio::spawn(async move { medusa::make(&url).await }).await?;
            } else {
                make_tables(&url).await?;
            }
            let client = connect(&url).await?;
            for statement in shop.statements(Engine::Postgres) {
                client.batch_execute(&statement).await?;
            }
            client.batch_execute("VACUUM ANALYZE").await?;
            client.batch_execute("CHECKPOINT").await?;
            let name = if of_medusa { BESIDE } else { POSTGRES };
            Ok(Database { name, url, postgres: Some(server), _folder: None })
        })
    }

    /// How many bytes the answer to a retrieval of a group has.
    fn size_of_a_group(&self, entrants: &[Entrant], shop: Shop) -> anyhow::Result<usize> {
        let entrant = entrants.first().context("no engine was given")?;
        let request = Caller::reading(shop).request(Call::Retrieve).context("no request")?;
        Ok(self.runtime.block_on(load::send(&entrant.server.target, &request))?.len())
    }
}

/// The name of the database.
const DATABASE: &str = "bench";

async fn make_tables(url: &str) -> anyhow::Result<()> {
    let store = Store::open(url, StoreOptions::default()).await?;
    store.close().await;
    Ok(())
}

/// Waits until the counts that Stheno keeps are out of doubt.
async fn settle(url: &str) -> anyhow::Result<()> {
    let client = connect(url).await?;
    let started = Instant::now();
    let doubts = "SELECT count(*) FROM stheno_count WHERE kind = 'doubt'";
    while client.query_one(doubts, &[]).await?.get::<_, i64>(0) > 0 {
        ensure!(started.elapsed() < Duration::from_secs(180), "the counts are still in doubt");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    client.batch_execute("VACUUM ANALYZE").await?;
    client.batch_execute("CHECKPOINT").await?;
    Ok(())
}

async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}
