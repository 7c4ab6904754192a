//! The API's description: that it is the committed one, that it is whole, and that every endpoint in it asks for a
//! credential.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use stheno_auth::api_token::{Access, ApiToken};
use stheno_auth::jwt::JwtKeys;
use stheno_auth::secret::{Secret, SigningKeys};
use stheno_server::{App, Config, Secrets};
use stheno_testkit::{TestApp, TestAppOptions};

use crate::{header, token};

/// What answers without a credential; everything else must not.
const OPEN: [(&str, &str); 7] = [
    ("POST", "/admin/auth"),
    ("POST", "/admin/auth/token"),
    ("GET", "/health"),
    ("GET", "/ready"),
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
    ("GET", "/docs/{file}"),
];

fn document() -> Value {
    serde_json::from_str(stheno_server::openapi::document()).unwrap()
}

/// Every operation: its method and its path.
fn operations() -> Vec<(String, String, Value)> {
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    let operations: Vec<_> = paths
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(move |(method, operation)| (method, path, operation))
        })
        .map(|(method, path, operation)| (method.to_uppercase(), path.clone(), operation.clone()))
        .collect();
    assert!(operations.len() > 20, "{} operations", operations.len());
    operations
}

/// With a token that may only read, what changes something is refused, whatever is asked, and nothing else is.
#[tokio::test(flavor = "multi_thread")]
async fn every_operation_that_changes_something_refuses_a_token_that_may_only_read() {
    let app = TestApp::with_contract_data().await;
    let token = ApiToken::generate(Access::Read).unwrap();
    assert!(app.store.create_api_token("admin_user", token.hash()).await.unwrap());
    let mut client = app.client();
    let mut written = 0;
    for (method, path, operation) in operations() {
        let writes = method != "GET" && !operation["security"].is_array();
        written += usize::from(writes);
        let asked = path.replace("{id}", "cgrp_x").replace("{file}", "index.html");
        let headers =
            [header("x-medusa-access-token", token.expose()), header("content-type", "application/json")];
        let body = (method != "GET").then(|| b"{malformed".to_vec());
        let answer = client.send(&method, &asked, &headers, body).await;
        assert_eq!(answer.status == 403, writes, "{method} {path}: {}", answer.status);
        assert_eq!(
            operation["responses"].get("403").is_some(),
            writes,
            "{method} {path} is not so described"
        );
        if writes {
            let refused = serde_json::json!({
                "code": "read_only", "type": "not_allowed", "message": "this API token may only read"
            });
            assert_eq!(answer.json(), refused, "{method} {path}");
        }
        if path.starts_with("/admin/customers") && !writes {
            assert_ne!(answer.status, 401, "{method} {path}");
        }
    }
    assert_eq!(written, 8);
    // A credential that may do more does, beside it.
    let both = [header("x-medusa-access-token", token.expose()), header("authorization", &bearer(&app))];
    let body = br#"{"name": "By the other credential"}"#.to_vec();
    let both = [both.as_slice(), &[header("content-type", "application/json")]].concat();
    assert_eq!(client.send("POST", "/admin/customer-groups", &both, Some(body)).await.status, 200);
}

/// A bearer token of the contract's administrator.
fn bearer(app: &TestApp) -> String {
    let keys = JwtKeys::from(SigningKeys::from("supersecret".parse::<Secret>().unwrap()));
    format!("Bearer {}", keys.sign("admin_user", app.store.clock().now()))
}

