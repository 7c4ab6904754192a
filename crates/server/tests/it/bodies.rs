//! Bodies: their size, encoding and numbers.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use serde_json::json;
use stheno_server::Config;
use stheno_testkit::{HttpResponse, TestApp, TestAppOptions};

use crate::{header, object, token};

async fn create(app: &TestApp, headers: &[(&str, &str)], body: Vec<u8>) -> HttpResponse {
    let mut all = vec![token()];
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        all.push(header("content-type", "application/json"));
    }
    all.extend(headers.iter().map(|(name, value)| header(name, value)));
    app.client().send("POST", "/admin/customer-groups", &all, Some(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn compressed_bodies_are_read_and_bounded() {
    let mut config = Config::default();
    config.body_limit = 10_000;
    let app = TestApp::empty(TestAppOptions { config, ..TestAppOptions::default() }).await;
    let time = "2026-01-01T00:00:00.000001Z";
    let user = json!({"id": "usr_x", "email": "a@example.com", "api_token": "test_token", "role": "admin", "created_at": time, "updated_at": time});
    app.import(stheno_store::Table::User, vec![object(user)]).await;

    let gzip = |text: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    };
    let response = create(&app, &[("content-encoding", "gzip")], gzip(br#"{"name":"zipped"}"#)).await;
    assert_eq!(response.json()["customer_group"]["name"], "zipped");

    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(br#"{"name":"deflated"}"#).unwrap();
    let response = create(&app, &[("content-encoding", "Deflate")], encoder.finish().unwrap()).await;
    assert_eq!(response.json()["customer_group"]["name"], "deflated");

    let bomb = gzip(format!(r#"{{"name":"{}"}}"#, "x".repeat(1_000_000)).as_bytes());
    assert!(bomb.len() < 10_000);
    for (headers, body) in [
        (&[("content-encoding", "gzip")][..], bomb),
        (&[], format!(r#"{{"name":"{}"}}"#, "x".repeat(10_000)).into_bytes()),
    ] {
        let response = create(&app, headers, body).await;
        assert_eq!(response.status, 413);
        assert!(response.json()["message"].as_str().unwrap().contains("10000 bytes"));
    }
    let response = create(&app, &[("content-encoding", "gzip")], b"{}".to_vec()).await;
    assert_eq!(response.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_those_of_javascript() {
    let app = TestApp::with_contract_data().await;
    let sent =
        r#"{"a":1.0,"b":-0,"c":0.1,"d":12345678901234567890,"e":1e3,"f":9007199254740993,"g":1e21,"h":1e-7}"#;
    let kept =
        r#"{"a":1,"b":0,"c":0.1,"d":12345678901234567000,"e":1000,"f":9007199254740992,"g":1e+21,"h":1e-7}"#;
    let body = format!(r#"{{"name":"numbers","metadata":{sent}}}"#);
    let response = create(&app, &[], body.into_bytes()).await;
    assert!(response.text().contains(kept), "{}", response.text());
    let response = create(&app, &[], br#"{"name":"too large","metadata":{"a":1e999}}"#.to_vec()).await;
    assert_eq!(response.status, 400);
    let deep =
        format!(r#"{{"name":"deep","metadata":{{"a":{}{}}}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(create(&app, &[], deep.into_bytes()).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_sends_too_much_gets_to_read_so() {
    let app = TestApp::with_contract_data().await;
    let large = vec![b' '; 9 * 1024 * 1024];
    for _ in 0..5 {
        assert_eq!(create(&app, &[], large.clone()).await.status, 413);
    }
    // Without a credential there is a smaller limit, and what is far too large is not waited for at all.
    let headers = [header("content-type", "application/json")];
    let login = app.client().send("POST", "/admin/auth", &headers, Some(vec![b' '; 200 * 1024])).await;
    assert_eq!(login.status, 413);
    let declared = [header("content-type", "application/json"), header("expect", "100-continue")];
    let response =
        app.client().try_send("POST", "/admin/auth/token", &declared, Some(vec![b' '; 200 * 1024])).await;
    assert_eq!(response.unwrap().status, 413);
}
