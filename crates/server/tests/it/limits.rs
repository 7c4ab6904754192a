//! What is refused so that others are served.

use std::time::{Duration, Instant};

use serde_json::json;
use stheno_server::{Config, CookieSecure};
use stheno_store::StoreOptions;
use stheno_testkit::{Engine, HttpResponse, TestApp, TestAppOptions, contract};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::header;

const LIST: &str = "/admin/customer-groups?limit=1";

async fn with(change: impl FnOnce(&mut Config), engine: Engine) -> TestApp {
    let mut config = Config::default();
    change(&mut config);
    let store = StoreOptions { lock_timeout: Duration::from_secs(60), ..StoreOptions::default() };
    let app = TestApp::empty(TestAppOptions { config, engine, store, ..TestAppOptions::default() }).await;
    app.store.import(contract::seed()).await.unwrap();
    app
}

/// A login that a proxy passes on from `address`.
async fn login(app: &TestApp, email: &str, password: &str, address: &str) -> HttpResponse {
    let headers = [header("content-type", "application/json"), header("x-forwarded-for", address)];
    let body = json!({"email": email, "password": password}).to_string();
    app.client().send("POST", "/admin/auth/token", &headers, Some(body.into_bytes())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_passwords_is_held_up_and_nobody_else() {
    let app = with(|_| {}, Engine::Sqlite).await;
    // Whether there is such an account or not, and however it is written; also with the right password.
    for email in ["Admin@medusa-test.com", "nobody@shop.example"] {
        for guess in 0..10 {
            assert_eq!(login(&app, email, &guess.to_string(), "192.0.2.1").await.status, 401);
        }
        let refused = login(&app, &email.to_lowercase(), "supersecret", "192.0.2.1").await;
        assert_eq!(refused.status, 429);
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=30).contains(&wait), "{wait}");
        let body = json!({
            "code": "too_many_requests",
            "type": "not_allowed",
            "message": format!("too many failed logins; try again in {wait} seconds"),
        });
        assert_eq!(refused.json(), body);
    }
    assert_eq!(login(&app, "admin@medusa-test.com", "supersecret", "192.0.2.2").await.status, 200);
    assert_eq!(app.call("GET", LIST, None).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_that_succeed_are_not_counted() {
    let app = with(|_| {}, Engine::Sqlite).await;
    for _ in 0..12 {
        assert_eq!(login(&app, "admin@medusa-test.com", "supersecret", "192.0.2.1").await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_counted_by_credential_and_by_address() {
    let limit = |config: &mut Config| {
        config.rate_limit_credential = Some("2/h".parse().unwrap());
        config.rate_limit_address = Some("4/h".parse().unwrap());
        config.admin_cors = "https://shop.example".parse().unwrap();
    };
    let app = with(limit, Engine::Sqlite).await;
    let call = async |address: &str, token: &str| {
        let headers = [
            header("x-medusa-access-token", token),
            header("x-forwarded-for", address),
            header("origin", "https://shop.example"),
        ];
        let answer = app.client().send("GET", LIST, &headers, None).await;
        let header = |name: &str| answer.header(name).unwrap_or_default().to_owned();
        (answer.status.as_u16(), header("ratelimit-limit"), header("ratelimit-remaining"))
    };
    let told = |status, limit: &str, remaining: &str| (status, limit.to_owned(), remaining.to_owned());
    assert_eq!(call("192.0.2.1", "test_token").await, told(200, "2", "1"));
    assert_eq!(call("192.0.2.1", "test_token").await, told(200, "2", "0"));
    assert_eq!(call("192.0.2.1", "test_token").await, told(429, "2", "0"));
    assert_eq!(call("192.0.2.1", "wrong_token").await, told(401, "4", "0"));
    assert_eq!(call("192.0.2.1", "wrong_token").await, told(429, "4", "0"));
    assert_eq!(call("192.0.2.2", "test_token").await, told(429, "2", "0"));

    let headers = [header("x-forwarded-for", "192.0.2.1"), header("origin", "https://shop.example")];
    let refused = app.client().send("GET", LIST, &headers, None).await;
    assert_eq!(refused.status, 429);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((600..=900).contains(&wait), "{wait}");
    assert_eq!(refused.header("ratelimit-reset").unwrap(), wait.to_string());
    assert_eq!(refused.header("access-control-allow-origin"), Some("https://shop.example"));
    let exposed = refused.header("access-control-expose-headers").unwrap();
    assert!(exposed.contains("ratelimit-reset") && exposed.contains("retry-after"), "{exposed}");
    let message = format!("too many calls: 4/h are allowed; try again in {wait} seconds");
    assert_eq!(refused.json()["message"], message);
    // How the server is can always be asked.
    for _ in 0..10 {
        assert_eq!(app.client().send("GET", "/health", &headers, None).await.status, 200);
        assert_eq!(app.client().send("GET", "/ready", &headers, None).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_beside_a_credential_makes_no_other_one_of_it() {
    let limit = |config: &mut Config| {
        config.rate_limit_credential = Some("2/h".parse().unwrap());
        config.cookie_secure = CookieSecure::Never;
    };
    let app = with(limit, Engine::Sqlite).await;
    let bearer = login(&app, "admin@medusa-test.com", "supersecret", "192.0.2.1").await.json();
    let bearer = format!("Bearer {}", bearer["access_token"].as_str().unwrap());
    let typed = json!({"email": "admin@medusa-test.com", "password": "supersecret"});
    let opened = app.call("POST", "/admin/auth", Some(typed)).await;
    let session = opened.header("set-cookie").unwrap().split(';').next().unwrap();
    for (name, credential) in
        [("x-medusa-access-token", "test_token"), ("authorization", &*bearer), ("cookie", session)]
    {
        let mut statuses = Vec::new();
        for number in 0..3 {
            let cookie = format!("connect.sid=s%3Amade-up-{number}.nothing");
            let beside = match name {
                "cookie" => [header("cookie", &format!("a={number}")), header("authorization", &cookie)],
                _ => [header("cookie", &cookie), header("cookie", &format!("a={number}"))],
            };
            let headers = [&beside[..], &[header(name, credential)]].concat();
            let path = ["/admin/auth", "/metrics", "/admin/nowhere"][number];
            statuses.push(app.client().send("GET", path, &headers, None).await.status.as_u16());
        }
        assert_eq!(statuses, [200, 200, 429], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_are_limited_by_address_too() {
    let app = with(|config| config.rate_limit_address = Some("2/h".parse().unwrap()), Engine::Sqlite).await;
    for status in [401, 401, 429] {
        assert_eq!(app.client().send("GET", "/metrics", &[], None).await.status, status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_no_trusted_proxy_names_is_not_believed() {
    let limit = |config: &mut Config| {
        config.rate_limit_address = Some("2/h".parse().unwrap());
        config.trust_proxy = "none".parse().unwrap();
    };
    let app = with(limit, Engine::Sqlite).await;
    let mut statuses = Vec::new();
    for number in 0..3 {
        let headers = [
            header("x-medusa-access-token", "test_token"),
            header("x-forwarded-for", &format!("192.0.2.{number}")),
        ];
        statuses.push(app.client().send("GET", LIST, &headers, None).await.status.as_u16());
    }
    assert_eq!(statuses, [200, 200, 429]);
}

/// What a client has written itself stands to the left of what the proxy adds.
#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_cannot_be_read_hide_no_address() {
    let app = with(|config| config.rate_limit_address = Some("2/h".parse().unwrap()), Engine::Sqlite).await;
    for (forwarded, status) in [
        (&b"\xff\xfe, 192.0.2.1"[..], 200),
        (b"192.0.2.9, caf\xe9, 192.0.2.1", 200),
        (b"192.0.2.9\xff,192.0.2.1", 429),
        (b"192.0.2.2", 200),
    ] {
        let head = b"GET /admin/auth HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
                     x-medusa-access-token: test_token\r\nx-forwarded-for: ";
        let mut stream = TcpStream::connect(app.address).await.unwrap();
        stream.write_all(&[head, forwarded, b"\r\n\r\n"].concat()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{forwarded:?}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn work_beyond_what_can_be_done_is_refused_at_once_and_only_as_long_as_that_is_so() {
    let limit = |config: &mut Config| {
        config.concurrency = 1;
        config.queue = 0;
    };
    let app = with(limit, Engine::Postgres).await;
    let other = app.postgres().connect().await;
    other.batch_execute("BEGIN; LOCK TABLE customer_group IN EXCLUSIVE MODE").await.unwrap();
    let writing = app.call("POST", "/admin/customer-groups", Some(json!({"name": "Waits"})));
    let seeing = async {
        let waits = "SELECT count(*)::text FROM pg_locks WHERE NOT granted";
        let started = Instant::now();
        while other.query_one(waits, &[]).await.unwrap().get::<_, &str>(0) == "0" {
            assert!(started.elapsed() < Duration::from_secs(50), "the write does not wait");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let refused = app.call("GET", LIST, None).await;
        assert_eq!(refused.status, 503);
        assert_eq!(refused.header("retry-after"), Some("1"));
        assert_eq!(refused.json()["code"], "unavailable");
        assert_eq!(app.client().send("GET", "/health", &[], None).await.status, 200);
        assert_eq!(app.client().send("GET", "/ready", &[], None).await.status, 200);
        other.batch_execute("COMMIT").await.unwrap();
    };
    let (written, ()) = tokio::join!(writing, seeing);
    assert_eq!(written.status, 200);
    assert_eq!(app.call("GET", LIST, None).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_slow_to_send_holds_up_nobody() {
    let limit = |config: &mut Config| {
        config.concurrency = 1;
        config.queue = 0;
    };
    let app = with(limit, Engine::Sqlite).await;
    let mut slow = Vec::new();
    for path in ["/admin/auth/token", "/admin/customer-groups", "/admin/customer-groups"] {
        let mut stream = TcpStream::connect(app.address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nx-medusa-access-token: test_token\r\n\
             content-type: application/json\r\ncontent-length: 20\r\n\r\n{{"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    for _ in 0..20 {
        assert_eq!(app.call("GET", LIST, None).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_too_large_is_refused() {
    let app = with(|_| {}, Engine::Sqlite).await;
    let many: String = (0..200).map(|number| format!("x-{number}: 1\r\n")).collect();
    let (long_url, long_header) = ("x".repeat(200_000), format!("x-long: {}\r\n", "x".repeat(200_000)));
    // All of the first is read before it is refused, so that its answer arrives. Of the others the rest is not read any more,
    // which resets the connection: the answer may be lost on the way.
    for (query, headers, may_be_lost) in
        [("", many.as_str(), false), (long_url.as_str(), "", true), ("", long_header.as_str(), true)]
    {
        let mut stream = TcpStream::connect(app.address).await.unwrap();
        let text = format!(
            "GET /admin/customer-groups?q={query} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n"
        );
        let sent = stream.write_all(text.as_bytes()).await;
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        let is_lost = answer.is_empty() && (sent.is_err() || read.is_err());
        assert!(answer.starts_with("HTTP/1.1 431 ") || (may_be_lost && is_lost), "{answer}");
    }
    // As large as anybody needs.
    let ids: String = (0..900).map(|number| format!("&id[]=cgrp_{number:026}")).collect();
    assert_eq!(app.call("GET", &format!("{LIST}{ids}"), None).await.status, 200);
}
