//! Medusa's own programs, run in a project of their own.

use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;

use super::SECRET;

/// How long Medusa may take to start: a few seconds, on a machine that has nothing else to do.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the program that serves prints when it does, before its address.
const LISTENING: &str = "listening on ";

/// The folder with Medusa's lock file, whose packages `cargo xtask setup` installs.
pub(super) fn package() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/medusa")
}

/// Where these packages are.
pub(super) fn packages() -> PathBuf {
    let packages = package().join("node_modules").canonicalize();
    packages
        .unwrap_or_else(|error| panic!("Medusa is not installed ({error}): `cargo xtask setup` installs it"))
}

/// A Medusa project, thrown away at the end: Medusa writes into the folder where it runs, and into its configuration.
#[derive(Debug)]
pub(super) struct Project(TempDir);

impl Project {
    pub(super) fn new() -> Self {
        let package = package();
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no folder for Medusa: {error}"));
        let made = || {
            symlink(packages(), folder.path().join("node_modules"))?;
            for name in ["package.json", "medusa-config.js", "serve.js"] {
                fs::copy(package.join(name), folder.path().join(name))?;
            }
            // Nothing about tests is anybody's business.
            let settings = folder.path().join("config/medusa");
            fs::create_dir_all(&settings)?;
            fs::write(settings.join("config.json"), r#"{"telemetry": {"enabled": false}}"#)
        };
        made().unwrap_or_else(|error| panic!("cannot make a project for Medusa: {error}"));
        Self(folder)
    }

    /// A program of the project, with nothing of the caller's environment but where programs are.
    fn command(&self, program: &str, database: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.0.path())
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command
            .env("HOME", self.0.path())
            .env("XDG_CONFIG_HOME", self.0.path().join("config"))
            .env("MEDUSA_DISABLE_TELEMETRY", "true")
            .env("NODE_ENV", "production")
            .env("DATABASE_URL", node_url(database))
            .env("JWT_SECRET", SECRET)
            .env("COOKIE_SECRET", SECRET);
        command
    }

    /// Lets Medusa make its tables.
    pub(super) fn migrate(&self, database: &str) {
        let mut migrate = self.command("node_modules/.bin/medusa", database);
        let output = migrate.args(["migrations", "run"]).stdin(Stdio::null()).output();
        let output = output.unwrap_or_else(|error| panic!("cannot run Medusa's migrations: {error}"));
        let said = || [&*output.stdout, &*output.stderr].map(String::from_utf8_lossy).concat();
        assert!(output.status.success(), "Medusa's migrations ended with {}: {}", output.status, said());
    }

    /// Starts Medusa, and waits until it serves.
    pub(super) fn serve(self, database: &str) -> Process {
        let mut serve = self.command("node", database);
        serve.arg("serve.js").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = serve.spawn().unwrap_or_else(|error| panic!("cannot run node: {error}"));
        let log = Log::default();
        let (found, address) = channel();
        if let Some(output) = child.stdout.take() {
            log.follow(output, Some(found));
        }
        if let Some(output) = child.stderr.take() {
            log.follow(output, None);
        }
        let mut process = Process { address: SocketAddr::from(([0; 4], 0)), child, log, _project: self };
        match address.recv_timeout(PATIENCE) {
            Ok(address) => process.address = address,
            Err(_) => panic!("Medusa does not start:\n{}", process.log()),
        }
        process
    }
}

/// A database's URL as npm's `pg`, TypeORM and MikroORM all read it. One of a socket needs a host, although the socket's
/// folder counts, and no slash behind the name.
fn node_url(url: &str) -> String {
    match url.replacen("@/", "@localhost/", 1).split_once("?host=") {
        Some((database, folder)) => format!("{database}?host={}", folder.replace('/', "%2F")),
        None => url.to_owned(),
    }
}

/// A Medusa that runs. It ends with the value, and with this program whatever becomes of it: it reads from it.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) address: SocketAddr,
    child: Child,
    log: Log,
    _project: Project,
}

impl Process {
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has written so far.
    fn log(&self) -> String {
        self.log.0.lock().map(|log| log.clone()).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a program writes.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Log {
    /// Takes what comes, and tells of the address in it.
    fn follow(&self, output: impl Read + Send + 'static, found: Option<Sender<SocketAddr>>) {
        let log = self.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some(found) = &found
                    && let Some(address) = line.strip_prefix(LISTENING)
                    && let Ok(address) = address.parse()
                {
                    // Nobody may wait for it any more.
                    let _ = found.send(address);
                }
                if let Ok(mut log) = log.0.lock() {
                    log.push_str(&line);
                    log.push('\n');
                }
            }
        });
    }
}
