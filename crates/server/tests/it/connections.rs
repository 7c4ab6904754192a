//! Connections and their end.

use std::time::{Duration, Instant};

use serde_json::json;
use stheno_server::Config;
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

/// What comes back on a connection on which `text` is sent and nothing else, and how long it stays open.
async fn send_and_wait(app: &TestApp, text: &str) -> (String, Duration) {
    let started = Instant::now();
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let end = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer));
    end.await.expect("the connection stays open").ok();
    (String::from_utf8_lossy(&answer).into_owned(), started.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_and_slow_clients_are_let_go() {
    let mut config = Config::default();
    config.header_timeout = Duration::from_millis(300);
    config.body_timeout = Duration::from_millis(300);
    let app = TestApp::empty(TestAppOptions { config, ..TestAppOptions::default() }).await;
    for head in [
        "",
        "G",
        "PRI * HT",
        "GET /health HTTP/1.1\r\nhost: x\r\n",
        "GET /health HTTP/1.1\r\nhost: x\r\n\r\n",
    ] {
        let (_, open) = send_and_wait(&app, head).await;
        assert!(open < Duration::from_secs(5), "{head:?} kept the connection for {open:?}");
    }
    let stalled = "POST /admin/auth HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{";
    let (answer, _) = send_and_wait(&app, stalled).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("did not arrive in time"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_still_open_when_time_is_up_is_broken_off() {
    let mut config = Config::default();
    config.shutdown_timeout = Duration::from_millis(300);
    let app = TestApp::empty(TestAppOptions { config, ..TestAppOptions::default() }).await;
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    let head = "POST /admin/auth HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    app.stop().await;

    // The rest of the request comes too late for an answer.
    let _ = stream.write_all(b"}").await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
}
