//! The tables in the file: made, brought up to date, and read back.

use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior};

use super::fault;
use crate::StoreError;
use crate::entity::Catalog;
use crate::migrate::{SQLITE, last_version, newer_schema};
use crate::time;

/// Brings the tables up to date. Several processes may do so at once: each step is made by one of them.
pub(super) fn migrate(connection: &mut Connection, now: Timestamp) -> Result<(), StoreError> {
    make_list_of_migrations(connection)?;
    for migration in SQLITE {
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault)?;
        let present: i64 = transaction
            .query_row("SELECT coalesce(max(version), 0) FROM stheno_migration", [], |row| row.get(0))
            .map_err(fault)?;
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
    Catalog::read(|table| {
        let mut statement = connection
            .prepare("SELECT name, type, \"notnull\" FROM pragma_table_info(?1) ORDER BY cid")
            .map_err(fault)?;
        let columns = statement
            .query_map([table.name()], |row| Ok((row.get(0)?, row.get(1)?, !row.get::<_, bool>(2)?)))
            .map_err(fault)?;
        columns.collect::<Result<Vec<_>, _>>().map_err(fault)
    })
}
