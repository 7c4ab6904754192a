//! The connections: how they are made, how many there are, and how long anything waits for one.

use std::future::poll_fn;
use std::ops::{Deref, DerefMut};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper, Connect, GenericClient, Hook, Manager, ManagerConfig, Object, Pool as Connections,
    PoolError, RecyclingMethod, Runtime, Transaction,
};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use scopeguard::ScopeGuard;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{PgLsn, ToSql};
use tokio_postgres::{Config, Error, IsolationLevel, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::reading;
use super::shared::{Seat, Shared};
use super::url::Target;
use super::{
    closed, fault, is_gone, is_lost, is_too_long, is_unconfirmed, tls, unanswered, unconfirmed, unreachable,
};
use crate::answer::{JsonText, Output, Reply, Streaming};
use crate::apart::Apart;
use crate::observe::Load;
use crate::position::{Caller, Position, Write};
use crate::{StoreError, StoreOptions};

/// How much longer than a statement may take its answer is waited for: then the server is not working on it, but gone.
const GRACE: Duration = Duration::from_secs(5);

/// How long the server lets a transaction wait for us: far longer than any does, unless we are gone.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// After so long, a server that had no connection left is asked for one more.
const REFUSAL: Duration = Duration::from_secs(10);

/// One connection of so many is for look-ups to share.
const FOR_ONE_SHARED: usize = 10;

/// After so long, a look-up goes by a connection of its own.
const SHARED_PATIENCE: Duration = Duration::from_millis(500);

/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 256;

/// More than can be at work at once.
const WRITES: u32 = 1 << 20;

/// How long an answer waits for the position of what was written.
const POSITION_PATIENCE: Duration = Duration::from_secs(1);

/// How long a write whose position could not be found out waits before it asks again.
const POSITION_RETRY: Duration = Duration::from_secs(1);

/// Refuses what the server would go by, and the pool would not.
fn refuse_limits(options: &str) -> Result<(), StoreError> {
    let options = options.to_lowercase().replace('-', "_");
    for (name, flag) in
        [("statement_timeout", "--database-statement-timeout"), ("lock_timeout", "--database-lock-timeout")]
    {
        if options.contains(name) {
            return Err(StoreError::Url(format!(
                "the database URL's options set {name}: give {flag} instead, which Stheno goes by as well"
            )));
        }
    }
    Ok(())
}

/// Opens connections to one database.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    target: Target,
    connections: usize,
    /// How long a unit of work waits for a connection: one that is free, or a new one.
    patience: Duration,
    statement_timeout: Duration,
    /// Settings of a transaction that finds none on its connection.
    settings: Option<Arc<str>>,
}

impl Connector {
    /// Reads a URL.
    pub(crate) fn new(url: &str, options: &StoreOptions) -> Result<Self, StoreError> {
        let patience = options.connection_timeout;
        let mut target = Target::parse(url, options.password.as_ref(), patience)?;
        refuse_limits(target.config.get_options().unwrap_or_default())?;
        let limits = [
            ("statement_timeout", options.statement_timeout),
            ("lock_timeout", options.lock_timeout),
            ("idle_in_transaction_session_timeout", IDLE_TIMEOUT),
        ]
        .map(|(name, limit)| (name, limit.as_millis().to_string()));
        // To compile a statement takes longer than any of them.
        let settings = limits.into_iter().chain([("jit", "off".to_owned()), ("datestyle", "ISO".to_owned())]);
        let settings = if target.is_pooled {
            // What a connection is set to holds for whoever has it next, and statements are named on it by others.
            let settings: String =
                settings.map(|(name, value)| format!("; SET LOCAL {name} = {value}")).collect();
            Some(format!("DEALLOCATE ALL{settings}").into())
        } else {
            // What the URL sets comes last, and so holds.
            let mut settings: String = settings.map(|(name, value)| format!("-c {name}={value} ")).collect();
            settings.push_str(target.config.get_options().unwrap_or_default());
            target.config.options(settings.trim_end());
            None
        };
        let statement_timeout = options.statement_timeout;
        Ok(Self { target, connections: options.connections, patience, statement_timeout, settings })
    }

