//! A copy of the file, made while others read and write it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::{Connector, fault};
use crate::{StoreError, StoreOptions, postgres, sqlite_path};

/// Copies the SQLite database at `url` into the file `to`, as it is at one moment; who writes meanwhile is not held up. The
/// copy is checked before it gets its name, and is on the disk afterwards. Answers its size in bytes.
///
/// # Errors
/// If the URL is none of a file or there is nothing of Stheno's in it, if there is a file `to` already and `overwrite` is off,
/// if the copy cannot be written whole, or if the database is damaged. There is no new file then.
pub async fn back_up(url: &str, to: &Path, overwrite: bool) -> Result<u64, StoreError> {
    if postgres::is_url(url) {
        return Err(StoreError::Url("PostgreSQL has its own tools for backups: use pg_dump".to_owned()));
    }
    let lock_timeout = StoreOptions::default().lock_timeout;
    let connector = Connector { path: sqlite_path(url)?, lock_timeout };
    let to = to.to_owned();
    let work = move || copy(&connector, &to, overwrite);
    tokio::task::spawn_blocking(work).await.map_err(StoreError::internal)?
}

fn copy(connector: &Connector, to: &Path, overwrite: bool) -> Result<u64, StoreError> {
    let from = &connector.path;
    if !from.is_file() {
        return Err(StoreError::Schema(format!("there is no database file {}", from.display())));
    }
    if !overwrite && to.exists() {
        return Err(StoreError::Schema(format!("there is a file {} already", to.display())));
    }
    if same_file(from, to) {
        return Err(StoreError::Schema("a backup cannot replace the database itself".to_owned()));
    }
    let Some(name) = to.to_str() else {
        return Err(StoreError::Schema("the name of the backup must be valid UTF-8".to_owned()));
    };
    let part = Part::beside(name)?;
    let source = connector.open_with(OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let tables: i64 = source
        .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'stheno_migration'", [], |row| row.get(0))
        .map_err(|error| connector.refused(error))?;
    if tables == 0 {
        return Err(StoreError::Schema(format!("{} is no database of Stheno's", from.display())));
    }
    // One statement reads one snapshot.
    source.execute("VACUUM INTO ?1", [&part.name]).map_err(fault)?;
    check(part.path())?;
    part.finish(to)
}

/// Whether all of a file can be read and hangs together.
fn check(path: &Path) -> Result<(), StoreError> {
    let copy = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(fault)?;
    let tables: i64 = copy
        .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'stheno_migration'", [], |row| row.get(0))
        .map_err(fault)?;
    if tables == 0 {
        return Err(StoreError::Schema("nothing was copied".to_owned()));
    }
    let found: String = copy.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(fault)?;
    let lost: bool =
        copy.prepare("PRAGMA foreign_key_check").and_then(|mut check| check.exists([])).map_err(fault)?;
    match (found.as_str(), lost) {
        ("ok", false) => Ok(()),
        ("ok", true) => Err(StoreError::Schema("rows refer to others that are not there".to_owned())),
        (found, _) => Err(StoreError::Schema(format!("the database is damaged: {found}"))),
    }
}

fn same_file(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// The copy as long as it is not whole: gone with the value, unless it is finished.
struct Part {
    name: String,
}

impl Part {
    fn path(&self) -> &Path {
        Path::new(&self.name)
    }

    /// A new file, empty, which nobody else can read: SQLite writes into one that is empty.
    fn beside(to: &str) -> Result<Self, StoreError> {
        let name = format!("{to}.{:08x}.part", rand::random::<u32>());
        let path = Path::new(&name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).map_err(|error| cannot_write(path, &error))?;
        Ok(Self { name })
    }

    fn finish(self, to: &Path) -> Result<u64, StoreError> {
        let name = || {
            let file = File::open(self.path())?;
            file.sync_all()?;
            let size = file.metadata()?.len();
            fs::rename(self.path(), to)?;
            // The new name is on the disk when its folder is.
            let folder =
                to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            #[cfg(unix)]
            File::open(folder)?.sync_all()?;
            Ok(size)
        };
        name().map_err(|error| cannot_write(to, &error))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Not there any more, if it was finished.
        let _ = fs::remove_file(self.path());
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Schema(format!("cannot write {}: {error}", path.display()))
}
