//! The real Medusa v1, alone or beside Stheno on one database.
//!
//! Medusa makes the tables itself, once for all tests that run at the same time; each then has a copy of that database,
//! with the data of the contract, some orders, and [`EMAIL`] as its administrator.

mod process;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::SocketAddr;

use serde_json::Value;

use self::process::{Process, Project, package, packages};
use crate::app::{SECRET, TestApp, TestAppOptions};
use crate::contract;
use crate::http::HttpClient;
use crate::postgres::{PostgresDatabase, PostgresTemplate};

const SHOP: &str = include_str!("shop.sql");

/// The administrator's e-mail address, at Medusa and at Stheno.
pub const EMAIL: &str = "admin@medusa-test.com";
/// The administrator's password.
pub const PASSWORD: &str = "supersecret";
/// The administrator's API token.
pub const API_TOKEN: &str = "test_token";
/// What bearer tokens and cookies are signed with, at Medusa and at Stheno.
pub const SIGNING_SECRET: &str = SECRET;

/// A database that Medusa has made, and that Stheno has never seen.
pub async fn database() -> PostgresDatabase {
    static TEMPLATE: PostgresTemplate = PostgresTemplate::shared("medusa", version);
    TEMPLATE.copy(make).await
}

/// What tells one made database from another: Medusa's packages, which are in a folder named after them, its settings, and
/// the shop.
fn version() -> u64 {
    let mut hasher = DefaultHasher::new();
    let settings = package().join("medusa-config.js");
    let text = std::fs::read(&settings).unwrap_or_else(|error| panic!("{}: {error}", settings.display()));
    (packages(), text, SHOP, contract::SEED).hash(&mut hasher);
    hasher.finish()
}

/// Has Medusa make its tables in the empty database at this URL, and fills them.
pub async fn make(url: &str) {
    let address = url.to_owned();
    let made = tokio::task::spawn_blocking(move || {
        Project::new().migrate(&address);
        // Its first start brings what every shop has: currencies, countries, a sales channel.
        Project::new().serve(&address);
    });
    made.await.unwrap_or_else(|error| panic!("Medusa cannot make a database: {error}"));
    let client = crate::postgres::connect(url).await;
    let run = async |sql: &str| {
        client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    };
    // Customers and addresses refer to each other.
    run("SET session_replication_role = replica").await;
    for (table, rows) in contract::seed() {
        let table = table.name();
        let rows = Value::from(rows.into_iter().map(Value::Object).collect::<Vec<_>>()).to_string();
        let sql = format!(
            "INSERT INTO \"{table}\" SELECT * FROM jsonb_populate_recordset(NULL::\"{table}\", $1::text::jsonb)"
        );
        client.execute(&sql, &[&rows]).await.unwrap_or_else(|error| panic!("{table}: {error:?}"));
    }
    run("SET session_replication_role = origin").await;
    run(SHOP).await;
    run("ANALYZE").await;
}

/// A Medusa that runs.
#[derive(Debug)]
pub struct Medusa(Process);

impl Medusa {
    /// Starts a Medusa on a database, which must stay as long as it runs.
    pub async fn on(database: &PostgresDatabase) -> Self {
        Self::at(database.url()).await
    }

    /// Starts a Medusa on the database at this URL.
    pub async fn at(url: &str) -> Self {
        let url = url.to_owned();
        let started = tokio::task::spawn_blocking(move || Project::new().serve(&url)).await;
        Self(started.unwrap_or_else(|error| panic!("{error}")))
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// Where it listens, as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// A client of it.
    pub fn client(&self) -> HttpClient {
        HttpClient::new(self.address())
    }
}

/// Medusa and Stheno on one database.
#[derive(Debug)]
pub struct BesideMedusa {
    /// Ends before its database does.
    pub medusa: Medusa,
    /// Has the database.
    pub stheno: TestApp,
}

impl BesideMedusa {
    /// Both, on a new copy of the database. Stheno asks Medusa about its sessions.
    pub async fn start() -> Self {
        Self::with(TestAppOptions::default()).await
    }

    /// As [`Self::start`], with a Stheno that is set up otherwise.
    pub async fn with(mut options: TestAppOptions) -> Self {
        let database = database().await;
        let medusa = Medusa::on(&database).await;
        options.config.medusa = medusa.url().parse().map(Some).unwrap_or_else(|error| panic!("{error}"));
        let stheno = TestApp::on_postgres(database, options).await;
        Self { medusa, stheno }
    }
}
