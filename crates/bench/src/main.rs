//! How fast Stheno answers: beside a real Medusa on the same database, beside what the database itself can give, and
//! beside a constant.
//!
//! Each server is a process of its own; the load comes from one thread of this one, over keep-alive connections. What is
//! compared is measured in turn, several times over, so that whatever else the machine does falls on all of it.

mod calls;
mod constant;
mod database_limit;
mod load;
mod report;
mod servers;
mod shop;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::{Parser, ValueEnum};
use stheno_store::{Store, StoreOptions};
use stheno_testkit::medusa;
use stheno_testkit::postgres::PostgresServer;
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use crate::calls::{Call, Caller};
use crate::load::{Measured, Pace};
use crate::report::{BESIDE, CONSTANT, Column, Figures, Growth, MEDUSA, POSTGRES, Report, SQLITE, grouped};
use crate::servers::Server;
use crate::shop::{Engine, Shop};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Sensible for a machine of this size, and safe: what is acknowledged is on the disk.
const POSTGRES_SETTINGS: &str = "fsync = on
synchronous_commit = on
shared_buffers = '1GB'
max_wal_size = '8GB'
checkpoint_timeout = '30min'
random_page_cost = 1.1
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
    /// How many connections send at once.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// How long each measurement takes, in seconds.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// How often everything is measured.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
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
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let Some([address, size]) = options.constant.as_deref() {
        return runtime.block_on(constant::serve(address.parse()?, size.parse()?));
    }
    let mut bench = Bench::new(&options, &runtime)?;
    let report = bench.run()?;
    let markdown = report.to_markdown();
    println!("{markdown}");
    if options.write {
        write_page(&markdown)?;
        fs::write(CHART, report.to_svg()).with_context(|| format!("cannot write {CHART}"))?;
    }
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
    report: Report,
}

/// A server that takes part, under the name of its column.
struct Entrant {
    name: &'static str,
    server: Server,
    callers: Vec<Caller>,
}