#[test]
fn the_committed_document_is_the_one_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi/openapi.json");
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == stheno_server::openapi::document(),
        "openapi/openapi.json is not what the code says: run `cargo xtask openapi`, and look at what changed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_and_its_page_are_served_to_everyone() {
    let app = TestApp::with_contract_data().await;
    let mut client = app.client();
    let document = client.send("GET", "/openapi.json", &[], None).await;
    assert_eq!(document.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(document.text(), stheno_server::openapi::document());

    let redirect = client.send("GET", "/docs", &[], None).await;
    assert_eq!(redirect.status, 303);
    assert_eq!(redirect.header("location"), Some("/docs/index.html"));
    let page = client.send("GET", "/docs/index.html", &[], None).await;
    assert_eq!(page.header("content-type"), Some("text/html"));
    // What the page loads is here, and nothing is elsewhere.
    let page = page.text();
    let files: Vec<&str> = page
        .split(['"', '\''])
        .filter(|text| [".js", ".css", ".png"].iter().any(|ending| text.ends_with(ending)))
        .collect();
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        let path = format!("/docs/{}", file.trim_start_matches("./"));
        let answer = client.send("GET", &path, &[], None).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.header("content-security-policy").unwrap().contains("default-src 'self'"), "{path}");
    }
    let settings = client.send("GET", "/docs/swagger-initializer.js", &[], None).await.text();
    assert!(settings.contains("../openapi.json"), "{settings}");
    assert_eq!(client.send("GET", "/docs/nope.js", &[], None).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_and_its_page_can_be_left_out() {
    let mut config = Config::default();
    config.docs = false;
    let app = TestApp::empty(TestAppOptions { config, ..TestAppOptions::default() }).await;
    let mut client = app.client();
    for path in ["/openapi.json", "/docs", "/docs/index.html"] {
        assert_eq!(client.send("GET", path, &[], None).await.status, 404, "{path}");
    }
    assert_eq!(client.send("GET", "/health", &[], None).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_but_a_few_asks_for_a_credential() {
    let app = TestApp::with_contract_data().await;
    let mut client = app.client();
    let mut open = Vec::new();
    for (method, path, operation) in operations() {
        let is_open = operation["security"].is_array();
        let asked = path.replace("{id}", "cgrp_x").replace("{file}", "index.html");
        for credential in [
            None,
            Some(header("x-medusa-access-token", "nope")),
            Some(header("authorization", "Bearer nope")),
            Some(header("cookie", "connect.sid=nope")),
        ] {
            let mut headers = vec![header("content-type", "application/json")];
            headers.extend(credential);
            let answer = client.send(&method, &asked, &headers, Some(b"{malformed".to_vec())).await;
            assert_eq!(answer.status == 401, !is_open, "{method} {path} is not as described");
            if !is_open {
                assert_eq!(answer.text(), "Unauthorized", "{method} {path}");
            }
        }
        if is_open {
            open.push((method, path));
        }
    }
    let open: BTreeSet<_> = open.iter().map(|(method, path)| (method.as_str(), path.as_str())).collect();
    assert_eq!(open, BTreeSet::from(OPEN), "what needs no credential is to be named here");
}

/// A route that is added to the router by itself would be missing from the document.
#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_described() {
    let app = TestApp::with_contract_data().await;
    let mut client = app.client();
    let described: BTreeSet<(String, String)> =
        operations().into_iter().map(|(method, path, _)| (method, path)).collect();
    let paths: BTreeSet<&str> = described.iter().map(|(_, path)| path.as_str()).collect();
    let routes = paths_of_the_router(&app);
    assert_eq!(routes.iter().map(String::as_str).collect::<BTreeSet<_>>(), paths);
    for path in routes {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let asked = path.replace("{id}", "no_such_id").replace("{file}", "index.html");
            let headers = [token(), header("content-type", "application/json")];
            // A body that cannot be read keeps a call from doing anything, and is not looked at where nothing is.
            let answer = client.send(method, &asked, &headers, Some(b"{malformed".to_vec())).await;
            let is_there = !answer.text().contains(&format!("Cannot {method}"));
            assert_eq!(is_there, described.contains(&(method.to_owned(), path.clone())), "{method} {path}");
        }
    }
}

/// What `order` may name is described by a regular expression, but decided by the columns of the database.
#[tokio::test(flavor = "multi_thread")]
async fn every_column_that_can_be_sorted_by_is_described() {
    let app = TestApp::with_contract_data().await;
    let mut client = app.client();
    for (method, path, operation) in operations() {
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let Some(order) = parameters.iter().find(|parameter| parameter["name"] == "order") else { continue };
        let pattern = order["schema"]["pattern"].as_str().unwrap();
        let described: BTreeSet<&str> =
            pattern.trim_start_matches("^(-?(").trim_end_matches("))?$").split('|').collect();

        let asked = path.replace("{id}", "cgrp_01JBRGKF01104SSAZYSN3KZHD7");
        let page = client.send(&method, &format!("{asked}?limit=1"), &[token()], None).await.json();
        let rows = ["customer_groups", "customers"].iter().find_map(|name| page[name].as_array()).unwrap();
        let columns = rows[0]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, value)| *name != "metadata" && !value.is_array());
        assert_eq!(described, columns.map(|(name, _)| name.as_str()).collect(), "{path}");
        for column in described {
            let answer =
                client.send(&method, &format!("{asked}?limit=1&order=-{column}"), &[token()], None).await;
            assert_eq!(answer.status, 200, "{path} by {column}");
        }
    }
}

/// The paths of all routes, which a router tells nobody but the one who debugs it.
fn paths_of_the_router(app: &TestApp) -> BTreeSet<String> {
    let keys = SigningKeys::from("supersecret".parse::<Secret>().unwrap());
    let secrets = Secrets { jwt: keys.clone().into(), cookie: keys.into() };
    let router = stheno_server::router(App::new(app.store.clone(), secrets, Config::default()));
    let debugged = format!("{router:?}");
    let (_, paths) = debugged.split_once("Node { paths: {").expect("axum shows a router's paths");
    let fallback = |path: &str| path == "/" || path.contains("__private__");
    let paths = paths.split('"').filter(|text| text.starts_with('/') && !fallback(text));
    paths.map(str::to_owned).collect()
}
