//! Read replicas: which of them may answer a read, and what becomes of a read that one of them fails.
//!
//! Each replica is asked again and again how far it has replayed what the primary has written. One that does not answer,
//! is too late, or does not follow the primary any more is left out until it is well again. Lateness is measured in
//! positions that the primary was at, not by clocks: one that has replayed all is in time, however long nothing has been
//! written.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use deadpool_postgres::{Hook, HookError};
use futures::future::join_all;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::PgLsn;

use super::pool::{Connector, Pool};
use super::url::Target;
use super::{fault, standby, unanswered};
use crate::answer::{CROWDED, Streaming};
use crate::position::{Caller, Position};
use crate::{StoreError, StoreOptions};

/// How often a replica is asked how it is. Who has written reads from the primary for about this long.
const INTERVAL: Duration = Duration::from_millis(500);

/// How long a replica has to say how it is.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where the replicas are, and what is asked of them.
#[derive(Debug)]
pub(crate) struct ReplicaOptions {
    connectors: Vec<Connector>,
    max_lag: Duration,
}

impl ReplicaOptions {
    pub(crate) fn new(options: &StoreOptions) -> Result<Self, StoreError> {
        let connectors = options.replicas.iter().map(|url| connector(url, options));
        Ok(Self { connectors: connectors.collect::<Result<_, _>>()?, max_lag: options.replica_max_lag })
    }
}

/// Reads the URL of a replica, which must be one server, and always the same: what is known of it holds as long as its
/// connections do.
fn connector(url: &SecretString, options: &StoreOptions) -> Result<Connector, StoreError> {
    let connector = Connector::new(url.expose_secret(), options).map_err(|error| match error {
        StoreError::Url(text) => StoreError::Url(format!("a replica cannot be used: {text}")),
        other => other,
    })?;
    let target = connector.target();
    if target.config.get_hosts().len() > 1 || target.is_pooled {
        return Err(StoreError::Url(format!(
            "the replica {} is not one server: give the URL of each standby itself, not of a PgBouncer before it",
            target.place()
        )));
    }
    Ok(connector)
}

/// The replicas of a primary; none, where there are none. The watch over them ends with the value, if not before.
#[derive(Debug, Default)]
pub(super) struct Replicas {
    replicas: Vec<Arc<Replica>>,
    /// So that those that are equally busy take turns.
    turn: AtomicUsize,
    /// What each replica must have replayed, whoever reads.
    demanded: Mutex<Position>,
    watch: Mutex<JoinSet<()>>,
}

/// One server that follows the primary.
#[derive(Debug)]
struct Replica {
    address: String,
    pool: Pool,
    /// A connection apart, so that one that is busy is not taken for one that is gone.
    watch: Pool,
    progress: Arc<Mutex<Progress>>,
    health: watch::Sender<Health>,
    /// Asks for the next check at once.
    doubt: Notify,
}

/// How far a replica has replayed, at the least. It only goes on as long as the server runs; one that has been restarted
/// may be behind where it was.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    replayed: Position,
    /// How often it was found behind where it was.
    setbacks: u64,
}

/// How a replica is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    Unknown,
    Well,
    Gone,
    Late,
    /// It follows nobody.
    Alone,
    /// It follows another database.
    Foreign,
}

impl Health {
    /// Why it is left out.
    fn reason(self) -> &'static str {
        match self {
            Self::Unknown | Self::Well => "it has not been asked yet",
            Self::Gone => "it does not answer",
            Self::Late => "it is too late behind the primary",
            Self::Alone => "it is no standby, or no longer",
            Self::Foreign => "it is no replica of this database",
        }
    }
}

/// What tells a database from all others.
#[derive(Debug, Clone, Copy)]
struct Identity {
    /// The number of its cluster, which a replica shares. None, where the user may not know it.
    cluster: Option<i64>,
    /// Its own number in the cluster.
    database: u32,
}

impl Identity {
    fn is_of(self, other: Self) -> bool {
        let differ = self.cluster.zip(other.cluster).is_some_and(|(one, other)| one != other);
        !differ && self.database == other.database
    }
}

