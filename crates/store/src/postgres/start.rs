//! What is looked at before a store is opened: whether a server can work on the database, and what it goes without.

use tokio_postgres::Transaction;

use super::additions::{ADDITIONS, COUNTS, LOGINS};
use super::schema::{self, Look};
use super::{fault, migration, rights};
use crate::entity::Catalog;
use crate::migrate::out_of_date;
use crate::schema::{Difference, Fault, Owner, Thing};
use crate::{StoreError, StoreOptions};

/// What a look at the database before the start says.
pub(super) struct Checked {
    pub(super) has_own_tables: bool,
    /// Whether there is something to be made beside the work.
    pub(super) is_wanting: bool,
    /// What the tables have.
    pub(super) catalog: Catalog,
}

/// What of [`StoreOptions`] says how a store is opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    pub(super) migrate: bool,
    pub(super) serves: bool,
    pub(super) expects_medusa: bool,
}

impl From<&StoreOptions> for Start {
    fn from(options: &StoreOptions) -> Self {
        let &StoreOptions { migrate, serves, expects_medusa, .. } = options;
        Self { migrate, serves, expects_medusa }
    }
}

/// Refuses a database in which a Medusa is expected that has not made its tables yet: made by Stheno, they would be in the
/// way of Medusa's migrations.
pub(super) async fn await_medusa(client: &Transaction<'_>) -> Result<(), StoreError> {
    let sql = "SELECT to_regclass('customer_group') IS NULL
                      AND (to_regclass('migrations') IS NOT NULL
                           OR NOT EXISTS (SELECT 1 FROM pg_class
                                          WHERE relkind IN ('r', 'p')
                                            AND relnamespace = quote_ident(current_schema())::regnamespace))";
    let row = client.query_one(sql, &[]).await.map_err(fault)?;
    match row.try_get(0).map_err(fault)? {
        true => {
            let reason = "the Medusa that is expected on the database has not made its tables yet";
            Err(StoreError::Unavailable { reason, source: None })
        }
        false => Ok(()),
    }
}

/// Checks whether a server can work on the database, as it was seen, and says what it goes without.
pub(super) async fn check(client: &Transaction<'_>, look: Look, start: Start) -> Result<Checked, StoreError> {
    let Start { migrate, serves, .. } = start;
    let Look { situation, differences } = look;
    let (tables, others): (Vec<_>, Vec<_>) = differences.into_iter().partition(migration::is_of_steps);
    let (changed, missing): (Vec<_>, Vec<_>) =
        tables.into_iter().partition(|table| matches!(table.fault, Fault::Changed(_)));
    let step = situation.next_step().map(|step| format!("step {}", step.name));
    // Counts are found out again, and meanwhile done without; so is the audit trail.
    let needed = |table: &Difference| ![COUNTS, LOGINS].contains(&&*table.thing.name);
    let changed: Vec<_> = changed.into_iter().filter(needed).collect();
    if !changed.is_empty() && step.is_none() {
        return Err(StoreError::Schema(format!(
            "what Stheno has made in the database is not as it was: {}",
            migration::listed(&changed)
        )));
    }
    // Where a step is yet to be made, what is otherwise than it will be is no fault.
    let first = missing.first().map(|missing| missing.thing.to_string()).or(step);
    if let Some(first) = &first
        && ((serves && !migrate) || situation.owner != Owner::Medusa)
    {
        let hindrance = missing.iter().find_map(|missing| missing.hindrance.as_deref());
        return Err(StoreError::Schema(match hindrance.filter(|_| migrate) {
            Some(hindrance) => format!("cannot make the {first}: {hindrance}"),
            None => out_of_date(first),
        }));
    }
    rights::demand(client, &situation).await?;
    let is_of_trail = |thing: &Thing| thing.name == LOGINS;
    let is_trail_alone = missing.iter().all(|table| is_of_trail(&table.thing))
        && situation.next_step().is_none_or(|step| step.things().all(|thing| is_of_trail(&thing)));
    if is_trail_alone && !missing.is_empty() {
        tracing::warn!("Stheno works without its {}", migration::listed(&missing));
    }
    let hindrance = match first.filter(|_| !is_trail_alone) {
        Some(_) if !migrate => Some("they are not made yet".to_owned()),
        Some(_) => Some(format!("the user {} may not make them", situation.user)),
        None => rights::hindrance_of_own_tables(client, &situation).await?,
    };
    if let Some(hindrance) = &hindrance {
        let losses: Vec<_> =
            ADDITIONS.iter().filter(|addition| addition.is_table()).map(|table| table.loss).collect();
        tracing::warn!("Stheno works without tables of its own, as {hindrance}; {}", losses.join("; "));
    }
    let (hindered, wanting): (Vec<_>, Vec<_>) =
        others.into_iter().partition(|difference| difference.hindrance.is_some());
    if !hindered.is_empty() {
        tracing::warn!(
            "Stheno works without these, which `stheno migrate` makes as another user: {}",
            migration::listed(&hindered)
        );
    }
    if !migrate && !wanting.is_empty() {
        tracing::warn!(
            "Stheno works without these, which `stheno migrate` makes: {}",
            migration::listed(&wanting)
        );
    }
    let catalog = match situation.catalog {
        Some(catalog) => catalog,
        None => schema::read_catalog(client).await?,
    };
    let is_wanting = migrate && serves && !wanting.is_empty();
    Ok(Checked { has_own_tables: hindrance.is_none(), is_wanting, catalog })
}
