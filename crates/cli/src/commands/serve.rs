//! `stheno serve`: the one place that knows the server and its settings.

use std::convert::Infallible;
use std::env;
use std::io::{self, IsTerminal as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use bytesize::ByteSize;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use secrecy::SecretString;
use stheno_server::telemetry::{self, LogFormat};
use stheno_server::{
    AdminCors, App, Config, CookieSecure, Entrance, MedusaUrl, RateLimit, Secrets, TrustProxy,
};
use stheno_store::{Role, Store, StoreOptions};
use tokio::net::TcpSocket;
use tokio::task::JoinHandle;

use crate::administrator::{self, Administrator, AdministratorArguments};
use crate::database::Database;
use crate::demo;
use crate::duration;
use crate::origins;
use crate::secrets::SecretArguments;
use crate::waiting;
use crate::welcome::{Entry, Welcome};

/// How many connections the system holds before the server takes them.
const BACKLOG: u32 = 1024;

/// Signals so soon after the first one are the same wish: `timeout`, for one, sends two.
const ONE_WISH: Duration = Duration::from_millis(300);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    listening: Listening,

    #[command(flatten)]
    database: Database,

    #[command(flatten)]
    limits: DatabaseLimits,

    /// Fill an empty database with a demo shop: 1,000 customers in 20 groups, always the same
    #[arg(long, env = "STHENO_DEMO", help_heading = "Data", value_parser = yes_or_no)]
    demo: bool,

    /// Do not make tables, nor bring them up to date: refuse a database on which `stheno migrate` is to be run first
    #[arg(long, env = "STHENO_NO_MIGRATE", help_heading = "Data", value_parser = yes_or_no)]
    no_migrate: bool,

    #[command(flatten)]
    replicas: Replicas,

    #[command(flatten)]
    administrator: AdministratorArguments,

    #[command(flatten)]
    secrets: SecretArguments,

    #[command(flatten)]
    requests: Requests,

    /// How long logins, refused ones too, and logouts are kept, which `stheno user logins` lists; off: none are written. A bare
    /// number is in seconds
    #[arg(
        long,
        env = "STHENO_AUDIT_RETENTION",
        help_heading = "Audit trail",
        value_name = "TIME",
        default_value = "90d",
        value_parser = retention
    )]
    audit_retention: Retention,

    #[command(flatten)]
    log: Log,
}

impl Arguments {
    /// How many threads answer requests. Where there are more than cores are free, they wake each other for every request.
    pub(crate) fn threads(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let free = if self.database.is_beside() { cores / 2 } else { cores };
        self.requests.threads.unwrap_or(free.max(1))
    }
}

/// How long something is kept, if it is at all.
#[derive(Debug, Clone, Copy)]
struct Retention(Option<Duration>);

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Address")]
struct Listening {
    /// The address to listen on; 0.0.0.0 for every network of this machine
    #[arg(long, env = "STHENO_HOST", value_name = "ADDRESS", default_value = "127.0.0.1")]
    host: String,

    /// The port to listen on; 0 for one that is free, which is then printed
    #[arg(long, env = "PORT", default_value_t = 9000)]
    port: u16,

    /// An address and a port for GET /metrics, without a credential: one that only the monitoring can reach. At the port of
    /// the API, /metrics asks for a credential
    #[arg(long, env = "STHENO_METRICS_LISTEN", value_name = "ADDRESS:PORT")]
    metrics_listen: Option<SocketAddr>,
}

#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Read replicas of a PostgreSQL database")]
struct Replicas {
    /// A standby that streams from the database, and answers lists and retrieves of groups and customers; more than one
    /// with commas, or by giving the flag again. One that is gone or late is left out
    #[arg(
        long = "replica",
        env = "STHENO_REPLICA",
        hide_env_values = true,
        value_name = "URL",
        value_delimiter = ',',
        value_parser = |url: &str| Ok::<_, Infallible>(SecretString::from(url))
    )]
    urls: Vec<SecretString>,

    /// How long ago what a replica does not have yet may have been written; a bare number is in seconds
    #[arg(
        long = "replica-max-lag",
        env = "STHENO_REPLICA_MAX_LAG",
        value_name = "TIME",
        default_value = "5s",
        value_parser = duration::parse
    )]
    max_lag: Duration,
}

