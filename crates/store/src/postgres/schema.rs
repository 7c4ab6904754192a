//! The tables in the database: whose they are, made, brought up to date, and read back.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use jiff::Timestamp;
use tokio_postgres::GenericClient;
use tokio_postgres::error::SqlState;

use super::additions::{self, ADDITIONS, LIST_OF_STEPS};
use super::pool::Client;
use super::rows::Time;
use super::{fault, standby};
use crate::StoreError;
use crate::entity::{Catalog, ColumnKind, FoundColumn, Table};
use crate::migrate::{Migration, POSTGRES, last_version, newer_schema};
use crate::schema::{Difference, Fault, Listener, Owner, Progress, ThingKind};
use crate::sql::Traits;

/// The number of the lock that a server holds while it changes tables: `stheno` in ASCII.
const LOCK: i64 = 0x0073_7468_656e_6f00;

/// How long a server waits for others that change tables.
const PATIENCE: &str = "SET LOCAL lock_timeout = '30s'";

/// What is found in a database.
#[derive(Debug)]
pub(super) struct Situation {
    pub(super) owner: Owner,
    /// The last step that was made; none, if there is no list of them.
    present: Option<i64>,
    /// Whether Medusa's tables are there.
    has_medusas_tables: bool,
    /// What they have, if they are not yet to be made.
    pub(super) catalog: Option<Catalog>,
    pub(super) user: String,
}

/// A look at a database: what is found, and what of it is not as this Stheno makes it.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) situation: Situation,
    pub(super) differences: Vec<Difference>,
}

impl Look {
    pub(super) async fn at(client: &impl GenericClient) -> Result<Self, StoreError> {
        let situation = Situation::read(client).await?;
        let differences = situation.differences(client).await?;
        Ok(Self { situation, differences })
    }
}

impl Situation {
    /// Looks at the database.
    ///
    /// # Errors
    /// [`StoreError::Schema`] if it is not one for Stheno, or a newer Stheno's.
    pub(super) async fn read(client: &impl GenericClient) -> Result<Self, StoreError> {
        // What an extension has brought is nobody's.
        let sql = "
            SELECT current_user::text, current_schema()::text,
                   to_regclass('migrations') IS NOT NULL, to_regclass('mikro_orm_migrations') IS NOT NULL,
                   to_regclass($1::text) IS NOT NULL,
                   (SELECT count(to_regclass(quote_ident(name))) FROM unnest($2::text[]) name),
                   EXISTS (SELECT 1 FROM pg_class c
                           WHERE c.relnamespace = quote_ident(current_schema())::regnamespace
                             AND c.relkind IN ('r', 'p')
                             AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                                               AND d.objid = c.oid AND d.deptype = 'e')),
                   pg_is_in_recovery(), current_setting('default_transaction_read_only') = 'on'";
        let tables: Vec<&str> = Table::ALL.iter().map(|table| table.name()).collect();
        let row = client.query_one(sql, &[&LIST_OF_STEPS, &tables]).await.map_err(fault)?;
        let flag = |number: usize| row.try_get::<_, bool>(number).map_err(fault);
        let user: String = row.try_get(0).map_err(fault)?;
        if row.try_get::<_, Option<&str>>(1).map_err(fault)?.is_none() {
            return Err(StoreError::Schema(format!(
                "the database user {user} may use no schema: GRANT USAGE ON SCHEMA public TO {user}, or set the user's \
                 search_path"
            )));
        }
        let (medusas_list, list_of_version_2, our_list) = (flag(2)?, flag(3)?, flag(4)?);
        let tables = row.try_get::<_, i64>(5).map_err(fault)?.unsigned_abs();
        let (any_table, is_standby, is_read_only) = (flag(6)?, flag(7)?, flag(8)?);
        if is_standby {
            return Err(standby());
        }
        if is_read_only {
            return Err(StoreError::Schema(format!(
                "the database takes no writes from the user {user}, as default_transaction_read_only is on: give \
                 another user, or turn it off"
            )));
        }
        let has_group = tables > 0 && has_table(client, Table::CustomerGroup.name()).await?;
        let owner = if medusas_list && has_group {
            Owner::Medusa
        } else if our_list || tables == Table::ALL.len() as u64 {
            Owner::Stheno
        } else if list_of_version_2 {
            return Err(StoreError::Schema(
                "the database is a Medusa v2's, whose customer groups are others: give the database of a Medusa v1, or \
                 one that is empty"
                    .to_owned(),
            ));
        } else if any_table {
            return Err(StoreError::Schema(
                "the database is another program's: give one that is empty, or a Medusa v1 database"
                    .to_owned(),
            ));
        } else {
            Owner::Nobody
        };
        let catalog = match owner {
            Owner::Medusa | Owner::Stheno if tables > 0 => Some(read_catalog(client).await?),
            _ => None,
        };
        let present = if our_list { present_version(client, &user).await? } else { None };
        Ok(Self { owner, present, has_medusas_tables: tables > 0, catalog, user })
    }

    /// The steps that are yet to be made.
    fn pending(&self) -> impl Iterator<Item = &'static Migration> {
        // Medusa's tables without a list of steps are those that stay when all else of Stheno's is removed.
        let taken_up = self.present.is_none() && self.has_medusas_tables;
        let (present, all) = (self.present.unwrap_or(0), self.owner != Owner::Medusa && !taken_up);
        POSTGRES.iter().filter(move |step| step.version > present && (all || step.beside_medusa))
    }

    /// The first step that is yet to be made.
    pub(super) fn next_step(&self) -> Option<&'static Migration> {
        self.pending().next()
    }

    /// All that is not as this Stheno makes it.
    async fn differences(&self, client: &impl GenericClient) -> Result<Vec<Difference>, StoreError> {
        let mut additions = additions::differences_within(client, ADDITIONS).await?;
        let steps: Vec<_> = self.pending().collect();
        if steps.iter().any(|step| step.beside_medusa) {
            // A step changes the tables that are there.
            for difference in additions.iter_mut().filter(|difference| {
                difference.thing.kind == ThingKind::Table && matches!(difference.fault, Fault::Changed(_))
            }) {
                difference.hindrance = None;
            }
        }
        let hindrance = additions
            .iter()
            .find(|difference| difference.thing.kind == ThingKind::Table)
            .and_then(|difference| difference.hindrance.clone());
        let missing = steps.into_iter().filter(|step| !step.beside_medusa).flat_map(Migration::things);
        let missing = missing.map(|thing| Difference {
            thing,
            fault: Fault::Missing,
            hindrance: hindrance.clone(),
            loss: "",
        });
        let mut differences: Vec<_> = missing.collect();
        differences.extend(additions);
        Ok(differences)
    }
}