    /// With so many connections at the most.
    pub(super) fn with_connections(self, connections: usize) -> Self {
        Self { connections, ..self }
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// A pool whose first connection has been made.
    pub(super) async fn open(self, streaming: Streaming) -> Result<Pool, StoreError> {
        let place = self.target.place();
        let pool = self.build(streaming, None)?;
        match pool.connections.get().await {
            Ok(_) => Ok(pool),
            Err(PoolError::Backend(error)) => Err(refused(error, &place)),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// A pool without any connection yet. `greet` is done with each new one.
    pub(super) fn build(self, streaming: Streaming, greet: Option<Hook>) -> Result<Pool, StoreError> {
        let Self { target, connections, patience, statement_timeout, settings } = self;
        let dialler = Dialler { tls: target.tls };
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_connect(target.config, dialler, recycling);
        let mut builder = Connections::builder(manager);
        if let Some(greet) = greet {
            builder = builder.post_create(greet);
        }
        // A PgBouncer gives a connection to one transaction at a time.
        let shared = if settings.is_none() { connections / FOR_ONE_SHARED } else { 0 };
        Ok(Pool {
            shared: Arc::new(Shared::new(shared)),
            connections: builder
                .max_size(connections)
                .create_timeout(Some(patience))
                .recycle_timeout(Some(patience))
                .runtime(Runtime::Tokio1)
                .build()
                .map_err(StoreError::internal)?,
            places: Arc::new(Places::new(connections)),
            running: Arc::new(Semaphore::new(connections)),
            writing: Arc::new(Semaphore::new(WRITES as usize)),
            patience,
            silence: statement_timeout + GRACE,
            settings,
            streaming,
            caller: None,
        })
    }
}

/// Makes connections.
struct Dialler {
    tls: MakeRustlsConnect,
}

impl Connect for Dialler {
    fn connect(
        &self,
        config: &Config,
    ) -> BoxFuture<'_, Result<(tokio_postgres::Client, JoinHandle<()>), Error>> {
        let config = config.clone();
        async move {
            let connected = match config.connect(self.tls.clone()).await {
                // Preferred is not demanded.
                Err(error) if config.get_ssl_mode() == SslMode::Prefer && tls::refusal(&error).is_some() => {
                    let mut config = config;
                    config.ssl_mode(SslMode::Disable).connect(self.tls.clone()).await
                }
                connected => connected,
            };
            let (client, connection) = connected?;
            let connection = tokio::spawn(async move {
                if let Err(error) = connection.await {
                    let error: &dyn std::error::Error = error.as_db_error().map_or(&error, |said| said);
                    tracing::debug!(error, "a connection to the database has ended");
                }
            });
            Ok((client, connection))
        }
        .boxed()
    }
}

/// Why the first connection was refused, in words that say what to mend, where waiting does not.
fn refused(error: Error, place: &str) -> StoreError {
    let reason = match error.as_db_error() {
        Some(said) if said.message().starts_with("unsupported startup parameter") => {
            format!("{}: behind a PgBouncer, add pgbouncer=true to the database URL", said.message())
        }
        Some(said)
            if [
                SqlState::INVALID_CATALOG_NAME,
                SqlState::INVALID_PASSWORD,
                SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
                SqlState::INSUFFICIENT_PRIVILEGE,
                SqlState::INVALID_PARAMETER_VALUE,
            ]
            .contains(said.code()) =>
        {
            said.message().to_owned()
        }
        Some(_) => return unreachable(error),
        None => match tls::refusal(&error).or_else(|| misconfiguration(&error)) {
            Some(reason) => reason,
            None => return unreachable(error),
        },
    };
    StoreError::Url(format!("cannot use the database {place}: {reason}"))
}

/// What of the URL does not fit together. Of these errors the crate tells the text alone.
fn misconfiguration(error: &Error) -> Option<String> {
    let cause = std::error::Error::source(error)?.to_string();
    if cause == "password missing" {
        let reason =
            "its server asks for a password: put it into the database URL, or give it in DATABASE_PASSWORD";
        return Some(reason.to_owned());
    }
    error.to_string().starts_with("invalid configuration").then_some(cause)
}

fn unavailable(error: PoolError) -> StoreError {
    match error {
        PoolError::Closed => closed(),
        PoolError::Backend(error) => unreachable(error),
        PoolError::Timeout(_) => unanswered(Some(Box::new(error))),
        PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => StoreError::internal(error),
    }
}

/// Who may have a connection: as many as are wanted, or fewer while the server has no more to give.
#[derive(Debug)]
struct Places {
    free: Arc<Semaphore>,
    /// Those that the server had no connection for, and when it said so last.
    missing: AtomicUsize,
    refused: Mutex<Option<Instant>>,
}

impl Places {
    fn new(places: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(places)),
            missing: AtomicUsize::new(0),
            refused: Mutex::new(None),
        }
    }

