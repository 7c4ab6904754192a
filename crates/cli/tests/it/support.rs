//! A folder to run in, a running server, and calls to it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::LazyLock;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;
use stheno_store::{Store, StoreOptions};
use tempfile::TempDir;
use ureq::Agent;
use ureq::http::{HeaderMap, Response};

/// The API token of shops that are started with [`Shop::with_known_credentials`].
pub(crate) const API_TOKEN: &str = "a-chosen-api-token";
pub(crate) const EMAIL: &str = "ada@example.com";
pub(crate) const PASSWORD: &str = "a-chosen-password";

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with a database in it, and how to run the program there.
pub(crate) struct Shop {
    folder: TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Shop {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    pub(crate) fn with_known_credentials() -> Self {
        Self::new()
            .with("STHENO_ADMIN_EMAIL", EMAIL)
            .with("STHENO_ADMIN_PASSWORD", PASSWORD)
            .with("STHENO_ADMIN_API_TOKEN", API_TOKEN)
    }

    /// A folder with a database that has no users yet.
    pub(crate) fn with_database() -> Self {
        let shop = Self::new();
        let url = format!("sqlite:{}", shop.path("stheno.db").display());
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            Store::open(&url, StoreOptions::default()).await.unwrap().close().await;
        });
        shop
    }

    /// Sets an environment variable for all later runs.
    pub(crate) fn with(mut self, variable: &'static str, value: impl Into<String>) -> Self {
        self.variables.retain(|(name, _)| *name != variable);
        self.variables.push((variable, value.into()));
        self
    }

    pub(crate) fn without(mut self, variable: &'static str) -> Self {
        self.variables.retain(|(name, _)| *name != variable);
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The program, with nothing of the environment of whoever runs the tests.
    pub(crate) fn stheno<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stheno"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs the program to its end, which must be a good one. Returns what it wrote to standard output.
    pub(crate) fn run<const N: usize>(&self, arguments: [&str; N]) -> String {
        let output = self.stheno(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", text_of(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts the server on a free port and waits until it listens.
    pub(crate) fn serve<const N: usize>(&self, flags: [&str; N]) -> Server {
        Server::start(self.stheno(["serve", "--port", "0"]).args(flags))
    }

    /// Starts the server on a port, and does not wait.
    #[cfg(unix)]
    pub(crate) fn serve_on<const N: usize>(&self, port: u16, flags: [&str; N]) -> Server {
        let port = port.to_string();
        let mut server = Server::spawn(self.stheno(["serve", "--port", &port]).args(flags));
        server.url = format!("http://127.0.0.1:{port}");
        server
    }

    /// The database, to look into past the program.
    pub(crate) fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path("stheno.db")).unwrap()
    }
}

/// Waits until a credential is refused that is good no more: servers believe it for 5 seconds, and may be busy.
pub(crate) fn refused_soon(status: impl Fn() -> u16) {
    let start = Instant::now();
    while status() != 401 {
        assert!(start.elapsed() < PATIENCE, "a credential that is good no more is still believed");
        std::thread::sleep(Duration::from_millis(100));
    }
}

pub(crate) fn text_of(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A running server. It is killed when it goes out of scope.
pub(crate) struct Server {
    pub(crate) url: String,
    child: Child,
    log: Option<JoinHandle<String>>,
}

impl Server {
    fn start(command: &mut Command) -> Self {
        let mut server = Self::spawn(command);
        let mut url = String::new();
        BufReader::new(server.child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        url.trim().clone_into(&mut server.url);
        if server.url.is_empty() {
            panic!("the server did not start:\n{}", server.wait().1);
        }
        server
    }

    fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            stderr.read_to_string(&mut log).unwrap();
            log
        });
        Self { url: String::new(), child, log: Some(log) }
    }

    /// What listens at the other end of the address, without `http://`.
    pub(crate) fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }

    pub(crate) fn post(&self, path: &str) -> Call {
        self.call("POST", path)
    }

    pub(crate) fn delete(&self, path: &str) -> Call {
        self.call("DELETE", path)
    }

    pub(crate) fn call(&self, method: &'static str, path: &str) -> Call {
        Call::new(method, format!("{}{path}", self.url))
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, signal).unwrap();
    }

    /// How much of the machine's memory it has, in KiB.
    pub(crate) fn memory(&self) -> u64 {
        let id = self.child.id().to_string();
        let told = Command::new("ps").args(["-o", "rss=", "-p", &id]).output().unwrap();
        text_of(&told).trim().parse().unwrap()
    }

    /// Lets no file of the server's grow beyond so many bytes, or lets them grow again.
    #[cfg(target_os = "linux")]
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        use rustix::process::{Pid, Resource, Rlimit, prlimit};
        let limit = Rlimit { current: bytes, maximum: None };
        prlimit(Some(Pid::from_child(&self.child)), Resource::Fsize, limit).unwrap();
    }

    /// Asks the server to stop, and waits until it has. Returns its log.
    #[cfg(unix)]
    pub(crate) fn stop(mut self) -> String {
        self.signal(rustix::process::Signal::TERM);
        let (status, log) = self.wait();
        assert!(status.success(), "{status}:\n{log}");
        log
    }

    /// Waits until the server has ended. Returns how, and its log.
    pub(crate) fn wait(&mut self) -> (ExitStatus, String) {
        let start = Instant::now();
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None if start.elapsed() > PATIENCE => panic!("the server does not end"),
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        (status, self.log.take().unwrap().join().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Keeps connections open between calls, as clients do.
static AGENT: LazyLock<Agent> = LazyLock::new(|| {
    Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build().new_agent()
});

/// A request to a server.
pub(crate) struct Call {
    method: &'static str,
    url: String,
    headers: Vec<(&'static str, String)>,
}

/// What it was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) cookie: Option<String>,
    pub(crate) retry_after: Option<String>,
    pub(crate) headers: HeaderMap,
}

impl Answer {
    /// The value of a header; none, if it is not there.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl Call {
    pub(crate) fn new(method: &'static str, url: impl Into<String>) -> Self {
        Self { method, url: url.into(), headers: Vec::new() }
    }

    pub(crate) fn with(mut self, header: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((header, value.into()));
        self
    }

    pub(crate) fn with_token(self, token: &str) -> Self {
        self.with("x-medusa-access-token", token)
    }

    pub(crate) fn send(self) -> Answer {
        self.try_send(None).unwrap()
    }

    pub(crate) fn send_json(self, body: Value) -> Answer {
        self.try_send(Some(body)).unwrap()
    }

    /// An error means that there was no answer, or not the whole of one.
    pub(crate) fn try_send(self, body: Option<Value>) -> Result<Answer, ureq::Error> {
        let mut request = ureq::http::Request::builder().method(self.method).uri(self.url);
        for (header, value) in self.headers {
            request = request.header(header, value);
        }
        let response = match body {
            Some(body) => {
                let request = request.header("content-type", "application/json");
                AGENT.run(request.body(body.to_string()).unwrap())?
            }
            None => AGENT.run(request.body(()).unwrap())?,
        };
        read(response)
    }
}

fn read(response: Response<ureq::Body>) -> Result<Answer, ureq::Error> {
    let (parts, body) = response.into_parts();
    let text = body.into_with_config().limit(u64::MAX).read_to_string()?;
    let header = |name| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let (cookie, retry_after) = (header("set-cookie"), header("retry-after"));
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Ok(Answer { status: parts.status.as_u16(), body, cookie, retry_after, headers: parts.headers })
}