/// Where the primary was, and when.
#[derive(Debug)]
struct Trail {
    steps: VecDeque<(Instant, Position)>,
    max_lag: Duration,
}

impl Trail {
    /// Notes where the primary is now, and forgets what nobody asks for any more.
    fn note(&mut self, now: Instant, position: Position) {
        self.steps.push_back((now, position));
        while self.steps.get(1).is_some_and(|(time, _)| now.duration_since(*time) >= self.max_lag) {
            self.steps.pop_front();
        }
    }

    /// What a replica that is in time has replayed: at the least what there was when this server began.
    fn due(&self, now: Instant) -> Position {
        let due = self.steps.iter().rev().find(|(time, _)| now.duration_since(*time) >= self.max_lag);
        due.or(self.steps.front()).map(|(_, position)| *position).unwrap_or_default()
    }
}

impl Replicas {
    /// Looks at each replica once, and then on until the value goes. One that is not there is no error, one of another
    /// database is.
    pub(super) async fn open(
        pool: &Pool,
        primary: Connector,
        options: ReplicaOptions,
        streaming: &Streaming,
    ) -> Result<Self, StoreError> {
        let ReplicaOptions { connectors, max_lag } = options;
        if connectors.is_empty() {
            return Ok(Self::default());
        }
        let replicas = connectors
            .into_iter()
            .map(|connector| Replica::new(connector, streaming).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()?;
        let (identity, is_standby, _) = look(pool).await?;
        if is_standby {
            return Err(standby());
        }
        let begun = (Instant::now(), pool.position().await?);
        let trail = Arc::new(Mutex::new(Trail { steps: [begun].into(), max_lag }));
        join_all(replicas.iter().map(|replica| replica.check(identity, &trail))).await;
        if let Some(foreign) = replicas.iter().find(|replica| *replica.health.borrow() == Health::Foreign) {
            return Err(StoreError::Url(format!(
                "the replica {} is no replica of this database: give the URL of a standby that streams from it, with \
                 the same database",
                foreign.address
            )));
        }
        let mut watch = JoinSet::new();
        let primary = primary.with_connections(1).build(streaming.clone(), None)?;
        watch.spawn(follow(primary, Arc::clone(&trail)));
        for replica in &replicas {
            let (replica, trail) = (Arc::clone(replica), Arc::clone(&trail));
            watch.spawn(async move {
                loop {
                    // Whichever comes first; both do for a check.
                    let _ = tokio::time::timeout(INTERVAL, replica.doubt.notified()).await;
                    replica.check(identity, &trail).await;
                }
            });
        }
        Ok(Self { replicas, watch: watch.into(), ..Self::default() })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.replicas.is_empty()
    }

    /// Does a read on a replica that shows this caller all that it must see, or else on the primary.
    pub(super) async fn read<'a, T, F>(
        &'a self,
        primary: &'a Pool,
        caller: &Caller,
        read: impl Fn(&'a Pool) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        if let Some((replica, setbacks)) = self.choose(caller)
            && let Some(answer) = replica.attempt(read(&replica.pool), setbacks).await?
        {
            return Ok(answer);
        }
        read(primary).await
    }

    /// The least busy one of those that are well and have replayed what this caller must see, and its setbacks so far.
    fn choose(&self, caller: &Caller) -> Option<(&Replica, u64)> {
        if self.replicas.is_empty() {
            return None;
        }
        let needed = caller.needs()?.max(*lock(&self.demanded));
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.replicas.len();
        let (behind, before) = self.replicas.split_at(turn);
        let fit = before.iter().chain(behind).filter_map(|replica| {
            let is_well = *replica.health.borrow() == Health::Well;
            let Progress { replayed, setbacks } = *replica.progress();
            (is_well && replayed >= needed).then_some((&**replica, setbacks))
        });
        fit.min_by_key(|(replica, _)| replica.pool.busy())
    }

    /// Leaves out replicas from now on until they have replayed this.
    pub(super) fn demand(&self, position: Position) {
        let mut demanded = lock(&self.demanded);
        *demanded = position.max(*demanded);
    }

    /// Has every connection prepare its statements anew.
    pub(super) fn forget_statements(&self) {
        for replica in &self.replicas {
            replica.pool.forget_statements();
        }
    }

    /// Ends the watch, and closes the connections.
    pub(super) async fn close(&self) {
        lock(&self.watch).abort_all();
        for replica in &self.replicas {
            replica.pool.close().await;
        }
    }
}

/// Notes where the primary is, again and again. While it does not answer, nothing is written that a replica could be
/// late with.
async fn follow(primary: Pool, trail: Arc<Mutex<Trail>>) {
    loop {
        match in_time(&primary, flushed(&primary)).await {
            Ok(position) => lock(&trail).note(Instant::now(), position),
            Err(error) => tracing::debug!(%error, "the primary does not say where it is"),
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// What is on the primary's disk, which is what it has sent.
async fn flushed(primary: &Pool) -> Result<Position, StoreError> {
    let row = only_row(primary, "SELECT pg_current_wal_flush_lsn()").await?;
    row.try_get::<_, PgLsn>(0).map(Position::from).map_err(fault)
}

/// Waits for an answer, and not for long. A connection on which there was none is not used again.
async fn in_time<T>(
    pool: &Pool,
    answer: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let answer = tokio::time::timeout(PATIENCE, answer).await.unwrap_or_else(|_| Err(unanswered(None)));
    if answer.is_err() {
        pool.close_idle();
    }
    answer
}

async fn only_row(pool: &Pool, sql: &str) -> Result<Row, StoreError> {
    let rows = pool.query(sql, &[]).await?;
    rows.into_iter().next().ok_or_else(|| StoreError::internal("a row is missing"))
}

/// Which database this is, whether its server follows another, and how far it has replayed.
async fn look(pool: &Pool) -> Result<(Identity, bool, Position), StoreError> {
    let find = "SELECT CASE WHEN has_function_privilege('pg_control_system()', 'execute')
                            THEN (SELECT system_identifier FROM pg_control_system()) END,
                       (SELECT oid FROM pg_database WHERE datname = current_database()),
                       pg_is_in_recovery(), coalesce(pg_last_wal_replay_lsn(), '0/0')";
    let row = only_row(pool, find).await?;
    let read = || {
        let identity = Identity { cluster: row.try_get(0)?, database: row.try_get(1)? };
        Ok((identity, row.try_get(2)?, row.try_get::<_, PgLsn>(3)?.into()))
    };
    read().map_err(fault)
}

impl Replica {
    fn new(connector: Connector, streaming: &Streaming) -> Result<Self, StoreError> {
        let progress = Arc::<Mutex<Progress>>::default();
        let greeted = Arc::clone(&progress);
        // A new connection may be the first to a server that has been restarted.
        let greet = Hook::async_fn(move |client, _| {
            let progress = Arc::clone(&greeted);
            Box::pin(async move {
                let find = "SELECT coalesce(pg_last_wal_replay_lsn(), '0/0')";
                let row = client.query_one(find, &[]).await.map_err(HookError::Backend)?;
                let replayed = row.try_get::<_, PgLsn>(0).map_err(HookError::Backend)?;
                lock(&progress).set(replayed.into());
                Ok(())
            })
        });
        let watch = connector.clone().with_connections(1);
        Ok(Self {
            address: address(connector.target()),
            pool: connector.build(streaming.clone(), Some(greet))?,
            watch: watch.build(streaming.clone(), None)?,
            progress,
            health: watch::Sender::new(Health::Unknown),
            doubt: Notify::new(),
        })
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        lock(&self.progress)
    }

    /// Asks the replica how it is.
    async fn check(&self, identity: Identity, trail: &Mutex<Trail>) {
        let setbacks = self.progress().setbacks;
        let health = match in_time(&self.watch, look(&self.watch)).await {
            Err(error) => {
                tracing::debug!(replica = self.address, %error, "a replica does not say how it is");
                Health::Gone
            }
            Ok((found, _, _)) if !found.is_of(identity) => Health::Foreign,
            Ok((_, false, _)) => Health::Alone,
            Ok((_, true, replayed)) => {
                let mut progress = self.progress();
                // What was asked before a restart tells nothing about the time after.
                if progress.setbacks == setbacks {
                    progress.set(replayed);
                }
                let due = lock(trail).due(Instant::now());
                if progress.replayed >= due { Health::Well } else { Health::Late }
            }
        };
        self.note(health);
    }

    fn note(&self, health: Health) {
        let before = *self.health.borrow();
        if before == health {
            return;
        }
        if health == Health::Well {
            // Those that broke unnoticed would only be found out by a read.
            self.pool.close_idle();
            tracing::info!(replica = self.address, "a replica answers reads");
        } else {
            tracing::warn!(replica = self.address, reason = health.reason(), "a replica is left out");
        }
        self.health.send_replace(health);
    }

    /// Waits for the outcome of a read on this replica. None, if the read must be done elsewhere: the replica is gone, or
    /// failed, or was restarted in between, so that the read may have come too early.
    async fn attempt<T>(
        &self,
        read: impl Future<Output = Result<T, StoreError>>,
        setbacks: u64,
    ) -> Result<Option<T>, StoreError> {
        let mut health = self.health.subscribe();
        let outcome = tokio::select! {
            outcome = read => outcome,
            _ = health.wait_for(|health| *health == Health::Gone) => return Ok(None),
        };
        match outcome {
            Ok(_) if self.progress().setbacks != setbacks => Ok(None),
            Err(error) if may_succeed_elsewhere(&error) => {
                tracing::debug!(replica = self.address, %error, "a read is done again on the primary");
                self.doubt.notify_one();
                Ok(None)
            }
            outcome => outcome.map(Some),
        }
    }
}

impl Progress {
    fn set(&mut self, replayed: Position) {
        if replayed < self.replayed {
            self.setbacks += 1;
        }
        self.replayed = replayed;
    }
}

/// Whether a read that failed on a replica may go well on the primary. One that took too long would do so there too, and
/// one that has no turn to be streamed has none there.
fn may_succeed_elsewhere(error: &StoreError) -> bool {
    let cause = match error {
        StoreError::Unavailable { reason, .. } if *reason == CROWDED => return false,
        StoreError::Unavailable { source, .. } => source.as_ref(),
        StoreError::Internal(source) => Some(source),
        _ => return false,
    };
    let cause = cause.and_then(|cause| cause.downcast_ref::<tokio_postgres::Error>());
    cause.and_then(tokio_postgres::Error::code) != Some(&SqlState::QUERY_CANCELED)
}

/// The server, as a log tells it from others.
fn address(target: &Target) -> String {
    let port = target.config.get_ports().first().copied().unwrap_or(5432);
    format!("{}, port {port}", target.place())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn position(number: u64) -> Position {
        PgLsn::from(number).into()
    }

    #[test]
    fn a_replica_is_late_when_it_has_not_replayed_what_is_older_than_the_limit() {
        let begun = Instant::now();
        let mut trail = Trail { steps: [(begun, position(10))].into(), max_lag: 5 * SECOND };
        for (seconds, number) in [(1, 20), (2, 30), (3, 30)] {
            trail.note(begun + seconds * SECOND, position(number));
        }
        assert_eq!(trail.due(begun + 3 * SECOND), position(10));
        assert_eq!(trail.due(begun + 6 * SECOND), position(20));
        assert_eq!(trail.due(begun + 7 * SECOND), position(30));
        assert_eq!(
            trail.due(begun + 60 * SECOND),
            position(30),
            "nothing more is due while the primary is silent"
        );
    }

    #[test]
    fn steps_that_are_due_for_all_are_forgotten() {
        let begun = Instant::now();
        let mut trail = Trail { steps: [(begun, position(0))].into(), max_lag: 5 * SECOND };
        for second in 1..1_000 {
            trail.note(begun + second * SECOND, position(second.into()));
            assert!(trail.steps.len() <= 7);
        }
    }

    #[test]
    fn a_replica_that_is_behind_where_it_was_has_had_a_setback() {
        let mut progress = Progress::default();
        for (replayed, setbacks) in [(10, 0), (20, 0), (20, 0), (15, 1), (30, 1)] {
            progress.set(position(replayed));
            assert_eq!((progress.replayed, progress.setbacks), (position(replayed), setbacks));
        }
    }
}
