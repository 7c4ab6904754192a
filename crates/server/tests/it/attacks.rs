//! Attacks, tried and refused. `docs/SECURITY.md` lists them, and further tests that try others.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use stheno_auth::jwt::JwtKeys;
use stheno_auth::secret::{Secret, SigningKeys};
use stheno_server::Config;
use stheno_testkit::{HttpResponse, TestApp, TestAppOptions, contract};

use crate::{header, token};

/// No attack may hold up the server for so long.
const SOON: Duration = Duration::from_secs(10);

async fn with(change: impl FnOnce(&mut Config)) -> TestApp {
    let mut config = Config::default();
    change(&mut config);
    let app = TestApp::empty(TestAppOptions { config, ..TestAppOptions::default() }).await;
    app.store.import(contract::seed()).await.unwrap();
    app
}

async fn post(app: &TestApp, path: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> HttpResponse {
    let headers: Vec<_> = headers.iter().map(|(name, value)| header(name, value)).collect();
    app.client().send("POST", path, &headers, Some(body.into())).await
}

const JSON: (&str, &str) = ("content-type", "application/json");
const TOKEN: (&str, &str) = ("x-medusa-access-token", "test_token");

/// The session that a login over https opens.
async fn session(app: &TestApp, headers: &[(&str, &str)]) -> String {
    let login = json!({"email": "admin@medusa-test.com", "password": "supersecret"}).to_string();
    let headers = [headers, &[JSON, ("x-forwarded-proto", "https")]].concat();
    let answer = post(app, "/admin/auth", &headers, login).await;
    assert_eq!(answer.status, 200);
    answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
}

fn keys(secret: &str) -> JwtKeys {
    SigningKeys::from(secret.parse::<Secret>().unwrap()).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_bearer_token_lets_nobody_in() {
    let app = TestApp::with_contract_data().await;
    let now = app.store.clock().now();
    let good = keys("supersecret").sign("admin_user", now);
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let [header_part, claims, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("{good}") };
    let claims_of =
        |user: &str| part(json!({"user_id": user, "domain": "admin", "iat": 0, "exp": 9_999_999_999_u64}));
    let forged = [
        format!("{}.{claims}.", part(json!({"alg": "none", "typ": "JWT"}))),
        format!("{}.{claims}.", part(json!({"alg": "NoNe"}))),
        format!("{}.{claims}.{signature}", part(json!({"alg": "none"}))),
        format!("{}.{claims}.{signature}", part(json!({"alg": "RS256"}))),
        format!("{}.{claims}.{signature}", part(json!({"alg": "HS512"}))),
        format!("{}.{claims}.{signature}", part(json!({"alg": "HS256", "crit": ["b64"], "b64": false}))),
        format!("{}.{claims}.{signature}", part(json!({"alg": "HS256", "jwk": {"kty": "oct", "k": ""}}))),
        format!("{header_part}.{}.{signature}", claims_of("admin_user")),
        format!("{header_part}.{claims}."),
        format!("{header_part}.{claims}"),
        format!("{good}.{signature}"),
        good[..good.len() - 1].to_owned(),
        keys("another secret").sign("admin_user", now),
        keys("supersecret").sign("usr_nobody", now),
        keys("supersecret").sign("admin_user", "2020-01-01T00:00:00Z".parse().unwrap()),
        format!("{}.{claims}.{signature}", "A".repeat(50_000)),
        String::new(),
    ];
    for token in forged {
        let headers = [header("authorization", &format!("Bearer {token}"))];
        let answer = app.client().send("GET", "/admin/customers?limit=1", &headers, None).await;
        assert_eq!(answer.status, 401, "{token}");
    }
    let headers = [header("authorization", &format!("Bearer {good}"))];
    assert_eq!(app.client().send("GET", "/admin/customers?limit=1", &headers, None).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_there_before_the_login_is_not_the_one_behind_it() {
    let app = with(|_| {}).await;
    let theirs = session(&app, &[]).await;
    let mine = session(&app, &[("cookie", &theirs)]).await;
    assert_ne!(mine, theirs);
    // Neither is one that somebody has made up.
    let planted = "connect.sid=s%3Aplanted.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let mine = session(&app, &[("cookie", planted)]).await;
    assert!(!mine.contains("planted"));
    let ask = async |cookie: &str| {
        app.client().send("GET", "/admin/auth", &[header("cookie", cookie)], None).await.status.as_u16()
    };
    assert_eq!(ask(planted).await, 401);
    assert_eq!(ask(&mine).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_changes_nothing_with_the_cookie_of_a_session() {
    let app = with(|config| config.admin_cors = "https://admin.shop.example".parse().unwrap()).await;
    let cookie = session(&app, &[]).await;
    let groups = app.call("GET", "/admin/customer-groups?limit=1&fields=id,name", None).await.json();
    let id = groups["customer_groups"][0]["id"].as_str().unwrap().to_owned();
    let group = format!("/admin/customer-groups/{id}");
    let before = app.call("GET", &group, None).await.json();
    let body = r#"{"name": "Taken over"}"#;
    // A form, and what a script may send without being asked about; with JSON a browser asks first.
    for content_type in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json"]
    {
        for path in [group.clone(), format!("{group}/customers/batch"), "/admin/customer-groups".to_owned()] {
            let headers = [
                ("cookie", cookie.as_str()),
                ("content-type", content_type),
                ("origin", "https://evil.example"),
                ("sec-fetch-site", "cross-site"),
            ];
            let answer = post(&app, &path, &headers, body).await;
            assert_eq!(answer.status, 403, "{content_type} {path}");
            assert_eq!(answer.json()["code"], "cross_site");
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
    }
    assert_eq!(app.call("GET", &group, None).await.json(), before);
    let preflight =
        [header("origin", "https://evil.example"), header("access-control-request-method", "DELETE")];
    let answer = app.client().send("OPTIONS", &group, &preflight, None).await;
    assert_eq!(answer.header("access-control-allow-origin"), None);

    // The shop's own pages do, of this site and of one that is allowed; and so does who brings a token.
    for (credential, site, origin) in [
        (("cookie", cookie.as_str()), "same-origin", "https://shop.example"),
        (("cookie", cookie.as_str()), "same-site", "https://shop.example"),
        (("cookie", cookie.as_str()), "cross-site", "https://admin.shop.example"),
        (TOKEN, "cross-site", "https://evil.example"),
    ] {
        let headers = [credential, JSON, ("origin", origin), ("sec-fetch-site", site)];
        assert_eq!(
            post(&app, &group, &headers, r#"{"metadata": {"seen": 1}}"#).await.status,
            200,
            "{site} {origin}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_way_of_writing_a_path_leads_round_the_credential() {
    let app = TestApp::with_contract_data().await;
    let paths = [
        "/admin/customers",
        "//admin/customers",
        "/admin//customers",
        "/ADMIN/customers",
        "/admin/customers/",
        "/%61dmin/customers",
        "/admin%2Fcustomers",
        "/admin/%63ustomers",
        "/./admin/customers",
        "/x/../admin/customers",
        "/admin/../admin/customers",
        "/admin/./customers",
        "/admin/customers;x=1",
        "/admin/customers%00",
        "/admin/customers.",
        "/admin/customers%20",
        "/admin/customers?",
        "/health/../admin/customers",
        "/docs/../admin/customers",
        "/docs/..%2f..%2fadmin/customers",
        "/admin/auth/../customers",
        "/admin/auth/token/../../customers",
        "/metrics",
        "/METRICS/",
        "/\\admin\\customers",
        "http://other.example/admin/customers",
    ];
    for path in paths {
        for method in ["GET", "HEAD", "POST", "DELETE"] {
            let answer = app.client().send(method, path, &[], None).await;
            assert!([400, 401, 404].contains(&answer.status.as_u16()), "{method} {path}: {}", answer.status);
            assert!(!answer.text().contains("cus_"), "{method} {path}");
        }
    }
    // Methods that are said to be another one are what they are.
    for name in ["x-http-method-override", "x-original-url", "x-rewrite-url", "x-forwarded-prefix"] {
        let headers = [header(name, "/admin/customers")];
        assert_eq!(app.client().send("GET", "/health", &headers, None).await.text(), "OK");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_made_to_hurt_are_refused_soon() {
    let app = TestApp::with_contract_data().await;
    let started = Instant::now();
    let nested = |depth: usize| {
        format!(r#"{{"name": "x", "metadata": {}1{}}}"#, r#"{"a":"#.repeat(depth), "}".repeat(depth))
    };
    let bodies = [
        "[".repeat(100_000),
        nested(5_000),
        format!(r#"{{"name": "x", "metadata": {{"a": {}}}}}"#, "[".repeat(200_000)),
        format!(r#"{{"name": "x", "metadata": {{"a": 1e{}}}}}"#, "9".repeat(1_000)),
        format!(r#"{{"name": "{}"}}"#, "\\u0000".repeat(10_000)),
        r#"{"name": "\ud800"}"#.to_owned(),
        format!(r#"{{"name": "x", {}}}"#, vec![r#""foo": 1"#; 50_000].join(", ")),
        format!(r#"{{"name": {{"toString": "{}"}}}}"#, "x".repeat(100_000)),
    ];
    for body in bodies {
        let answer = post(&app, "/admin/customer-groups", &[TOKEN, JSON], body.clone()).await;
        assert_eq!(answer.status, 400, "{}: {}", &body[..body.len().min(60)], answer.text());
        assert!(answer.body.len() < 100_000, "the answer repeats what was sent");
    }
    // Of a key that comes twice the last one counts, as in JavaScript: checked and saved are the same.
    let twice = r#"{"name": 1, "name": "Twice", "metadata": {"a": 1, "a": 2}}"#;
    let answer = post(&app, "/admin/customer-groups", &[TOKEN, JSON], twice).await.json();
    assert_eq!(answer["customer_group"]["name"], "Twice");
    assert_eq!(answer["customer_group"]["metadata"], json!({"a": 2}));
    let twice = r#"{"name": "Twice again", "name": 1}"#;
    assert_eq!(post(&app, "/admin/customer-groups", &[TOKEN, JSON], twice).await.status, 400);
    // A large number of members at once is one statement.
    let ids: Vec<Value> = (0..100_000).map(|number| json!({"id": format!("cus_{number}")})).collect();
    let groups = app.call("GET", "/admin/customer-groups?limit=1&fields=id", None).await.json();
    let path = format!(
        "/admin/customer-groups/{}/customers/batch",
        groups["customer_groups"][0]["id"].as_str().unwrap()
    );
    let answer = post(&app, &path, &[TOKEN, JSON], json!({"customer_ids": ids}).to_string()).await;
    assert_eq!(answer.status, 404, "{}", answer.text().len());
    assert!(started.elapsed() < 3 * SOON, "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_made_to_hurt_are_answered_soon() {
    let app = TestApp::with_contract_data().await;
    let queries = [
        format!("q{}=1", "[a]".repeat(5_000)),
        "id[]=x&".repeat(5_000),
        format!("created_at[gt]={}", "9".repeat(10_000)),
        format!("q={}", "%".repeat(10_000)),
        format!("q={}", "%25_".repeat(5_000)),
        format!("{}=1", "[".repeat(20_000)),
        (0..3_000).map(|number| format!("k{number}=1&")).collect(),
        "limit=-1&offset=99999999999999999999".to_owned(),
        "__proto__[admin]=1&constructor[prototype][admin]=1".to_owned(),
        "order=name;DROP%20TABLE%20customer".to_owned(),
        "fields=id,name'--&expand=customers,(select%201)".to_owned(),
        "q=' OR 1=1 --".replace(' ', "%20"),
    ];
    let started = Instant::now();
    for query in queries {
        let answer =
            app.client().send("GET", &format!("/admin/customer-groups?{query}"), &[token()], None).await;
        assert!(
            answer.status == 200 || answer.status == 400,
            "{}: {}",
            &query[..query.len().min(60)],
            answer.status
        );
        assert!(answer.status == 400 || answer.json()["count"].as_u64().unwrap() <= 20);
    }
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    assert_eq!(app.call("GET", "/admin/customers?limit=1", None).await.json()["count"], 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_does_not_come_back_as_a_header() {
    let app = TestApp::with_contract_data().await;
    for path in [
        "/admin/customer-groups/x%0d%0aset-cookie:%20a=b",
        "/admin/customer-groups?q=%0d%0aset-cookie:%20a=b",
    ] {
        let headers =
            [token(), header("x-request-id", "a b<script>"), header("origin", "https://evil.example\u{e9}")];
        let answer = app.client().send("GET", path, &headers, None).await;
        assert_eq!(answer.header("set-cookie"), None, "{path}");
        assert!(!answer.header("x-request-id").unwrap().contains(['<', ' ']), "{path}");
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"), "{path}");
    }
}
