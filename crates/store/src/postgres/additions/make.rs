//! Making and dropping additions without being in the way of those who write: indexes concurrently, and locks of tables
//! waited for so shortly that nobody notices who comes behind.

use std::time::{Duration, Instant};

use deadpool_postgres::ClientWrapper;
use tokio_postgres::error::SqlState;
use tokio_postgres::{GenericClient, SimpleQueryMessage};

use super::check::{collate, fault_of};
use super::{Addition, Definition, GIVEN_UP};
use crate::StoreError;
use crate::postgres::pool::Pool;
use crate::postgres::{fault, schema};
use crate::schema::{Fault, Listener, Progress, Thing, ThingKind};
use crate::sql::quoted;

/// How long the lock of a table is waited for: those who want to write it queue up behind, so it is not for long.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '500ms'";

/// How long a lock is tried for, again and again.
const PATIENCE: Duration = Duration::from_secs(120);

/// The first pause between two tries, which doubles from try to try, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// What is made concurrently waits for whoever began to read or write before, however long that takes, but not forever:
/// nobody queues up behind.
const UNHURRIED: &str = "SET statement_timeout = 0; SET lock_timeout = '15min'";

/// The comment by which an extension is known that Stheno has installed.
const OURS: &str = "installed by stheno";

/// Makes additions, on a connection of its own. Its statements are simple, so that it works behind a pooler.
pub(in crate::postgres) struct Maker {
    pool: Pool,
    client: ClientWrapper,
}

impl Maker {
    /// Takes a connection for good.
    pub(in crate::postgres) async fn new(pool: &Pool) -> Result<Self, StoreError> {
        let client = pool.get().await?;
        let is_direct = client.is_direct();
        let client = client.taken();
        // Behind a pooler it would hold for others.
        if is_direct {
            client.batch_execute(UNHURRIED).await.map_err(fault)?;
        }
        Ok(Self { pool: pool.clone(), client })
    }

