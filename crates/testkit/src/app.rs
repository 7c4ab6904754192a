//! A server on a database of its own, thrown away at the end.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use serde_json::{Map, Value};
use stheno_auth::secret::{Secret, SigningKeys};
use stheno_server::{App, Config, Secrets, serve};
use stheno_store::{Store, StoreOptions, Table};
use tempfile::TempDir;
use tokio::sync::{OnceCell, oneshot};
use tokio::task::JoinHandle;

use crate::contract;
use crate::http::{HttpClient, HttpResponse};
use crate::postgres::{PostgresDatabase, PostgresTemplate};

/// A running server.
#[derive(Debug)]
pub struct TestApp {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it serves.
    pub app: App,
    /// Its store.
    pub store: Store,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<std::io::Result<()>>,
    database: Database,
}

/// What a server keeps its data in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Engine {
    /// A file.
    #[default]
    Sqlite,
    /// A database of a server that is started for tests.
    Postgres,
}

/// A throw-away database.
#[derive(Debug)]
enum Database {
    Sqlite(TempDir),
    Postgres(PostgresDatabase),
    /// On a server that the test has for itself.
    Own(String),
}

/// How a server is set up.
#[derive(Debug, Default)]
pub struct TestAppOptions {
    /// The settings of the server.
    pub config: Config,
    /// How the store is opened.
    pub store: StoreOptions,
    /// What it keeps its data in.
    pub engine: Engine,
    /// The port on the loopback interface; 0 means any that is free.
    pub port: u16,
}

const DATABASE: &str = "shop.db";

/// The secret that tokens and cookies of test servers are signed with.
pub(crate) const SECRET: &str = "supersecret";

impl TestApp {
    /// A server with the data that the contract was recorded on, in a file.
    pub async fn with_contract_data() -> Self {
        Self::with_contract_data_in(Engine::Sqlite).await
    }

    /// A server with the data that the contract was recorded on.
    pub async fn with_contract_data_in(engine: Engine) -> Self {
        // The data is imported once; from then on its database is copied.
        static FILE: OnceCell<Vec<u8>> = OnceCell::const_new();
        static TEMPLATE: PostgresTemplate = PostgresTemplate::new("contract");
        let database = match engine {
            Engine::Sqlite => {
                let file = FILE.get_or_init(contract_database).await;
                let folder = folder();
                std::fs::write(folder.path().join(DATABASE), file)
                    .unwrap_or_else(|error| panic!("cannot copy a database: {error}"));
                Database::Sqlite(folder)
            }
            Engine::Postgres => Database::Postgres(TEMPLATE.copy(import_contract_data).await),
        };
        Self::on(database, TestAppOptions { engine, ..TestAppOptions::default() }).await
    }

    /// A server with the data that the contract was recorded on, in the empty PostgreSQL database at `url`.
    pub async fn with_contract_data_at(url: &str, options: TestAppOptions) -> Self {
        import_contract_data(url).await;
        Self::on(Database::Own(url.to_owned()), options).await
    }

    /// A server without any data.
    pub async fn empty(options: TestAppOptions) -> Self {
        let database = match options.engine {
            Engine::Sqlite => Database::Sqlite(folder()),
            Engine::Postgres => Database::Postgres(PostgresDatabase::empty().await),
        };
        Self::on(database, options).await
    }

    /// A server on a database that is there already.
    pub async fn on_postgres(database: PostgresDatabase, options: TestAppOptions) -> Self {
        Self::on(Database::Postgres(database), options).await
    }

    async fn on(database: Database, options: TestAppOptions) -> Self {
        let url = match &database {
            Database::Sqlite(folder) => format!("sqlite:{}", folder.path().join(DATABASE).display()),
            Database::Postgres(database) => database.url().to_owned(),
            Database::Own(url) => url.clone(),
        };
        let store = Store::open(&url, options.store)
            .await
            .unwrap_or_else(|error| panic!("cannot open a store: {error:?}"));
        let app = App::new(store.clone(), secrets(), options.config);
        let listener =
            TcpListener::bind(("127.0.0.1", options.port)).unwrap_or_else(|error| panic!("no port: {error}"));
        let address = listener.local_addr().unwrap_or_else(|error| panic!("no address: {error}"));
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(serve(listener, app.clone(), async {
            // A dropped sender stops the server as well.
            let _ = stopped.await;
        }));
        Self { address, app, store, stop: Some(stop), served, database }
    }

    /// One more server of the same store, which listens nowhere.
    pub fn another(&self, config: Config) -> App {
        App::new(self.store.clone(), secrets(), config)
    }

    /// The file of its database.
    pub fn database(&self) -> PathBuf {
        match &self.database {
            Database::Sqlite(folder) => folder.path().join(DATABASE),
            Database::Postgres(_) | Database::Own(_) => panic!("the database is no file"),
        }
    }

    /// Its database, which must be PostgreSQL's.
    pub fn postgres(&self) -> &PostgresDatabase {
        match &self.database {
            Database::Postgres(database) => database,
            Database::Sqlite(_) | Database::Own(_) => panic!("the database is not one of the shared cluster"),
        }
    }

    /// Adds rows.
    pub async fn import(&self, table: Table, rows: Vec<Map<String, Value>>) {
        self.store
            .import(vec![(table, rows)])
            .await
            .unwrap_or_else(|error| panic!("cannot import into {table:?}: {error:?}"));
    }

    /// A client of the server.
    pub fn client(&self) -> HttpClient {
        HttpClient::new(self.address)
    }

    /// Sends a request with the API token of the contract's administrator.
    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> HttpResponse {
        let mut headers = vec![("x-medusa-access-token".to_owned(), "test_token".to_owned())];
        if body.is_some() {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        let body = body.map(|body| body.to_string().into_bytes());
        self.client().send(method, path, &headers, body).await
    }

    /// Stops the server as a signal would, and waits for its end.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        match (&mut self.served).await {
            Ok(Ok(())) => self.store.close().await,
            other => panic!("the server ended with {other:?}"),
        }
    }
}

fn secrets() -> Secrets {
    let secret: Secret = SECRET.parse().unwrap_or_else(|error| panic!("{error}"));
    let keys = SigningKeys::from(secret);
    Secrets { jwt: keys.clone().into(), cookie: keys.into() }
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap_or_else(|error| panic!("no folder for a database: {error}"))
}

/// A database file with the data of the contract.
async fn contract_database() -> Vec<u8> {
    let folder = folder();
    let path = folder.path().join(DATABASE);
    import_contract_data(&format!("sqlite:{}", path.display())).await;
    std::fs::read(path).unwrap_or_else(|error| panic!("cannot read a database: {error}"))
}

/// Makes the database at `url` one with the data of the contract.
async fn import_contract_data(url: &str) {
    let store = Store::open(url, StoreOptions::default())
        .await
        .unwrap_or_else(|error| panic!("cannot open a store: {error:?}"));
    store
        .import(contract::seed())
        .await
        .unwrap_or_else(|error| panic!("cannot import the contract's data: {error:?}"));
    store.close().await;
}
