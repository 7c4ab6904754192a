//! How fast Stheno answers, beside what the same server answers without a database.
//!
//! Everything runs in one process: the server on its threads, the load on one of its own, with keep-alive connections
//! that send the next request as soon as an answer is there. What is compared is measured in turn, several times over,
//! so that whatever else the machine does falls on all of it.

mod load;
mod shop;

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::routing::get;
use clap::Parser;
use comfy_table::{Cell, CellAlignment, Table, presets};
use http::header::CONTENT_TYPE;
use stheno_auth::secret::{Secret, SigningKeys};
use stheno_server::{App, Config, Secrets, router_with, serve_router};
use stheno_store::{Store, StoreOptions};

use crate::load::{Load, Measured};
use crate::shop::{GROUP_MEMBERS, Shop, TOKEN};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures how fast Stheno answers on SQLite.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench")]
struct Options {
    /// How many customers the shop has.
    #[arg(long, default_value_t = 10_000)]
    customers: usize,
    /// How many connections send at once.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// How long each measurement takes, in seconds.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// How often everything is measured.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let folder = tempfile::tempdir().context("no folder for the database")?;
    let url = format!("sqlite:{}", folder.path().join("bench.db").display());
    let (address, shop) = runtime.block_on(start(&url, options.customers))?;

    let of_a_group = format!("/admin/customer-groups/{}/customers", shop.group);
    let calls = [
        ("static JSON of the same size", "/static".to_owned()),
        ("retrieve a group", format!("/admin/customer-groups/{}", shop.group)),
        ("list groups", "/admin/customer-groups".to_owned()),
        ("search groups", "/admin/customer-groups?q=group%200001".to_owned()),
        ("first 50 members of a group", of_a_group),
    ];
    let mut measured = vec![Measured::default(); calls.len()];
    for _ in 0..options.rounds {
        for (call, measured) in calls.iter().zip(&mut measured) {
            let load = Load {
                address,
                path: &call.1,
                token: TOKEN,
                connections: options.connections,
                time: Duration::from_secs_f64(options.seconds),
            };
            measured.add(load.run()?);
        }
    }

    let title = format!(
        "SQLite, {} customers, {} members in the group, {} connections, {} rounds of {} s, {} cores for server and load",
        options.customers,
        GROUP_MEMBERS.min(options.customers),
        options.connections,
        options.rounds,
        options.seconds,
        std::thread::available_parallelism().map_or(1, usize::from),
    );
    println!("{title}\n{}", table(&calls, &measured));
    Ok(())
}

/// Starts a server of a shop, with a route that answers a constant of the size of a group.
async fn start(url: &str, customers: usize) -> anyhow::Result<(SocketAddr, Shop)> {
    let store = Store::open(url, StoreOptions::default()).await?;
    let shop = Shop::fill(&store, customers).await?;
    let constant = axum::body::Bytes::from(shop.group_as_json(&store).await?);
    let keys = SigningKeys::from(Secret::generate()?);
    let config = Config::default();
    let app = App::new(store, Secrets { jwt: keys.clone().into(), cookie: keys.into() }, config.clone());
    let further = Router::new().route(
        "/static",
        get(async move || ([(CONTENT_TYPE, "application/json; charset=utf-8")], constant.clone())),
    );
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    tokio::spawn(serve_router(listener, router_with(app, further), config, std::future::pending()));
    Ok((address, shop))
}

fn table(calls: &[(&str, String)], measured: &[Measured]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["call", "requests/s", "p50 ms", "p99 ms", "ratio to static"]);
    let limit = measured.first().map_or(1.0, Measured::per_second);
    for ((name, _), measured) in calls.iter().zip(measured) {
        let figures = [
            format!("{:.0}", measured.per_second()),
            format!("{:.2}", measured.percentile(0.50).as_secs_f64() * 1e3),
            format!("{:.2}", measured.percentile(0.99).as_secs_f64() * 1e3),
            format!("{:.2}", measured.per_second() / limit),
        ];
        let figures = figures.into_iter().map(|figure| Cell::new(figure).set_alignment(CellAlignment::Right));
        table.add_row(std::iter::once(Cell::new(name)).chain(figures));
    }
    table
}
