//! Traces: a span for each request, one below it for each unit of the store's work, sent to a collector of OpenTelemetry.
//!
//! A span has the request's route, never its path or its query, and nothing of its headers but where its trace came from:
//! these may hold personal data and secrets. What is measured is sent beside the work, in batches of which some are kept
//! for a collector that is slow; what is beyond is let go.

use std::borrow::Cow;
use std::env;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{FutureExt as _, Span as _, SpanKind, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::{self, SdkTracerProvider, SpanData};
use reqwest::redirect::Policy;
use reqwest::{Url, blocking};
use stheno_store::Unit;

use crate::config::SettingError;
use crate::metrics::name_of;
use crate::observe::REQUEST_ID;
use crate::tls;

/// Whose spans these are.
const SCOPE: &str = "stheno";

const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
const PROTOCOLS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
const TIMEOUTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];

/// How long the collector may take to accept a batch, unless a variable says it.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long the end waits for the last batch to be accepted.
const FLUSH: Duration = Duration::from_secs(3);

/// The spans of this process, on their way to the collector.
#[derive(Debug)]
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Begins to send spans to the collector that the environment names in `OTEL_EXPORTER_OTLP_ENDPOINT` or
    /// `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`; none, if it names none, or says that nothing is to be sent. Further variables
    /// of OpenTelemetry say how: headers, timeout, compression, sampler, batches, the service and its attributes.
    ///
    /// # Errors
    /// If a variable says what cannot be done.
    pub fn start() -> Result<Option<Self>, SettingError> {
        let is_off = variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
            || variable("OTEL_TRACES_EXPORTER").is_some_and(|exporter| exporter == "none");
        let Some((endpoint_name, endpoint)) = first(ENDPOINTS).filter(|_| !is_off) else { return Ok(None) };
        // Looked at here, since the exporter would repeat it, with the password that should not be in it.
        let endpoint = endpoint.parse::<Url>().ok().filter(|url| ["http", "https"].contains(&url.scheme()));
        let endpoint = endpoint.ok_or_else(|| {
            SettingError::new(format!("{endpoint_name} must be a URL such as http://127.0.0.1:4318"))
        })?;
        if let Some((name, protocol)) = first(PROTOCOLS)
            && protocol != opentelemetry_otlp::OTEL_EXPORTER_OTLP_PROTOCOL_HTTP_PROTOBUF
        {
            return Err(SettingError::new(format!("{name} can only be http/protobuf")));
        }
        let exporter = SpanExporter::builder().with_http().with_http_client(client(&endpoint)?).build();
        let exporter = exporter.map_err(|error| SettingError::new(error.to_string()))?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(Telling { exporter, is_failing: AtomicBool::new(false) })
            .with_resource(resource())
            .build();
        global::set_tracer_provider(provider.clone());
        Ok(Some(Self(provider)))
    }

    /// Sends what has not been sent yet, and waits for that some seconds at the most.
    pub async fn end(self) {
        // What was not accepted in time is lost, which has been said.
        let _ = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(FLUSH)).await;
    }
}

/// What a variable says; OpenTelemetry takes an empty one for none.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn first(names: [&'static str; 2]) -> Option<(&'static str, String)> {
    names.into_iter().find_map(|name| Some((name, variable(name)?)))
}

/// A client for the thread that sends, where waiting holds up nobody.
fn client(endpoint: &Url) -> Result<blocking::Client, SettingError> {
    let timeout = match first(TIMEOUTS) {
        Some((name, text)) => {
            let milliseconds = text.parse().map_err(|_| {
                SettingError::new(format!("{name} must be a number of milliseconds, such as 10000"))
            })?;
            Duration::from_millis(milliseconds)
        }
        None => TIMEOUT,
    };
    let cannot =
        |error: &dyn std::fmt::Display| SettingError::new(format!("https cannot be set up: {error}"));
    let tls = tls::client(endpoint.scheme() == "https").map_err(|error| cannot(&error))?;
    // Not on a thread that runs other tasks, which reqwest refuses.
    let made = std::thread::spawn(move || {
        let builder = blocking::Client::builder().tls_backend_preconfigured(tls);
        builder.redirect(Policy::none()).timeout(timeout).build()
    });
    let made = made.join().map_err(|_| SettingError::new("the client for the collector cannot be made"))?;
    made.map_err(|error| cannot(&error))
}

fn resource() -> Resource {
    let resource = Resource::builder_empty()
        .with_service_name("stheno")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_detectors(&[Box::new(TelemetryResourceDetector), Box::new(EnvResourceDetector::new())]);
    match variable("OTEL_SERVICE_NAME") {
        Some(name) => resource.with_service_name(name).build(),
        None => resource.build(),
    }
}

/// An exporter that says in the log when the collector accepts no more spans, and when it does again.
#[derive(Debug)]
struct Telling {
    exporter: SpanExporter,
    is_failing: AtomicBool,
}

impl trace::SpanExporter for Telling {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let outcome = self.exporter.export(batch).await;
        let was_failing = self.is_failing.swap(outcome.is_err(), Ordering::Relaxed);
        match &outcome {
            Err(error) if !was_failing => {
                tracing::warn!(%error, "the collector accepts no spans, which are lost until it does");
            }
            Ok(()) if was_failing => tracing::info!("the collector accepts spans again"),
            _ => {}
        }
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// Measures a request, below the span that its header `traceparent` names. Probes are left out, since they come all the time.
pub(crate) async fn request(request: Request, next: impl AsyncFnOnce(Request) -> Response) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map(MatchedPath::as_str);
    if let Some("/health" | "/ready" | "/metrics") = route {
        return next(request).await;
    }
    let (method, verb) = match name_of(request.method()) {
        "other" => ("_OTHER", "HTTP"),
        known => (known, known),
    };
    let name: Cow<'static, str> = route.map_or(verb.into(), |route| format!("{verb} {route}").into());
    let mut attributes =
        vec![KeyValue::new("http.request.method", method), KeyValue::new("url.scheme", "http")];
    attributes.extend(route.map(|route| KeyValue::new("http.route", route.to_owned())));
    let parent = TraceContextPropagator::new().extract(&HeaderExtractor(request.headers()));
    let tracer = global::tracer(SCOPE);
    let span = tracer.span_builder(name).with_kind(SpanKind::Server).with_attributes(attributes);
    let context = parent.with_span(span.start_with_context(&tracer, &parent));
    let response = next(request).with_context(context.clone()).await;
    let span = context.span();
    let status = response.status();
    span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
    if let Some(id) = response.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()) {
        span.set_attribute(KeyValue::new("stheno.request_id", id.to_owned()));
    }
    if status.is_server_error() {
        span.set_attribute(KeyValue::new("error.type", status.as_u16().to_string()));
        span.set_status(Status::error(""));
    }
    span.end();
    response
}

/// Adds a unit of the store's work, which is done, to the request that it was done for.
pub(crate) fn tell(unit: Unit) {
    let context = Context::current();
    // What the server does by itself belongs to no trace.
    if !context.span().is_recording() {
        return;
    }
    let end = opentelemetry::time::now();
    let tracer = global::tracer(SCOPE);
    let mut span = tracer
        .span_builder(unit.name)
        .with_kind(SpanKind::Internal)
        .with_start_time(end.checked_sub(unit.time).unwrap_or(end))
        .start_with_context(&tracer, &context);
    if unit.failed {
        span.set_status(Status::error(""));
    }
    span.end_with_timestamp(end);
}