/// How a database on a server is used.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Data")]
struct DatabaseLimits {
    /// How many connections to PostgreSQL are open at the most. If the server has fewer left, these are shared
    #[arg(
        long,
        env = "STHENO_DATABASE_CONNECTIONS",
        value_name = "NUMBER",
        default_value_t = 20,
        value_parser = clap::value_parser!(u16).range(1..=1000)
    )]
    database_connections: u16,

    /// How long a request waits for a connection to PostgreSQL before it is answered 503; a bare number is in seconds
    #[arg(
        long,
        env = "STHENO_DATABASE_CONNECTION_TIMEOUT",
        value_name = "TIME",
        default_value = "5s",
        value_parser = limit
    )]
    database_connection_timeout: Duration,

    /// How long a statement may take on PostgreSQL before its request is answered 503; a bare number is in seconds
    #[arg(
        long,
        env = "STHENO_DATABASE_STATEMENT_TIMEOUT",
        value_name = "TIME",
        default_value = "30s",
        value_parser = limit
    )]
    database_statement_timeout: Duration,

    /// How long a request waits for a lock that another program holds, on SQLite too; a bare number is in seconds
    #[arg(
        long,
        env = "STHENO_DATABASE_LOCK_TIMEOUT",
        value_name = "TIME",
        default_value = "5s",
        value_parser = limit
    )]
    database_lock_timeout: Duration,
}

#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Requests")]
struct Requests {
    /// The pages that may call the admin API from a browser: origins and /regular expressions/, with commas
    #[arg(long, env = "ADMIN_CORS", value_name = "ORIGINS", default_value = "", hide_default_value = true)]
    admin_cors: AdminCors,

    /// Whether session cookies are for https only. auto: over https they are, as the connection or a trusted proxy says,
    /// and over plain http none is set, as by Medusa in production; never: for http during development
    #[arg(
        long,
        env = "STHENO_COOKIE_SECURE",
        value_name = "WHEN",
        default_value = "auto",
        value_parser = PossibleValuesParser::new(["auto", "always", "never"])
            .try_map(|text| text.parse::<CookieSecure>())
    )]
    cookie_secure: CookieSecure,

    /// Whose x-forwarded-* headers are believed: loopback, private, addresses and networks such as 10.0.0.0/8, with
    /// commas; or all, or none
    #[arg(long, env = "STHENO_TRUST_PROXY", value_name = "PEERS", default_value = "loopback")]
    trust_proxy: TrustProxy,

    /// The Medusa on the same database, as this server reaches it: who is logged in there with a session cookie, as the
    /// dashboard is, is logged in here
    #[arg(long, env = "STHENO_MEDUSA_URL", hide_env_values = true, value_name = "URL")]
    medusa_url: Option<String>,

    /// The largest body of a request; a bare number is in bytes
    #[arg(long, env = "STHENO_BODY_LIMIT", value_name = "SIZE", default_value = "8MiB", value_parser = size)]
    body_limit: usize,

    /// How long a client may take to send the head of a request; a bare number is in seconds
    #[arg(
        long,
        env = "STHENO_HEADER_TIMEOUT",
        value_name = "TIME",
        default_value = "30s",
        value_parser = duration::parse
    )]
    header_timeout: Duration,

    /// How long a client may take to send the body of a request; a bare number is in seconds
    #[arg(
        long,
        env = "STHENO_BODY_TIMEOUT",
        value_name = "TIME",
        default_value = "60s",
        value_parser = duration::parse
    )]
    body_timeout: Duration,

    /// How long a client may take to accept the next part of an answer; a bare number is in seconds
    #[arg(
        long,
        env = "STHENO_WRITE_TIMEOUT",
        value_name = "TIME",
        default_value = "30s",
        value_parser = duration::parse
    )]
    write_timeout: Duration,

    /// How many threads answer requests; those that read files and check passwords are others. By default one for each
    /// core; half of these where PostgreSQL is on this machine, which needs the other half
    #[arg(long, env = "STHENO_THREADS", value_name = "NUMBER", value_parser = at_once)]
    threads: Option<usize>,

    /// How many calls are worked on at once
    #[arg(long, env = "STHENO_CONCURRENCY", value_name = "NUMBER", default_value_t = 64, value_parser = at_once)]
    concurrency: usize,

    /// How many calls more wait for their turn; those beyond are answered 503 at once
    #[arg(long, env = "STHENO_QUEUE", value_name = "NUMBER", default_value_t = 1024)]
    queue: usize,

    /// How long a call waits for its turn before it is answered 503; a bare number is in seconds
    #[arg(
        long,
        env = "STHENO_QUEUE_TIMEOUT",
        value_name = "TIME",
        default_value = "2s",
        value_parser = duration::parse
    )]
    queue_timeout: Duration,

    /// How many calls may be made from one address, such as 100/s, 600/m or 5000/h: more are answered 429. Not limited
    /// unless given
    #[arg(long, env = "STHENO_RATE_LIMIT_ADDRESS", value_name = "CALLS/TIME")]
    rate_limit_address: Option<RateLimit>,

    /// How many calls may be made with one credential, such as 100/s, 600/m or 5000/h: more are answered 429. Not limited
    /// unless given
    #[arg(long, env = "STHENO_RATE_LIMIT_CREDENTIAL", value_name = "CALLS/TIME")]
    rate_limit_credential: Option<RateLimit>,

    /// How long requests in flight may take when the server is told to stop; a bare number is in seconds
    #[arg(
        long,
        env = "STHENO_SHUTDOWN_TIMEOUT",
        value_name = "TIME",
        default_value = "30s",
        value_parser = duration::parse
    )]
    shutdown_timeout: Duration,

    /// Serve neither the API's description, /openapi.json, nor the page to read and try it, /docs
    #[arg(long, env = "STHENO_NO_DOCS", value_parser = yes_or_no)]
    no_docs: bool,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Log")]
