//! Bringing the schema up to date: tables at once, all else beside those who work.

use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool_postgres::ClientWrapper;
use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio_postgres::{GenericClient, SimpleQueryMessage};

use super::additions::{self, ADDITIONS, Addition, COUNTS, Made, Maker};
use super::pool::Pool;
use super::schema::{self, Look, Situation};
use super::{Connector, counts, fault, keys};
use crate::answer::Streaming;
use crate::clock::Clock;
use crate::migrate::POSTGRES;
use crate::schema::{Difference, Fault, Listener, Owner, Progress, Thing, ThingKind};
use crate::{StoreError, StoreOptions};

/// The number of the lock that a process holds while it makes or drops additions.
const LOCK: i64 = 0x0073_7468_656e_6f02;

/// How often it is looked whether that lock is free.
const LOOKS: Duration = Duration::from_millis(250);

/// The first pause between two tries beside the work, which doubles from try to try, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(600));

/// The schema of a PostgreSQL database.
#[derive(Debug)]
pub(crate) struct PostgresSchema {
    pool: Pool,
    clock: Clock,
}

impl PostgresSchema {
    pub(crate) async fn connect(url: &str, options: StoreOptions) -> Result<Self, StoreError> {
        let connector = Connector::new(url, &options)?;
        let streaming = Streaming {
            whole_up_to: options.whole_up_to,
            reader_timeout: options.reader_timeout,
            permits: Arc::new(Semaphore::new(1)),
        };
        Ok(Self { pool: connector.open(streaming).await?, clock: options.clock })
    }

    pub(crate) async fn owner(&self) -> Result<Owner, StoreError> {
        let mut client = self.pool.get().await?;
        let reading = client.transaction().await.map_err(fault)?;
        Ok(Situation::read(&*reading).await?.owner)
    }

    pub(crate) async fn differences(&self) -> Result<Vec<Difference>, StoreError> {
        let mut client = self.pool.get().await?;
        let reading = client.transaction().await.map_err(fault)?;
        let Look { mut differences, .. } = Look::at(&*reading).await?;
        differences.extend(lost_keys(&*reading).await?);
        drop(reading);
        differences.extend(counts::difference(&mut client).await?);
        Ok(differences)
    }

    pub(crate) async fn migrate(&self, listener: Listener<'_>) -> Result<Vec<Difference>, StoreError> {
        make_tables(&self.pool, self.clock.now(), listener).await?;
        let mut left = make_additions(&self.pool, ADDITIONS, listener).await?;
        let mut client = self.pool.get().await?;
        let reading = client.transaction().await.map_err(fault)?;
        left.extend(lost_keys(&*reading).await?);
        drop(reading);
        if let Some(Difference { thing, .. }) = counts::difference(&mut client).await? {
            counts::doubt(&mut client).await?;
            listener(Progress::Made(thing));
        }
        counts::settle_if_kept(&mut client).await?;
        Ok(left)
    }

    pub(crate) async fn made(&self) -> Result<Vec<Thing>, StoreError> {
        let made = additions::made(&self.pool, ADDITIONS).await?;
        Ok(made.into_iter().map(|Made { thing, .. }| thing).collect())
    }

