//! The cluster that all throw-away databases are in.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tokio::sync::OnceCell;

const STOP_WHEN_IDLE: &str = include_str!("stop_when_idle.sh");

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
logging_collector = off
";

/// Who runs the cluster where we are root, whom it refuses.
const SERVER_USER: &str = "postgres";

#[derive(Debug)]
pub(super) struct Cluster {
    folder: PathBuf,
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
        format!("postgres://postgres@/{database}?host={}", self.home().display())
    }

    /// A lock that one process has at a time. Gone with the value.
    pub(super) async fn lock(&self, name: &str) -> File {
        let path = self.folder.join(name);
        let locked = tokio::task::spawn_blocking(move || lock(&path)).await;
        locked.unwrap_or_else(|error| panic!("cannot lock {name}: {error}"))
    }

    /// What is in a database but rows.
    pub(super) fn dump_schema(&self, url: &str) -> String {
        let mut dump = Programs::find(user_of(&self.folder) == 0).command("pg_dump");
        let output = dump.arg("--schema-only").arg("--dbname").arg(url).output();
        let output = output.unwrap_or_else(|error| panic!("cannot run pg_dump: {error}"));
        assert!(output.status.success(), "pg_dump: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The folder that belongs to the server.
    fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    fn start() -> Self {
        let temporary = std::env::temp_dir();
        let own = tempfile::tempdir_in(&temporary).unwrap_or_else(|error| panic!("no folder: {error}"));
        let user = user_of(own.path());
        let folder = temporary.join(format!("stheno-test-postgres-{user}"));
        fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        assert_eq!(user_of(&folder), user, "{} belongs to somebody else", folder.display());
        let users = open(&folder.join("users"));
        users.lock_shared().unwrap_or_else(|error| panic!("cannot share a lock: {error}"));
        let cluster = Self { folder, _user: users };
        let starting = lock(&cluster.folder.join("starting"));
        let server = Programs::find(user == 0);
        if !server.is_running(&cluster.home()) {
            server.start(&cluster.home());
            cluster.stop_when_idle(&server);
        }
        drop(starting);
        cluster
    }

    /// Starts what stops the cluster when nobody uses it any more.
    #[expect(clippy::zombie_processes, reason = "it outlives this process")]
    fn stop_when_idle(&self, server: &Programs) {
        let home = self.home();
        let mut stop = server.command("pg_ctl");
        stop.args(["stop", "--mode=immediate", "--silent", "--pgdata"]).arg(home.join("data"));
        let mut watch = Command::new("sh");
        watch.args(["-c", STOP_WHEN_IDLE, "stop_when_idle"]).arg(self.folder.join("users"));
        watch.args(["sh", "-c", "home=$1; shift; \"$@\"; rm -r \"$home\"", "stop"]).arg(&home);
        watch.arg(stop.get_program()).args(stop.get_args());
        watch
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir("/")
            .process_group(0);
        watch.spawn().unwrap_or_else(|error| panic!("cannot run sh: {error}"));
    }
}

/// PostgreSQL's programs, and who runs them.
struct Programs {
    folder: PathBuf,
    is_root: bool,
}

impl Programs {
    /// The newest that Debian has installed, or else those that are found by name.
    fn find(is_root: bool) -> Self {
        let is_whole = |folder: &PathBuf| ["initdb", "pg_ctl"].iter().all(|name| folder.join(name).is_file());
        let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let newest = installed
            .filter_map(|version| {
                let number: u32 = version.file_name().to_str()?.parse().ok()?;
                Some((number, version.path().join("bin")))
            })
            .filter(|(_, folder)| is_whole(folder))
            .max();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folder = match newest {
            Some((_, folder)) => Some(folder),
            None => std::env::split_paths(&path).find(is_whole),
        };
        let folder =
            folder.unwrap_or_else(|| panic!("PostgreSQL is not installed: `cargo xtask setup` installs it"));
        Self { folder, is_root }
    }

    /// A program, run as whoever may run a server.
    fn command(&self, program: &str) -> Command {
        let program = self.folder.join(program);
        let mut command = if self.is_root {
            let mut command = Command::new("runuser");
            command.args(["-u", SERVER_USER, "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir("/").stdin(Stdio::null());
        command
    }

    fn is_running(&self, home: &Path) -> bool {
        let mut ask = self.command("pg_ctl");
        ask.args(["status", "--pgdata"]).arg(home.join("data")).stdout(Stdio::null()).stderr(Stdio::null());
        ask.status().is_ok_and(|status| status.success())
    }

    fn start(&self, home: &Path) {
        let data = home.join("data");
        if home.exists() {
            // What a cluster has left that was not stopped.
            fs::remove_dir_all(home).unwrap_or_else(|error| panic!("{}: {error}", home.display()));
        }
        fs::create_dir(home).unwrap_or_else(|error| panic!("{}: {error}", home.display()));
        let private = fs::Permissions::from_mode(0o700);
        fs::set_permissions(home, private).unwrap_or_else(|error| panic!("{}: {error}", home.display()));
        if self.is_root {
            run(Command::new("chown").arg(SERVER_USER).arg(home));
        }
        run(self
            .command("initdb")
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8"])
            .args(["--no-sync", "--pgdata"])
            .arg(&data));
        let settings = format!("{SETTINGS}unix_socket_directories = '{}'\n", home.display());
        let path = data.join("postgresql.conf");
        let written = fs::read_to_string(&path).and_then(|before| fs::write(&path, before + &settings));
        written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        run(self
            .command("pg_ctl")
            .args(["start", "--wait", "--silent", "--pgdata"])
            .arg(&data)
            .arg("--log")
            .arg(home.join("log")));
    }
}

/// Runs a command whose output is shown only if it fails. A file takes it: a server that stays would keep a pipe open.
fn run(command: &mut Command) {
    let output = tempfile::NamedTempFile::new().unwrap_or_else(|error| panic!("no file: {error}"));
    let handle = || output.reopen().unwrap_or_else(|error| panic!("no file: {error}"));
    let status = command.stdout(handle()).stderr(handle()).status();
    let succeeded = status.as_ref().is_ok_and(std::process::ExitStatus::success);
    let said = fs::read_to_string(output.path()).unwrap_or_default();
    assert!(succeeded, "{command:?} ended with {status:?}: {said}");
}

fn user_of(path: &Path) -> u32 {
    fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).uid()
}

fn open(path: &Path) -> File {
    let file = File::options().create(true).truncate(false).write(true).read(true).open(path);
    file.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn lock(path: &Path) -> File {
    let file = open(path);
    file.lock().unwrap_or_else(|error| panic!("cannot lock {}: {error}", path.display()));
    file
}
