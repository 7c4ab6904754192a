//! A throw-away database of each kind that a shop can be copied from and to.

use rusqlite::types::Value;
use stheno_store::copy::{CopyError, CopyOptions, CopyReport, copy};
use stheno_store::{Store, StoreOptions};
use stheno_testkit::postgres::{PostgresDatabase, PostgresTemplate};
use tempfile::TempDir;
use tokio_postgres::NoTls;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
    /// With Medusa's own tables, and those that only Medusa has.
    Medusa,
}

pub(crate) const KINDS: [Kind; 3] = [Kind::Sqlite, Kind::Postgres, Kind::Medusa];

pub(crate) struct Database {
    pub(crate) url: String,
    place: Place,
}

enum Place {
    Sqlite(TempDir),
    Postgres(PostgresDatabase),
}

/// What Medusa has beside the tables that Stheno knows.
const MEDUSA: &str = "
    CREATE TABLE migrations (id serial PRIMARY KEY, timestamp bigint NOT NULL, name varchar NOT NULL);
    CREATE TABLE country (iso_2 varchar(2) PRIMARY KEY);
    INSERT INTO country VALUES ('de'), ('dk');
    ALTER TABLE address ADD FOREIGN KEY (country_code) REFERENCES country (iso_2);
    CREATE TABLE discount_condition (id varchar PRIMARY KEY);
    INSERT INTO discount_condition VALUES ('discon_1'), ('discon_2');
    ALTER TABLE discount_condition_customer_group ADD FOREIGN KEY (condition_id) REFERENCES discount_condition (id)";

/// All that is copied, in an order that does not depend on the engine, one statement a table.
const TABLES: [(&str, &str); 9] = [
    ("user", "id"),
    ("customer_group", "id"),
    ("customer", "id"),
    ("address", "id"),
    ("customer_group_customers", "customer_group_id, customer_id"),
    ("price_list", "id"),
    ("price_list_customer_groups", "price_list_id, customer_group_id"),
    ("discount_condition_customer_group", "condition_id, customer_group_id"),
    ("stheno_api_token", "token_hash"),
];

pub(crate) async fn open(url: &str) -> Store {
    Store::open(url, StoreOptions::default()).await.unwrap()
}

async fn make_medusas_tables(url: &str) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute(include_str!("../../migrations/postgres/0001_medusa_tables.sql")).await.unwrap();
    client.batch_execute(MEDUSA).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
}

impl Database {
    /// A database with its tables, and no rows.
    pub(crate) async fn new(kind: Kind) -> Self {
        static POSTGRES: PostgresTemplate = PostgresTemplate::new("postgres");
        static MEDUSA: PostgresTemplate = PostgresTemplate::new("medusa");
        let template = match kind {
            Kind::Sqlite => {
                let database = Self::untouched(kind).await;
                open(&database.url).await.close().await;
                return database;
            }
            Kind::Postgres => &POSTGRES,
            Kind::Medusa => &MEDUSA,
        };
        let database = template
            .copy(async |url: &str| {
                if kind == Kind::Medusa {
                    make_medusas_tables(url).await;
                }
                open(url).await.close().await;
            })
            .await;
        Self { url: database.url().to_owned(), place: Place::Postgres(database) }
    }

    /// A database as Stheno finds it at first.
    pub(crate) async fn untouched(kind: Kind) -> Self {
        if kind == Kind::Sqlite {
            let folder = tempfile::tempdir().unwrap();
            let url = format!("sqlite:{}", folder.path().join("shop.db").display());
            return Self { url, place: Place::Sqlite(folder) };
        }
        let database = PostgresDatabase::empty().await;
        if kind == Kind::Medusa {
            make_medusas_tables(database.url()).await;
        }
        Self { url: database.url().to_owned(), place: Place::Postgres(database) }
    }

    /// A database with a shop that has a bit of everything.
    pub(crate) async fn with_shop(kind: Kind) -> Self {
        let database = Self::new(kind).await;
        database.execute(include_str!("shop.sql")).await;
        database
    }

    /// Runs statements as another program would, on a connection of its own.
    pub(crate) async fn execute(&self, sql: &str) {
        match &self.place {
            Place::Sqlite(_) => self.file().execute_batch(sql).unwrap(),
            Place::Postgres(database) => database.execute(sql).await,
        }
    }

    fn file(&self) -> rusqlite::Connection {
        let Place::Sqlite(folder) = &self.place else { panic!("the database is on a server") };
        let connection = rusqlite::Connection::open(folder.path().join("shop.db")).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
        connection.pragma_update(None, "foreign_keys", true).unwrap();
        connection
    }

    /// The text that is the only value of a statement.
    pub(crate) async fn ask(&self, sql: &str) -> String {
        match &self.place {
            Place::Sqlite(_) => self.file().query_row(sql, [], |row| row.get(0)).unwrap(),
            Place::Postgres(database) => database.connect().await.query_one(sql, &[]).await.unwrap().get(0),
        }
    }

    /// Every row of every table that is copied, as the engine itself shows it.
    pub(crate) async fn rows(&self) -> Vec<String> {
        let mut all = Vec::new();
        for (table, key) in TABLES {
            match &self.place {
                Place::Sqlite(_) => {
                    let connection = self.file();
                    let sql = format!("SELECT * FROM \"{table}\" ORDER BY {key}");
                    let mut statement = connection.prepare(&sql).unwrap();
                    let width = statement.column_count();
                    let rows = statement.query_map([], |row| {
                        let values = (0..width).map(|index| row.get::<_, Value>(index).unwrap());
                        Ok(format!("{table} {:?}", values.collect::<Vec<_>>()))
                    });
                    all.extend(rows.unwrap().map(Result::unwrap));
                }
                Place::Postgres(database) => {
                    let key = key.split(", ").map(|key| format!("{key} COLLATE \"C\"")).collect::<Vec<_>>();
                    let sql = format!("SELECT t::text FROM \"{table}\" t ORDER BY {}", key.join(", "));
                    let client = database.connect().await;
                    client.batch_execute("SET TimeZone TO 'UTC'").await.unwrap();
                    let rows = client.query(&sql, &[]).await.unwrap();
                    all.extend(rows.iter().map(|row| format!("{table} {}", row.get::<_, String>(0))));
                }
            }
        }
        all
    }

    pub(crate) async fn copy_to(
        &self,
        target: &Self,
        options: &CopyOptions,
    ) -> Result<CopyReport, CopyError> {
        copy(&self.url, &target.url, options, |_| {}).await
    }

    pub(crate) async fn must_copy_to(&self, target: &Self) -> CopyReport {
        let report = self.copy_to(target, &CopyOptions::default()).await;
        report.unwrap_or_else(|error| panic!("{error:?}"))
    }
}
