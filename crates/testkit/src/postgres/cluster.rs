//! The cluster that all throw-away databases are in.

use std::fs::{self, File};
use std::io::Seek as _;
use std::path::{Path, PathBuf};

use tokio::sync::OnceCell;

use super::home::{Home, lock, share, user_of};

/// Nothing needs to survive a crash, and everything shall be quick.
const SETTINGS: &str = "listen_addresses = ''
max_connections = 400
shared_buffers = '128MB'
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
autovacuum = off
logging_collector = off";

#[derive(Debug)]
pub(super) struct Cluster {
    folder: PathBuf,
    home: Home,
    /// Locked as long as this process lives, so that the cluster does too.
    _user: File,
}

impl Cluster {
    /// The cluster of this machine, started if it does not run.
    pub(super) async fn get() -> &'static Self {
        static CLUSTER: OnceCell<Cluster> = OnceCell::const_new();
        let start = || async {
            let started = tokio::task::spawn_blocking(Self::start).await;
            started.unwrap_or_else(|error| panic!("cannot start PostgreSQL: {error}"))
        };
        CLUSTER.get_or_init(start).await
    }

    /// Where a database is.
    pub(super) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@/{database}?host={}", self.home.path().display())
    }

    /// The folder with its socket.
    pub(super) fn home(&self) -> &Path {
        self.home.path()
    }

    /// A lock that one process has at a time. Gone with the value.
    pub(super) async fn lock(&self, name: &str) -> File {
        let path = self.folder.join(name);
        let locked = tokio::task::spawn_blocking(move || lock(&path)).await;
        locked.unwrap_or_else(|error| panic!("cannot lock {name}: {error}"))
    }

    /// What `pg_dump` writes of a database.
    pub(super) fn dump(&self, url: &str, flags: &[&str]) -> Vec<u8> {
        let output = self.home.command("pg_dump").args(flags).arg("--dbname").arg(url).output();
        let output = output.unwrap_or_else(|error| panic!("cannot run pg_dump: {error}"));
        assert!(output.status.success(), "pg_dump: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Has `pg_restore` make what a dump in the custom format holds.
    pub(super) fn restore(&self, url: &str, mut dump: File) {
        dump.rewind().unwrap_or_else(|error| panic!("cannot read the dump: {error}"));
        let mut command = self.home.command("pg_restore");
        let output = command.arg("--exit-on-error").arg("--dbname").arg(url).stdin(dump).output();
        let output = output.unwrap_or_else(|error| panic!("cannot run pg_restore: {error}"));
        assert!(output.status.success(), "pg_restore: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn start() -> Self {
        let temporary = std::env::temp_dir();
        let own = tempfile::tempdir_in(&temporary).unwrap_or_else(|error| panic!("no folder: {error}"));
        let user = user_of(own.path());
        let folder = temporary.join(format!("stheno-test-postgres-{user}"));
        fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        assert_eq!(user_of(&folder), user, "{} belongs to somebody else", folder.display());
        let users = folder.join("users");
        let home = Home::at(folder.join("home"));
        let cluster = Self { _user: share(&users), folder, home };
        let starting = lock(&cluster.folder.join("starting"));
        if !cluster.home.is_running() {
            cluster.home.make();
            cluster.home.initialise();
            cluster.home.set(SETTINGS);
            cluster.home.start();
            cluster.home.stop_when_idle(&users);
        }
        drop(starting);
        cluster
    }
}
