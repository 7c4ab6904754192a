//! The engine for production: PostgreSQL, on a database of Stheno's own or on a Medusa's.

mod additions;
mod catalogs;
mod copy;
mod counts;
mod customer;
mod customer_group;
mod import;
mod keys;
mod login;
mod migration;
#[cfg(test)]
mod plans;
mod pool;
mod reading;
mod replicas;
mod rights;
mod rows;
mod schema;
mod shared;
mod start;
mod tls;
mod url;
mod user;

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::GenericClient;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::{Error, Row};

use self::catalogs::{CHANGING, Catalogs, is_outdated, is_plan_outdated, lacks_table, says_outdated};
pub(crate) use self::copy::CopyEnd;
use self::counts::Counts;
pub(crate) use self::migration::PostgresSchema;
pub(crate) use self::pool::Connector;
use self::pool::Pool;
use self::reading::{ListReading, RowReading};
pub(crate) use self::replicas::ReplicaOptions;
use self::replicas::Replicas;
use self::schema::Look;
use self::start::{Checked, Start, await_medusa, check};
use crate::answer::{JsonText, Page, Streaming};
use crate::entity::{Catalog, Relation, Table};
use crate::metadata::Metadata;
use crate::observe::{Load, Totals};
use crate::position::Caller;
use crate::selection::Selection;
use crate::sql::{self, Dialect, ListSource, Statement, Traits};
use crate::{Environment, StoreError, Window};

/// How long a database has to give a sign of life.
const PING_PATIENCE: Duration = Duration::from_secs(3);

/// How often a unit of work that met another is done again.
const MORE_TRIES: u32 = 3;

/// So many rows of a relation are not read together with the row that it leads from: whether there are more is not known.
const MANY_RELATED: usize = 128;

/// A store in a PostgreSQL database, as one caller sees it.
#[derive(Debug, Clone)]
pub(crate) struct Postgres {
    pool: Pool,
    replicas: Arc<Replicas>,
    caller: Caller,
    traits: Traits,
    counts: Arc<Counts>,
    catalogs: Arc<Catalogs>,
    environment: Environment,
    /// Whether Stheno's own tables can be used.
    has_own_tables: bool,
    making: Arc<Making>,
}

/// What is made beside the work; it ends with the value.
#[derive(Debug)]
struct Making(Option<JoinHandle<()>>);

impl Making {
    fn stop(&self) {
        if let Some(making) = &self.0 {
            making.abort();
        }
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Whether a URL is one of PostgreSQL.
pub(crate) fn is_url(url: &str) -> bool {
    ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme))
}

impl Postgres {
    /// Connects, and, if `start` says so, makes tables or brings them up to date, and begins to make all else.
    pub(crate) async fn open(
        connector: Connector,
        replicas: ReplicaOptions,
        start: Start,
        streaming: Streaming,
        environment: Environment,
    ) -> Result<Self, StoreError> {
        let pool = connector.clone().open(streaming.clone()).await?;
        if start.expects_medusa {
            let mut client = pool.get().await?;
            let reading = client.transaction().await.map_err(fault)?;
            await_medusa(&reading).await?;
        }
        let seen = match start.migrate {
            true => migration::make_tables(&pool, environment.clock.now(), &|_| {}).await?,
            false => None,
        };
        let mut client = pool.get().await?;
        let reading = client.transaction().await.map_err(fault)?;
        let look = match seen {
            Some(look) => look,
            None => Look::at(&*reading).await?,
        };
        let Checked { has_own_tables, is_wanting, catalog } = check(&reading, look, start).await?;
        let catalogs = Arc::new(Catalogs::new(catalog));
        let traits = schema::read_traits(&*reading).await?;
        drop(reading);
        drop(client);
        let replicas = Arc::new(Replicas::open(&pool, connector, replicas, &streaming).await?);
        let counts = Arc::new(Counts::start(&pool, &replicas, start.serves).await?);
        let making = is_wanting.then(|| {
            let (pool, counts) = (pool.clone(), Arc::clone(&counts));
            tokio::spawn(async move {
                migration::make_additions_beside(pool).await;
                counts.look();
            })
        });
        let making = Arc::new(Making(making));
        let caller = Caller::default();
        let store =
            Self { pool, replicas, caller, traits, counts, catalogs, environment, has_own_tables, making };
        // Whoever uses the store without further ado is one caller.
        Ok(if store.has_replicas() { store.for_caller(Caller::default()) } else { store })
    }

