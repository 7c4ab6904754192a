//! What is counted and measured, for Prometheus. No label holds what a client has sent: neither ids nor texts.

use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use stheno_store::{Observer, Totals};

use crate::app::App;
use crate::error::{ApiError, chain, store_answers};

/// The content type of the metrics: the text format of OpenMetrics.
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// How long the totals are told before they are counted again.
const TOTALS_KEPT: Duration = Duration::from_secs(60);

/// How long a scrape waits for them to be counted; what comes later is told with the next one.
const TOTALS_PATIENCE: Duration = Duration::from_secs(2);

/// The bounds of the histograms' buckets, in seconds.
const BUCKETS: [f64; 16] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// A number that is not told before it is known.
type Total = Family<[(&'static str, &'static str); 0], Gauge<u64, AtomicU64>>;

type Histograms<Labels> = Family<Labels, Histogram, fn() -> Histogram>;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    method: &'static str,
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LoggedIn {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Done {
    unit: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Noted {
    outcome: &'static str,
}

/// What became of entries of the audit trail.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AuditOutcome {
    Written,
    /// There were too many.
    Dropped,
    /// The database did not take them.
    Failed,
}

/// Counts entries of the audit trail.
#[derive(Debug, Clone, Default)]
pub(crate) struct AuditEntries(Family<Noted, Counter>);

impl AuditEntries {
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register("audit_entries", "Entries of the audit trail of logins", self.0.clone());
    }

    pub(crate) fn count(&self, outcome: AuditOutcome, entries: usize) {
        let outcome = match outcome {
            AuditOutcome::Written => "written",
            AuditOutcome::Dropped => "dropped",
            AuditOutcome::Failed => "failed",
        };
        self.0.get_or_create(&Noted { outcome }).inc_by(entries as u64);
    }
}

/// Why a call was refused before it was worked on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Refusal {
    /// There was more to do than could be done.
    Busy,
    /// Its caller made more than it may.
    RateLimit,
}

/// How a login ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Login {
    Succeeded,
    Wrong,
    /// Too many had failed.
    Limited,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let reason = match refusal {
            Refusal::Busy => "busy",
            Refusal::RateLimit => "rate_limit",
        };
        Self { reason }
    }
}

impl From<Login> for LoggedIn {
    fn from(login: Login) -> Self {
        let outcome = match login {
            Login::Succeeded => "succeeded",
            Login::Wrong => "wrong",
            Login::Limited => "limited",
        };
        Self { outcome }
    }
}

