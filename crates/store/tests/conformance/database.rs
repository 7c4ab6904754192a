//! Throw-away databases, one constructor per engine.

use stheno_store::{Store, StoreOptions};
use stheno_testkit::postgres::{PgBouncer, PostgresDatabase, PostgresTemplate};
use tempfile::TempDir;

/// A database of one engine, gone with the value.
pub(crate) struct Database {
    url: String,
    engine: Engine,
}

enum Engine {
    Sqlite(TempDir),
    Postgres(PostgresDatabase),
    /// Through a pooler, which goes first.
    Pooled {
        _pooler: PgBouncer,
        database: PostgresDatabase,
    },
}

impl Database {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            url: format!("sqlite:{}", folder.path().join("shop.db").display()),
            engine: Engine::Sqlite(folder),
        }
    }

    /// With the tables in it, which is quicker than to make them each time.
    pub(crate) async fn postgres() -> Self {
        Self::in_postgres(Self::with_tables().await)
    }

    /// The same, through a PgBouncer that has so few connections that clients share them.
    pub(crate) async fn pgbouncer() -> Self {
        let database = Self::with_tables().await;
        let pooler = PgBouncer::start(&database, 3).await;
        Self { url: pooler.url().to_owned(), engine: Engine::Pooled { _pooler: pooler, database } }
    }

    async fn with_tables() -> PostgresDatabase {
        static TEMPLATE: PostgresTemplate = PostgresTemplate::new("tables");
        let make = async |url: &str| Store::open(url, StoreOptions::default()).await.unwrap().close().await;
        TEMPLATE.copy(make).await
    }

    /// Without any table.
    pub(crate) async fn empty_postgres() -> Self {
        Self::in_postgres(PostgresDatabase::empty().await)
    }

    pub(crate) fn in_postgres(database: PostgresDatabase) -> Self {
        Self { url: database.url().to_owned(), engine: Engine::Postgres(database) }
    }

    pub(crate) fn postgres_database(&self) -> &PostgresDatabase {
        match &self.engine {
            Engine::Postgres(database) | Engine::Pooled { database, .. } => database,
            Engine::Sqlite(_) => panic!("the database is a file"),
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Runs statements as another program would, on a connection of its own.
    pub(crate) async fn execute(&self, sql: &str) {
        match &self.engine {
            Engine::Sqlite(folder) => {
                let connection = rusqlite::Connection::open(folder.path().join("shop.db")).unwrap();
                connection.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
                connection.execute_batch(sql).unwrap();
            }
            Engine::Postgres(database) | Engine::Pooled { database, .. } => database.execute(sql).await,
        }
    }

    /// Makes `count` customers, `cus_1000001` and so on, each with a metadata text of `size` characters.
    pub(crate) async fn make_customers(&self, count: usize, size: usize) {
        let filler = "x".repeat(size);
        self.execute(&format!(
            "INSERT INTO customer (id, email, metadata, created_at, updated_at)
             WITH RECURSIVE n (i) AS (SELECT 1000001 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT 'cus_' || i, i || '@shop.example', '{{\"note\":\"{filler}\"}}',
             '2024-11-03T08:00:00.000538Z', '2024-11-03T08:00:00.000538Z' FROM n",
            1_000_000 + count
        ))
        .await;
    }

    /// Makes every customer a member of a group.
    pub(crate) async fn make_members(&self, group: &str) {
        self.execute(&format!(
            "INSERT INTO customer_group_customers (customer_group_id, customer_id) SELECT '{group}', id FROM customer"
        ))
        .await;
    }
}
