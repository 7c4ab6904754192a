//! Spans of requests, as a collector of OpenTelemetry gets them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode as SpanStatus;
use prost::Message as _;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::support::{API_TOKEN, EMAIL, PASSWORD, Server, Shop};

/// A collector, and what was sent to it.
struct Collector {
    endpoint: String,
    sent: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    _runtime: Runtime,
}

impl Collector {
    fn start() -> Self {
        Self::on("127.0.0.1:0")
    }

    fn on(address: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let sent = Arc::<Mutex<Vec<(HeaderMap, Bytes)>>>::default();
        let take = async |State(sent): State<Arc<Mutex<Vec<_>>>>, headers: HeaderMap, body: Bytes| {
            sent.lock().unwrap().push((headers, body));
            StatusCode::OK
        };
        let router = axum::Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&sent));
        let listener = runtime.block_on(TcpListener::bind(address)).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async { axum::serve(listener, router).await.unwrap() });
        Self { endpoint, sent, _runtime: runtime }
    }

    fn requests(&self) -> Vec<ExportTraceServiceRequest> {
        let sent = self.sent.lock().unwrap();
        sent.iter().map(|(_, body)| ExportTraceServiceRequest::decode(body.clone()).unwrap()).collect()
    }

    fn spans(&self) -> Vec<Span> {
        let resources = self.requests().into_iter().flat_map(|request| request.resource_spans);
        resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
    }
}

