//! The counts in the table `stheno_count`: whether they are kept, and keeping them tidy. Writers add rows of differences by
//! triggers; here these are folded, and what is in doubt is counted anew, beside the work and on one connection.
//!
//! A trigger stands on Medusa's table, and fails no write for the sake of a count. Whatever may have kept one from counting
//! is found out here or where it is mended, and leaves a doubt.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_postgres::{GenericClient, Row};

use super::additions::{ADDITIONS, COUNTS, Definition};
use super::fault;
use super::pool::{Client, Pool};
use super::replicas::Replicas;
use crate::StoreError;
use crate::schema::{Difference, Fault, Thing, ThingKind};
use crate::sql::MANY;

/// How often it is looked whether counts are kept and without doubt, though nobody has seen anything amiss.
const LOOKS: Duration = Duration::from_secs(3);

/// How often all counts are folded, those that nobody reads too.
const SWEEPS: Duration = Duration::from_secs(600);

/// How often it is checked that counts are right, besides the start: triggers may have been off for a while.
const CHECKS: Duration = Duration::from_secs(24 * 60 * 60);

/// The shortest and the longest pause after tidying up; between, it is so many times as long as that took.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));
const PAUSE: u32 = 20;

/// How many counts are folded in one transaction.
const AT_ONCE: i64 = 1000;

/// How long counting everything anew may take.
const PATIENCE: &str = "SET LOCAL statement_timeout = '30min'";

/// How long those are waited for who were writing when a doubt was seen. After that it is tried again.
const WRITERS_PATIENCE: Duration = Duration::from_secs(30);

/// How often it is looked whether they are through.
const WRITERS_LOOKS: Duration = Duration::from_millis(50);

/// By how much counts are off: those of the groups that are the parameter, or all, if it is null.
const DIFFERENCES: &str = "
    SELECT kind, subject, has_account, sum(amount)::bigint AS amount FROM (
        SELECT 'members' AS kind, m.customer_group_id AS subject, c.has_account, count(*) AS amount
        FROM customer_group_customers m JOIN customer c ON c.id = m.customer_id
        WHERE c.deleted_at IS NULL AND ($1::text[] IS NULL OR m.customer_group_id = ANY ($1)) GROUP BY 2, 3
        UNION ALL
        SELECT 'customers', '', has_account, count(*) FROM customer
        WHERE deleted_at IS NULL AND $1 IS NULL GROUP BY 3
        UNION ALL
        SELECT 'groups', '', FALSE, count(*) FROM customer_group WHERE deleted_at IS NULL AND $1 IS NULL
        UNION ALL
        SELECT kind, subject, has_account, -sum(amount) FROM stheno_count
        WHERE kind <> 'doubt' AND ($1 IS NULL OR kind = 'members' AND subject = ANY ($1)) GROUP BY 1, 2, 3) counted
    GROUP BY kind, subject, has_account HAVING sum(amount) <> 0";

/// Who holds a lock on Medusa's tables under which rows are written.
const WRITERS: &str = "
    FROM pg_locks l
    WHERE l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND l.granted
      AND l.relation IN (to_regclass('customer_group_customers'), to_regclass('customer'), to_regclass('customer_group'))
      AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')";

/// Whether counts are kept, as far as is known.
#[derive(Debug, Default)]
pub(super) struct Counts {
    state: Arc<State>,
    tidying: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    are_kept: AtomicBool,
    are_orders_indexed: AtomicBool,
    are_names_indexed: AtomicBool,
    are_unknown_members_refused: AtomicBool,
    wake: Notify,
}

