//! The embedded engine: SQLite, in one file.

mod backup;
mod connection;
mod copy;
mod customer;
mod customer_group;
mod import;
mod login;
mod readers;
mod rows;
mod schema;
#[cfg(test)]
mod tests;
mod user;
mod writer;

use std::sync::Arc;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, ffi};

pub use self::backup::back_up;
pub(crate) use self::connection::Connector;
pub(crate) use self::copy::CopyEnd;
use self::readers::Readers;
use self::rows::RowWriter;
pub(crate) use self::schema::SqliteSchema;
use self::writer::Writer;
use crate::answer::{JsonText, Output, Page, PageHead, Streaming};
use crate::cursor::{Bookmark, Key};
use crate::entity::{Catalog, Table};
use crate::metadata::{self, Metadata};
use crate::observe::{Load, Totals};
use crate::selection::Selection;
use crate::sql::{self, Dialect, ListSource, NEAR, Statement, Walk};
use crate::{Environment, StoreError};

/// A term that so many rows have is looked for in one after the other.
const FREQUENT: u64 = 20_000;

/// A store in a file.
#[derive(Debug)]
pub(crate) struct Sqlite {
    readers: Readers,
    writer: Writer,
    catalog: Arc<Catalog>,
    environment: Environment,
}

impl Sqlite {
    /// Opens the file, and, if `migrate` says so, makes it and brings its tables up to date.
    pub(crate) fn open(
        connector: Connector,
        migrate: bool,
        readers_at_once: usize,
        streaming: Streaming,
        environment: Environment,
    ) -> Result<Self, StoreError> {
        if !migrate && !connector.path.exists() {
            return Err(StoreError::Schema(format!(
                "there is no database file {}: `stheno migrate` makes it",
                connector.path.display()
            )));
        }
        let mut connection = connector.open_writer()?;
        match migrate {
            true => schema::migrate(&mut connection, environment.clock.now())?,
            false => schema::demand_up_to_date(&connection)?,
        }
        let catalog = Arc::new(schema::read_catalog(&connection)?);
        let readers = Readers::new(connector, readers_at_once, streaming);
        Ok(Self { readers, writer: Writer::start(connection)?, catalog, environment })
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        self.readers.look_up(|connection| {
            connection.query_row("SELECT count(*) FROM stheno_migration", [], |_| Ok(()))
        })
    }

    pub(crate) fn load(&self) -> Load {
        Load { waiting: self.writer.waiting(), ..self.readers.load() }
    }

    pub(crate) async fn totals(&self) -> Result<Totals, StoreError> {
        let answer = self.readers.answer(|connection, output: &mut Output<Totals>| {
            let totals = connection.query_row(&sql::totals(Dialect::Sqlite), [], |row| {
                let number = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
                Ok(Totals { customer_groups: number(0)?, customers: number(1)?, members: number(2)? })
            });
            output.begin(totals.map_err(fault)?);
            Ok(())
        });
        let totals = answer.await?.map(|(totals, _)| totals);
        totals.ok_or_else(|| StoreError::internal("no totals"))
    }

    /// Finishes what is being written and closes the file.
    pub(crate) fn close(&self) {
        self.readers.close();
        self.writer.close();
    }

    /// A row by its id, with its relations.
    async fn retrieve(&self, id: &str, selection: &Selection) -> Result<Option<JsonText>, StoreError> {
        let statement = sql::retrieve(Dialect::Sqlite, &self.catalog, selection, id);
        if !selection.has_relations() {
            let text = self
                .readers
                .look_up(|connection| read_row(connection, &self.catalog, selection, &statement))?;
            return Ok(text.map(JsonText::whole));
        }
        let catalog = Arc::clone(&self.catalog);
        let selection = selection.clone();
        let answer = self.readers.answer(move |connection, output: &mut Output<()>| {
            let rows = RowWriter::new(&catalog, &selection, None);
            output.begin(());
            rows.write_all(connection, &statement, output)
        });
        Ok(answer.await?.and_then(|((), text)| (!text.start.is_empty()).then_some(text)))
    }

