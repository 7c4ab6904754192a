//! A server that one test has for itself.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;
use tokio_postgres::Client;

use super::connect;
use super::home::{Home, run, share};

/// A crash of the server, not of the machine, is what must be survived. A standby may follow.
const SETTINGS: &str = "listen_addresses = '127.0.0.1'
max_connections = 60
shared_buffers = '32MB'
fsync = off
wal_level = replica
max_wal_senders = 8
logging_collector = off";

/// A PostgreSQL server of its own, on a loopback port and a socket, which a test may stop, start again and freeze. Gone
/// with the value.
#[derive(Debug)]
pub struct PostgresServer {
    home: Home,
    port: u16,
    /// Locked as long as this process lives, so that the server does not outlive it.
    _user: File,
    folder: TempDir,
}

/// How a server is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// Transactions are broken off and rolled back, clients are told.
    Fast,
    /// As in a crash: nobody is told, and the next start recovers.
    Immediate,
}

/// What of a server is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Killed {
    /// The first of its processes. The others do what they are about, notice, and end.
    Postmaster,
    /// All processes at once, as when the machine fails.
    Everything,
}

impl PostgresServer {
    /// A server with one database, `postgres`, whose superuser `postgres` needs no password. `settings` are lines of
    /// `postgresql.conf`.
    pub async fn start(settings: &str) -> Self {
        let settings = settings.to_owned();
        blocking(move || {
            let server = Self::new();
            server.home.initialise();
            server.run_with(&settings);
            server
        })
        .await
    }

