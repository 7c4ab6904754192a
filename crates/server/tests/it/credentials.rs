//! Sessions, tokens, and what of a request is believed.

use std::time::Duration;

use serde_json::json;
use stheno_auth::secret::{Secret, SigningKeys};
use stheno_auth::session::CookieKeys;
use stheno_server::{AdminCors, Config, CookieSecure, TrustProxy};
use stheno_testkit::postgres::PostgresServer;
use stheno_testkit::{HttpResponse, TestApp, TestAppOptions, contract};

use crate::{header, token};

async fn with(config: Config) -> TestApp {
    let app = TestApp::empty(TestAppOptions { config, ..TestAppOptions::default() }).await;
    app.store.import(contract::seed()).await.unwrap();
    app
}

async fn login(app: &TestApp, headers: &[(String, String)], password: &str) -> HttpResponse {
    let mut all = vec![header("content-type", "application/json")];
    all.extend_from_slice(headers);
    let body = json!({"email": "Admin@medusa-test.com", "password": password}).to_string();
    app.client().send("POST", "/admin/auth", &all, Some(body.into_bytes())).await
}

fn cookie(response: &HttpResponse) -> (String, String) {
    let cookie = response.header("set-cookie").unwrap().split(';').next().unwrap();
    header("cookie", cookie)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_session_is_refused_at_once() {
    let app = with(Config::default()).await;
    let session = cookie(&login(&app, &[header("x-forwarded-proto", "https")], "supersecret").await);
    let mut client = app.client();
    let headers = std::slice::from_ref(&session);
    assert_eq!(client.send("GET", "/admin/customers?limit=1", headers, None).await.status, 200);
    assert_eq!(client.send("DELETE", "/admin/auth", headers, None).await.text(), "OK");
    assert_eq!(client.send("GET", "/admin/customers?limit=1", headers, None).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_has_closed_is_refused_soon() {
    let mut config = Config::default();
    config.credentials_remembered = Duration::from_millis(300);
    let app = with(config).await;
    let (name, value) = cookie(&login(&app, &[header("x-forwarded-proto", "https")], "supersecret").await);
    let keys = CookieKeys::from(SigningKeys::from("supersecret".parse::<Secret>().unwrap()));
    let id = keys.session_id(value.as_bytes()).unwrap();
    let session = [(name, value)];
    let mut client = app.client();
    assert_eq!(client.send("GET", "/admin/auth", &session, None).await.status, 200);
    assert!(app.store.delete_session(&id.storage_hash()).await.unwrap());
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(client.send("GET", "/admin/auth", &session, None).await.status, 401);
}

/// What a PostgreSQL that logs all statements has executed of prepared ones, but for what is done beside the requests.
fn executed(log: &str) -> Vec<&str> {
    let statements = log.split("LOG:  execute ").skip(1);
    statements.filter(|text| !text.contains("pg_") && !text.contains("stheno_count")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_is_looked_up_once_for_many_requests() {
    const REQUESTS: usize = 20;
    let postgres = PostgresServer::start("log_statement = all").await;
    let mut config = Config::default();
    config.credentials_remembered = Duration::from_secs(600);
    let options = TestAppOptions { config, ..TestAppOptions::default() };
    let app = TestApp::with_contract_data_at(&postgres.url("postgres"), options).await;
    let session = cookie(&login(&app, &[header("x-forwarded-proto", "https")], "supersecret").await);
    let body = json!({"email": "admin@medusa-test.com", "password": "supersecret"}).to_string();
    let json = [header("content-type", "application/json")];
    let bearer = app.client().send("POST", "/admin/auth/token", &json, Some(body.into_bytes())).await.json();
    let bearer = header("authorization", &format!("Bearer {}", bearer["access_token"].as_str().unwrap()));
    let path = "/admin/customer-groups/cgrp_01KW1F2Q004CWZWKZAJK9PC5E4";
    for credential in [token(), session, bearer] {
        let before = std::fs::read_to_string(postgres.log()).unwrap().len();
        let mut client = app.client();
        for _ in 0..REQUESTS {
            let answer = client.send("GET", path, std::slice::from_ref(&credential), None).await;
            assert_eq!(answer.status, 200);
        }
        let log = std::fs::read_to_string(postgres.log()).unwrap();
        let (reads, look_ups): (Vec<_>, Vec<_>) =
            executed(&log[before..]).into_iter().partition(|text| text.contains("FROM \"customer_group\""));
        assert_eq!(reads.len(), REQUESTS, "{reads:?}");
        assert!(look_ups.len() <= 1, "{}: {look_ups:?}", credential.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_may_come_in_several_headers() {
    let app = with(Config::default()).await;
    let session = cookie(&login(&app, &[header("x-forwarded-proto", "https")], "supersecret").await);
    let mut client = app.client();
    let headers = [header("cookie", "a=b"), session.clone(), header("cookie", "c=d")];
    assert_eq!(client.send("GET", "/admin/auth", &headers, None).await.status, 200);
    assert_eq!(client.send("DELETE", "/admin/auth", &headers, None).await.status, 200);
    assert_eq!(client.send("GET", "/admin/auth", &[session], None).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_login_opens_no_session() {
    let app = with(Config::default()).await;
    let refused = login(&app, &[header("x-forwarded-proto", "https")], "wrong").await;
    assert_eq!(refused.status, 401);
    let session = cookie(&refused);
    assert_eq!(app.client().send("GET", "/admin/auth", &[session], None).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weak_password_container_is_kept_better_after_a_login() {
    let app = with(Config::default()).await;
    let before = app.store.user_by_email("admin@medusa-test.com").await.unwrap().unwrap();
    assert_eq!(login(&app, &[], "supersecret").await.status, 200);
    let after = app.store.user_by_email("admin@medusa-test.com").await.unwrap().unwrap();
    let text = |user: stheno_store::UserCredentials| {
        secrecy::ExposeSecret::expose_secret(&user.password_hash.unwrap()).to_owned()
    };
    assert_ne!(text(before), text(after));
    assert_eq!(login(&app, &[], "supersecret").await.status, 200);
    assert_eq!(login(&app, &[], "wrong").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_trusted_proxy_says_that_a_request_came_over_https() {
    let https = [header("x-forwarded-proto", "HTTPS, http")];
    let trusted = with(Config::default()).await;
    assert!(login(&trusted, &https, "supersecret").await.header("set-cookie").unwrap().contains("Secure"));
    assert_eq!(login(&trusted, &[], "supersecret").await.header("set-cookie"), None);

    let mut config = Config::default();
    config.trust_proxy = "none".parse::<TrustProxy>().unwrap();
    let untrusted = with(config).await;
    assert_eq!(login(&untrusted, &https, "supersecret").await.header("set-cookie"), None);

    for (setting, attributes) in
        [(CookieSecure::Always, "Secure; SameSite=None"), (CookieSecure::Never, "SameSite=Lax")]
    {
        let mut config = Config::default();
        config.cookie_secure = setting;
        let app = with(config).await;
        let response = login(&app, &[], "supersecret").await;
        let cookie = response.header("set-cookie").unwrap();
        assert!(cookie.ends_with(attributes), "{cookie}");
        assert_eq!(cookie.contains("Secure"), setting == CookieSecure::Always);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_allowed_origins_may_call() {
    let mut config = Config::default();
    config.admin_cors = "http://localhost:7001,/\\.example\\.com$/".parse::<AdminCors>().unwrap();
    let app = with(config).await;
    for (origin, allowed) in
        [("http://localhost:7001", true), ("https://shop.example.com", true), ("http://evil.test", false)]
    {
        let headers = [token(), header("origin", origin)];
        let response = app.client().send("GET", "/admin/customers?limit=1", &headers, None).await;
        assert_eq!(response.header("access-control-allow-origin"), allowed.then_some(origin));
        assert_eq!(response.header("access-control-allow-credentials"), Some("true"));
        assert_eq!(response.header("vary"), Some("Origin"));
        let preflight = [header("origin", origin), header("access-control-request-headers", "x-a, x-b")];
        let response = app.client().send("OPTIONS", "/admin/customers", &preflight, None).await;
        assert_eq!(response.status, 204);
        assert_eq!(response.header("access-control-allow-origin"), allowed.then_some(origin));
        assert_eq!(response.header("access-control-allow-headers"), Some("x-a, x-b"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_keeps_its_id_if_it_is_harmless() {
    let app = with(Config::default()).await;
    for (sent, kept) in [("abc-123_4.5:6", true), ("a b", false), ("{}", false), (&"x".repeat(129), false)] {
        let headers = [token(), header("x-request-id", sent)];
        let response = app.client().send("GET", "/admin/customers?limit=1", &headers, None).await;
        let id = response.header("x-request-id").unwrap();
        assert_eq!(id == sent, kept, "{sent} became {id}");
    }
}
