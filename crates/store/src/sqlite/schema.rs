//! The tables in the file: made, brought up to date, and read back.

use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior};

use super::fault;
use crate::StoreError;
use crate::entity::Catalog;
use crate::migrate::{SQLITE, newer_schema};
use crate::time;

/// Brings the tables up to date. Several processes may do so at once: each step is made by one of them.
pub(super) fn migrate(connection: &mut Connection, now: Timestamp) -> Result<(), StoreError> {
    connection
        .execute_batch(
            "CREATE TABLE IF NOT EXISTS stheno_migration
             (version INTEGER PRIMARY KEY NOT NULL, name TEXT NOT NULL, applied_at TEXT NOT NULL)",
        )
        .map_err(not_a_database)?;
    for migration in SQLITE {
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(fault)?;
        let present: i64 = transaction
            .query_row(
                "SELECT coalesce(max(version), 0) FROM stheno_migration",
                [],
                |row| row.get(0),
            )
            .map_err(fault)?;
        if present > SQLITE.last().map_or(0, |last| last.version) {
            return Err(StoreError::Schema(newer_schema(present)));
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

fn not_a_database(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => StoreError::Schema(
            "the file is not a SQLite database: give the path of another file, or of one that is not there yet"
                .to_owned(),
        ),
        Some(rusqlite::ErrorCode::ReadOnly) => {
            StoreError::Url("the database file is read-only: make it writable for this user".to_owned())
        }
        _ => fault(error),
    }
}

/// Reads which columns the tables have.
pub(super) fn read_catalog(connection: &Connection) -> Result<Catalog, StoreError> {
    Catalog::read(|table| {
        let mut statement = connection
            .prepare("SELECT name, type, \"notnull\" FROM pragma_table_info(?1) ORDER BY cid")
            .map_err(fault)?;
        let columns = statement
            .query_map([table.name()], |row| {
                Ok((row.get(0)?, row.get(1)?, !row.get::<_, bool>(2)?))
            })
            .map_err(fault)?;
        columns.collect::<Result<Vec<_>, _>>().map_err(fault)
    })
}