    pub(crate) fn has_replicas(&self) -> bool {
        !self.replicas.is_empty()
    }

    /// The same store, as this caller sees it.
    pub(crate) fn for_caller(&self, caller: Caller) -> Self {
        let pool = self.pool.for_caller(caller.clone());
        Self { pool, caller, ..self.clone() }
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        if let Ok(runtime) = Handle::try_current()
            && self.catalogs.is_time_to_look()
        {
            let store = self.clone();
            runtime.spawn(async move {
                if let Err(error) = store.look_at_columns().await {
                    let error = &error as &(dyn std::error::Error + 'static);
                    tracing::warn!(error, "could not look whether columns have changed");
                }
            });
        }
        self.catalogs.present()
    }

    /// Whether a unit of work that failed, with nothing saved, is worth doing again: since another write was in its way, or
    /// since columns have changed, which are known now.
    pub(crate) async fn may_go_well_now(&self, error: &StoreError, tries: u32) -> bool {
        if is_in_the_way(error) && tries <= MORE_TRIES {
            // Those who were in each other's way do not come back at the same moment.
            let pause = Duration::from_millis(rand::random_range(5..=25)) * tries;
            tracing::debug!(%error, tries, ?pause, "a unit of work is done again");
            tokio::time::sleep(pause).await;
            return true;
        }
        if tries > 1 {
            return false;
        }
        // A table or a right is lost, which may be that of the counts.
        let may_be_of_counts = self.counts.are_kept() && (is_outdated(error) || is_refused(error));
        if may_be_of_counts {
            self.counts.distrust();
        }
        if !is_outdated(error) {
            return may_be_of_counts;
        }
        match self.look_at_columns().await {
            Ok(()) => {
                // The columns that are shown may be the same, and a statement out of date all the same.
                if is_plan_outdated(error) {
                    self.forget_statements();
                }
                true
            }
            Err(error) => {
                let error = &error as &(dyn std::error::Error + 'static);
                tracing::error!(error, "the tables have changed, and cannot be worked with any more");
                false
            }
        }
    }

    /// The SQL that the database understands now.
    fn dialect(&self) -> Dialect {
        Dialect::Postgres(Traits {
            counts: self.counts.are_kept(),
            orders: self.counts.are_orders_indexed(),
            trigrams: self.counts.are_names_indexed(),
            ..self.traits
        })
    }

    async fn look_at_columns(&self) -> Result<(), StoreError> {
        if self.catalogs.look(&self.pool).await? {
            self.forget_statements();
        }
        Ok(())
    }

    /// Has every connection prepare its statements anew.
    fn forget_statements(&self) {
        self.pool.forget_statements();
        self.replicas.forget_statements();
    }

    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        let sql = "SELECT pg_is_in_recovery(), EXISTS (SELECT 1 FROM customer_group)";
        let rows = self.pool.within(PING_PATIENCE).query(sql, &[]).await?;
        let is_standby = rows.first().map(|row| row.try_get(0)).transpose().map_err(fault)?;
        if is_standby == Some(true) { Err(standby()) } else { Ok(()) }
    }

    pub(crate) fn load(&self) -> Load {
        self.pool.load()
    }

    pub(crate) async fn totals(&self) -> Result<Totals, StoreError> {
        let rows = self.pool.query(&sql::totals(self.dialect()), &[]).await?;
        let row = rows.first().ok_or_else(|| StoreError::internal("no totals"))?;
        let number = |column| row.try_get::<_, i64>(column).map(i64::unsigned_abs).map_err(fault);
        Ok(Totals { customer_groups: number(0)?, customers: number(1)?, members: number(2)? })
    }

    /// Finishes what is being written and closes the connections. An index that is being made is left to the server.
    pub(crate) async fn close(&self) {
        self.making.stop();
        self.counts.stop();
        self.pool.close().await;
        self.replicas.close().await;
    }

    /// A row by its id, with its relations, wherever it is to be had.
    async fn retrieve(&self, id: &str, selection: &Selection) -> Result<Option<JsonText>, StoreError> {
        let read = |pool| self.retrieve_from(pool, id, selection);
        self.replicas.read(&self.pool, &self.caller, read).await
    }

    async fn retrieve_from(
        &self,
        pool: &Pool,
        id: &str,
        selection: &Selection,
    ) -> Result<Option<JsonText>, StoreError> {
        let (catalog, selection) = self.catalogs.renew(selection);
        let statement = sql::retrieve(self.dialect(), catalog, &selection, id);
        if !selection.has_relations() {
            let rows = pool.look_up(&statement.text, &rows::parameters(&statement)).await?;
            let text = rows.first().map(|row| rows::object(catalog, &selection, row)).transpose()?;
            return Ok(text.map(JsonText::whole));
        }
        if let Some(row) = self.look_up_with_relation(pool, id, catalog, &selection).await? {
            return Ok(Some(row));
        }
        let reading = Arc::new(RowReading {
            id: id.to_owned(),
            dialect: self.dialect(),
            catalog: Arc::clone(catalog),
            selection: selection.into_owned(),
            statement,
        });
        let answer = pool.answer(reading, |reading, client, output| reading.write(client, output));
        Ok(answer.await?.and_then(|((), text)| (!text.start.is_empty()).then_some(text)))
    }

    /// A group by its id with its few members, where they are its only relation and have none: in one statement, on a
    /// connection that is shared, if there is room. Nothing otherwise, nor if there is no such row.
    async fn look_up_with_relation(
        &self,
        pool: &Pool,
        id: &str,
        catalog: &Catalog,
        selection: &Selection,
    ) -> Result<Option<JsonText>, StoreError> {
        // Members have an index in their order; what other relations lead to may have to be sorted.
        let [relation @ (Relation::Customers, related)] = &selection.relations[..] else { return Ok(None) };
        if related.has_relations() {
            return Ok(None);
        }
        let statement = sql::retrieve_with(self.dialect(), catalog, selection, relation, id, MANY_RELATED);
        let rows = pool.look_up_beside(&statement.text, &rows::parameters(&statement)).await?;
        let Some(rows) = rows.filter(|rows| rows.len() <= MANY_RELATED) else { return Ok(None) };
        let text = rows::object_with(catalog, selection, relation, &rows)?;
        Ok(text.and_then(|text| pool.whole(text)))
    }

    /// A page of a list, wherever it is to be had. `only_groups` narrows the relation `groups` of its rows.
    async fn list(
        &self,
        source: ListSource,
        order: &crate::Order,
        window: Window,
        selection: Selection,
        only_groups: Option<Vec<String>>,
    ) -> Result<Page, StoreError> {
        let (catalog, selection) = self.catalogs.renew(&selection);
        let reading = Arc::new(ListReading {
            dialect: self.dialect(),
            catalog: Arc::clone(catalog),
            counts: Arc::clone(&self.counts),
            source,
            order: order.clone(),
            window,
            selection: selection.into_owned(),
            only_groups,
        });
        let reading = &reading;
        let read = self.replicas.read(&self.pool, &self.caller, |pool| async move {
            if let Some(page) = reading.look_up(pool).await? {
                return Ok(Some(page));
            }
            pool.answer(Arc::clone(reading), |reading, client, output| reading.write(client, output)).await
        });
        let is_continued = order.after.is_some();
        read.await.map_err(|error| if is_continued { unfit_cursor(error) } else { error }).and_then(Page::new)
    }

    /// Answers a row that was just written: read again with the relations asked for. It is saved whatever becomes of
    /// that, so where it cannot be read, it is answered as it was written.
    async fn show_written(
        &self,
        id: &str,
        written: Option<Vec<u8>>,
        selection: &Selection,
    ) -> Result<Option<JsonText>, StoreError> {
        let (catalog, selection) = self.catalogs.renew(selection);
        match written {
            Some(written) if *selection != Selection::all(catalog, selection.table) => {
                let read = self.retrieve_from(&self.pool, id, &selection).await.unwrap_or_else(|error| {
                    tracing::warn!(%error, "a row was saved, but could not be read again");
                    None
                });
                Ok(Some(read.unwrap_or_else(|| JsonText::whole(written))))
            }
            written => Ok(written.map(JsonText::whole)),
        }
    }

    /// What reads a row of a table back, whole.
    fn reader(&self, table: Table) -> RowReader {
        let catalog = Arc::clone(self.catalogs.present());
        let selection = Selection::all(&catalog, table);
        RowReader { dialect: self.dialect(), catalog, selection }
    }
}

/// Reads rows of a table back, whole, as they have been written.
struct RowReader {
    dialect: Dialect,
    catalog: Arc<Catalog>,
    selection: Selection,
}

impl RowReader {
    async fn read(&self, client: &impl GenericClient, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let statement = self.statement(id);
        let prepared = client.prepare_cached(&statement.text).await.map_err(fault)?;
        let row = client.query_opt(&prepared, &rows::parameters(&statement)).await.map_err(fault)?;
        row.map(|row| self.object(&row)).transpose()
    }