    async fn take(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        if self.missing.load(Ordering::Relaxed) > 0 {
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            if refused.is_some_and(|refused| refused.elapsed() > REFUSAL) {
                *refused = None;
                self.free.add_permits(self.missing.swap(0, Ordering::Relaxed));
            }
        }
        Arc::clone(&self.free).acquire_owned().await.map_err(|_| closed())
    }

    /// Does without a place for some time.
    fn give_up(&self, place: OwnedSemaphorePermit) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        *refused = Some(Instant::now());
        self.missing.fetch_add(1, Ordering::Relaxed);
        place.forget();
    }
}

/// A connection, for as long as it is held.
#[derive(Debug)]
pub(super) struct Client {
    connection: Object,
    _place: OwnedSemaphorePermit,
    settings: Option<Arc<str>>,
}

impl Client {
    /// Begins to read out of one snapshot.
    pub(super) async fn snapshot(&mut self) -> Result<Transaction<'_>, Error> {
        self.begin(IsolationLevel::RepeatableRead, true).await
    }

    /// Begins a transaction.
    pub(super) async fn transaction(&mut self) -> Result<Transaction<'_>, Error> {
        self.begin(IsolationLevel::ReadCommitted, false).await
    }

    /// Begins to read out of one snapshot, and to write.
    pub(super) async fn writing_snapshot(&mut self) -> Result<Transaction<'_>, Error> {
        self.begin(IsolationLevel::RepeatableRead, false).await
    }

    async fn begin(&mut self, level: IsolationLevel, read_only: bool) -> Result<Transaction<'_>, Error> {
        let builder = self.connection.build_transaction().isolation_level(level);
        // A standby refuses one that is said to write, however little it does.
        let builder = if read_only { builder.read_only(true) } else { builder };
        let transaction = builder.start().await?;
        if let Some(settings) = &self.settings {
            // What was prepared before, was so for the server's connection of another transaction.
            transaction.statement_cache.clear();
            transaction.batch_execute(settings).await?;
        }
        Ok(transaction)
    }

    /// Begins a transaction, and does `work` in it, which answers for itself: what it sends first goes with the beginning.
    async fn begin_with<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<Result<T, StoreError>, StoreError> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
        if let Some(settings) = &self.settings {
            // What was prepared before, was so for the server's connection of another transaction.
            self.batch_execute(BEGIN).await.map_err(fault)?;
            self.statement_cache.clear();
            self.batch_execute(settings).await.map_err(fault)?;
            return Ok(work.await);
        }
        // Each is sent when it is polled first.
        let (begun, done) = futures::join!(self.batch_execute(BEGIN), work);
        match begun.map_err(fault) {
            Ok(()) => Ok(done),
            Err(error) if is_lost(&error) => Err(error),
            // What was sent with it may have been done, and saved at once.
            Err(error) => Err(unconfirmed(error)),
        }
    }

    /// Takes the connection out of the pool: what is set on it is for whoever has taken it alone.
    pub(super) fn taken(self) -> ClientWrapper {
        Object::take(self.connection)
    }

    /// Whether a statement may stand alone, and several may be sent at once that make a transaction.
    pub(super) fn is_direct(&self) -> bool {
        self.settings.is_none()
    }
}