    /// A standby that follows this server by streaming replication and answers reads.
    pub async fn standby(&self, settings: &str) -> Self {
        let (settings, primary) = (settings.to_owned(), self.port);
        blocking(move || {
            let server = Self::new();
            run(server
                .home
                .command("pg_basebackup")
                .args(["--host=127.0.0.1", "--username=postgres", "--checkpoint=fast", "--no-sync"])
                .args(["--write-recovery-conf", "--wal-method=stream"])
                .arg(format!("--port={primary}"))
                .arg("--pgdata")
                .arg(server.home.data()));
            server.run_with(&settings);
            server
        })
        .await
    }

    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("stheno-test-server-").tempdir();
        let folder = folder.unwrap_or_else(|error| panic!("no folder: {error}"));
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.path(), open).unwrap_or_else(|error| panic!("no folder: {error}"));
        let home = Home::at(folder.path().join("home"));
        home.make();
        // Free now; and whoever else asks the system for a port gets another one for some time.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let port = port.unwrap_or_else(|error| panic!("no port: {error}")).port();
        Self { home, port, _user: share(&folder.path().join("users")), folder }
    }

    fn run_with(&self, settings: &str) {
        self.home.set(&format!("{SETTINGS}\nport = {}\n{settings}", self.port));
        self.home.start();
        self.home.stop_when_idle(&self.folder.path().join("users"));
    }

    /// Where a database is, over the network.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// A connection to its database `postgres`.
    pub async fn connect(&self) -> Client {
        connect(&self.url("postgres")).await
    }

    /// The port of 127.0.0.1 that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder with its data.
    pub fn data(&self) -> PathBuf {
        self.home.data()
    }

    /// The file that it writes its log to.
    pub fn log(&self) -> PathBuf {
        self.home.path().join("log")
    }

    /// One of PostgreSQL's programs, of the server's own version.
    pub fn program(&self, name: &str) -> PathBuf {
        self.home.program(name)
    }

    /// Writes a file that the server reads, such as a certificate, with mode 600, and returns where it is.
    pub fn write_file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.home.path().join(name);
        let private = fs::Permissions::from_mode(0o600);
        let written = fs::write(&path, content).and_then(|()| fs::set_permissions(&path, private));
        written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        self.home.give(&path);
        path
    }

    /// Adds lines to `postgresql.conf`, which hold from the next start on, or from [`reload`](Self::reload).
    pub fn set(&self, settings: &str) {
        self.home.set(settings);
    }

    /// Has the server read its settings again.
    pub async fn reload(&self) {
        self.pg_ctl("reload", &[]).await;
    }

    /// Stops the server, and waits until it has stopped.
    pub async fn stop(&self, how: Shutdown) {
        let mode = match how {
            Shutdown::Fast => "--mode=fast",
            Shutdown::Immediate => "--mode=immediate",
        };
        self.pg_ctl("stop", &["--wait", mode]).await;
    }

    /// Kills the server with SIGKILL, which nothing can catch, and waits until all of its processes are gone.
    pub async fn kill(&self, what: Killed) {
        let mut shell = self.home.command("/bin/sh");
        // Stopped first, so that it makes no process that is left out.
        let mut script = r#"read -r pid < "$1" && kill -STOP "$pid" && children=$(ps -o pid= --ppid "$pid" | tr '\n' ' ') && "#.to_owned();
        script.push_str(match what {
            Killed::Postmaster => r#"kill -KILL "$pid" && "#,
            // Some may have ended by themselves.
            Killed::Everything => r#"{ kill -KILL "$pid" $children || :; } && "#,
        });
        // Their number may stay taken for some time yet, until somebody reaps them, and would keep the next server from
        // starting.
        script.push_str(r#"while ps -o stat= -p "$pid $children" | grep -qv '^Z'; do sleep 0.01; done && rm "$1" "$2"/.s.PGSQL.*.lock"#);
        shell.args(["-c", &script, "kill"]).arg(self.data().join("postmaster.pid")).arg(self.home.path());
        blocking(move || run(&mut shell)).await;
    }

    /// Starts the stopped server again, and waits until it takes connections.
    pub async fn start_again(&self) {
        let log = self.log().display().to_string();
        self.pg_ctl("start", &["--wait", "--timeout=120", "--log", &log]).await;
    }

    /// Makes a standby a server of its own.
    pub async fn promote(&self) {
        self.pg_ctl("promote", &["--wait"]).await;
    }

    /// Stops the clock of all processes of the server: connections stay open, and nothing answers.
    pub async fn freeze(&self) {
        self.to_each_process("kill -STOP").await;
    }

    /// Ends a [`freeze`](Self::freeze).
    pub async fn thaw(&self) {
        self.to_each_process("kill -CONT").await;
    }

    /// Lets no file of the server's grow beyond so many bytes, or as far as it likes, as `ulimit -f` does. Its log of
    /// writes needs 16 MiB.
    pub async fn limit_files(&self, bytes: Option<u64>) {
        let limit = bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
        self.to_each_process(&format!("prlimit --fsize={limit}: --pid")).await;
    }

    /// Runs a command with the number of each process after it.
    async fn to_each_process(&self, command: &str) {
        // As the server's user, whose processes they are: in a container root may not set their limits.
        let mut shell = self.home.command("/bin/sh");
        // The postmaster first: those that it makes from then on take after it. Others may be gone before they are reached.
        shell.args(["-c", r#"read -r pid < "$2" && $1 "$pid" && for child in $(ps -o pid= --ppid "$pid"); do $1 "$child" || :; done"#, "each", command]);
        shell.arg(self.data().join("postmaster.pid"));
        blocking(move || run(&mut shell)).await;
    }

    async fn pg_ctl(&self, what: &str, arguments: &[&str]) {
        let mut command = self.home.pg_ctl(what);
        command.args(arguments);
        blocking(move || run(&mut command)).await;
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        let processes = self.data().join("postmaster.pid");
        if processes.exists() {
            let mut thaw = Command::new("sh");
            thaw.args(["-c", r#"read -r pid < "$1" && kill -CONT "$pid""#, "thaw"]).arg(&processes);
            let thawed = thaw.status();
            let stopped = self.home.pg_ctl("stop").arg("--mode=immediate").status();
            if !stopped.as_ref().is_ok_and(std::process::ExitStatus::success) {
                eprintln!("cannot stop a server: {thawed:?} {stopped:?}");
            }
        }
    }
}

/// Does what takes time where it may.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| panic!("PostgreSQL: {error}"))
}
