//! The audit trail of logins.

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use serde_json::json;
use stheno_server::{Config, CookieSecure};
use stheno_store::{Login, LoginFilter, LoginKind, LoginOutcome, StoreOptions};
use stheno_testkit::{Engine, HttpResponse, TestApp, TestAppOptions, contract};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::header;

const EMAIL: &str = "admin@medusa-test.com";

async fn started(engine: Engine, change: impl FnOnce(&mut Config)) -> TestApp {
    let mut config = Config::default();
    config.cookie_secure = CookieSecure::Never;
    change(&mut config);
    let store = StoreOptions { lock_timeout: Duration::from_millis(100), ..StoreOptions::default() };
    let app = TestApp::empty(TestAppOptions { config, store, engine, ..TestAppOptions::default() }).await;
    app.store.import(contract::seed()).await.unwrap();
    app
}

/// A login that a proxy passes on from `address`.
async fn login(app: &TestApp, path: &str, email: &str, password: &str, address: &str) -> HttpResponse {
    let headers = [header("content-type", "application/json"), header("x-forwarded-for", address)];
    let body = json!({"email": email, "password": password}).to_string();
    app.client().send("POST", path, &headers, Some(body.into_bytes())).await
}

async fn logins(app: &TestApp) -> Vec<Login> {
    let entries = app.store.logins(LoginFilter::default(), 1000).await.unwrap();
    entries.into_iter().map(|entry| entry.login).collect()
}

/// The trail, the first entry first, without the times.
async fn trail(app: &TestApp) -> Vec<(Option<String>, &'static str, &'static str, String, u32)> {
    app.app.flush().await;
    let shown = |login: Login| {
        let address = login.address.map(|address| address.to_string()).unwrap_or_default();
        (login.user_id, login.kind.as_str(), login.outcome.as_str(), address, login.attempts)
    };
    logins(app).await.into_iter().rev().map(shown).collect()
}

