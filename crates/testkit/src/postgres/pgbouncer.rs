//! A PgBouncer between a test and a database.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::PostgresDatabase;
use super::home::{share, stop_when_idle, user_of};

const PORT: u16 = 6432;

/// A PgBouncer of one test's own, in transaction mode: each transaction of a client runs on whichever of a few connections
/// to the server is free. Reachable through a socket and nowhere else; gone with the value.
#[derive(Debug)]
pub struct PgBouncer {
    program: Child,
    url: String,
    /// Locked as long as this process lives, so that the program does not outlive it.
    _user: File,
    folder: TempDir,
}

impl PgBouncer {
    /// One in front of `database`, with so many connections to its server.
    pub async fn start(database: &PostgresDatabase, connections: usize) -> Self {
        let (home, name) = (database.cluster.home().to_owned(), database.name.clone());
        let start = tokio::task::spawn_blocking(move || Self::run(&home, &name, connections));
        start.await.unwrap_or_else(|error| panic!("cannot start PgBouncer: {error}"))
    }

    fn run(server: &Path, database: &str, connections: usize) -> Self {
        let folder = tempfile::Builder::new().prefix("stheno-test-pgbouncer-").tempdir();
        let folder = folder.unwrap_or_else(|error| panic!("no folder: {error}"));
        let path = folder.path();
        let configuration = path.join("pgbouncer.ini");
        let content = format!(
            "[databases]\n* = host={} user=postgres\n\
             [pgbouncer]\nlisten_addr =\nlisten_port = {PORT}\nunix_socket_dir = {}\nauth_type = any\n\
             pool_mode = transaction\ndefault_pool_size = {connections}\nmax_client_conn = 1000\n",
            server.display(),
            path.display()
        );
        fs::write(&configuration, content).unwrap_or_else(|error| panic!("no configuration: {error}"));
        let log = File::create(path.join("log")).unwrap_or_else(|error| panic!("no log: {error}"));
        // As whoever runs the server: like it, the program refuses to be root.
        let owner = fs::metadata(server).unwrap_or_else(|error| panic!("no server: {error}"));
        let mut command = Command::new(program());
        command.arg(&configuration).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        if owner.uid() != user_of(path) {
            chown(path, Some(owner.uid()), Some(owner.gid()))
                .unwrap_or_else(|error| panic!("no folder: {error}"));
            command.uid(owner.uid()).gid(owner.gid());
        }
        let program = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run PgBouncer: {error}; `cargo xtask setup` installs it"));
        let users = path.join("users");
        let user = share(&users);
        let mut kill = Command::new("kill");
        kill.arg(program.id().to_string());
        stop_when_idle(&users, path, &kill);
        let url =
            format!("postgres://postgres@/{database}?host={}&port={PORT}&pgbouncer=true", path.display());
        let started = Self { program, url, _user: user, folder };
        started.wait();
        started
    }

    fn wait(&self) {
        let socket = self.folder.path().join(format!(".s.PGSQL.{PORT}"));
        for _ in 0..600 {
            if UnixStream::connect(&socket).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        panic!("PgBouncer does not start: {log}");
    }

    /// Where the database is, through it.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// Debian has it where only root looks for programs.
fn program() -> PathBuf {
    let installed = PathBuf::from("/usr/sbin/pgbouncer");
    if installed.is_file() { installed } else { PathBuf::from("pgbouncer") }
}
