//! What is counted and measured, and what is made of it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use regex::Regex;
use serde::Deserialize;
use serde_json::json;
use stheno_server::{Config, metrics_router, serve_router};
use stheno_store::StoreOptions;
use stheno_testkit::{Engine, HttpClient, TestApp, TestAppOptions, contract};

use crate::{header, token};

/// The value of a series.
fn value(metrics: &str, series: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
}

async fn metrics(app: &TestApp) -> String {
    let answer = app.call("GET", "/metrics", None).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    answer.text()
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_logins_the_store_and_the_shop_are_told() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let app = TestApp::with_contract_data_in(engine).await;
        for _ in 0..3 {
            app.call("GET", "/admin/customer-groups?limit=1", None).await;
        }
        app.call("GET", "/admin/customer-groups/cgrp_nope", None).await;
        app.client().send("GET", "/somewhere/else", &[], None).await;
        app.client().send("BREW", "/admin/customer-groups", &[], None).await;
        for password in ["supersecret", "wrong"] {
            let body = json!({"email": "admin@medusa-test.com", "password": password});
            app.call("POST", "/admin/auth/token", Some(body)).await;
        }
        let groups = app.call("GET", "/admin/customer-groups", None).await.json()["count"].as_f64();
        let customers = app.call("GET", "/admin/customers", None).await.json()["count"].as_f64();
        let metrics = metrics(&app).await;
        let value = |series: &str| value(&metrics, series);
        let groups_asked = r#"{method="GET",route="/admin/customer-groups",status="200"}"#;
        assert_eq!(value(&format!("stheno_http_requests_total{groups_asked}")), Some(4.0), "{metrics}");
        let missed = r#"{method="GET",route="/admin/customer-groups/{id}",status="404"}"#;
        assert_eq!(value(&format!("stheno_http_requests_total{missed}")), Some(1.0), "{metrics}");
        for unknown in [
            r#"{method="GET",route="none",status="404"}"#,
            r#"{method="other",route="/admin/customer-groups",status="401"}"#,
        ] {
            assert_eq!(value(&format!("stheno_http_requests_total{unknown}")), Some(1.0), "{metrics}");
        }
        let timed = r#"{method="GET",route="/admin/customer-groups"}"#;
        assert_eq!(value(&format!("stheno_http_request_duration_seconds_count{timed}")), Some(4.0));
        for outcome in ["succeeded", "wrong"] {
            assert_eq!(
                value(&format!(r#"stheno_logins_total{{outcome="{outcome}"}}"#)),
                Some(1.0),
                "{metrics}"
            );
        }
        let listed = r#"{unit="list_customer_groups",outcome="ok"}"#;
        assert_eq!(
            value(&format!("stheno_store_unit_duration_seconds_count{listed}")),
            Some(4.0),
            "{metrics}"
        );
        assert_eq!(value("stheno_customer_groups "), groups);
        assert_eq!(value("stheno_customers "), customers);
        assert!(value("stheno_customer_group_members ").unwrap() > 0.0);
        assert!(value("stheno_store_connections ").unwrap() > 0.0);
        assert_eq!(value("stheno_calls_running "), Some(0.0));
        assert_eq!(value("stheno_calls_waiting "), Some(0.0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_is_told() {
    let mut config = Config::default();
    config.rate_limit_address = Some("2/h".parse().unwrap());
    let app = TestApp::empty(TestAppOptions { config, ..TestAppOptions::default() }).await;
    app.store.import(contract::seed()).await.unwrap();
    for _ in 0..5 {
        app.call("GET", "/admin/customer-groups?limit=1", None).await;
    }
    let elsewhere = [token(), header("x-forwarded-for", "192.0.2.1")];
    let metrics = app.client().send("GET", "/metrics", &elsewhere, None).await.text();
    let refused = value(&metrics, r#"stheno_calls_refused_total{reason="rate_limit"}"#);
    assert_eq!(refused, Some(3.0), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrape_does_not_wait_for_what_takes_long_to_count() {
    let store = StoreOptions { lock_timeout: Duration::from_secs(60), ..StoreOptions::default() };
    let engine = Engine::Postgres;
    let app = TestApp::empty(TestAppOptions { store, engine, ..TestAppOptions::default() }).await;
    app.store.import(contract::seed()).await.unwrap();
    // Before anything is locked: who calls is known then.
    assert_eq!(app.call("GET", "/admin/auth", None).await.status, 200);
    let other = app.postgres().connect().await;
    other.batch_execute("BEGIN; LOCK TABLE customer, customer_group, stheno_count").await.unwrap();
    let started = Instant::now();
    let early = metrics(&app).await;
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert!(!early.contains("stheno_customer"), "{early}");
    assert!(value(&early, "stheno_store_connections ").unwrap() > 0.0);

    other.batch_execute("COMMIT").await.unwrap();
    while value(&metrics(&app).await, "stheno_customers ").is_none() {
        assert!(started.elapsed() < Duration::from_secs(50), "nothing is counted");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let customers = app.call("GET", "/admin/customers?limit=1", None).await.json()["count"].as_f64();
    assert_eq!(value(&metrics(&app).await, "stheno_customers "), customers);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_an_address_of_their_own_the_metrics_ask_for_no_credential() {
    let app = TestApp::with_contract_data().await;
    assert_eq!(app.client().send("GET", "/metrics", &[], None).await.status, 401);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = HttpClient::new(listener.local_addr().unwrap());
    let router = metrics_router(app.app.clone());
    let served = tokio::spawn(serve_router(listener, router, Config::default(), std::future::pending()));
    let answer = client.send("GET", "/metrics", &[], None).await;
    assert!(answer.text().ends_with("# EOF\n"), "{}", answer.text());
    for path in ["/admin/customers", "/health", "/"] {
        assert_eq!(client.send("GET", path, &[token()], None).await.status, 404, "{path}");
    }
    served.abort();
}

/// A file of rules as Prometheus reads it, which refuses a field that it does not know.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Alerts {
    groups: Vec<Group>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    #[expect(dead_code, reason = "it has to be there")]
    name: String,
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    alert: String,
    expr: String,
    r#for: Option<String>,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_and_the_alerts_ask_for_metrics_that_there_are() {
    let app = TestApp::with_contract_data().await;
    app.call("GET", "/health", None).await;
    let metrics = metrics(&app).await;
    let names = Regex::new(r"\bstheno_[a-z_]+").unwrap();
    // As they are declared, with what is added to the names of each type.
    let there: BTreeSet<String> = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .flat_map(|(name, kind)| {
            let endings: &[&str] = match kind {
                "counter" => &["_total"],
                "histogram" => &["_bucket", "_count", "_sum"],
                "info" => &["_info"],
                _ => &[""],
            };
            endings.iter().map(move |ending| format!("{name}{ending}"))
        })
        .collect();
    assert!(there.len() > 12, "{metrics}");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/observability");
    let dashboard = std::fs::read_to_string(folder.join("grafana-dashboard.json")).unwrap();
    let alerts = std::fs::read_to_string(folder.join("prometheus-alerts.yml")).unwrap();
    let parsed: serde_json::Value = serde_json::from_str(&dashboard).unwrap();
    assert!(parsed["panels"].as_array().unwrap().len() > 10);
    let alerts: Alerts = serde_saphyr::from_str(&alerts).unwrap();
    let rules: Vec<&Rule> = alerts.groups.iter().flat_map(|group| &group.rules).collect();
    let names_of_rules: BTreeSet<&str> = rules.iter().map(|rule| rule.alert.as_str()).collect();
    assert_eq!(names_of_rules.len(), rules.len(), "two alerts of one name");
    let span = Regex::new(r"^\d+[smh]$").unwrap();
    for rule in &rules {
        assert!(rule.r#for.as_ref().is_none_or(|time| span.is_match(time)), "{rule:?}");
        assert!(["critical", "warning"].contains(&&*rule.labels["severity"]), "{rule:?}");
        assert!(rule.annotations.contains_key("summary"), "{rule:?}");
    }
    let expressions: String = rules.iter().map(|rule| format!("{}\n", rule.expr)).collect();
    let mut asked = BTreeSet::new();
    for text in [&dashboard, &expressions] {
        let found: Vec<_> = names.find_iter(text).map(|name| name.as_str().to_owned()).collect();
        assert!(found.len() > 5);
        asked.extend(found);
    }
    let unknown: Vec<_> = asked.difference(&there).collect();
    assert!(unknown.is_empty(), "no such metrics: {unknown:?}; there are {there:?}");
}