impl Counts {
    /// Looks whether counts are kept, and, where a shop is served, begins to keep them tidy: on the primary, whoever reads.
    pub(super) async fn start(
        pool: &Pool,
        replicas: &Arc<Replicas>,
        serves: bool,
    ) -> Result<Self, StoreError> {
        let mut tidier = Tidier {
            pool: pool.clone(),
            replicas: Arc::clone(replicas),
            state: Arc::default(),
            table: None,
            is_first: true,
        };
        tidier.look().await?;
        let state = Arc::clone(&tidier.state);
        // Once for whatever was left undone.
        state.wake.notify_one();
        let tidying = serves.then(|| tokio::spawn(tidier.tidy()));
        Ok(Self { state, tidying })
    }

    pub(super) fn are_kept(&self) -> bool {
        self.state.are_kept.load(Ordering::Acquire)
    }

    /// Whether customers have indexes in the orders that they are asked for in.
    pub(super) fn are_orders_indexed(&self) -> bool {
        self.state.are_orders_indexed.load(Ordering::Relaxed)
    }

    /// Whether the names of groups have an index of trigrams.
    pub(super) fn are_names_indexed(&self) -> bool {
        self.state.are_names_indexed.load(Ordering::Relaxed)
    }

    /// Whether the database refuses members that are no customers.
    pub(super) fn are_unknown_members_refused(&self) -> bool {
        self.state.are_unknown_members_refused.load(Ordering::Relaxed)
    }

    /// Says that things may have changed.
    pub(super) fn look(&self) {
        self.state.wake.notify_one();
    }

    /// Has rows counted until it is known again that counts are kept: something of theirs seems to be lost.
    pub(super) fn distrust(&self) {
        self.state.are_kept.store(false, Ordering::Release);
        self.look();
    }

    /// A count out of the row that it was answered in, which may say that somebody should tidy up.
    pub(super) fn read(&self, row: &Row) -> Result<u64, StoreError> {
        if row.len() > 1 && row.try_get(1).map_err(fault)? {
            self.look();
        }
        row.try_get(0).map(i64::unsigned_abs).map_err(fault)
    }

    pub(super) fn stop(&self) {
        if let Some(tidying) = &self.tidying {
            tidying.abort();
        }
    }
}