/// Makes the tables that are missing, and brings the others up to date. Several servers may do so at once: each step is
/// made by one of them. On a database that was empty, whose tables nobody waits for yet, all else is made as well.
pub(super) async fn make_tables(
    client: &mut Client,
    now: Timestamp,
    listener: Listener<'_>,
) -> Result<(), StoreError> {
    let transaction = client.transaction().await.map_err(fault)?;
    transaction.batch_execute(PATIENCE).await.map_err(fault)?;
    // The lock is given back with the end of the transaction. Whoever had to wait finds the work done.
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await.map_err(fault)?;
    let Look { situation, differences: missing } = Look::at(&*transaction).await?;
    if situation.present.is_none() {
        let sql = format!(
            "CREATE TABLE IF NOT EXISTS {LIST_OF_STEPS}
             (version bigint PRIMARY KEY, name text NOT NULL, applied_at timestamp with time zone NOT NULL)"
        );
        transaction.batch_execute(&sql).await.map_err(fault)?;
    }
    for step in POSTGRES {
        let is_pending = situation.pending().any(|pending| pending.version == step.version);
        // A step that was made and whose tables are gone all the same makes them again.
        if is_pending || step.beside_medusa {
            transaction.batch_execute(step.sql).await.map_err(fault)?;
        }
        // Tables that were there before the list count as made.
        if step.version > situation.present.unwrap_or(0) && (is_pending || situation.owner != Owner::Medusa) {
            note_step(&transaction, step, now).await?;
        }
    }
    if situation.owner == Owner::Nobody {
        for addition in ADDITIONS {
            additions::make_within(&*transaction, addition, &Fault::Missing).await.map_err(fault)?;
        }
    }
    transaction.commit().await.map_err(fault)?;
    let all = situation.owner == Owner::Nobody;
    let made = missing.into_iter().map(|difference| difference.thing);
    made.filter(|thing| all || thing.kind == ThingKind::Table)
        .for_each(|thing| listener(Progress::Made(thing)));
    Ok(())
}

async fn note_step(
    transaction: &Transaction<'_>,
    step: &Migration,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = format!("INSERT INTO {LIST_OF_STEPS} (version, name, applied_at) VALUES ($1, $2, $3)");
    transaction.execute(&sql, &[&step.version, &step.name, &Time(now)]).await.map_err(fault)?;
    tracing::debug!(step = step.name, "migrated the database");
    Ok(())
}

/// The last step that was made; none, if the user may not read the list.
async fn present_version(client: &impl GenericClient, user: &str) -> Result<Option<i64>, StoreError> {
    let readable = format!("SELECT has_table_privilege('{LIST_OF_STEPS}', 'SELECT')");
    let row = client.query_one(&readable, &[]).await.map_err(fault)?;
    if !row.try_get::<_, bool>(0).map_err(fault)? {
        tracing::warn!(
            "the database user {user} may not read {LIST_OF_STEPS}, so it is not known whether the database is up to \
             date: GRANT SELECT ON {LIST_OF_STEPS} TO {user}"
        );
        return Ok(Some(last_version(POSTGRES)));
    }
    let sql = format!("SELECT coalesce(max(version), 0) FROM {LIST_OF_STEPS}");
    let row = client.query_one(&sql, &[]).await.map_err(fault)?;
    let present: i64 = row.try_get(0).map_err(fault)?;
    if present > last_version(POSTGRES) {
        return Err(StoreError::Schema(newer_schema(present, POSTGRES)));
    }
    Ok(Some(present))
}