    pub(crate) async fn remove(&self, listener: Listener<'_>) -> Result<(), StoreError> {
        let _alone = Alone::wait(&self.pool, listener).await?;
        let mut maker = Maker::new(&self.pool).await?;
        additions::drop_all(&mut maker, ADDITIONS, listener).await
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

/// What has been lost of the tables that the first step has made. A Medusa's are Medusa's to judge.
async fn lost_keys(client: &impl GenericClient) -> Result<Vec<Difference>, StoreError> {
    let situation = Situation::read(client).await?;
    let is_made = situation.next_step().is_none_or(|step| step.version > POSTGRES[0].version);
    match situation.owner {
        Owner::Stheno if is_made => keys::differences(client, &POSTGRES[0]).await,
        _ => Ok(Vec::new()),
    }
}

/// Makes tables, and steps that are yet to be made, if there are any and nothing hinders it. Where nothing is made, it answers
/// what was seen.
pub(super) async fn make_tables(
    pool: &Pool,
    now: Timestamp,
    listener: Listener<'_>,
) -> Result<Option<Look>, StoreError> {
    let mut client = pool.get().await?;
    let reading = client.transaction().await.map_err(fault)?;
    let look = Look::at(&*reading).await?;
    drop(reading);
    let wanting: Vec<_> = look.differences.iter().filter(|difference| is_of_steps(difference)).collect();
    let is_behind = look.situation.next_step().is_some() || !wanting.is_empty();
    if is_behind && wanting.iter().all(|difference| difference.hindrance.is_none()) {
        schema::make_tables(&mut client, now, listener).await?;
        return Ok(None);
    }
    Ok(Some(look))
}

/// Whether it is a step that makes the thing.
pub(super) fn is_of_steps(difference: &Difference) -> bool {
    let is_addition =
        ADDITIONS.iter().any(|addition| !addition.is_table() && addition.thing() == difference.thing);
    !is_addition
}

/// Makes whatever of the additions is not as it should be, but for tables, without being in the way of those who write. Of
/// several processes that do so at once, one does the work. Answers what could not be made.
pub(super) async fn make_additions(
    pool: &Pool,
    additions: &[Addition],
    listener: Listener<'_>,
) -> Result<Vec<Difference>, StoreError> {
    let differences = additions::differences(pool, additions).await?;
    if differences.iter().all(|difference| difference.hindrance.is_some()) {
        return Ok(differences);
    }
    let _alone = Alone::wait(pool, listener).await?;
    let mut maker = Maker::new(pool).await?;
    let mut left = Vec::new();
    let differences = additions::differences(pool, additions).await?;
    // What is done while a trigger is missing is not counted. Beforehand, as nobody relies on counts until it is made.
    let counts =
        |thing: &Thing| additions.iter().any(|addition| addition.counts() && addition.thing() == *thing);
    let is_counting = differences.iter().any(|found| found.hindrance.is_none() && counts(&found.thing));
    let has_table = !differences.iter().any(|difference| difference.thing.name == COUNTS);
    if is_counting && has_table {
        counts::doubt(&mut pool.get().await?).await?;
    }
    for difference in differences {
        let addition = additions.iter().find(|addition| addition.thing() == difference.thing);
        let (Some(addition), None) = (addition, &difference.hindrance) else {
            left.push(difference);
            continue;
        };
        listener(Progress::Making(difference.thing.clone()));
        match maker.make(addition).await {
            Ok(()) => listener(Progress::Made(difference.thing)),
            // What PostgreSQL refuses, it refuses for this one; the others may still be made.
            Err(StoreError::Schema(reason)) => {
                left.push(Difference { hindrance: Some(reason), ..difference });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(left)
}

/// Makes additions after the server has begun to serve, and logs how it went. What fails for want of a connection or a lock
/// is tried again, ever more seldom.
pub(super) async fn make_additions_beside(pool: Pool) {
    let started = Instant::now();
    let mut pause = PAUSES.0;
    let tell = |progress: Progress| match progress {
        Progress::Waiting => tracing::info!("waiting for another process that changes the schema"),
        Progress::Making(thing) => tracing::info!("making the {thing}"),
        Progress::Made(thing) => tracing::info!("made the {thing}"),
        _ => {}
    };
    let left = loop {
        match make_additions(&pool, ADDITIONS, &tell).await {
            Ok(left) => break left,
            Err(error) => {
                let error = &error as &(dyn std::error::Error + 'static);
                tracing::warn!(error, "could not make what makes Stheno fast; trying again in {pause:?}");
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    };
    for Difference { thing, hindrance, .. } in left.iter().filter(|left| left.thing.kind != ThingKind::Table)
    {
        let reason = hindrance.as_deref().unwrap_or_default();
        tracing::warn!("could not make the {thing}: {reason}");
    }
    tracing::info!(seconds = started.elapsed().as_secs(), "made what was missing in the database");
}

/// What is not as it should be, in one line: each thing with the reason.
pub(super) fn listed(differences: &[Difference]) -> String {
    let line = |Difference { thing, fault, hindrance, loss }: &Difference| {
        let mut line = match fault {
            Fault::Changed(what) => format!("{thing} ({what})"),
            _ => thing.to_string(),
        };
        for text in hindrance.as_deref().into_iter().chain([*loss]).filter(|text| !text.is_empty()) {
            line.extend([": ", text]);
        }
        line
    };
    differences.iter().map(line).collect::<Vec<_>>().join("; ")
}

/// The right to make and drop additions, which one process has at a time. It is given back with the value.
///
/// The lock is that of a transaction on a connection of its own, as a session's would not do behind a pooler. It is asked for
/// again and again, and not waited for: who waits in a statement holds a snapshot, for which `CREATE INDEX CONCURRENTLY`
/// waits in turn. So does a transaction whose last statement was prepared; this one's are simple.
struct Alone {
    _client: ClientWrapper,
}

impl Alone {
    async fn wait(pool: &Pool, listener: Listener<'_>) -> Result<Self, StoreError> {
        let client = pool.get().await?.taken();
        let mut told = false;
        loop {
            client
                .batch_execute("BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0")
                .await
                .map_err(fault)?;
            let ask = format!("SELECT pg_try_advisory_xact_lock({LOCK})");
            let answer = client.simple_query(&ask).await.map_err(fault)?;
            let is_had = |message: &SimpleQueryMessage| match message {
                SimpleQueryMessage::Row(row) => row.get(0) == Some("t"),
                _ => false,
            };
            if answer.iter().any(is_had) {
                return Ok(Self { _client: client });
            }
            client.batch_execute("ROLLBACK").await.map_err(fault)?;
            if !std::mem::replace(&mut told, true) {
                listener(Progress::Waiting);
            }
            tokio::time::sleep(LOOKS).await;
        }
    }
}
