//! The connections: how they are made, how many there are, and how long anything waits for one.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    Client, Hook, Manager, ManagerConfig, Pool as Connections, PoolError, RecyclingMethod, Runtime,
    Transaction,
};
use futures::future::BoxFuture;
use tokio::sync::Semaphore;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::PgLsn;
use tokio_postgres::{Config, IsolationLevel, NoTls};

use super::{closed, fault};
use crate::StoreError;
use crate::answer::{Output, Reply, Streaming};
use crate::position::{Caller, Position, Write};

/// How long a unit of work waits for a connection: one that is free, or a new one.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a statement may take. What is streamed is read in pieces, each a statement of its own.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);

/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 256;

/// More than can be at work at once.
const WRITES: u32 = 1 << 20;

/// How long a write whose position could not be found out waits before it asks again.
const POSITION_RETRY: Duration = Duration::from_secs(1);

/// Opens connections to one database.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    config: Config,
    connections: usize,
}

impl Connector {
    /// Reads a URL. `lock_timeout` is how long a statement waits for a lock, `connections` how many there are at most.
    pub(crate) fn new(url: &str, lock_timeout: Duration, connections: usize) -> Result<Self, StoreError> {
        let mut config: Config = match url.parse() {
            Ok(config) => config,
            // What the parser says may repeat a part of the URL, and with it the password.
            Err(_) if asks_for_tls(url) => return Err(no_tls()),
            Err(_) => {
                return Err(StoreError::Url(
                    "cannot read the database URL: give postgres://USER:PASSWORD@HOST:PORT/DATABASE, with what is not \
                     a letter or a digit in percent-encoding"
                        .to_owned(),
                ));
            }
        };
        if config.get_ssl_mode() == SslMode::Require {
            return Err(no_tls());
        }
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            config.host("localhost");
        }
        if config.get_application_name().is_none() {
            config.application_name("stheno");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECTION_TIMEOUT);
        }
        // What the URL sets comes last, and so holds.
        let options = format!(
            "-c statement_timeout={} -c lock_timeout={} {}",
            STATEMENT_TIMEOUT.as_millis(),
            lock_timeout.as_millis(),
            config.get_options().unwrap_or_default()
        );
        config.options(options.trim_end());
        Ok(Self { config, connections })
    }

    /// A pool whose first connection has been made.
    pub(super) async fn open(self, streaming: Streaming) -> Result<Pool, StoreError> {
        let place = place(&self.config);
        let pool = self.build(streaming, None)?;
        match pool.connections.get().await {
            Ok(_) => Ok(pool),
            Err(PoolError::Backend(error)) => Err(refused(error, &place)),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// A pool without any connection yet. `greet` is done with each new one.
    pub(super) fn build(self, streaming: Streaming, greet: Option<Hook>) -> Result<Pool, StoreError> {
        let Self { config, connections } = self;
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let running = Arc::new(Semaphore::new(connections));
        let mut builder = Connections::builder(Manager::from_config(config, NoTls, recycling));
        if let Some(greet) = greet {
            builder = builder.post_create(greet);
        }
        let connections = builder
            .max_size(connections)
            .wait_timeout(Some(CONNECTION_TIMEOUT))
            .create_timeout(Some(CONNECTION_TIMEOUT))
            .recycle_timeout(Some(CONNECTION_TIMEOUT))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(StoreError::internal)?;
        let writing = Arc::new(Semaphore::new(WRITES as usize));
        Ok(Pool { connections, running, writing, streaming, caller: None })
    }

    /// With so many connections at the most.
    pub(super) fn with_connections(self, connections: usize) -> Self {
        Self { connections, ..self }
    }

    /// How many servers the URL names: the first of them that answers is taken.
    pub(super) fn servers(&self) -> usize {
        self.config.get_hosts().len().max(self.config.get_hostaddrs().len())
    }

    /// The server, as a log tells it from others.
    pub(super) fn address(&self) -> String {
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        format!("{}, port {port}", place(&self.config))
    }
}

fn asks_for_tls(url: &str) -> bool {
    ["sslmode=verify-ca", "sslmode=verify-full"].iter().any(|mode| url.contains(mode))
}

fn no_tls() -> StoreError {
    StoreError::Url(
        "cannot connect to the database as its URL demands: TLS is not supported yet; leave out sslmode, or give \
         sslmode=disable, where the network between is trusted"
            .to_owned(),
    )
}

/// The database without the password.
fn place(config: &Config) -> String {
    let host = config.get_hosts().first().map_or_else(String::new, |host| match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    });
    match config.get_dbname() {
        Some(name) => format!("{name} at {host}"),
        None => format!("at {host}"),
    }
}

