//! Connections and their end.

use std::time::Duration;

use serde_json::json;
use stheno_testkit::{TestApp, TestAppOptions, contract};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread")]
async fn a_request_in_flight_is_finished_before_the_server_stops() {
    let app = TestApp::empty(TestAppOptions::default()).await;
    app.store.import(contract::seed()).await.unwrap();
    // Checking a password takes long enough to be in flight.
    let body = json!({"email": "admin@medusa-test.com", "password": "supersecret"}).to_string();
    let request = format!(
        "POST /admin/auth/token HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let address = app.address;
    app.stop().await;

    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains("access_token"), "{answer}");
    assert!(TcpStream::connect(address).await.is_err(), "the port is still open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_no_http_is_refused_and_others_are_served() {
    let app = TestApp::with_contract_data().await;
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    stream.write_all(b"\x16\x03\x01 nonsense\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // A reset is as good an answer as a 400.
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"));
    assert_eq!(app.call("GET", "/admin/customers?limit=1", None).await.status, 200);
}