    /// A page of a list. `only_groups` narrows the relation `groups` of its rows.
    async fn list(
        &self,
        source: ListSource,
        order: &crate::Order,
        window: crate::Window,
        selection: Selection,
        only_groups: Option<Vec<String>>,
    ) -> Result<Page, StoreError> {
        let order = order.clone();
        let catalog = Arc::clone(&self.catalog);
        let answer = self.readers.answer(move |connection, output: &mut Output<PageHead>| {
            let source = match found_by_trigrams(connection, &source)? {
                Some(found) => found,
                None => source,
            };
            let counted = read_count(connection, &source.count())?;
            let found = match source.all_customers(&order, window) {
                Some(customers) => {
                    let customers = read_count(connection, &customers)?;
                    let walk = source.walk(counted, customers, &order, window);
                    walk.map(|walk| find(connection, &walk)).transpose()?.flatten()
                }
                None => None,
            };
            let end = match found.as_ref().and_then(|ids| ids.last()) {
                Some(id) if ListSource::may_go_on(counted, window) => Some(source.end_at(&order, id)),
                Some(_) => None,
                None => source.end_of(counted, &order, window),
            };
            let last = end.map(|end| read_place(connection, &end)).transpose()?.flatten();
            let next = last.map(|place| source.cursor(&place, &order));
            output.begin(PageHead { count: counted, next });
            let page = match found {
                Some(ids) => Some(source.page_of_ids(&catalog, &selection, &order, &ids)),
                None => source.page_of(counted, &catalog, &selection, &order, window),
            };
            let Some(page) = page else { return Ok(()) };
            let rows = RowWriter::new(&catalog, &selection, only_groups.as_deref());
            rows.write_all(connection, &page, output)
        });
        Page::new(answer.await?)
    }
}

impl Sqlite {
    /// Answers a row that was just written: read again with the relations asked for. It is saved whatever becomes of
    /// that, so where it cannot be read, it is answered as it was written.
    async fn show_written(
        &self,
        id: &str,
        written: Option<Vec<u8>>,
        selection: &Selection,
    ) -> Result<Option<JsonText>, StoreError> {
        match written {
            Some(written) if *selection != Selection::all(&self.catalog, selection.table) => {
                let read = self.retrieve(id, selection).await.unwrap_or_else(|error| {
                    tracing::warn!(%error, "a row was saved, but could not be read again");
                    None
                });
                Ok(Some(read.unwrap_or_else(|| JsonText::whole(written))))
            }
            written => Ok(written.map(JsonText::whole)),
        }
    }
}

/// The list as it begins with what the index of trigrams finds for the term, or for the end of it, where that is little.
fn found_by_trigrams(connection: &Connection, source: &ListSource) -> Result<Option<ListSource>, StoreError> {
    let Some(term) = source.term() else { return Ok(None) };
    let among = match source.searched_among() {
        Some(searched) => read_count(connection, &searched)?,
        None => FREQUENT,
    };
    let word = source.last_word().filter(|word| *word != term).map(|word| (word, NEAR));
    for (part, limit) in word.into_iter().chain([(term, FREQUENT)]) {
        let limit = limit.min(among);
        if let Some((found, by_trigrams)) = source.by_trigrams(part, limit)
            && read_count(connection, &found)? < limit
        {
            return Ok(Some(by_trigrams));
        }
    }
    Ok(None)
}

fn read_count(connection: &Connection, count: &Statement) -> Result<u64, StoreError> {
    let mut counted = 0;
    rows::for_each_row(connection, count, |row| {
        counted = row.get::<_, i64>(0).map_err(fault)?.unsigned_abs();
        Ok(())
    })?;
    Ok(counted)
}