struct Log {
    /// What is logged: error, warn, info, debug or trace; also for a part of the program, as in info,stheno_store=debug.
    /// Reads that succeed are logged at debug
    #[arg(long = "log", env = "STHENO_LOG", value_name = "FILTER", default_value = "info")]
    filter: String,

    /// How it is written, to standard error
    #[arg(
        long = "log-format",
        env = "STHENO_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text",
        value_parser = PossibleValuesParser::new(["text", "json"])
            .try_map(|text| text.parse::<LogFormat>())
    )]
    format: LogFormat,
}

impl Requests {
    /// Read here, since clap would repeat a URL that it refuses, with the password that should not be in it.
    fn medusa(&self) -> Result<Option<MedusaUrl>> {
        let url = self.medusa_url.as_deref().map(str::parse::<MedusaUrl>).transpose();
        url.map_err(|error| anyhow!("the URL of --medusa-url cannot be used: {error}"))
    }
}

impl From<Requests> for Config {
    fn from(requests: Requests) -> Self {
        let mut config = Self::default();
        config.admin_cors = requests.admin_cors;
        config.cookie_secure = requests.cookie_secure;
        config.trust_proxy = requests.trust_proxy;
        config.body_limit = requests.body_limit;
        config.header_timeout = requests.header_timeout;
        config.body_timeout = requests.body_timeout;
        config.write_timeout = requests.write_timeout;
        config.concurrency = requests.concurrency;
        config.queue = requests.queue;
        config.queue_timeout = requests.queue_timeout;
        config.rate_limit_address = requests.rate_limit_address;
        config.rate_limit_credential = requests.rate_limit_credential;
        config.shutdown_timeout = requests.shutdown_timeout;
        config.docs = !requests.no_docs;
        config
    }
}

/// The value of a variable that turns something on.
fn yes_or_no(text: &str) -> Result<bool, &'static str> {
    match text.to_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("give true, 1, yes or on; or false, 0, no or off"),
    }
}

/// A size such as `8MiB`; a bare number is in bytes.
fn size(text: &str) -> Result<usize, &'static str> {
    let size: Option<ByteSize> = text.parse().ok();
    let bytes = size.and_then(|size| usize::try_from(size.as_u64()).ok());
    bytes.ok_or("give a size such as 8MiB")
}

/// A number of things that can be done at once.
fn at_once(text: &str) -> Result<usize, &'static str> {
    match text.parse() {
        Ok(number @ 1..=100_000) => Ok(number),
        _ => Err("give a number from 1 to 100000"),
    }
}

/// A time for which something is kept; nothing is where that is none.
fn retention(text: &str) -> Result<Retention, &'static str> {
    if text.eq_ignore_ascii_case("off") {
        return Ok(Retention(None));
    }
    let time = duration::parse(text).map_err(|_| "give a time such as 90d or 12h; or off")?;
    Ok(Retention(Some(time).filter(|time| !time.is_zero())))
}

/// A time that is long enough for something to happen.
fn limit(text: &str) -> Result<Duration, &'static str> {
    let limit = duration::parse(text)?;
    if limit < Duration::from_millis(1) { Err("give a time such as 5s, of at least 1ms") } else { Ok(limit) }
}

pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    telemetry::init(arguments.log.format, &arguments.log.filter)
        .map_err(|error| anyhow!("{error}; give --log a filter such as info"))?;

    #[cfg(feature = "otlp")]
    let traces = stheno_server::Traces::start().map_err(|error| anyhow!("cannot send traces: {error}"))?;

    // What needs nothing of the database comes first: a start that fails leaves nothing behind.
    let medusa = arguments.requests.medusa()?;
    let given_secrets = arguments.secrets.read()?;
    let chosen_administrator = arguments.administrator.read()?;
    let database = &arguments.database;
    let at_terminal = io::stdout().is_terminal();
    let credentials_file = (!at_terminal).then(|| database.credentials_file());
    administrator::check_file(&chosen_administrator, credentials_file.as_deref(), database)?;
    let signals = Signals::new().context("cannot listen to signals")?;
    let listener = listen(&arguments.listening).await?;
    let address = listener.local_addr()?;
    let for_metrics = arguments.listening.metrics_listen.map(listen_for_metrics).transpose()?;

    let limits = &arguments.limits;
    let options = StoreOptions {
        migrate: !arguments.no_migrate,
        expects_medusa: medusa.is_some(),
        connections: limits.database_connections.into(),
        connection_timeout: limits.database_connection_timeout,
        statement_timeout: limits.database_statement_timeout,
        lock_timeout: limits.database_lock_timeout,
        // A client that takes nothing of its answer holds no snapshot for longer than it holds the connection.
        reader_timeout: arguments.requests.write_timeout,
        replicas: arguments.replicas.urls.clone(),
        replica_max_lag: arguments.replicas.max_lag,
        ..StoreOptions::default()
    };
    let entrance = Entrance::closed();
    let mut config = Config::from(arguments.requests.clone());
    config.medusa = medusa;
    config.audit_retention = arguments.audit_retention.0;
    // As long as the server serves.
    let metrics_entrance = Entrance::closed_to_metrics();
    let _metrics = for_metrics.map(|listener| {
        let (entrance, config) = (metrics_entrance.clone(), config.clone());
        let served = stheno_server::serve_entrance(listener, entrance, config, std::future::pending());
        AbortOnDrop(tokio::spawn(served))
    });
    // Nobody is served before this is waited for.
    let mut served =
        pin!(stheno_server::serve_entrance(listener, entrance.clone(), config.clone(), signals.shutdown()));
    // Each part of it may be done again: what is there is left as it is.
    let begin = async || {
        let store = database.open(options.clone()).await?;
        if arguments.demo {
            demo::fill(&store, database).await?;
        }
        let secrets = Secrets {
            jwt: given_secrets.jwt.clone().complete(&store).await?.into(),
            cookie: given_secrets.cookie.clone().complete(&store).await?.into(),
        };
        let (chosen, file) = (chosen_administrator.clone(), credentials_file.as_deref());
        let administrator = administrator::ensure_one(&store, chosen, file, database).await?;
        Ok((store, secrets, administrator))
    };
    let (store, secrets, administrator) = match begin().await {
        Err(error) if database.is_on_a_server() && waiting::helps(&error) => {
            let begun = waiting::until_it_goes_well(begin, error, database);
            tokio::select! {
                begun = begun => begun?,
                ended = &mut served => return ended.context("the server failed"),
            }
        }
        begun => begun?,
    };

    let url = url_of(address);
    if at_terminal {
        welcome(&url, &arguments, administrator.as_ref(), &store).await?;
    } else if arguments.listening.port == 0 {
        writeln!(io::stdout(), "{url}")?;
    }
    for (entry, fault) in origins::in_vain(&arguments.requests.admin_cors.to_string()) {
        tracing::warn!("{entry} in --admin-cors matches no page: {fault}");
    }
    tracing::info!(%address, database = %database.shown(), "listening");
    let app = App::new(store.clone(), secrets, config.clone());
    entrance.open(app.clone());
    metrics_entrance.open_to_metrics(app.clone());
    let served = served.await;
    app.flush().await;
    store.close().await;
    #[cfg(feature = "otlp")]
    if let Some(traces) = traces {
        traces.end().await;
    }
    served.context("the server failed")?;
    tracing::info!("stopped");
    Ok(())
}

/// A task that ends with the value.
struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn listen_for_metrics(address: SocketAddr) -> Result<TcpListener> {
    let listener = open(address).map_err(|error| {
        anyhow!("cannot listen on {address} for the metrics: {error}; give --metrics-listen another address")
    })?;
    tracing::info!(address = %listener.local_addr()?, "metrics");
    Ok(listener)
}

async fn welcome(
    url: &str,
    arguments: &Arguments,
    made: Option<&Administrator>,
    store: &Store,
) -> Result<()> {
    let users = store.list_users().await?;
    let administrator = users.iter().find(|user| user.role == Role::Admin.as_str()).or(users.first());
    // As the program was called, so that the line works when it is pasted.
    let program = env::args().next().unwrap_or_else(|| "stheno".to_owned());
    let entry = match made {
        Some(made) => Entry::Made(made),
        None => Entry::Known {
            email: administrator.map_or("EMAIL", |user| &user.email),
            program: &shell_words::quote(&program),
            database: &arguments.database.as_flag(),
        },
    };
    let demo = arguments.demo;
    write!(anstream::stdout(), "{}", Welcome { url, demo, entry }.to_text())?;
    Ok(())
}