impl Drop for Counts {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Keeps counts tidy.
struct Tidier {
    pool: Pool,
    replicas: Arc<Replicas>,
    state: Arc<State>,
    /// The table that was last seen to be in order, with all that keeps it so.
    table: Option<u32>,
    is_first: bool,
}

impl Tidier {
    /// Tidies up for as long as there is a store.
    async fn tidy(mut self) {
        let mut swept = Instant::now();
        let mut checked = None::<Instant>;
        let mut warned = false;
        loop {
            // Whoever is woken by the time alone has nothing to do, most likely.
            let _ = tokio::time::timeout(LOOKS, self.state.wake.notified()).await;
            let started = Instant::now();
            let is_sweep = swept.elapsed() > SWEEPS;
            let is_check = checked.is_none_or(|checked| checked.elapsed() > CHECKS);
            match self.tidy_once(is_sweep, is_check).await {
                Ok(false) => {}
                Ok(true) => {
                    if is_sweep {
                        swept = Instant::now();
                    }
                    if is_check {
                        checked = Some(Instant::now());
                    }
                }
                // The database is not there for the moment, or is a standby.
                Err(error @ (StoreError::Unavailable { .. } | StoreError::Full)) => {
                    tracing::debug!(%error, "could not tidy up the counts");
                }
                Err(error) => {
                    let error = &error as &(dyn std::error::Error + 'static);
                    if !std::mem::replace(&mut warned, true) {
                        tracing::warn!(error, "could not tidy up the counts, which makes lists slower");
                    }
                }
            }
            tokio::time::sleep((started.elapsed() * PAUSE).clamp(PAUSES.0, PAUSES.1)).await;
        }
    }

    /// Counts anew what is in doubt, and folds counts that are made up of many differences. Answers whether there is
    /// anything to keep tidy.
    async fn tidy_once(&mut self, is_sweep: bool, is_check: bool) -> Result<bool, StoreError> {
        if !self.look().await? {
            return Ok(false);
        }
        let mut client = self.pool.get().await?;
        if is_check && wrong(&mut client).await? > 0 {
            tracing::warn!("some counts were wrong, and are counted anew");
            doubt(&mut client).await?;
        }
        settle(&mut client).await?;
        fold(&mut client, if is_sweep { 1 } else { i64::from(MANY) }).await?;
        Ok(true)
    }

    /// Looks whether counts are kept. From when they are, replicas that do not know so yet answer nothing.
    async fn look(&mut self) -> Result<bool, StoreError> {
        let mut client = self.pool.get().await?;
        let reading = client.transaction().await.map_err(fault)?;
        let found = table_in_order(&*reading).await?;
        // Medusa has one of customers by address, where the locale's order is that of code points; elsewhere Stheno makes it
        // with the others.
        let orders = ["created_at", "updated_at", "first_name", "last_name"]
            .map(|column| format!("stheno_customer_{column}"));
        let are_orders_indexed = are_indexed(&*reading, &orders).await?;
        let are_names_indexed = are_indexed(&*reading, &["stheno_customer_group_search".to_owned()]).await?;
        let are_unknown_members_refused = has_key_of_members(&*reading).await?;
        drop(reading);
        self.state.are_unknown_members_refused.store(are_unknown_members_refused, Ordering::Relaxed);
        self.state.are_orders_indexed.store(are_orders_indexed, Ordering::Relaxed);
        self.state.are_names_indexed.store(are_names_indexed, Ordering::Relaxed);
        let is_first = std::mem::replace(&mut self.is_first, false);
        let was_kept = self.state.are_kept.load(Ordering::Acquire);
        match found {
            // What has happened while it was not in order has perhaps not been counted.
            Some(_) if !is_first && (found != self.table || !was_kept) => {
                doubt(&mut client).await?;
                tracing::info!("counts are kept in the database from now on");
            }
            None if was_kept => tracing::warn!(
                "counts are not kept in the database any more, so the rows of lists are counted: `stheno migrate \
                 --repair` makes what is missing"
            ),
            _ => {}
        }
        drop(client);
        if found.is_some() && !was_kept && !self.replicas.is_empty() {
            self.replicas.demand(self.pool.position().await?);
        }
        self.table = found;
        self.state.are_kept.store(found.is_some(), Ordering::Release);
        Ok(found.is_some())
    }
}

/// The table, if it and all triggers are there and at work, and this user may keep it tidy.
async fn table_in_order(client: &impl GenericClient) -> Result<Option<u32>, StoreError> {
    let sql = "SELECT c.oid FROM pg_class c
               WHERE c.oid = to_regclass($1::text) AND c.relkind = 'r'
                 AND (SELECT bool_and(has_table_privilege(c.oid, p.name))
                      FROM unnest('{SELECT, INSERT, UPDATE, DELETE}'::text[]) p (name))
                 AND (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = ANY ($2::text[]))
                     = cardinality($2)
                 AND (SELECT count(DISTINCT t.tgname) FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
                      WHERE t.tgname = ANY ($3::text[]) AND t.tgenabled IN ('O', 'A')
                        AND t.tgrelid IN (to_regclass('customer_group_customers'), to_regclass('customer'),
                                          to_regclass('customer_group'))
                        AND has_table_privilege(p.proowner, c.oid, 'INSERT')) = cardinality($3)";
    let counting = || ADDITIONS.iter().filter(|addition| addition.counts());
    let triggers: Vec<&str> = counting()
        .filter(|addition| matches!(addition.definition, Definition::Trigger(_)))
        .map(|trigger| trigger.name)
        .collect();
    let columns: Vec<&str> = counting()
        .filter_map(|addition| match addition.definition {
            Definition::Table { columns } => Some(columns),
            _ => None,
        })
        .flat_map(|columns| columns.iter().map(|(name, _)| *name))
        .collect();
    let row = client.query_opt(sql, &[&COUNTS, &columns, &triggers]).await.map_err(fault)?;
    row.map(|row| row.try_get(0)).transpose().map_err(fault)
}

/// Whether all indexes of these names are there and of use.
async fn are_indexed(client: &impl GenericClient, names: &[String]) -> Result<bool, StoreError> {
    let sql = "SELECT count(*) = cardinality($1::text[]) FROM pg_index
               WHERE indexrelid IN (SELECT to_regclass(name) FROM unnest($1) name) AND indisvalid";
    let row = client.query_one(sql, &[&names]).await.map_err(fault)?;
    row.try_get(0).map_err(fault)
}

/// Whether a foreign key says that a member is a customer, as Medusa's does.
async fn has_key_of_members(client: &impl GenericClient) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (
                   SELECT 1 FROM pg_constraint k
                   JOIN pg_attribute a ON a.attrelid = k.conrelid AND k.conkey = ARRAY[a.attnum]
                   JOIN pg_attribute f ON f.attrelid = k.confrelid AND k.confkey = ARRAY[f.attnum]
                   WHERE k.contype = 'f' AND NOT k.condeferrable
                     AND k.conrelid = to_regclass('customer_group_customers') AND a.attname = 'customer_id'
                     AND k.confrelid = to_regclass('customer') AND f.attname = 'id')";
    let row = client.query_one(sql, &[]).await.map_err(fault)?;
    row.try_get(0).map_err(fault)
}

/// Has everything counted anew.
pub(super) async fn doubt(client: &mut Client) -> Result<(), StoreError> {
    let transaction = client.transaction().await.map_err(fault)?;
    let doubt =
        "INSERT INTO stheno_count (kind, subject, has_account, amount) VALUES ('doubt', '', FALSE, 0)";
    transaction.execute(doubt, &[]).await.map_err(fault)?;
    transaction.commit().await.map_err(fault)
}

/// Adds to the counts in doubt what they are off by, if those who were writing when the doubt was seen are through: a doubt may be
/// of what they do. From then on that is the same in any snapshot, since whoever writes adds just what is changed.
async fn settle(client: &mut Client) -> Result<(), StoreError> {
    let reading = client.transaction().await.map_err(fault)?;
    let doubts = "SELECT coalesce(array_agg(number), '{}') FROM stheno_count WHERE kind = 'doubt'";
    let doubts: Vec<i64> =
        reading.query_one(doubts, &[]).await.and_then(|row| row.try_get(0)).map_err(fault)?;
    drop(reading);
    if doubts.is_empty() || !await_writers(client).await? {
        return Ok(());
    }
    let transaction = client.writing_snapshot().await.map_err(fault)?;
    transaction.batch_execute(PATIENCE).await.map_err(fault)?;
    // Of two processes that settle the same doubts, the second finds them gone or being taken away, and fails.
    let delete = "DELETE FROM stheno_count WHERE number = ANY ($1) RETURNING subject";
    let settled = transaction.query(delete, &[&doubts]).await.map_err(fault)?;
    let groups =
        settled.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>().map_err(fault)?;
    let groups = (!groups.iter().any(String::is_empty)).then_some(groups);
    let sql = format!("INSERT INTO stheno_count (kind, subject, has_account, amount) {DIFFERENCES}");
    transaction.execute(&sql, &[&groups]).await.map_err(fault)?;
    transaction.commit().await.map_err(fault)
}

/// Waits for those who are writing to Medusa's tables now. Answers whether all of them are through.
async fn await_writers(client: &mut Client) -> Result<bool, StoreError> {
    let transaction = client.transaction().await.map_err(fault)?;
    let writers = format!("SELECT coalesce(array_agg(DISTINCT l.virtualtransaction), '{{}}') {WRITERS}");
    let writers: Vec<String> =
        transaction.query_one(&writers, &[]).await.and_then(|row| row.try_get(0)).map_err(fault)?;
    drop(transaction);
    let started = Instant::now();
    let left = format!("SELECT count(*) {WRITERS} AND l.virtualtransaction = ANY ($1)");
    loop {
        let transaction = client.transaction().await.map_err(fault)?;
        let left: i64 =
            transaction.query_one(&left, &[&writers]).await.and_then(|row| row.try_get(0)).map_err(fault)?;
        drop(transaction);
        if left == 0 || started.elapsed() > WRITERS_PATIENCE {
            return Ok(left == 0);
        }
        tokio::time::sleep(WRITERS_LOOKS).await;
    }
}

/// How many counts are wrong without being in doubt.
async fn wrong(client: &mut Client) -> Result<i64, StoreError> {
    let transaction = client.snapshot().await.map_err(fault)?;
    transaction.batch_execute(PATIENCE).await.map_err(fault)?;
    let sql = format!(
        "SELECT count(*) FROM ({DIFFERENCES}) wrong
         WHERE NOT EXISTS (SELECT 1 FROM stheno_count WHERE kind = 'doubt' AND subject IN ('', wrong.subject))"
    );
    let row = transaction.query_one(&sql, &[&None::<Vec<String>>]).await.map_err(fault)?;
    row.try_get(0).map_err(fault)
}

/// What is wrong with the counts, where they are kept.
pub(super) async fn difference(client: &mut Client) -> Result<Option<Difference>, StoreError> {
    let reading = client.transaction().await.map_err(fault)?;
    let is_kept = table_in_order(&*reading).await?.is_some();
    drop(reading);
    let wrong = if is_kept { wrong(client).await? } else { 0 };
    Ok((wrong > 0).then(|| Difference {
        thing: Thing::new(ThingKind::Table, COUNTS, None),
        fault: Fault::Changed(format!("{wrong} of its counts are wrong")),
        hindrance: None,
        loss: "lists and groups show wrong numbers",
    }))
}

/// Counts anew what is in doubt, where counts are kept.
pub(super) async fn settle_if_kept(client: &mut Client) -> Result<(), StoreError> {
    let reading = client.transaction().await.map_err(fault)?;
    let is_kept = table_in_order(&*reading).await?.is_some();
    drop(reading);
    if !is_kept {
        return Ok(());
    }
    match settle(client).await {
        // Another was quicker.
        Err(StoreError::Unavailable { .. }) => Ok(()),
        settled => settled,
    }
}

/// Folds counts that are made up of more than `allowed` differences. Whoever reads sees these, or their sum.
async fn fold(client: &mut Client, allowed: i64) -> Result<(), StoreError> {
    let sql = "WITH many AS (
                    SELECT kind, subject, has_account FROM stheno_count WHERE kind <> 'doubt'
                    GROUP BY kind, subject, has_account HAVING count(*) > $1 LIMIT $2),
                present AS (
                    SELECT c.number FROM stheno_count c JOIN many USING (kind, subject, has_account)
                    FOR UPDATE OF c SKIP LOCKED),
                folded AS (
                    DELETE FROM stheno_count c USING present p WHERE c.number = p.number
                    RETURNING c.kind, c.subject, c.has_account, c.amount),
                sums AS (
                    INSERT INTO stheno_count (kind, subject, has_account, amount)
                    SELECT kind, subject, has_account, sum(amount) FROM folded
                    GROUP BY kind, subject, has_account HAVING sum(amount) <> 0)
                SELECT count(*) FROM many";
    loop {
        let transaction = client.transaction().await.map_err(fault)?;
        let row = transaction.query_one(sql, &[&allowed, &AT_ONCE]).await.map_err(fault)?;
        transaction.commit().await.map_err(fault)?;
        if row.try_get::<_, i64>(0).map_err(fault)? < AT_ONCE {
            return Ok(());
        }
    }
}