/// A shop in a database, gone with the value.
struct Database {
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
        Ok(Self { options, runtime, program, report })
    }

    fn run(&mut self) -> anyhow::Result<Report> {
        let sizes = &self.options.customers;
        for (index, customers) in sizes.iter().enumerate() {
            let is_last = index + 1 == sizes.len();
            self.measure(Shop::of(*customers), is_last)?;
        }
        Ok(std::mem::take(&mut self.report))
    }

    /// Measures a shop of one size: all that takes part at the last, what may grow at the others.
    fn measure(&mut self, shop: Shop, is_last: bool) -> anyhow::Result<()> {
        let mut databases = Vec::new();
        let mut entrants = Vec::new();
        for engine in self.options.engines.clone() {
            note(&format!("a shop of {} customers: {engine:?}", grouped(shop.customers)));
            let database = match engine {
                EngineName::Sqlite => self.sqlite(shop)?,
                EngineName::Postgres => self.postgres(shop, is_last && self.options.against_medusa)?,
            };
            let name = match engine {
                EngineName::Sqlite => SQLITE,
                EngineName::Postgres if is_last && self.options.against_medusa => {
                    let medusa = self.runtime.block_on(Server::medusa(&database.url))?;
                    entrants.push(self.entrant(MEDUSA, medusa, shop)?);
                    BESIDE
                }
                EngineName::Postgres => POSTGRES,
            };
            let server =
                self.runtime.block_on(Server::stheno(&self.program, &database.url, name == BESIDE))?;
            entrants.push(self.entrant(name, server, shop)?);
            databases.push(database);
        }
        if is_last {
            let size = self.size_of_a_group(&entrants, shop)?;
            let server = self.runtime.block_on(Server::constant(size))?;
            entrants.push(Entrant { name: CONSTANT, server, callers: Vec::new() });
            for entrant in &entrants {
                let started = entrant.server.started_in.as_secs_f64();
                self.fact(entrant.name, "start to first answer", format!("{:.0} ms", started * 1e3));
                self.fact(entrant.name, "memory before the load", mebibytes(entrant.server.memory()?.now));
            }
        }
        let columns = self.load(&mut entrants, is_last)?;
        for column in &columns {
            self.note_growth(column, shop);
        }
        if is_last {
            for entrant in &entrants {
                self.fact(entrant.name, "memory at its highest", mebibytes(entrant.server.memory()?.highest));
            }
            for (database, entrant) in databases.iter().filter_map(|database| {
                let entrant = entrants.iter().find(|entrant| [BESIDE, POSTGRES].contains(&entrant.name))?;
                Some((database, entrant))
            }) {
                self.measure_database(database, entrant, shop)?;
            }
            self.report.columns = columns;
        }
        Ok(())
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
    fn load(&self, entrants: &mut [Entrant], is_last: bool) -> anyhow::Result<Vec<Column>> {
        let columns =
            entrants.iter().map(|entrant| Column { name: entrant.name.to_owned(), figures: Vec::new() });
        let mut columns: Vec<Column> = columns.collect();
        let calls = Call::ALL.into_iter().filter(|call| is_last || !call.is_write());
        for call in calls {
            note(call.name());
            let mut measured = vec![(Measured::default(), Measured::default()); entrants.len()];
            for _ in 0..self.options.rounds {
                for (entrant, (closed, open)) in entrants.iter_mut().zip(&mut measured) {
                    if let Some((first, second)) = self.round(entrant, call, is_last)? {
                        closed.add(first);
                        open.add(second);
                    }
                }
            }
            for (column, (closed, open)) in columns.iter_mut().zip(measured) {
                let call = if column.name == CONSTANT { Call::Constant } else { call };
                let is_new = column.figures.iter().all(|figures| figures.call != call);
                if is_new && closed.per_second() > 0.0 {
                    column.figures.push(Figures { call, closed, open });
                }
            }
        }
        Ok(columns)
    }

    /// One measurement in closed loop, and one in open loop at half of its rate.
    fn round(
        &self,
        entrant: &mut Entrant,
        call: Call,
        is_last: bool,
    ) -> anyhow::Result<Option<(Measured, Measured)>> {
        let time = Duration::from_secs_f64(self.options.seconds);
        let target = entrant.server.target.clone();
        if entrant.name == CONSTANT {
            if call != Call::Retrieve {
                return Ok(None);
            }
            let shop = Shop::of(self.report.customers);
            let mut callers = (0..self.options.connections).map(|_| Caller::reading(shop)).collect();
            let closed = load::run(&target, &mut callers, Call::Constant, Pace::Closed, time)?;
            return Ok(Some((closed, Measured::default())));
        }
        let closed = load::run(&target, &mut entrant.callers, call, Pace::Closed, time)?;
        // What is added in the open loop, too, would have to be removed in it.
        let is_paired = matches!(call, Call::AddOne | Call::AddMany | Call::RemoveOne | Call::RemoveMany);
        let open = if is_last && !is_paired && closed.per_second() > 0.0 {
            load::run(&target, &mut entrant.callers, call, Pace::Open(closed.per_second() / 2.0), time)?
        } else {
            Measured::default()
        };
        Ok(Some((closed, open)))
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
                None => self.report.growth.push(Growth {
                    engine: engine.to_owned(),
                    call: figures.call,
                    sizes: vec![point],
                }),
            }
        }
    }

    /// What PostgreSQL itself gives for some of the calls.
    fn measure_database(&mut self, database: &Database, entrant: &Entrant, shop: Shop) -> anyhow::Result<()> {
        let Some(server) = &database.postgres else { return Ok(()) };
        for call in [Call::Retrieve, Call::List, Call::FirstOfSmall, Call::FirstOfMiddle, Call::FirstOfLarge]
        {
            note(&format!("pgbench: {}", call.name()));
            let Some(request) = Caller::reading(shop).request(call) else { continue };
            let measure = database_limit::measure(
                server,
                DATABASE,
                &entrant.server.target,
                &request,
                self.options.connections,
                self.options.seconds * f64::from(u32::try_from(self.options.rounds)?),
            );
            self.report.limits.push((call, self.runtime.block_on(measure)?));
        }
        Ok(())
    }

    fn fact(&mut self, server: &str, what: &str, figure: String) {
        self.report.facts.push([server.to_owned(), what.to_owned(), figure]);
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
        Ok(Database { url, postgres: None, _folder: Some(folder) })
    }

    fn postgres(&self, shop: Shop, of_medusa: bool) -> anyhow::Result<Database> {
        self.runtime.block_on(async {
            let server = PostgresServer::start(POSTGRES_SETTINGS).await;
            let client = connect(&server.url("postgres")).await?;
            client.batch_execute(&format!("CREATE DATABASE {DATABASE}")).await?;
            let url = server.url(DATABASE);
            if of_medusa {
                medusa::make(&url).await;
            } else {
                make_tables(&url).await?;
            }
            let client = connect(&url).await?;
            for statement in shop.statements(Engine::Postgres) {
                client.batch_execute(&statement).await?;
            }
            client.batch_execute("VACUUM ANALYZE").await?;
            client.batch_execute("CHECKPOINT").await?;
            Ok(Database { url, postgres: Some(server), _folder: None })
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

async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

/// Tells the person who waits how far it is.
fn note(text: &str) {
    eprintln!("{text}");
}
