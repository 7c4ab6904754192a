//! The tables in the database: made, brought up to date, and read back.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use jiff::Timestamp;

use super::fault;
use super::pool::Client;
use super::rows::Time;
use crate::StoreError;
use crate::entity::{Catalog, Table};
use crate::migrate::{Migration, POSTGRES, last_version, newer_schema};
use crate::sql::Collations;

/// The number of the lock that a server holds while it changes tables: `stheno` in ASCII.
const LOCK: i64 = 0x0073_7468_656e_6f00;

/// How long a server waits for others that change tables.
const PATIENCE: &str = "SET LOCAL lock_timeout = '30s'";

/// Whose database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Stheno,
    /// Medusa's own tables are there, and are left as they are.
    Medusa,
}

impl Owner {
    /// The steps that its database takes.
    fn migrations(self) -> impl Iterator<Item = &'static Migration> {
        POSTGRES.iter().filter(move |migration| self == Self::Stheno || migration.beside_medusa)
    }
}

/// Brings the tables up to date. Several servers may do so at once: each step is made by one of them.
pub(super) async fn migrate(client: &mut Client, now: Timestamp) -> Result<(), StoreError> {
    let transaction = client.transaction().await.map_err(fault)?;
    if let Some(present) = present_version(&transaction).await?
        && is_current(owner(&transaction).await?, present)?
    {
        return Ok(());
    }
    transaction.batch_execute(PATIENCE).await.map_err(fault)?;
    // The lock is given back with the end of the transaction. Whoever had to wait finds the work done.
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await.map_err(fault)?;
    let owner = owner(&transaction).await?;
    let present = match present_version(&transaction).await? {
        Some(present) => present,
        None => {
            make_list_of_migrations(&transaction, owner).await?;
            0
        }
    };
    if is_current(owner, present)? {
        return Ok(());
    }
    for migration in owner.migrations().filter(|migration| migration.version > present) {
        transaction.batch_execute(migration.sql).await.map_err(fault)?;
        transaction
            .execute(
                "INSERT INTO stheno_migration (version, name, applied_at) VALUES ($1, $2, $3)",
                &[&migration.version, &migration.name, &Time(now)],
            )
            .await
            .map_err(fault)?;
        tracing::debug!(migration = migration.name, "migrated the database");
    }
    transaction.commit().await.map_err(fault)
}

fn is_current(owner: Owner, present: i64) -> Result<bool, StoreError> {
    if present > last_version(POSTGRES) {
        return Err(StoreError::Schema(newer_schema(present, POSTGRES)));
    }
    Ok(owner.migrations().all(|migration| migration.version <= present))
}

/// The last step that was made; none, if the database has no list of them.
async fn present_version(transaction: &Transaction<'_>) -> Result<Option<i64>, StoreError> {
    if !has_table(transaction, "stheno_migration").await? {
        return Ok(None);
    }
    let sql = "SELECT coalesce(max(version), 0) FROM stheno_migration";
    let row = transaction.query_one(sql, &[]).await.map_err(fault)?;
    row.try_get(0).map(Some).map_err(fault)
}

/// A Medusa's database has its list of migrations beside the customer groups.
async fn owner(transaction: &Transaction<'_>) -> Result<Owner, StoreError> {
    let is_medusas =
        has_table(transaction, "migrations").await? && has_table(transaction, "customer_group").await?;
    Ok(if is_medusas { Owner::Medusa } else { Owner::Stheno })
}

async fn has_table(transaction: &Transaction<'_>, name: &str) -> Result<bool, StoreError> {
    let sql = "SELECT to_regclass($1::text) IS NOT NULL";
    let row = transaction.query_one(sql, &[&name]).await.map_err(fault)?;
    row.try_get(0).map_err(fault)
}

/// Makes the table that says which steps were made. It is the first of all, so a database that has other tables, but
/// not this one, is Medusa's or another program's.
async fn make_list_of_migrations(transaction: &Transaction<'_>, owner: Owner) -> Result<(), StoreError> {
    // What an extension has brought is nobody's.
    let sql = "SELECT count(*) FROM pg_class c
               WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
                 AND NOT EXISTS (SELECT 1 FROM pg_depend d
                                 WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')";
    let tables: i64 = transaction.query_one(sql, &[]).await.and_then(|row| row.try_get(0)).map_err(fault)?;
    if tables > 0 && owner == Owner::Stheno {
        return Err(StoreError::Schema(
            "the database is another program's: give one that is empty, or a Medusa v1 database".to_owned(),
        ));
    }
    transaction
        .batch_execute(
            "CREATE TABLE stheno_migration
             (version bigint PRIMARY KEY, name text NOT NULL, applied_at timestamp with time zone NOT NULL)",
        )
        .await
        .map_err(fault)
}

/// Reads which columns the tables have.
pub(super) async fn read_catalog(client: &Transaction<'_>) -> Result<Catalog, StoreError> {
    let tables: Vec<String> = Table::ALL.iter().map(|table| table.name().to_owned()).collect();
    let rows = client
        .query(
            "SELECT t.name, a.attname::text, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull
             FROM unnest($1::text[]) t (name)
             JOIN pg_attribute a ON a.attrelid = to_regclass(quote_ident(t.name))
             WHERE a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
            &[&tables],
        )
        .await
        .map_err(fault)?;
    let mut columns: HashMap<String, Vec<(String, String, bool)>> = HashMap::new();
    for row in rows {
        let read = || Ok((row.try_get(1)?, row.try_get(2)?, row.try_get(3)?));
        let table = row.try_get(0).map_err(fault)?;
        columns.entry(table).or_default().push(read().map_err(fault)?);
    }
    Catalog::read(|table| Ok(columns.remove(table.name()).unwrap_or_default()))
}

/// Finds out what the database's locale does to the order and the case of texts.
pub(super) async fn read_collations(client: &Transaction<'_>) -> Result<Collations, StoreError> {
    let row = client
        .query_one(
            "SELECT d.datcollate, d.datctype, d.datlocprovider::text,
                    EXISTS (SELECT 1 FROM pg_collation WHERE collname = 'C.utf8' AND collprovider = 'c'),
                    pg_encoding_to_char(d.encoding)
             FROM pg_database d WHERE d.datname = current_database()",
            &[],
        )
        .await
        .map_err(fault)?;
    let read = || {
        Ok::<(String, String, String, bool, String), tokio_postgres::Error>((
            row.try_get(0)?,
            row.try_get(1)?,
            row.try_get(2)?,
            row.try_get(3)?,
            row.try_get(4)?,
        ))
    };
    let (collate, character, provider, has_unicode, encoding) = read().map_err(fault)?;
    if encoding != "UTF8" {
        return Err(StoreError::Schema(format!(
            "the database's encoding is {encoding}: give one whose encoding is UTF8"
        )));
    }
    let is_libc = provider == "c";
    let by_code_points = ["C", "POSIX", "C.UTF-8", "C.utf8"];
    let order = !(is_libc && by_code_points.contains(&&*collate));
    // Locales of other languages than these fold alike.
    let folds_otherwise = ["C", "POSIX"].contains(&&*character)
        || ["tr", "az", "lt"].iter().any(|language| character.starts_with(language));
    let fold = !is_libc || folds_otherwise;
    if fold && !has_unicode {
        tracing::warn!(
            "the database has no collation C.utf8: letters beyond ASCII may be searched for in one case only"
        );
    }
    Ok(Collations { order, fold: fold && has_unicode })
}