impl Deref for Client {
    type Target = Object;

    fn deref(&self) -> &Object {
        &self.connection
    }
}

impl DerefMut for Client {
    fn deref_mut(&mut self) -> &mut Object {
        &mut self.connection
    }
}

/// The connections to one database.
#[derive(Debug, Clone)]
pub(super) struct Pool {
    connections: Connections,
    shared: Arc<Shared>,
    places: Arc<Places>,
    running: Arc<Semaphore>,
    /// One permit for each write at work.
    writing: Arc<Semaphore>,
    /// How long a unit of work waits for a connection.
    patience: Duration,
    /// How long it waits for an answer.
    silence: Duration,
    settings: Option<Arc<str>>,
    streaming: Streaming,
    /// Who is told the positions of what it writes, where there are replicas.
    caller: Option<Caller>,
}

impl Pool {
    /// The same connections, whose writes are this caller's.
    pub(super) fn for_caller(&self, caller: Caller) -> Self {
        Self { caller: Some(caller), ..self.clone() }
    }

    /// The same connections, whose work waits no longer than this: once for a connection, and then for each answer.
    pub(super) fn within(&self, limit: Duration) -> Self {
        let (patience, silence) = (self.patience.min(limit), self.silence.min(limit));
        Self { patience, silence, ..self.clone() }
    }

    /// How many connections are at work or waited for.
    pub(super) fn busy(&self) -> usize {
        let Load { busy, waiting, .. } = self.load();
        busy + waiting
    }

    /// How many connections there are, and how many units of work wait for one.
    pub(super) fn load(&self) -> Load {
        let status = self.connections.status();
        let busy = status.size.saturating_sub(status.available + self.shared.idle());
        Load { connections: status.size, busy, waiting: status.waiting }
    }

    /// Closes the connections that are idle.
    pub(super) fn close_idle(&self) {
        self.shared.clear();
        drop(self.connections.retain(|_, _| false));
    }

    /// How far the database has been written: whoever has replayed that has all that was committed before.
    pub(super) async fn position(&self) -> Result<Position, StoreError> {
        let rows = self.query("SELECT pg_current_wal_insert_lsn()", &[]).await?;
        let row = rows.first().ok_or_else(|| StoreError::internal("the database is nowhere"))?;
        row.try_get::<_, PgLsn>(0).map(Position::from).map_err(fault)
    }

    /// A connection, whose work may be broken off at any time: it then ends by itself.
    pub(super) async fn get(&self) -> Result<Client, StoreError> {
        self.soon(self.connect()).await
    }

    /// Waits for what is had soon or not at all.
    async fn soon<T>(&self, wait: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        tokio::time::timeout(self.patience, wait).await.unwrap_or_else(|_| {
            let reason = "no connection to the database is free";
            Err(StoreError::Unavailable { reason, source: None })
        })
    }

    async fn connect(&self) -> Result<Client, StoreError> {
        loop {
            let place = self.places.take().await?;
            match self.connections.get().await {
                Ok(connection) => {
                    if connection.statement_cache.size() > STATEMENTS {
                        connection.statement_cache.clear();
                    }
                    return Ok(Client { connection, _place: place, settings: self.settings.clone() });
                }
                // The server has no more to give: those that are there are shared.
                Err(PoolError::Backend(error))
                    if error.code() == Some(&SqlState::TOO_MANY_CONNECTIONS)
                        && self.connections.status().size > 0 =>
                {
                    tracing::debug!(%error, "the database has fewer connections left than wanted");
                    self.shared.clear();
                    self.places.give_up(place);
                }
                Err(error) => return Err(unavailable(error)),
            }
        }
    }

