//! The tables in the file: made, brought up to date, checked, and read back.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::{Connector, fault};
use crate::clock::Clock;
use crate::entity::{Catalog, FoundColumn, Table};
use crate::migrate::{SQLITE, last_version, newer_schema, out_of_date};
use crate::schema::{Difference, Fault, Listener, Owner, Progress, Thing, ThingKind};
use crate::{StoreError, StoreOptions, sqlite_path, time};

/// The schema of a file.
#[derive(Debug)]
pub(crate) struct SqliteSchema {
    connector: Connector,
    clock: Clock,
}

impl SqliteSchema {
    pub(crate) fn new(url: &str, options: StoreOptions) -> Result<Self, StoreError> {
        let connector = Connector { path: sqlite_path(url)?, lock_timeout: options.lock_timeout };
        Ok(Self { connector, clock: options.clock })
    }

    pub(crate) async fn owner(&self) -> Result<Owner, StoreError> {
        self.look(|found| Ok(if found.is_some() { Owner::Stheno } else { Owner::Nobody })).await
    }

    pub(crate) async fn differences(&self) -> Result<Vec<Difference>, StoreError> {
        self.look(differences).await
    }

    /// Makes the steps that are yet to be made. What has been lost cannot be made again: the file is Stheno's as a whole.
    pub(crate) async fn migrate(&self, listener: Listener<'_>) -> Result<Vec<Difference>, StoreError> {
        let before = self.differences().await?;
        let (connector, now) = (self.connector.clone(), self.clock.now());
        let make = move || migrate(&mut connector.open_writer()?, now);
        tokio::task::spawn_blocking(make).await.map_err(StoreError::internal)??;
        let after = self.differences().await?;
        let made = before.into_iter().filter(|difference| !after.contains(difference));
        made.for_each(|difference| listener(Progress::Made(difference.thing)));
        Ok(after)
    }

    pub(crate) async fn made(&self) -> Result<Vec<Thing>, StoreError> {
        Err(StoreError::Schema(
            "a SQLite file is Stheno's as a whole, so nothing in it is removed apart: delete the file"
                .to_owned(),
        ))
    }

    pub(crate) async fn remove(&self, _: Listener<'_>) -> Result<(), StoreError> {
        self.made().await.map(drop)
    }

    /// Looks at the file, which is neither made nor changed. What is empty or not there is nothing.
    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(Option<&Connection>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let connector = self.connector.clone();
        let looked = tokio::task::spawn_blocking(move || match open_to_look(&connector)? {
            Some(connection) => look(Some(&connection)),
            None => look(None),
        });
        looked.await.map_err(StoreError::internal)?
    }
}

