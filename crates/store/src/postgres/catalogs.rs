//! The columns of the tables, as they change while a server runs: Medusa migrates its database without asking.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio_postgres::error::{DbError, SqlState};

use super::pool::Pool;
use super::{fault, schema};
use crate::StoreError;
use crate::entity::Catalog;
use crate::selection::Selection;

/// How old the present catalog may be before it is compared with the database: so late is a new column seen.
const LOOKS: Duration = Duration::from_secs(10);

/// All catalogs that there have been, the present one last. They are few, and whoever has borrowed one keeps it.
#[derive(Debug)]
pub(super) struct Catalogs {
    first: Generation,
    opened: Instant,
    /// When the database was last looked at, in milliseconds after the opening.
    looked: AtomicU64,
}

#[derive(Debug)]
struct Generation {
    catalog: Arc<Catalog>,
    next: OnceLock<Box<Generation>>,
}

impl Generation {
    fn new(catalog: Catalog) -> Self {
        Self { catalog: Arc::new(catalog), next: OnceLock::new() }
    }

    fn last(&self) -> &Self {
        let mut last = self;
        while let Some(next) = last.next.get() {
            last = next;
        }
        last
    }
}

impl Catalogs {
    pub(super) fn new(catalog: Catalog) -> Self {
        Self { first: Generation::new(catalog), opened: Instant::now(), looked: AtomicU64::new(0) }
    }

    /// The present one.
    pub(super) fn present(&self) -> &Arc<Catalog> {
        &self.first.last().catalog
    }

    /// A selection in the present catalog, and that catalog.
    pub(super) fn renew<'a>(&self, selection: &'a Selection) -> (&Arc<Catalog>, Cow<'a, Selection>) {
        let present = self.present();
        if selection.generation() == present.generation() {
            return (present, Cow::Borrowed(selection));
        }
        let mut made_with = &self.first;
        while made_with.catalog.generation() < selection.generation()
            && let Some(next) = made_with.next.get()
        {
            made_with = next;
        }
        (present, Cow::Owned(selection.renewed(&made_with.catalog, present)))
    }

    /// Whether it is time to look at the database; only one is told so.
    pub(super) fn is_time_to_look(&self) -> bool {
        let now = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        let looked = self.looked.load(Ordering::Relaxed);
        let wait = u64::try_from(LOOKS.as_millis()).unwrap_or(u64::MAX);
        now.saturating_sub(looked) >= wait
            && self.looked.compare_exchange(looked, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Looks at the database. If columns have changed, which it answers, they are the present ones from now on, and all
    /// prepared statements are out of date.
    pub(super) async fn look(&self, pool: &Pool) -> Result<bool, StoreError> {
        let mut client = pool.get().await?;
        let reading = client.transaction().await.map_err(fault)?;
        let found = schema::read_catalog(&*reading).await?;
        drop(reading);
        let last = self.first.last();
        if found.has_the_columns_of(&last.catalog) {
            return Ok(false);
        }
        let next = Generation::new(found.of_generation(last.catalog.generation() + 1));
        // Another may have been faster, and have seen the same.
        if last.next.set(Box::new(next)).is_ok() {
            tracing::info!("the columns of the tables have changed, and are taken as they are now");
        }
        Ok(true)
    }
}

/// Whether a statement failed because columns are no longer as they were when it was written or prepared.
pub(super) fn is_outdated(error: &StoreError) -> bool {
    came_otherwise(error) || said(error).is_some_and(says_outdated)
}

/// Whether it may be the prepared statement alone that is out of date, and not its text.
pub(super) fn is_plan_outdated(error: &StoreError) -> bool {
    came_otherwise(error) || said(error).is_some_and(says_plan_outdated)
}

/// Whether a statement failed because a table is not there.
pub(super) fn lacks_table(error: &StoreError) -> bool {
    said(error).is_some_and(|said| *said.code() == SqlState::UNDEFINED_TABLE)
}

fn came_otherwise(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable { source: Some(source), .. } if source.is::<Outdated>())
}

fn said(error: &StoreError) -> Option<&DbError> {
    let StoreError::Unavailable { source: Some(source), .. } = error else { return None };
    source.downcast_ref::<tokio_postgres::Error>()?.as_db_error()
}

/// A table or a column that is not there, values of another type, or what a new statement would not meet.
pub(super) fn says_outdated(said: &DbError) -> bool {
    ["42P01", "42703", "42804", "42883"].contains(&said.code().code()) || says_plan_outdated(said)
}

/// A plan whose result would change, or values in another form. The code of the former stands for all that PostgreSQL
/// cannot do; its text may be in any language, but not the name of the place where it is said.
fn says_plan_outdated(said: &DbError) -> bool {
    match said.code().code() {
        "0A000" => said.routine() == Some("RevalidateCachedQuery"),
        code => code == "22P03",
    }
}

/// A value came in another type than the one its column had.
#[derive(Debug, thiserror::Error)]
#[error("the column {0} has another type than before")]
pub(super) struct Outdated(pub(super) String);

pub(super) const CHANGING: &str = "its tables are being changed";

impl From<Outdated> for StoreError {
    fn from(outdated: Outdated) -> Self {
        Self::Unavailable { reason: CHANGING, source: Some(Box::new(outdated)) }
    }
}