    /// Closes the idle connections that are as old as one that was found dead: they may be so too.
    fn distrust(&self) {
        let now = std::time::Instant::now();
        self.shared.clear();
        drop(self.connections.retain(|_, metrics| metrics.created > now));
    }

    /// Does `work` on the database, as long as anything comes from there.
    async fn while_it_answers<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let mut work = pin!(work);
        let mut alarm = pin!(tokio::time::sleep(self.silence));
        let mut heard = Instant::now();
        poll_fn(|context| {
            if let Poll::Ready(outcome) = work.as_mut().poll(context) {
                return Poll::Ready(outcome);
            }
            if alarm.as_mut().poll(context).is_pending() {
                heard = Instant::now();
                return Poll::Pending;
            }
            // Something may have come since the alarm was set.
            alarm.as_mut().reset(heard + self.silence);
            alarm.as_mut().poll(context).map(|()| Err(unanswered(None)))
        })
        .await
    }

    /// The rows of one statement that only reads, and is always the same. What turns out to be sent to a dead connection
    /// is sent once more.
    pub(super) async fn query(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        match self.query_once(sql, parameters).await {
            Err(error) if is_lost(&error) => self.query_once(sql, parameters).await,
            outcome => outcome,
        }
    }

    async fn query_once(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        let mut client = self.get().await?;
        let work = async {
            if client.is_direct() {
                return query_cached(&*client, sql, parameters).await;
            }
            let transaction = client.begin(IsolationLevel::ReadCommitted, true).await.map_err(fault)?;
            query_cached(&transaction, sql, parameters).await
        };
        let outcome = self.while_it_answers(work).await;
        self.give_back(client, &outcome);
        outcome
    }

    /// As [`Pool::query`], for a statement that is done at once: beside others on a connection that is shared, if there is
    /// room.
    pub(super) async fn look_up(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        match self.look_up_beside(sql, parameters).await? {
            Some(rows) => Ok(rows),
            None => self.query(sql, parameters).await,
        }
    }

    /// The rows of a statement that is done at once, beside others on a connection that is shared. Nothing, if there is no
    /// room, or if those before it take long.
    pub(super) async fn look_up_beside(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Vec<Row>>, StoreError> {
        // Of few connections none is kept for look-ups.
        let is_short = self.places.missing.load(Ordering::Relaxed) > 0;
        let Some(seat) = self.shared.join().filter(|_| !is_short) else { return Ok(None) };
        let outcome = self.look_up_on(&seat, sql, parameters).await;
        if outcome.as_ref().is_err_and(is_gone) {
            self.distrust();
        }
        match outcome {
            Err(error) if is_lost(&error) => Ok(None),
            outcome => outcome,
        }
    }

    async fn look_up_on(
        &self,
        seat: &Seat<'_>,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Vec<Row>>, StoreError> {
        let connection = match seat.connection() {
            Some(connection) => connection,
            None => {
                // Whoever is not shared after all goes to nobody, as it is set for this.
                let client = scopeguard::guard(self.get().await?, |client| drop(client.taken()));
                let set = async { client.batch_execute(reading::SHARED).await.map_err(fault) };
                self.while_it_answers(set).await?;
                seat.share(ScopeGuard::into_inner(client))
            }
        };
        let Some(client) = connection.client() else { return Ok(None) };
        if client.statement_cache.size() > STATEMENTS {
            client.statement_cache.clear();
        }
        let answer = query_cached(&**client, sql, parameters);
        match tokio::time::timeout(SHARED_PATIENCE, answer).await {
            Ok(Err(error)) if is_too_long(&error) => Ok(None),
            Ok(rows) => rows.map(Some),
            Err(_) => {
                // One of those before it waits for a lock, or the server for better times.
                connection.leave();
                Ok(None)
            }
        }
    }

    /// A text that comes whole; nothing, if it is so large that it should come as a stream.
    pub(super) fn whole(&self, text: Vec<u8>) -> Option<JsonText> {
        (text.len() <= self.streaming.whole_up_to).then(|| JsonText::whole(text))
    }

    /// Takes a connection back, and looks how it has served.
    fn give_back<T>(&self, client: Client, outcome: &Result<T, StoreError>) {
        drop(client);
        if outcome.as_ref().is_err_and(is_gone) {
            self.distrust();
        }
    }

    /// Does `work` in a transaction, all of it or nothing, and answers when it is on the disk. It is done also if the
    /// caller goes away.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl for<'a> FnOnce(&'a Transaction<'_>) -> BoxFuture<'a, Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let pool = self.clone();
        let write = async move {
            let mut work = Some(work);
            match pool.write_once(&mut work).await {
                // Nothing has begun, so nothing can have been saved.
                Err(error) if work.is_some() && is_lost(&error) => pool.write_once(&mut work).await,
                outcome => outcome,
            }
        };
        self.write_apart(write).await
    }

    /// As [`Pool::write`], in two round trips: one for the beginning and all that `work` sends when it is polled first, one
    /// for the end. What comes of it is looked at in the order in which it was sent, since what follows a failure fails
    /// as well. Where `work` answers None, nothing is saved.
    ///
    /// `work` changes rows with one statement at the most: should the beginning fail, each stands alone.
    pub(super) async fn write_at_once<W: Send + Sync + 'static, T: Send + 'static>(
        &self,
        data: W,
        work: impl for<'a> Fn(&'a W, &'a Client) -> BoxFuture<'a, Result<Option<T>, StoreError>>
        + Send
        + Sync
        + 'static,
    ) -> Result<Option<T>, StoreError> {
        let pool = self.clone();
        let write = async move {
            match pool.try_at_once(&data, &work).await {
                // It was lost before anything was to be saved.
                Err(error) if is_lost(&error) => pool.try_at_once(&data, &work).await,
                outcome => outcome,
            }
        };
        self.write_apart(write).await
    }

    /// Has a write go on also if the caller goes away, and tells the caller's position behind it.
    async fn write_apart<T: Send + 'static>(
        &self,
        write: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = Arc::clone(&self.writing).acquire_owned().await.map_err(|_| closed())?;
        let pool = self.clone();
        let position = self.caller.as_ref().map(Caller::write);
        let write = Apart::new(async move {
            let outcome = write.await;
            if let Some(position) = position
                && outcome.as_ref().map_or_else(is_unconfirmed, |_| true)
            {
                pool.settle(position).await;
            }
            drop(permit);
            outcome
        });
        write.await?
    }

    /// Finds out the position of a write that has been committed, or may have been; later, if that takes long.
    async fn settle(&self, write: Write) {
        match self.within(POSITION_PATIENCE).position().await {
            Ok(position) => return write.done(position),
            Err(error) => tracing::debug!(%error, "the position of a write is not known yet"),
        }
        let pool = self.clone();
        tokio::spawn(async move {
            while !pool.connections.is_closed() {
                tokio::time::sleep(POSITION_RETRY).await;
                if let Ok(position) = pool.position().await {
                    return write.done(position);
                }
            }
        });
    }

    /// Begins a transaction, takes `work` and does it.
    async fn write_once<T>(
        &self,
        work: &mut Option<impl for<'a> FnOnce(&'a Transaction<'_>) -> BoxFuture<'a, Result<T, StoreError>>>,
    ) -> Result<T, StoreError> {
        let mut client = self.get().await?;
        let mut commits = false;
        let write = async {
            let transaction = client.transaction().await.map_err(fault)?;
            let Some(work) = work.take() else {
                return Err(StoreError::internal("a unit of work was begun twice"));
            };
            let done = work(&transaction).await?;
            commits = true;
            transaction.commit().await.map_err(fault)?;
            Ok(done)
        };
        let outcome = self.while_it_answers(write).await;
        self.give_back(client, &outcome);
        confirmed(outcome, commits)
    }

    async fn try_at_once<W, T>(
        &self,
        data: &W,
        work: &impl for<'a> Fn(&'a W, &'a Client) -> BoxFuture<'a, Result<Option<T>, StoreError>>,
    ) -> Result<Option<T>, StoreError> {
        // Whoever had a connection after us would be in our transaction, if that were not seen to end.
        let client = scopeguard::guard(self.get().await?, |client| drop(client.taken()));
        let (mut commits, mut has_ended) = (false, false);
        let write = async {
            let done = client.begin_with(work(data, &client)).await?;
            commits = matches!(done, Ok(Some(_)));
            let end = client.batch_execute(if commits { "COMMIT" } else { "ROLLBACK" }).await;
            has_ended = end.is_ok();
            if commits {
                end.map_err(fault)?;
            }
            done
        };
        let outcome = self.while_it_answers(write).await;
        if has_ended {
            drop(ScopeGuard::into_inner(client));
        } else {
            drop(client);
        }
        if outcome.as_ref().is_err_and(is_gone) {
            self.distrust();
        }
        confirmed(outcome, commits)
    }

    /// Has `work` read out of one snapshot, apart from the caller, and answers what it writes. What turns out to be asked
    /// of a dead connection is asked once more.
    pub(super) async fn answer<W: Send + Sync + 'static, H: Send + 'static>(
        &self,
        work: W,
        read: impl for<'a> Fn(&'a W, Client, &'a mut Output<H>) -> BoxFuture<'a, Result<(), StoreError>>
        + Send
        + Sync
        + 'static,
    ) -> Reply<H> {
        let running = Arc::clone(&self.running);
        let permit = self.soon(async { running.acquire_owned().await.map_err(StoreError::internal) }).await?;
        let (mut output, mut answer) = Output::new(self.streaming.clone(), permit);
        let pool = self.clone();
        let mut reading = Apart::new(async move {
            let mut outcome = pool.answer_once(&work, &read, &mut output).await;
            if outcome.as_ref().is_err_and(is_lost) && output.start_again() {
                outcome = pool.answer_once(&work, &read, &mut output).await;
            }
            output.finish(outcome).await;
        });
        tokio::select! {
            // The reply to a large answer comes before the end of the reading, which then goes on by itself.
            reply = &mut answer => reply,
            ended = &mut reading => {
                ended?;
                answer.await
            }
        }
        .map_err(StoreError::internal)?
    }

    async fn answer_once<W, H>(
        &self,
        work: &W,
        read: &impl for<'a> Fn(&'a W, Client, &'a mut Output<H>) -> BoxFuture<'a, Result<(), StoreError>>,
        output: &mut Output<H>,
    ) -> Result<(), StoreError> {
        let client = self.get().await?;
        let outcome = self.while_it_answers(read(work, client, output)).await;
        if outcome.as_ref().is_err_and(is_gone) {
            self.distrust();
        }
        outcome
    }

    /// Has every connection prepare its statements anew.
    pub(super) fn forget_statements(&self) {
        self.connections.manager().statement_caches.clear();
    }

    /// Waits for what is being written, and closes the idle connections; the others as soon as they are given back.
    pub(super) async fn close(&self) {
        if self.writing.acquire_many(WRITES).await.is_ok() {
            self.writing.close();
        }
        self.places.free.close();
        self.shared.clear();
        self.connections.close();
    }
}