/// The place of the row that a statement finds, if there is one, and its place can be told.
fn read_place(connection: &Connection, end: &Statement) -> Result<Option<Bookmark>, StoreError> {
    let mut place = None;
    rows::for_each_row(connection, end, |row| {
        let key = match row.get_ref(1).map_err(fault)? {
            ValueRef::Null => Some(Key::Missing),
            ValueRef::Integer(number) => Some(Key::Integer(number)),
            ValueRef::Real(number) => Some(Key::Real(number.to_bits())),
            ValueRef::Text(text) => std::str::from_utf8(text).ok().map(|text| Key::Text(text.to_owned())),
            ValueRef::Blob(_) => None,
        };
        let id = row.get(0).map_err(fault)?;
        place = key.map(|key| Bookmark(key, id));
        Ok(())
    })?;
    Ok(place)
}

/// The ids that a statement finds, if they are so many.
fn find(connection: &Connection, walk: &Walk) -> Result<Option<Vec<String>>, StoreError> {
    let mut ids = Vec::new();
    rows::for_each_row(connection, &walk.statement, |row| {
        ids.push(row.get(0).map_err(fault)?);
        Ok(())
    })?;
    Ok(walk.found(ids))
}

/// Merges changes into metadata as it is stored.
fn merge_metadata(current: Option<&str>, changes: Option<Metadata>) -> Result<Option<String>, StoreError> {
    let Some(changes) = changes else {
        return Ok(current.map(str::to_owned));
    };
    let present = current.map(serde_json::from_str).transpose().map_err(StoreError::internal)?;
    let present = present.map(metadata::spread);
    Ok(Some(metadata::to_text(&metadata::merge(present, changes))))
}

/// A row by its id, with all its columns, as a unit of work that writes sees it.
fn read_by_id(
    connection: &Connection,
    catalog: &Catalog,
    table: Table,
    id: &str,
) -> Result<Option<Vec<u8>>, StoreError> {
    let selection = Selection::all(catalog, table);
    let statement = sql::retrieve(Dialect::Sqlite, catalog, &selection, id);
    read_row(connection, catalog, &selection, &statement).map_err(fault)
}

/// One row without its relations, as JSON.
fn read_row(
    connection: &Connection,
    catalog: &Catalog,
    selection: &Selection,
    statement: &Statement,
) -> rusqlite::Result<Option<Vec<u8>>> {
    let rows = RowWriter::new(catalog, selection, None);
    let mut prepared = connection.prepare_cached(&statement.text)?;
    prepared
        .query_row(rusqlite::params_from_iter(&statement.parameters), |row| {
            let mut text = Vec::with_capacity(512);
            text.push(b'{');
            rows.write_columns(row, &mut text)?;
            text.push(b'}');
            Ok(text)
        })
        .optional()
}

/// What every call of a closed store hears.
fn closed() -> StoreError {
    StoreError::Unavailable { reason: "it is shutting down", source: None }
}

/// What SQLite says, as the store says it.
fn fault(error: rusqlite::Error) -> StoreError {
    let Some(code) = error.sqlite_error_code() else {
        return StoreError::internal(error);
    };
    match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Unavailable {
            reason: "another process is writing to it",
            source: Some(Box::new(error)),
        },
        _ if is_full(&error) => StoreError::Full,
        _ => StoreError::internal(error),
    }
}

/// Whether a statement failed for want of room: on the disk, or in the file, which may be limited for this process. SQLite
/// does not tell the latter from a broken disk.
fn is_full(error: &rusqlite::Error) -> bool {
    let failed_to_write =
        || error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_IOERR_WRITE);
    error.sqlite_error_code() == Some(ErrorCode::DiskFull) || failed_to_write() && has_limited_files()
}

fn has_limited_files() -> bool {
    #[cfg(unix)]
    return rustix::process::getrlimit(rustix::process::Resource::Fsize).current.is_some();
    #[cfg(not(unix))]
    false
}

/// Whether a statement failed because another connection holds a lock.
fn is_locked(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// Whether a statement failed because a unique value is taken.
fn is_duplicate(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error(),
        Some(ffi::Error {
            extended_code: ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY,
            ..
        })
    )
}