/// Why the first connection was refused, in words that say what to mend.
fn refused(error: tokio_postgres::Error, place: &impl Display) -> StoreError {
    let refusals = [
        SqlState::INVALID_CATALOG_NAME,
        SqlState::INVALID_PASSWORD,
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        SqlState::INSUFFICIENT_PRIVILEGE,
        SqlState::INVALID_PARAMETER_VALUE,
    ];
    match error.as_db_error() {
        Some(said) if refusals.contains(said.code()) => {
            StoreError::Url(format!("cannot use the database {place}: {}", said.message()))
        }
        _ => fault(error),
    }
}

fn unavailable(error: PoolError) -> StoreError {
    match error {
        PoolError::Closed => closed(),
        PoolError::Backend(error) => fault(error),
        PoolError::Timeout(_) => {
            let reason = "no connection to the database is free";
            StoreError::Unavailable { reason, source: Some(Box::new(error)) }
        }
        PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => StoreError::internal(error),
    }
}

/// How far the database has been written: whoever has replayed that has all that was committed before.
pub(super) async fn position(client: &Client) -> Result<Position, StoreError> {
    let find = client.prepare_cached("SELECT pg_current_wal_insert_lsn()").await.map_err(fault)?;
    let row = client.query_one(&find, &[]).await.map_err(fault)?;
    row.try_get::<_, PgLsn>(0).map(Position::from).map_err(fault)
}

/// The connections to one database.
#[derive(Debug, Clone)]
pub(super) struct Pool {
    connections: Connections,
    running: Arc<Semaphore>,
    /// One permit for each write at work.
    writing: Arc<Semaphore>,
    streaming: Streaming,
    /// Who is told the positions of what it writes, where there are replicas.
    caller: Option<Caller>,
}

impl Pool {
    /// The same connections, whose writes are this caller's.
    pub(super) fn for_caller(&self, caller: Caller) -> Self {
        Self { caller: Some(caller), ..self.clone() }
    }

    /// How many connections are at work or waited for.
    pub(super) fn busy(&self) -> usize {
        let status = self.connections.status();
        status.size.saturating_sub(status.available) + status.waiting
    }

    /// Closes the connections that are idle.
    pub(super) fn close_idle(&self) {
        self.connections.retain(|_, _| false);
    }

    /// A connection, whose work may be broken off at any time: it then ends by itself.
    pub(super) async fn get(&self) -> Result<Client, StoreError> {
        let client = self.connections.get().await.map_err(unavailable)?;
        if client.statement_cache.size() > STATEMENTS {
            client.statement_cache.clear();
        }
        Ok(client)
    }

    /// Does `work` in a transaction, all of it or nothing, and answers when it is on the disk. It is done also if the
    /// caller goes away.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl for<'a> FnOnce(&'a Transaction<'_>) -> BoxFuture<'a, Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = Arc::clone(&self.writing).acquire_owned().await.map_err(|_| closed())?;
        let pool = self.clone();
        let position = self.caller.as_ref().map(Caller::write);
        let write = tokio::spawn(async move {
            let mut client = pool.get().await?;
            let begin = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted);
            let transaction = begin.start().await.map_err(fault)?;
            let done = work(&transaction).await?;
            transaction.commit().await.map_err(fault)?;
            if let Some(position) = position {
                pool.settle(position, client).await;
            }
            drop(permit);
            Ok(done)
        });
        write.await.map_err(StoreError::internal)?
    }

    /// Finds out the position of a write that has been committed; later, if the connection is lost meanwhile.
    async fn settle(&self, write: Write, client: Client) {
        match position(&client).await {
            Ok(position) => return write.done(position),
            Err(error) => tracing::debug!(%error, "the position of a write is not known yet"),
        }
        drop(client);
        let pool = self.clone();
        tokio::spawn(async move {
            while !pool.connections.is_closed() {
                tokio::time::sleep(POSITION_RETRY).await;
                let Ok(client) = pool.get().await else { continue };
                if let Ok(position) = position(&client).await {
                    return write.done(position);
                }
            }
        });
    }

    /// Does `work`, which reads out of one snapshot, apart from the caller, and answers what it writes.
    pub(super) async fn answer<H: Send + 'static>(
        &self,
        work: impl for<'a> FnOnce(Client, &'a mut Output<H>) -> BoxFuture<'a, Result<(), StoreError>>
        + Send
        + 'static,
    ) -> Reply<H> {
        let permit = Arc::clone(&self.running).acquire_owned().await.map_err(StoreError::internal)?;
        let (mut output, answer) = Output::new(self.streaming.clone(), permit);
        let pool = self.clone();
        tokio::spawn(async move {
            let outcome = match pool.get().await {
                Ok(client) => work(client, &mut output).await,
                Err(error) => Err(error),
            };
            output.finish(outcome).await;
        });
        answer.await.map_err(StoreError::internal)?
    }

    /// Waits for what is being written, and closes the idle connections; the others as soon as they are given back.
    pub(super) async fn close(&self) {
        if self.writing.acquire_many(WRITES).await.is_ok() {
            self.writing.close();
        }
        self.connections.close();
    }
}