/// Opens the socket. Connections wait there until the server takes them.
async fn listen(Listening { host, port, .. }: &Listening) -> Result<TcpListener> {
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let addresses = tokio::net::lookup_host((name, *port)).await.map_err(|error| {
        anyhow!(
            "cannot listen on {host:?}: {error}; give --host an address of this machine, such as 127.0.0.1"
        )
    })?;
    let mut failure = None;
    for address in addresses {
        match open(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => failure = failure.or(Some((address, error))),
        }
    }
    let Some((address, error)) = failure else {
        return Err(anyhow!(
            "{host:?} has no address: give --host an address of this machine, such as 127.0.0.1"
        ));
    };
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => {
            return Err(anyhow!(
                "port {port} is in use on {}: stop the program that uses it, or give another one with --port",
                address.ip()
            ));
        }
        io::ErrorKind::PermissionDenied => "give a port from 1024 on with --port",
        io::ErrorKind::AddrNotAvailable => "give an address of this machine with --host, such as 127.0.0.1",
        _ => "give another address with --host and --port",
    };
    Err(anyhow!("cannot listen on {address}: {error}; {advice}"))
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A restart need not wait until the connections of the last run are forgotten. Windows means something else by it.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// Where a client on this machine finds a server that listens on `address`.
fn url_of(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

/// The signals that end the program.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// The number of the next one.
    async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.interrupt.recv() => 2,
            _ = self.terminate.recv() => 15,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> i32 {
        // Without a handler nothing can be asked to stop.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        2
    }
}

impl Signals {
    /// Ends at the first signal. The second wish ends the program at once; what was acknowledged is on the disk.
    async fn shutdown(mut self) {
        self.next().await;
        let first = Instant::now();
        tracing::info!("stopping: finishing the requests in flight; once more to stop at once");
        tokio::spawn(async move {
            let mut signal = self.next().await;
            while first.elapsed() < ONE_WISH {
                signal = self.next().await;
            }
            tracing::warn!("stopped at once");
            std::process::exit(128 + signal);
        });
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command, FromArgMatches as _};

    use super::*;

    #[test]
    fn the_flags_have_the_defaults_of_the_server() {
        // The environment of whoever runs the tests is not meant.
        let command =
            Requests::augment_args(Command::new("serve")).mut_args(|argument| argument.env(None::<&str>));
        let matches = command.try_get_matches_from(["serve"]).unwrap();
        let config = Config::from(Requests::from_arg_matches(&matches).unwrap());
        assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
    }

    #[test]
    fn the_limits_have_the_defaults_of_the_store() {
        let command = DatabaseLimits::augment_args(Command::new("serve"))
            .mut_args(|argument| argument.env(None::<&str>));
        let matches = command.try_get_matches_from(["serve"]).unwrap();
        let limits = DatabaseLimits::from_arg_matches(&matches).unwrap();
        let options = StoreOptions::default();
        assert_eq!(usize::from(limits.database_connections), options.connections);
        assert_eq!(limits.database_connection_timeout, options.connection_timeout);
        assert_eq!(limits.database_statement_timeout, options.statement_timeout);
        assert_eq!(limits.database_lock_timeout, options.lock_timeout);
    }

    #[test]
    fn a_limit_is_not_nothing() {
        assert_eq!(limit("250ms"), Ok(Duration::from_millis(250)));
        for text in ["0", "0s", "900us", "never"] {
            assert!(limit(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_switch_is_on_or_off() {
        for (text, on) in
            [("true", true), ("1", true), ("Yes", true), ("off", false), ("0", false), ("no", false)]
        {
            assert_eq!(yes_or_no(text), Ok(on), "{text}");
        }
        for text in ["", "maybe", "2", "y"] {
            assert!(yes_or_no(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_size_has_a_unit_or_is_in_bytes() {
        assert_eq!(size("8MiB"), Ok(8 << 20));
        assert_eq!(size("100 KB"), Ok(100_000));
        assert_eq!(size("4096"), Ok(4096));
        for text in ["", "many", "-1"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_address_shown_is_one_that_a_client_can_use() {
        for (address, url) in [
            ("127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:9000", "http://[::1]:9000"),
            ("192.0.2.7:9000", "http://192.0.2.7:9000"),
        ] {
            assert_eq!(url_of(address.parse().unwrap()), url);
        }
    }
}