fn metric(metrics: &str, outcome: &str) -> f64 {
    let series = format!(r#"stheno_audit_entries_total{{outcome="{outcome}"}} "#);
    metrics.lines().find_map(|line| line.strip_prefix(&series)?.parse().ok()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_wait_for_the_answer_is_written_down_too() {
    let app = started(Engine::Sqlite, |_| {}).await;
    let body = json!({"email": EMAIL, "password": "guess"}).to_string();
    let length = body.len();
    let text = format!(
        "POST /admin/auth/token HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    // The key is being derived, which takes longer than this.
    tokio::time::sleep(Duration::from_millis(30)).await;
    drop(stream);
    let started = Instant::now();
    while trail(&app).await.is_empty() {
        assert!(started.elapsed() < Duration::from_secs(20), "nothing was written down");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let trail = trail(&app).await;
    assert_eq!(trail.len(), 1, "{trail:?}");
    assert!(["failed", "wrong_password"].contains(&trail[0].2), "{trail:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_in_or_is_refused_or_signs_out_is_written_down() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let app = started(engine, |_| {}).await;
        let before = app.store.clock().now();
        let id = app.store.user_by_email(EMAIL).await.unwrap().unwrap().id;
        let opened = login(&app, "/admin/auth", "Admin@medusa-test.com", "supersecret", "192.0.2.1").await;
        assert_eq!(opened.status, 200);
        assert_eq!(login(&app, "/admin/auth/token", EMAIL, "supersecret", "2001:db8::1").await.status, 200);
        assert_eq!(login(&app, "/admin/auth", EMAIL, "guess", "192.0.2.2").await.status, 401);
        let typed = "supersecret@shop.example";
        assert_eq!(login(&app, "/admin/auth/token", typed, "guess", "192.0.2.2").await.status, 401);
        // Whoever is there already is not signed in again, and a second end is none.
        let cookie = opened.header("set-cookie").unwrap().split(';').next().unwrap();
        let headers = [header("cookie", cookie), header("x-forwarded-for", "192.0.2.1")];
        assert_eq!(app.client().send("GET", "/admin/auth", &headers, None).await.status, 200);
        for status in [200, 401] {
            assert_eq!(app.client().send("DELETE", "/admin/auth", &headers, None).await.status, status);
        }
        assert_eq!(app.call("DELETE", "/admin/auth", None).await.status, 200);

        let of = |user: &str| Some(user.to_owned());
        let text = str::to_owned;
        assert_eq!(
            trail(&app).await,
            [
                (of(&id), "session", "accepted", text("192.0.2.1"), 1),
                (of(&id), "token", "accepted", text("2001:db8::1"), 1),
                (of(&id), "session", "wrong_password", text("192.0.2.2"), 1),
                (None, "token", "unknown_user", text("192.0.2.2"), 1),
                (of(&id), "logout", "accepted", text("192.0.2.1"), 1),
            ]
        );
        let now = app.store.clock().now();
        assert!(logins(&app).await.iter().all(|login| (before..=now).contains(&login.at)));
        let metrics = app.call("GET", "/metrics", None).await.text();
        let told = ["written", "dropped", "failed"].map(|outcome| metric(&metrics, outcome));
        assert_eq!(told, [5.0, 0.0, 0.0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_are_gathered_and_the_account_is_named_that_is_guessed_at() {
    let app = started(Engine::Sqlite, |_| {}).await;
    let id = app.store.user_by_email(EMAIL).await.unwrap().unwrap().id;
    for guess in 0..15 {
        let status = if guess < 10 { 401 } else { 429 };
        assert_eq!(login(&app, "/admin/auth/token", EMAIL, "guess", "192.0.2.1").await.status, status);
    }
    let trail = trail(&app).await;
    let attempts = |outcome| {
        let of = |user: &Option<String>| user.as_deref() == Some(&*id);
        trail
            .iter()
            .filter(|entry| of(&entry.0) && entry.2 == outcome)
            .map(|entry| entry.4)
            .collect::<Vec<_>>()
    };
    assert_eq!(attempts("wrong_password").iter().sum::<u32>(), 10, "{trail:?}");
    assert_eq!(attempts("limited"), [5], "{trail:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trail_that_cannot_be_written_fails_no_login() {
    let app = started(Engine::Postgres, |_| {}).await;
    let other = app.postgres().connect().await;
    // What is locked is written when it can be.
    other.batch_execute("BEGIN; LOCK TABLE stheno_login IN EXCLUSIVE MODE").await.unwrap();
    for _ in 0..2 {
        assert_eq!(login(&app, "/admin/auth", EMAIL, "supersecret", "192.0.2.1").await.status, 200);
        tokio::time::sleep(Duration::from_millis(1500)).await;
    }
    other.batch_execute("COMMIT").await.unwrap();
    let started = Instant::now();
    while logins(&app).await.iter().map(|login| login.attempts).sum::<u32>() < 2 {
        assert!(started.elapsed() < Duration::from_secs(30), "{:?}", logins(&app).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // What is gone is not waited for.
    other.batch_execute("DROP TABLE stheno_login").await.unwrap();
    assert_eq!(login(&app, "/admin/auth", EMAIL, "supersecret", "192.0.2.1").await.status, 200);
    app.app.flush().await;
    let metrics = app.call("GET", "/metrics", None).await.text();
    assert_eq!(metric(&metrics, "failed"), 1.0, "{metrics}");
}

fn old(days: i64) -> Login {
    Login {
        #[expect(clippy::disallowed_methods, reason = "the server goes by the system's clock too")]
        at: jiff::Timestamp::now() - SignedDuration::from_hours(24 * days),
        user_id: None,
        kind: LoginKind::Token,
        outcome: LoginOutcome::UnknownUser,
        address: None,
        attempts: 1,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_is_deleted_when_a_server_starts() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let app = started(engine, |config| config.audit_retention = None).await;
        // More than are deleted at once.
        app.store.record_logins(vec![old(4); 1500]).await.unwrap();
        app.store.record_logins(vec![old(2), old(1)]).await.unwrap();
        // Where there is no trail, nothing is written, and nothing deleted.
        assert_eq!(login(&app, "/admin/auth", EMAIL, "supersecret", "192.0.2.1").await.status, 200);
        app.app.flush().await;
        let all = app.store.logins(LoginFilter::default(), 2000).await.unwrap();
        assert_eq!(all.len(), 1502);

        let mut config = Config::default();
        config.audit_retention = Some(Duration::from_secs(3 * 24 * 60 * 60));
        let _keeping = app.another(config);
        let started = Instant::now();
        while logins(&app).await.len() > 2 {
            assert!(started.elapsed() < Duration::from_secs(30), "{}", logins(&app).await.len());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(logins(&app).await.len(), 2);
    }
}