    /// What reads the row with this id.
    fn statement(&self, id: &str) -> Statement {
        sql::retrieve(self.dialect, &self.catalog, &self.selection, id)
    }

    /// What a statement that writes the row `r` gives back, for that row to be read.
    fn returning(&self) -> String {
        format!("RETURNING {}", sql::columns(self.dialect, &self.catalog, "r", &self.selection))
    }

    /// A row that was read so.
    fn object(&self, row: &Row) -> Result<Vec<u8>, StoreError> {
        rows::object(&self.catalog, &self.selection, row)
    }
}

/// Changes of metadata, as a statement takes them: what is set, as JSON, and what is removed.
struct MetadataChanges {
    set: Option<String>,
    removed: Vec<String>,
}

impl MetadataChanges {
    fn new(changes: Option<Metadata>) -> Self {
        let mut removed = Vec::new();
        let set = changes.map(|mut changes| {
            changes.retain(|key, value| {
                let keep = value.as_str() != Some("");
                if !keep {
                    removed.push(key.clone());
                }
                keep
            });
            serde_json::Value::Object(changes).to_string()
        });
        Self { set, removed }
    }
}

/// What the column `metadata` becomes where `set` and `removed` are the parameters of [`MetadataChanges`]: merged in the
/// database, on the locked row, so that nothing that another program has written is lost or written otherwise. As
/// [`spread`](crate::metadata::spread), it makes an object of a list or a text.
fn merged(set: &str, removed: &str) -> String {
    format!(
        "CASE WHEN {set}::text IS NULL THEN metadata ELSE
           (CASE jsonb_typeof(metadata)
              WHEN 'object' THEN metadata
              WHEN 'array' THEN coalesce((SELECT jsonb_object_agg((i.number - 1)::text, i.value)
                FROM jsonb_array_elements(metadata) WITH ORDINALITY i (value, number)), '{{}}')
              WHEN 'string' THEN coalesce((SELECT jsonb_object_agg((i.number - 1)::text, i.value)
                FROM unnest(string_to_array(metadata #>> '{{}}', NULL)) WITH ORDINALITY i (value, number)), '{{}}')
              ELSE '{{}}' END
            || {set}::text::jsonb) - {removed}::text[] END"
    )
}

/// What is said of a connection that broke, and of one from which nothing comes any more.
const LOST: &str = "the connection to the database is lost";
const SILENT: &str = "the database does not answer";

/// What is said of a lock that was not had in time, and of a statement that was ended.
const TOO_LONG: &str = "it took too long";

/// What is said where the database has given up one of two writes, for both to get on.
const IN_THE_WAY: &str = "another write was in the way";

/// What every call of a closed store hears.
fn closed() -> StoreError {
    StoreError::Unavailable { reason: "it is shutting down", source: None }
}

fn unanswered(source: Option<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::Unavailable { reason: SILENT, source }
}

/// What is said of a database that another may be promoted for, or that may be promoted itself.
fn standby() -> StoreError {
    let reason = "the database is a standby, which takes no writes: give the URL of its primary";
    StoreError::Unavailable { reason, source: None }
}

const UNCONFIRMED: &str = "the database was lost while it was saving this, so it may be saved or not";

/// What one hears whose write was done, but for the word that it is saved.
fn unconfirmed(error: StoreError) -> StoreError {
    StoreError::Unavailable { reason: UNCONFIRMED, source: Some(Box::new(error)) }
}

fn is_unconfirmed(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable { reason, .. } if *reason == UNCONFIRMED)
}

/// What PostgreSQL says, as the store says it.
fn fault(error: Error) -> StoreError {
    let Some(said) = error.as_db_error() else {
        return if is_broken(&error) { unavailable(LOST, error) } else { StoreError::internal(error) };
    };
    let ends = matches!(said.parsed_severity(), Some(Severity::Fatal | Severity::Panic));
    match said.code().code() {
        // A lock that was not had in time, or a statement that was ended.
        "55P03" | "57014" => unavailable(TOO_LONG, error),
        // Two writes were in each other's way.
        "40001" | "40P01" => unavailable(IN_THE_WAY, error),
        "53100" => StoreError::Full,
        // A quota, or a limit of the server's processes, for which it has no code.
        "XX000" if said.routine().is_some_and(|place| ["mdextend", "mdzeroextend"].contains(&place)) => {
            StoreError::Full
        }
        "53300" => unavailable("the database has no connection left", error),
        // The server starts or shuts down, or is a standby.
        "57P03" | "25006" => unavailable("the database is not ready", error),
        // The server has ended this connection alone, or all of them: by hand, after a crash, after too long a time.
        _ if ends => unavailable(LOST, error),
        class if ["08", "53"].iter().any(|prefix| class.starts_with(prefix)) => {
            unavailable("the database is not ready", error)
        }
        _ if says_outdated(said) => unavailable(CHANGING, error),
        "42501" => limited("the database user may not do this", Some(error)),
        _ => StoreError::internal(error),
    }
}

/// What the database says to a value that a cursor has, and that is none of its column's.
fn unfit_cursor(error: StoreError) -> StoreError {
    if said(&error).is_some_and(|code| code.code().starts_with("22")) { StoreError::Cursor } else { error }
}

/// What PostgreSQL has said, where it was nothing that is known to happen.
fn said(error: &StoreError) -> Option<&SqlState> {
    let StoreError::Internal(source) = error else { return None };
    source.downcast_ref::<Error>()?.code()
}

/// What is refused since the database user has no right to it.
fn limited(reason: &'static str, error: Option<Error>) -> StoreError {
    StoreError::Limited { reason, source: error.map(Into::into) }
}

/// Why there is no connection. Whatever it is, another time there may be one.
fn unreachable(error: Error) -> StoreError {
    let has_reason = error.code().is_some_and(|code| ["53300", "57P03"].contains(&code.code()));
    if has_reason { fault(error) } else { unavailable("the database cannot be reached", error) }
}

fn unavailable(reason: &'static str, error: Error) -> StoreError {
    StoreError::Unavailable { reason, source: Some(Box::new(error)) }
}

fn is_broken(error: &Error) -> bool {
    error.is_closed()
        || std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
        || error.to_string().starts_with("timeout")
}

/// Whether the database user was found to lack a right.
fn is_refused(error: &StoreError) -> bool {
    matches!(error, StoreError::Limited { source: Some(source), .. } if source.is::<Error>())
}

/// Whether a unit of work was given up for another's sake.
fn is_in_the_way(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable { reason, .. } if *reason == IN_THE_WAY)
}

/// Whether a statement was ended before it was done.
fn is_too_long(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable { reason, .. } if *reason == TOO_LONG)
}

/// Whether a connection turned out to be dead.
fn is_lost(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable { reason, .. } if *reason == LOST)
}

/// Whether a connection is of no use any more.
fn is_gone(error: &StoreError) -> bool {
    is_lost(error) || matches!(error, StoreError::Unavailable { reason, .. } if *reason == SILENT)
}

/// Whether a statement failed because a unique value is taken.
fn is_duplicate(error: &Error) -> bool {
    error.code() == Some(&SqlState::UNIQUE_VIOLATION)
}
