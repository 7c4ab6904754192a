//! A connection to the database file, set up for real use, with the functions that the statements call.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::schema;
use crate::StoreError;
use crate::fold;

/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 256;

/// How large the write-ahead log may stay, in bytes.
const LOG_KEPT: u32 = 64 * 1024 * 1024;

/// How long to wait before a lock is tried again.
const LOCK_PAUSE: Duration = Duration::from_millis(5);

/// Opens connections to one file.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    pub(crate) path: PathBuf,
    /// How long a connection waits for a lock that another process holds.
    pub(crate) lock_timeout: Duration,
}

impl Connector {
    /// Opens the connection that writes. The file is made, readable by its owner alone, if it is not there.
    pub(super) fn open_writer(&self) -> Result<Connection, StoreError> {
        create_private(&self.path)?;
        let connection = self.open()?;
        // Another program's database is left as it is.
        schema::refuse_foreign(&connection, |error| self.refused(error))?;
        self.write_ahead(&connection)?;
        // An acknowledged write survives a power cut.
        connection.pragma_update(None, "synchronous", "FULL").map_err(super::fault)?;
        connection.pragma_update(None, "foreign_keys", true).map_err(super::fault)?;
        // What the log has grown to under a long read is given back afterwards.
        connection.pragma_update(None, "journal_size_limit", LOG_KEPT).map_err(super::fault)?;
        Ok(connection)
    }

    /// Switches to a write-ahead log, so that reading and writing go on side by side. Where several do so at once, on
    /// a new file, SQLite turns all but one away without waiting; so they wait here.
    fn write_ahead(&self, connection: &Connection) -> Result<(), StoreError> {
        let started = Instant::now();
        loop {
            match connection.pragma_update(None, "journal_mode", "WAL") {
                Err(error) if super::is_locked(&error) && started.elapsed() < self.lock_timeout => {
                    std::thread::sleep(LOCK_PAUSE);
                }
                outcome => return outcome.map_err(|error| self.refused(error)),
            }
        }
    }

    /// Opens a connection that only reads.
    pub(super) fn open_reader(&self) -> Result<Connection, StoreError> {
        let connection = self.open()?;
        connection.pragma_update(None, "query_only", true).map_err(super::fault)?;
        Ok(connection)
    }

    fn open(&self) -> Result<Connection, StoreError> {
        // A connection is used by one thread at a time, which SQLite therefore need not see to.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(&self.path, flags).map_err(|error| self.refused(error))?;
        connection.busy_timeout(self.lock_timeout).map_err(super::fault)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        add_functions(&connection).map_err(super::fault)?;
        #[cfg(test)]
        let connection = super::tests::plans::recorded(&self.path, connection);
        Ok(connection)
    }

    /// Why the file cannot be used, in words that say what to do.
    pub(super) fn refused(&self, error: rusqlite::Error) -> StoreError {
        match error.sqlite_error_code() {
            _ if super::is_locked(&error) => super::fault(error),
            Some(ErrorCode::NotADatabase) => StoreError::Schema(format!(
                "the file {} is not a SQLite database: give the path of another file, or of one that is not there yet",
                self.path.display()
            )),
            _ => cannot_use(&self.path, &error),
        }
    }
}

fn create_private(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|error| {
        if path.is_dir() || error.kind() == ErrorKind::IsADirectory {
            return StoreError::Url(format!("{} is a folder: give the path of a file", path.display()));
        }
        cannot_use(path, &error)
    })
}

fn cannot_use(path: &Path, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Url(format!(
        "cannot use the database file {}: {error}; check that the folder exists and that this user may write to it",
        path.display()
    ))
}

/// Whether a text compares with a term that has been folded already.
type Comparison = fn(&str, &str) -> bool;

/// Adds the functions that search. A missing text matches nothing.
fn add_functions(connection: &Connection) -> rusqlite::Result<()> {
    let comparisons: [(&str, Comparison); 3] = [
        ("stheno_contains", fold::contains),
        ("stheno_starts_with", |text, term| fold::fold(text).starts_with(term)),
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
            // Blanks alone are no name.
            || (term.contains(' ')
                && !term.trim().is_empty()
                && first
                    .zip(last)
                    .is_some_and(|(first, last)| fold::contains(&format!("{first} {last}"), term))))
    })
}