/// What an attribute says; nothing, if there is none of that name.
fn attribute(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.clone()?.value? {
        Value::StringValue(text) => Some(text),
        Value::IntValue(number) => Some(number.to_string()),
        other => panic!("{key} is {other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn shop(endpoint: &str) -> Shop {
    Shop::with_known_credentials().with("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

#[test]
fn a_request_is_a_span_of_its_callers_trace_with_the_stores_work_below_it() {
    let collector = Collector::start();
    let shop = shop(&collector.endpoint).with("OTEL_EXPORTER_OTLP_HEADERS", "x-collector=known");
    let server = shop.serve([]);
    let call = server.get("/admin/customer-groups/cgrp_none?expand=customers").with_token(API_TOKEN);
    let call = call.with("traceparent", format!("00-{TRACE}-{PARENT}-01"));
    assert_eq!(call.with("x-request-id", "the-request").send().status, 404);
    // One whose caller says that it is not recorded, and a probe.
    let unrecorded = server.get("/admin/customers").with_token(API_TOKEN);
    unrecorded.with("traceparent", format!("00-{}-{PARENT}-00", TRACE.replace('0', "1"))).send();
    server.get("/health").send();
    let log = server.stop();
    assert!(!log.contains("collector"), "{log}");

    let (headers, _) = collector.sent.lock().unwrap()[0].clone();
    assert_eq!(headers["content-type"], "application/x-protobuf");
    assert_eq!(headers["x-collector"], "known");
    let resource = collector.requests()[0].resource_spans[0].resource.clone().unwrap().attributes;
    assert_eq!(attribute(&resource, "service.name").unwrap(), "stheno");
    assert_eq!(attribute(&resource, "service.version").unwrap(), env!("CARGO_PKG_VERSION"));

    let spans = collector.spans();
    let (requests, units): (Vec<Span>, Vec<Span>) =
        spans.into_iter().partition(|span| span.kind() == SpanKind::Server);
    let [request] = &requests[..] else { panic!("not one request: {requests:?}") };
    assert_eq!(request.name, "GET /admin/customer-groups/{id}");
    assert_eq!((hex(&request.trace_id), hex(&request.parent_span_id)), (TRACE.to_owned(), PARENT.to_owned()));
    for (key, value) in [
        ("http.request.method", "GET"),
        ("http.route", "/admin/customer-groups/{id}"),
        ("http.response.status_code", "404"),
        ("stheno.request_id", "the-request"),
    ] {
        assert_eq!(attribute(&request.attributes, key).as_deref(), Some(value), "{key}");
    }
    assert!(request.status.as_ref().is_none_or(|status| status.code() == SpanStatus::Unset), "{request:?}");
    let names: Vec<&str> = units.iter().map(|unit| unit.name.as_str()).collect();
    assert!(names.contains(&"retrieve_customer_group"), "{names:?}");
    for unit in &units {
        assert_eq!((&unit.trace_id, &unit.parent_span_id), (&request.trace_id, &request.span_id), "{unit:?}");
        assert!(request.start_time_unix_nano <= unit.start_time_unix_nano, "{unit:?}");
        assert!(unit.end_time_unix_nano <= request.end_time_unix_nano, "{unit:?}");
    }
}

#[test]
fn the_service_and_the_sampler_are_what_the_variables_say() {
    let collector = Collector::start();
    let named = shop(&collector.endpoint)
        .with("OTEL_SERVICE_NAME", "shop-north")
        .with("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test");
    let server = named.serve([]);
    server.get("/admin/customers").with_token(API_TOKEN).send();
    server.stop();
    let resource = collector.requests()[0].resource_spans[0].resource.clone().unwrap().attributes;
    assert_eq!(attribute(&resource, "service.name").unwrap(), "shop-north");
    assert_eq!(attribute(&resource, "deployment.environment.name").unwrap(), "test");

    for (variable, value) in [
        ("OTEL_TRACES_SAMPLER", "always_off"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
    ] {
        let collector = Collector::start();
        let server = shop(&collector.endpoint).with(variable, value).serve([]);
        server.get("/admin/customers").with_token(API_TOKEN).send();
        server.stop();
        assert!(collector.sent.lock().unwrap().is_empty(), "{variable}={value}");
    }
}

#[test]
fn no_span_has_personal_data_or_secrets() {
    let collector = Collector::start();
    let shop = shop(&collector.endpoint);
    let server = shop.serve([]);
    let marked = |method, path: &str| {
        let call = server.call(method, &format!("{path}?q=Lovelace&name=Lovelace")).with_token(API_TOKEN);
        let call = call.with("user-agent", "Lovelace").with("cookie", "connect.sid=s:lovelace.sig");
        // A body that is not read ends a connection.
        call.with("connection", "close")
    };
    for path in [
        "/admin/customers",
        "/admin/customers/Lovelace",
        "/admin/customer-groups",
        "/Lovelace",
        "/admin/Lovelace",
    ] {
        marked("GET", path).send();
        marked("DELETE", path).send();
        let body = json!({"name": "Lovelace", "email": "lovelace@shop.example", "metadata": {"lovelace": 1}});
        marked("POST", path).send_json(body);
    }
    // The client of these tests knows no such method.
    let mut connection = TcpStream::connect(server.address()).unwrap();
    connection
        .write_all(b"LOVELACE /admin/customers HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n")
        .unwrap();
    connection.read_to_end(&mut Vec::new()).unwrap();
    server.post("/admin/auth").send_json(json!({"email": EMAIL, "password": PASSWORD}));
    server.post("/admin/auth").send_json(json!({"email": "lovelace@shop.example", "password": "wrong"}));
    server.stop();

    let spans = collector.spans();
    assert!(spans.iter().any(|span| span.name == "HTTP /admin/customers"), "{spans:?}");
    assert!(spans.iter().any(|span| span.name == "GET"), "{spans:?}");
    let text = format!("{:?}", collector.requests()).to_lowercase();
    for secret in ["lovelace", EMAIL, PASSWORD, API_TOKEN, "connect.sid", "example"] {
        assert!(!text.contains(&secret.to_lowercase()), "the spans have {secret:?}: {text}");
    }
}

#[test]
fn a_collector_that_is_not_there_is_said_once_and_holds_up_nobody() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let shop = shop(&format!("http://{address}")).with("OTEL_BSP_SCHEDULE_DELAY", "50");
    let server = shop.serve([]);
    let call = |server: &Server| server.get("/admin/customers").with_token(API_TOKEN).send().status;
    // The exporter tries for some seconds before it gives up a batch.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(15) {
        let start = Instant::now();
        assert_eq!(call(&server), 200);
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        std::thread::sleep(Duration::from_millis(500));
    }
    let collector = Collector::on(&address);
    let start = Instant::now();
    while collector.spans().is_empty() {
        assert!(start.elapsed() < Duration::from_secs(30), "nothing comes, though the collector is there");
        call(&server);
        std::thread::sleep(Duration::from_millis(60));
    }
    let log = server.stop();
    assert_eq!(log.matches("the collector accepts no spans").count(), 1, "{log}");
    assert_eq!(log.matches("the collector accepts spans again").count(), 1, "{log}");
}

#[test]
fn a_collector_that_never_answers_does_not_hold_up_the_end() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = shop(&format!("http://{}", silent.local_addr().unwrap())).serve([]);
    assert_eq!(server.get("/admin/customers").with_token(API_TOKEN).send().status, 200);
    let start = Instant::now();
    server.stop();
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
}

#[test]
fn variables_that_cannot_be_followed_end_the_start() {
    for (variable, value, said) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://user:hidden@example.com", "must be a URL such as http"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "can only be http/protobuf"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon", "must be a number of milliseconds"),
    ] {
        let shop = shop("http://127.0.0.1:4318").with(variable, value);
        let output = shop.stheno(["serve", "--port", "0"]).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{variable}={value} is taken");
        assert!(text.contains(variable) && text.contains(said) && !text.contains("hidden"), "{text}");
        assert!(!shop.path("stheno.db").exists(), "{variable}: a start that fails leaves nothing behind");
    }
}
