//! A connection to the database file, set up for real use, with the functions that the statements call.

use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags};

use crate::StoreError;
use crate::fold;

/// How long a connection waits for a lock that another process holds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 256;

/// Opens the connection that writes. The file is made, readable by its owner alone, if it is not there.
pub(super) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    create_private(path)?;
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection
        .pragma_update(None, "journal_mode", "WAL")
        .map_err(|error| cannot_use(path, &error))?;
    // An acknowledged write survives a power cut.
    connection
        .pragma_update(None, "synchronous", "FULL")
        .map_err(super::fault)?;
    connection
        .pragma_update(None, "foreign_keys", true)
        .map_err(super::fault)?;
    Ok(connection)
}

/// Opens a connection that only reads.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection
        .pragma_update(None, "query_only", true)
        .map_err(super::fault)?;
    Ok(connection)
}

fn create_private(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .map(drop)
        .map_err(|error| cannot_use(path, &error))
}

fn cannot_use(path: &Path, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Url(format!(
        "cannot use the database file {}: {error}; check that the folder exists and that this user may write to it",
        path.display()
    ))
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    // A connection is used by one thread at a time, which SQLite therefore need not see to.
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(|error| cannot_use(path, &error))?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(super::fault)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    add_functions(&connection).map_err(super::fault)?;
    Ok(connection)
}

/// Whether a text compares with a term that has been folded already.
type Comparison = fn(&str, &str) -> bool;

/// Adds the functions that search. A missing text matches nothing.
fn add_functions(connection: &Connection) -> rusqlite::Result<()> {
    let comparisons: [(&str, Comparison); 3] = [
        ("stheno_contains", fold::contains),
        ("stheno_starts_with", |text, term| {
            fold::fold(text).starts_with(term)
        }),
        ("stheno_ends_with", |text, term| fold::fold(text).ends_with(term)),
    ];
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    for (name, compare) in comparisons {
        connection.create_scalar_function(name, 2, flags, move |arguments| {
            let text = arguments.get_raw(0).as_str_or_null()?;
            let term = arguments.get_raw(1).as_str()?;
            Ok(text.is_some_and(|text| compare(text, term)))
        })?;
    }
    connection.create_scalar_function("stheno_customer_matches", 4, flags, |arguments| {
        let email = arguments.get_raw(0).as_str()?;
        let first = arguments.get_raw(1).as_str_or_null()?;
        let last = arguments.get_raw(2).as_str_or_null()?;
        let term = arguments.get_raw(3).as_str()?;
        Ok(fold::contains(email, term)
            || first.is_some_and(|first| fold::contains(first, term))
            || last.is_some_and(|last| fold::contains(last, term))
            || (term.contains(' ')
                && first
                    .zip(last)
                    .is_some_and(|(first, last)| fold::contains(&format!("{first} {last}"), term))))
    })
}
