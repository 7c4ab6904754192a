//! A server's folder, and PostgreSQL's programs on it.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const STOP_WHEN_IDLE: &str = include_str!("stop_when_idle.sh");

/// Who runs a server where we are root, whom it refuses.
const SERVER_USER: &str = "postgres";

/// The folder of one server: its data, its log, and its socket.
#[derive(Debug)]
pub(super) struct Home {
    path: PathBuf,
    programs: PathBuf,
    is_root: bool,
}

impl Home {
    /// The home at this path, which need not be there yet; its parent must be.
    pub(super) fn at(path: PathBuf) -> Self {
        let is_root = path.parent().is_some_and(|parent| user_of(parent) == 0);
        Self { path, programs: programs(), is_root }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the server keeps its data.
    pub(super) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    /// Where a program is.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// A program, run as whoever may run a server.
    pub(super) fn command(&self, program: &str) -> Command {
        let program = self.program(program);
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

    /// Makes the folder, empty.
    pub(super) fn make(&self) {
        let path = &self.path;
        if path.exists() {
            // What a server has left that was not stopped.
            fs::remove_dir_all(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
        fs::create_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let private = fs::Permissions::from_mode(0o700);
        fs::set_permissions(path, private).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        self.give(path);
    }

    /// Makes a file or folder in it belong to whoever runs the server.
    pub(super) fn give(&self, path: &Path) {
        if self.is_root {
            run(Command::new("chown").arg(SERVER_USER).arg(path));
        }
    }

    /// Makes a cluster whose superuser is `postgres`, who needs no password.
    pub(super) fn initialise(&self) {
        run(self
            .command("initdb")
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8"])
            .args(["--no-sync", "--pgdata"])
            .arg(self.data()));
    }

    /// Adds lines to `postgresql.conf`; the last one that sets something holds.
    pub(super) fn set(&self, settings: &str) {
        let path = self.data().join("postgresql.conf");
        let written = fs::read_to_string(&path).and_then(|before| {
            fs::write(
                &path,
                format!("{before}unix_socket_directories = '{}'\n{settings}\n", self.path.display()),
            )
        });
        written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    pub(super) fn is_running(&self) -> bool {
        let mut ask = self.pg_ctl("status");
        ask.stdout(Stdio::null()).stderr(Stdio::null());
        ask.status().is_ok_and(|status| status.success())
    }

    /// Starts the server, and waits until it takes connections.
    pub(super) fn start(&self) {
        run(self.pg_ctl("start").args(["--wait", "--timeout=120", "--log"]).arg(self.path.join("log")));
    }

    /// `pg_ctl`, which does what it is told on this server's data.
    pub(super) fn pg_ctl(&self, what: &str) -> Command {
        let mut command = self.command("pg_ctl");
        command.args([what, "--silent", "--pgdata"]).arg(self.data());
        command
    }

    /// Starts what stops the server, and removes its folder, when nobody holds a lock on the file `users` any more.
    pub(super) fn stop_when_idle(&self, users: &Path) {
        let mut stop = self.pg_ctl("stop");
        stop.arg("--mode=immediate");
        stop_when_idle(users, &self.path, &stop);
    }
}

/// Starts what runs `stop`, and removes the folder, when nobody holds a lock on the file `users` any more.
#[expect(clippy::zombie_processes, reason = "it outlives this process")]
pub(super) fn stop_when_idle(users: &Path, folder: &Path, stop: &Command) {
    let mut watch = Command::new("sh");
    watch.args(["-c", STOP_WHEN_IDLE, "stop_when_idle"]).arg(users);
    watch.args(["sh", "-c", CLEAN_UP, "stop"]).arg(folder);
    watch.arg(stop.get_program()).args(stop.get_args());
    watch.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/").process_group(0);
    watch.spawn().unwrap_or_else(|error| panic!("cannot run sh: {error}"));
}

/// Stops a server, also one that a test has frozen, and removes its folder.
const CLEAN_UP: &str = r#"home=$1; shift
read -r pid < "$home/data/postmaster.pid" && kill -CONT "$pid"
"$@"; rm -r "$home""#;

/// The folder of the newest PostgreSQL that Debian has installed, or else of the one that is found by name.
fn programs() -> PathBuf {
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
    folder.unwrap_or_else(|| panic!("PostgreSQL is not installed: `cargo xtask setup` installs it"))
}

/// Runs a command whose output is shown only if it fails. A file takes it: a server that stays would keep a pipe open.
pub(super) fn run(command: &mut Command) {
    let output = tempfile::NamedTempFile::new().unwrap_or_else(|error| panic!("no file: {error}"));
    let handle = || output.reopen().unwrap_or_else(|error| panic!("no file: {error}"));
    let status = command.stdout(handle()).stderr(handle()).status();
    let succeeded = status.as_ref().is_ok_and(std::process::ExitStatus::success);
    let said = fs::read_to_string(output.path()).unwrap_or_default();
    assert!(succeeded, "{command:?} ended with {status:?}: {said}");
}

pub(super) fn user_of(path: &Path) -> u32 {
    fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).uid()
}

pub(super) fn open(path: &Path) -> File {
    let file = File::options().create(true).truncate(false).write(true).read(true).open(path);
    file.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A lock that one holds at a time, as long as the file is open.
pub(super) fn lock(path: &Path) -> File {
    let file = open(path);
    file.lock().unwrap_or_else(|error| panic!("cannot lock {}: {error}", path.display()));
    file
}

/// A lock that many hold at once, as long as their files are open.
pub(super) fn share(path: &Path) -> File {
    let file = open(path);
    file.lock_shared().unwrap_or_else(|error| panic!("cannot share {}: {error}", path.display()));
    file
}