#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    request_time: Histograms<Asked>,
    refused: Family<Refused, Counter>,
    logins: Family<LoggedIn, Counter>,
    audit: AuditEntries,
    store_time: Histograms<Done>,
    running: Gauge,
    waiting: Gauge,
    connections: Gauge,
    connections_busy: Gauge,
    store_waiting: Gauge,
    customer_groups: Total,
    customers: Total,
    members: Total,
    /// When the totals were counted.
    counted: Mutex<Option<Instant>>,
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("stheno");
        let requests = Family::default();
        registry.register("http_requests", "Requests that were answered", requests.clone());
        let request_time = Histograms::new_with_constructor(histogram);
        let help = "Time until the answer's head was ready, and all of it unless it is large";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, request_time.clone());
        let refused = Family::<Refused, Counter>::default();
        registry.register(
            "calls_refused",
            "Calls that were refused before they were worked on",
            refused.clone(),
        );
        let logins = Family::<LoggedIn, Counter>::default();
        registry.register("logins", "Logins with a password", logins.clone());
        let audit = AuditEntries::default();
        audit.register(&mut registry);
        // What has not happened yet is told, too: a rate begins at nought.
        for refusal in [Refusal::Busy, Refusal::RateLimit] {
            drop(refused.get_or_create(&refusal.into()));
        }
        for login in [Login::Succeeded, Login::Wrong, Login::Limited] {
            drop(logins.get_or_create(&login.into()));
        }
        for outcome in [AuditOutcome::Written, AuditOutcome::Dropped, AuditOutcome::Failed] {
            audit.count(outcome, 0);
        }
        let store_time = Histograms::new_with_constructor(histogram);
        let help = "Time of units of work of the database, waiting for a connection included";
        registry.register_with_unit("store_unit_duration", help, Unit::Seconds, store_time.clone());
        let version = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program", version);
        let mut gauge = |name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let running = gauge("calls_running", "Calls that are worked on");
        let waiting = gauge("calls_waiting", "Calls that wait for their turn");
        let connections = gauge("store_connections", "Connections to the database");
        let connections_busy =
            gauge("store_connections_busy", "Connections to the database that are at work");
        let store_waiting =
            gauge("store_units_waiting", "Units of work that wait for a connection to the database");
        let mut total = |name: &str, help: &str| {
            let total = Total::default();
            registry.register(name, help, total.clone());
            total
        };
        let customer_groups = total("customer_groups", "Customer groups of the shop");
        let customers = total("customers", "Customers of the shop");
        let members = total("customer_group_members", "Memberships of customers in groups");
        Self {
            registry,
            requests,
            request_time,
            refused,
            logins,
            audit,
            store_time,
            running,
            waiting,
            connections,
            connections_busy,
            store_waiting,
            customer_groups,
            customers,
            members,
            counted: Mutex::default(),
        }
    }

    /// Who is told of the store's work.
    pub(crate) fn observer(&self) -> Observer {
        let times = self.store_time.clone();
        Observer::new(move |unit| {
            let outcome = if unit.failed { "failed" } else { "ok" };
            times.get_or_create(&Done { unit: unit.name, outcome }).observe(unit.time.as_secs_f64());
            if !unit.failed && store_answers() {
                tracing::info!("the database answers again");
            }
            #[cfg(feature = "otlp")]
            crate::traces::tell(unit);
        })
    }

    /// Who counts entries of the audit trail.
    pub(crate) fn audit_entries(&self) -> AuditEntries {
        self.audit.clone()
    }

    pub(crate) fn refuse(&self, refusal: Refusal) {
        self.refused.get_or_create(&refusal.into()).inc();
    }

    pub(crate) fn log_in(&self, login: Login) {
        self.logins.get_or_create(&login.into()).inc();
    }

    fn answer(&self, method: &Method, route: &str, status: u16, time: Duration) {
        let method = name_of(method);
        self.request_time
            .get_or_create(&Asked { method, route: route.to_owned() })
            .observe(time.as_secs_f64());
        self.requests.get_or_create(&Answered { method, route: route.to_owned(), status }).inc();
    }

    fn tell_totals(&self, totals: Totals) {
        self.customer_groups.get_or_create(&[]).set(totals.customer_groups);
        self.customers.get_or_create(&[]).set(totals.customers);
        self.members.get_or_create(&[]).set(totals.members);
    }

    /// Whether the totals are to be counted now, by whoever asks.
    fn are_totals_due(&self) -> bool {
        let mut counted = self.counted.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let due = counted.is_none_or(|counted| counted.elapsed() >= TOTALS_KEPT);
        if due {
            *counted = Some(Instant::now());
        }
        due
    }
}

/// The methods that there are; a client may make up others.
pub(crate) fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        _ => "other",
    }
}

/// Counts and times a request.
pub(crate) async fn request(
    app: &App,
    request: Request,
    next: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let begun = Instant::now();
    let response = next(request).await;
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    app.metrics().answer(&method, route, response.status().as_u16(), begun.elapsed());
    response
}

async fn count_totals(app: App) {
    match app.store().totals().await {
        Ok(totals) => app.metrics().tell_totals(totals),
        Err(error) => tracing::warn!(error = %chain(&error), "could not count what is in the shop"),
    }
}

/// All metrics as they are now.
pub(crate) async fn show(app: &App) -> Result<Response, ApiError> {
    let metrics = app.metrics();
    if metrics.are_totals_due() {
        // What else is measured is wanted most when the database is down, or slow.
        let counting = tokio::spawn(count_totals(app.clone()));
        let _ = tokio::time::timeout(TOTALS_PATIENCE, counting).await;
    }
    let work = &app.limits().work;
    let load = app.store().load();
    let gauges = [
        (&metrics.running, work.running()),
        (&metrics.waiting, work.waiting()),
        (&metrics.connections, load.connections),
        (&metrics.connections_busy, load.busy),
        (&metrics.store_waiting, load.waiting),
    ];
    for (gauge, number) in gauges {
        gauge.set(i64::try_from(number).unwrap_or(i64::MAX));
    }
    let mut text = String::new();
    encode(&mut text, &metrics.registry).map_err(|_| ApiError::Internal("the metrics cannot be written"))?;
    Ok(([(CONTENT_TYPE, OPEN_METRICS)], text).into_response())
}

/// `GET /metrics` for an address of its own, which only who may see them can reach: it asks for no credential.
pub fn metrics_router(app: App) -> Router {
    async fn handler(State(app): State<App>) -> Result<Response, ApiError> {
        show(&app).await
    }
    Router::new().route("/metrics", get(handler)).with_state(app)
}