/// What came of a write: unknown, where the connection was lost while it was being saved.
fn confirmed<T>(outcome: Result<T, StoreError>, commits: bool) -> Result<T, StoreError> {
    match outcome {
        Err(error) if commits && is_gone(&error) => Err(unconfirmed(error)),
        outcome => outcome,
    }
}

/// The rows of a statement that is always the same.
async fn query_cached(
    client: &impl GenericClient,
    sql: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, StoreError> {
    let prepared = client.prepare_cached(sql).await.map_err(fault)?;
    client.query(&prepared, parameters).await.map_err(fault)
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;
    use stheno_testkit::postgres::PostgresDatabase;

    use super::*;

    async fn pool(database: &PostgresDatabase, connections: usize) -> Pool {
        let options = StoreOptions { connections, ..StoreOptions::default() };
        let permits = Arc::new(Semaphore::new(1));
        let streaming = Streaming { whole_up_to: 1 << 20, reader_timeout: Duration::from_secs(1), permits };
        Connector::new(database.url(), &options).unwrap().open(streaming).await.unwrap()
    }

    #[tokio::test]
    async fn what_is_set_for_look_ups_is_on_no_other_connection() {
        let database = PostgresDatabase::empty().await;
        let pool = pool(&database, 20).await;
        for rows in join_all((0..40).map(|_| pool.look_up("SELECT 1", &[]))).await {
            assert_eq!(rows.unwrap().len(), 1);
        }
        for client in join_all((0..15).map(|_| pool.get())).await {
            let row = client.unwrap().query_one("SHOW enable_sort", &[]).await.unwrap();
            assert_eq!(row.get::<_, &str>(0), "on");
        }
    }

    #[tokio::test]
    async fn a_look_up_that_takes_long_is_left_to_a_connection_of_its_own() {
        let database = PostgresDatabase::empty().await;
        let pool = pool(&database, 20).await;
        assert!(pool.look_up_beside("SELECT pg_sleep(0.7)", &[]).await.unwrap().is_none());
        assert_eq!(pool.look_up("SELECT pg_sleep(0.7)", &[]).await.unwrap().len(), 1);
    }

    /// A work that writes a row with this number, and then does something else.
    fn row<'a, T: Send>(
        number: i32,
        client: &'a Client,
        then: impl Future<Output = T> + Send + 'a,
    ) -> BoxFuture<'a, Result<Option<T>, StoreError>> {
        async move {
            let insert = format!("INSERT INTO kept VALUES ({number})");
            client.batch_execute(&insert).await.map_err(fault)?;
            Ok(Some(then.await))
        }
        .boxed()
    }

    fn stuck<'a>(number: &'a i32, client: &'a Client) -> BoxFuture<'a, Result<Option<()>, StoreError>> {
        row(*number, client, std::future::pending())
    }

    async fn rows(database: &PostgresDatabase) -> Vec<i32> {
        let rows =
            database.connect().await.query("SELECT number FROM kept ORDER BY number", &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    #[tokio::test]
    async fn a_connection_whose_transaction_is_left_open_goes_to_nobody() {
        let database = PostgresDatabase::empty().await;
        database.execute("CREATE TABLE kept (number integer NOT NULL)").await;
        let pool = pool(&database, 1).await;
        let panicked =
            pool.write_at_once(1, |number, client| row(*number, client, async { panic!("it panics") }));
        assert!(matches!(panicked.await, Err::<Option<()>, _>(StoreError::Internal(_))));
        assert_eq!(pool.load().connections, 0);

        let dropped = tokio::time::timeout(Duration::from_millis(200), pool.try_at_once(&2, &stuck));
        assert!(dropped.await.is_err());
        assert_eq!(pool.load().connections, 0);

        pool.write_at_once(3, |number, client| row(*number, client, async {})).await.unwrap();
        assert_eq!(pool.load().connections, 1);
        assert_eq!(rows(&database).await, [3]);
    }

    #[tokio::test]
    async fn what_answers_nothing_or_fails_saves_nothing() {
        let database = PostgresDatabase::empty().await;
        database.execute("CREATE TABLE kept (number integer NOT NULL)").await;
        let pool = pool(&database, 1).await;
        let nothing = pool.write_at_once(1, |number, client| {
            row(*number, client, async {}).map(|done| done.map(|_| None::<()>)).boxed()
        });
        assert!(matches!(nothing.await, Ok(None)));
        let refused = pool.write_at_once(2, |number, client| {
            row(*number, client, async {}).map(|_| Err::<Option<()>, _>(StoreError::Cursor)).boxed()
        });
        assert!(matches!(refused.await, Err(StoreError::Cursor)));
        assert_eq!(pool.load().connections, 1, "the connection serves on");
        pool.write_at_once(3, |number, client| row(*number, client, async {})).await.unwrap();
        assert_eq!(rows(&database).await, [3]);
    }
}