    /// Makes an addition as it is declared, whatever is there. Tables are no affair of this.
    pub(in crate::postgres) async fn make(&mut self, addition: &Addition) -> Result<(), StoreError> {
        let started = Instant::now();
        let mut pause = PAUSES.0;
        loop {
            // Looked at each time: what has failed may have left something behind, or another may have been here.
            let Some(found) = fault_of(&self.pool, addition).await? else {
                return Ok(());
            };
            match self.try_to_make(addition, &found).await {
                Err(error) if is_in_the_way(&error) && started.elapsed() < PATIENCE => {
                    tracing::debug!(addition = addition.name, %error, "a lock was not had; trying again");
                }
                made => return made.map_err(refused),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    async fn try_to_make(&mut self, addition: &Addition, found: &Fault) -> Result<(), tokio_postgres::Error> {
        if let Definition::Index(index) = &addition.definition {
            if *found != Fault::Missing {
                drop_index(&self.client, addition.name).await?;
            }
            let collate = collate(&*self.client).await?;
            let create = index.create(addition.name, " CONCURRENTLY", collate);
            let made = self.client.batch_execute(&create).await;
            if made.is_err()
                && fault_of(&self.pool, addition).await.is_ok_and(|left| left == Some(Fault::Invalid))
            {
                // What has failed leaves an index behind that costs every write and serves no read.
                drop_index(&self.client, addition.name).await?;
            }
            return made;
        }
        let transaction = self.client.transaction().await?;
        transaction.batch_execute(LOCK_TIMEOUT).await?;
        make_within(&*transaction, addition, found).await?;
        transaction.commit().await
    }
}

/// Makes an addition within a transaction, on tables that nobody else writes yet or whose locks are short.
pub(in crate::postgres) async fn make_within(
    client: &impl GenericClient,
    addition: &Addition,
    found: &Fault,
) -> Result<(), tokio_postgres::Error> {
    let name = addition.name;
    let sql = match &addition.definition {
        Definition::Extension => {
            format!("CREATE EXTENSION {name}; COMMENT ON EXTENSION {name} IS '{OURS}'")
        }
        Definition::Table { .. } => return Ok(()),
        Definition::Function(function) => {
            let answer = client.simple_query("SELECT current_schema()").await?;
            let schema = answer.iter().find_map(|message| match message {
                SimpleQueryMessage::Row(row) => row.get(0),
                _ => None,
            });
            function.create(name, schema.unwrap_or_default())
        }
        Definition::Trigger(trigger) if *found == Fault::Missing => trigger.create(name),
        Definition::Trigger(trigger) => {
            format!("DROP TRIGGER {name} ON {}; {}", quoted(trigger.table), trigger.create(name))
        }
        Definition::Index(index) => {
            let collate = collate(client).await?;
            if !addition.is_for(collate) {
                return Ok(());
            }
            index.create(name, "", collate)
        }
    };
    client.batch_execute(&sql).await
}

async fn drop_index(client: &ClientWrapper, name: &str) -> Result<(), tokio_postgres::Error> {
    client.batch_execute(&format!("DROP INDEX CONCURRENTLY IF EXISTS {}", quoted(name))).await
}

/// A thing that can be dropped.
#[derive(Debug)]
pub(in crate::postgres) struct Made {
    pub(in crate::postgres) thing: Thing,
    /// What `DROP` is told: its schema, its arguments, its table, all quoted as they must be.
    identity: String,
}

/// All that Stheno has made, known by the names of these additions and of those that were given up. In the order in which
/// it can be dropped.
pub(in crate::postgres) async fn made(pool: &Pool, additions: &[Addition]) -> Result<Vec<Made>, StoreError> {
    let declared = additions.iter().map(|addition| (addition.thing().kind, addition.name));
    let (kinds, names): (Vec<_>, Vec<_>) =
        declared.chain(GIVEN_UP.iter().copied()).map(|(kind, name)| (kind.to_string(), name)).unzip();
    let mut client = pool.get().await?;
    let reading = client.transaction().await.map_err(fault)?;
    // What belongs to something else that is dropped goes with it: a table's own indexes, say.
    let sql = format!(
        "WITH known AS (SELECT * FROM unnest($1::text[], $2::text[]) known (kind, name))
         SELECT kind, name, relation, (pg_identify_object(catalog::regclass, oid, 0)).identity FROM (
             SELECT 1 AS rank, 'trigger' AS kind, t.tgname::text AS name, c.relname::text AS relation,
                    'pg_trigger' AS catalog, t.oid
             FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
             WHERE NOT t.tgisinternal AND pg_table_is_visible(c.oid)
             UNION ALL
             SELECT 2, 'index', i.relname::text, c.relname::text, 'pg_class', i.oid
             FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
             WHERE pg_table_is_visible(c.oid) AND ('table', c.relname::text) NOT IN (SELECT kind, name FROM known)
             UNION ALL
             SELECT 3, 'function', p.proname::text, NULL, 'pg_proc', p.oid
             FROM pg_proc p WHERE p.prokind = 'f' AND pg_function_is_visible(p.oid)
             UNION ALL
             SELECT 4, 'table', c.relname::text, NULL, 'pg_class', c.oid
             FROM pg_class c WHERE c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid)
             UNION ALL
             SELECT 5, 'extension', e.extname::text, NULL, 'pg_extension', e.oid
             FROM pg_extension e WHERE obj_description(e.oid, 'pg_extension') = '{OURS}') things
         WHERE kind = 'extension' OR (kind, name) IN (SELECT kind, name FROM known)
         ORDER BY rank, relation, name"
    );
    let rows = reading.query(&sql, &[&kinds, &names]).await.map_err(fault)?;
    let thing = |row: tokio_postgres::Row| {
        let kind = match row.try_get(0)? {
            "trigger" => ThingKind::Trigger,
            "index" => ThingKind::Index,
            "function" => ThingKind::Function,
            "table" => ThingKind::Table,
            _ => ThingKind::Extension,
        };
        Ok(Made { thing: Thing::new(kind, row.try_get(1)?, row.try_get(2)?), identity: row.try_get(3)? })
    };
    rows.into_iter().map(thing).collect::<Result<_, _>>().map_err(fault)
}

/// Drops what [`made`] answers.
pub(in crate::postgres) async fn drop_all(
    maker: &mut Maker,
    additions: &[Addition],
    listener: Listener<'_>,
) -> Result<(), StoreError> {
    for made in made(&maker.pool, additions).await? {
        let started = Instant::now();
        let mut pause = PAUSES.0;
        loop {
            match maker.drop(&made).await {
                Ok(()) => break,
                Err(error) if is_in_the_way(&error) && started.elapsed() < PATIENCE => {}
                Err(error) => return Err(refused(error)),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
        listener(Progress::Dropped(made.thing));
    }
    Ok(())
}

impl Maker {
    async fn drop(&mut self, Made { thing, identity }: &Made) -> Result<(), tokio_postgres::Error> {
        if thing.kind == ThingKind::Index {
            return self.client.batch_execute(&format!("DROP INDEX CONCURRENTLY IF EXISTS {identity}")).await;
        }
        let transaction = self.client.transaction().await?;
        transaction.batch_execute(LOCK_TIMEOUT).await?;
        transaction.batch_execute(&format!("DROP {} IF EXISTS {identity}", thing.kind)).await?;
        transaction.commit().await
    }
}

/// Whether a lock was not had in time, or two were in each other's way: a moment later it may go.
fn is_in_the_way(error: &tokio_postgres::Error) -> bool {
    let passing = [SqlState::LOCK_NOT_AVAILABLE, SqlState::T_R_DEADLOCK_DETECTED, SqlState::OBJECT_IN_USE];
    error.code().is_some_and(|code| passing.contains(code))
}

/// What PostgreSQL says of a thing that it does not make or drop, in its own words: whoever changes a schema may read them.
fn refused(error: tokio_postgres::Error) -> StoreError {
    match error.as_db_error() {
        Some(said) if !schema::is_passing(said.code()) => {
            let detail = said.detail().map_or_else(String::new, |detail| format!(": {detail}"));
            StoreError::Schema(format!("{}{detail}", said.message()))
        }
        _ => fault(error),
    }
}