async fn has_table(client: &impl GenericClient, name: &str) -> Result<bool, StoreError> {
    let sql = "SELECT to_regclass(quote_ident($1)) IS NOT NULL";
    let row = client.query_one(sql, &[&name]).await.map_err(fault)?;
    row.try_get(0).map_err(fault)
}

/// Whether what was refused may go a moment later: a lock, a connection, a server that starts or stops, a full disk.
pub(super) fn is_passing(code: &SqlState) -> bool {
    let code = code.code();
    ["08", "40", "53", "55", "57"].iter().any(|class| code.starts_with(class))
}

/// Reads which columns the tables have.
pub(super) async fn read_catalog(client: &impl GenericClient) -> Result<Catalog, StoreError> {
    let tables: Vec<String> = Table::read().map(|table| table.name().to_owned()).collect();
    // A list is ordered where its elements are; some types are so as others that hold the same bytes.
    let is_ordered = "(e.typtype IN ('e', 'r', 'm') OR EXISTS (
            SELECT 1 FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod AND m.amname = 'btree'
            WHERE o.opcdefault AND (o.opcintype = e.oid OR EXISTS (
                SELECT 1 FROM pg_cast c WHERE c.castsource = e.oid AND c.casttarget = o.opcintype
                                          AND c.castmethod = 'b' AND c.castcontext = 'i'))))";
    let sql = format!(
        "SELECT t.name, a.attname::text, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
                y.typcategory IN ('S', 'E'), {is_ordered}
         FROM unnest($1::text[]) t (name)
         JOIN pg_attribute a ON a.attrelid = to_regclass(quote_ident(t.name))
         JOIN pg_type y ON y.oid = a.atttypid
         JOIN pg_type b ON b.oid = coalesce(nullif(y.typbasetype, 0), y.oid)
         JOIN pg_type e ON e.oid = CASE WHEN b.typcategory = 'A' AND b.typelem > 0 THEN b.typelem ELSE b.oid END
         WHERE a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
    );
    let rows = client.query(&sql, &[&tables]).await.map_err(fault)?;
    let mut columns: HashMap<String, Vec<FoundColumn>> = HashMap::new();
    for row in rows {
        let read = || {
            let (name, declared) = (row.try_get(1)?, row.try_get(2)?);
            let (nullable, is_text, is_ordered) = (row.try_get(3)?, row.try_get(4)?, row.try_get(5)?);
            Ok(FoundColumn { name, declared, nullable, is_text, is_ordered })
        };
        let table = row.try_get(0).map_err(fault)?;
        columns.entry(table).or_default().push(read().map_err(fault)?);
    }
    Catalog::read(|table| Ok(columns.remove(table.name()).unwrap_or_default()), wanted)
}

/// The type that a column of Medusa's ought to have, if its own does not do.
fn wanted(kind: ColumnKind, FoundColumn { declared, is_text, .. }: &FoundColumn) -> Option<&'static str> {
    let (fits, wanted) = match kind {
        ColumnKind::Text | ColumnKind::Secret => (*is_text, "character varying"),
        ColumnKind::Boolean => (declared == "boolean", "boolean"),
        ColumnKind::Time => {
            let is_time = declared.starts_with("timestamp") && declared.ends_with("with time zone");
            (is_time, "timestamp with time zone")
        }
        ColumnKind::Json => (declared == "jsonb", "jsonb"),
        ColumnKind::Plain => (true, ""),
    };
    (!fits).then_some(wanted)
}

/// Finds out what the database's locale does to the order and the case of texts.
pub(super) async fn read_traits(client: &impl GenericClient) -> Result<Traits, StoreError> {
    let row = client
        .query_one(
            "SELECT d.datctype, d.datlocprovider::text,
                    EXISTS (SELECT 1 FROM pg_collation WHERE collname = 'C.utf8' AND collprovider = 'c'),
                    pg_encoding_to_char(d.encoding)
             FROM pg_database d WHERE d.datname = current_database()",
            &[],
        )
        .await
        .map_err(fault)?;
    let read = || {
        Ok::<(String, String, bool, String), tokio_postgres::Error>((
            row.try_get(0)?,
            row.try_get(1)?,
            row.try_get(2)?,
            row.try_get(3)?,
        ))
    };
    let (character, provider, has_unicode, encoding) = read().map_err(fault)?;
    if encoding != "UTF8" {
        return Err(StoreError::Schema(format!(
            "the database's encoding is {encoding}: give one whose encoding is UTF8"
        )));
    }
    let is_libc = provider == "c";
    let order = !additions::collate(client).await.map_err(fault)?.is_empty();
    // Locales of other languages than these fold alike.
    let folds_otherwise = ["C", "POSIX"].contains(&&*character)
        || ["tr", "az", "lt"].iter().any(|language| character.starts_with(language));
    let fold = !is_libc || folds_otherwise;
    if fold && !has_unicode {
        tracing::warn!(
            "the database has no collation C.utf8: letters beyond ASCII may be searched for in one case only"
        );
    }
    Ok(Traits { order, fold: fold && has_unicode, ..Traits::default() })
}