fn open_to_look(connector: &Connector) -> Result<Option<Connection>, StoreError> {
    let is_empty = |path: &Path| path.metadata().map_or(true, |file| file.is_file() && file.len() == 0);
    if is_empty(&connector.path) {
        return Ok(None);
    }
    let connection = connector.open_with(OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    refuse_foreign(&connection, |error| connector.refused(error))?;
    Ok(has_list(&connection)?.then_some(connection))
}

/// What of a file is not as in one that is made anew.
fn differences(found: Option<&Connection>) -> Result<Vec<Difference>, StoreError> {
    let mut whole = Connection::open_in_memory().map_err(fault)?;
    migrate(&mut whole, Timestamp::UNIX_EPOCH)?;
    let (present, version) = match found {
        Some(connection) => (objects(connection)?, present_version(connection)?),
        None => (Vec::new(), 0),
    };
    if version > last_version(SQLITE) {
        return Err(StoreError::Schema(newer_schema(version, SQLITE)));
    }
    let lost = "the step that makes it was made, so it was lost: restore a backup".to_owned();
    let hindrance = (version == last_version(SQLITE)).then_some(lost);
    let mut differences = Vec::new();
    for (thing, sql) in objects(&whole)? {
        let there = present.iter().find(|(present, _)| *present == thing);
        let fault = match there {
            None => Fault::Missing,
            Some((_, present)) if *present != sql && hindrance.is_some() => {
                Fault::Changed("its definition".to_owned())
            }
            Some(_) => continue,
        };
        differences.push(Difference { thing, fault, hindrance: hindrance.clone(), loss: "" });
    }
    Ok(differences)
}

/// Everything in a file, tables first, with the statement that makes it.
fn objects(connection: &Connection) -> Result<Vec<(Thing, String)>, StoreError> {
    let sql = "SELECT type, name, tbl_name, sql FROM sqlite_schema
               WHERE type IN ('table', 'index', 'trigger') AND sql IS NOT NULL AND substr(name, 1, 7) <> 'sqlite_'
               ORDER BY type <> 'table', rowid";
    let mut statement = connection.prepare(sql).map_err(fault)?;
    let rows = statement.query_map([], |row| {
        let (name, table): (String, String) = (row.get(1)?, row.get(2)?);
        let thing = match &*row.get::<_, String>(0)? {
            "table" => Thing::new(ThingKind::Table, &name, None),
            "index" => Thing::new(ThingKind::Index, &name, Some(&table)),
            _ => Thing::new(ThingKind::Trigger, &name, Some(&table)),
        };
        Ok((thing, row.get(3)?))
    });
    rows.map_err(fault)?.collect::<Result<_, _>>().map_err(fault)
}

/// Refuses a file whose tables are to be brought up to date first, or are a newer Stheno's.
pub(super) fn demand_up_to_date(connection: &Connection) -> Result<(), StoreError> {
    let present = if has_list(connection)? { present_version(connection)? } else { 0 };
    if present > last_version(SQLITE) {
        return Err(StoreError::Schema(newer_schema(present, SQLITE)));
    }
    match SQLITE.iter().find(|step| step.version > present) {
        Some(step) => Err(StoreError::Schema(out_of_date(step.name))),
        None => Ok(()),
    }
}

/// Brings the tables up to date. Several processes may do so at once: each step is made by one of them.
pub(super) fn migrate(connection: &mut Connection, now: Timestamp) -> Result<(), StoreError> {
    make_list_of_migrations(connection)?;
    for migration in SQLITE {
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault)?;
        let present = present_version(&transaction)?;
        if present > last_version(SQLITE) {
            return Err(StoreError::Schema(newer_schema(present, SQLITE)));
        }
        if present < migration.version {
            transaction.execute_batch(migration.sql).map_err(fault)?;
            transaction
                .execute(
                    "INSERT INTO stheno_migration (version, name, applied_at) VALUES (?1, ?2, ?3)",
                    (migration.version, migration.name, time::to_text(now)),
                )
                .map_err(fault)?;
            tracing::debug!(migration = migration.name, "migrated the database");
        }
        transaction.commit().map_err(fault)?;
    }
    Ok(())
}

/// The last step that was made.
fn present_version(connection: &Connection) -> Result<i64, StoreError> {
    let sql = "SELECT coalesce(max(version), 0) FROM stheno_migration";
    connection.query_row(sql, [], |row| row.get(0)).map_err(fault)
}

fn has_list(connection: &Connection) -> Result<bool, StoreError> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'stheno_migration'";
    connection.query_row(sql, [], |row| row.get(0)).map_err(fault)
}

/// Makes the table that says which steps were made. It is the first of all.
fn make_list_of_migrations(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault)?;
    transaction
        .execute_batch(
            "CREATE TABLE IF NOT EXISTS stheno_migration
             (version INTEGER PRIMARY KEY NOT NULL, name TEXT NOT NULL, applied_at TEXT NOT NULL)",
        )
        .map_err(fault)?;
    transaction.commit().map_err(fault)
}

/// Refuses a database that has tables, but not the one that is the first of ours: it is another program's.
pub(super) fn refuse_foreign(
    connection: &Connection,
    refused: impl Fn(rusqlite::Error) -> StoreError,
) -> Result<(), StoreError> {
    let (tables, lists): (i64, i64) = connection
        .query_row(
            "SELECT count(*), count(*) FILTER (WHERE name = 'stheno_migration') FROM sqlite_schema
             WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .map_err(refused)?;
    if tables > 0 && lists == 0 {
        return Err(StoreError::Schema(
            "the database is another program's: give the path of another file, or of one that is not there yet"
                .to_owned(),
        ));
    }
    Ok(())
}

/// Reads which columns the tables have.
pub(super) fn read_catalog(connection: &Connection) -> Result<Catalog, StoreError> {
    let columns_of = |table: Table| {
        let mut statement = connection
            .prepare("SELECT name, type, \"notnull\" FROM pragma_table_info(?1) ORDER BY cid")
            .map_err(fault)?;
        let columns = statement
            .query_map([table.name()], |row| {
                let (name, declared, nullable) = (row.get(0)?, row.get(1)?, !row.get::<_, bool>(2)?);
                Ok(FoundColumn { name, declared, nullable, is_text: true, is_ordered: true })
            })
            .map_err(fault)?;
        columns.collect::<Result<Vec<_>, _>>().map_err(fault)
    };
    // SQLite holds what it is given, whatever the type that was declared.
    Catalog::read(columns_of, |_, _| None)
}
