//! Whole answers and streams.

use std::time::Duration;

use serde_json::json;
use stheno_store::{StoreOptions, Table};
use stheno_testkit::{TestApp, TestAppOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::{header, object, token};

const GROUP: &str = "cgrp_01STREAM000000000000000000";
const LIST: &str = "/admin/customer-groups/cgrp_01STREAM000000000000000000/customers?limit=0";

/// A shop with one group of this many members, each some 500 bytes on the wire.
async fn shop(members: usize, options: TestAppOptions) -> TestApp {
    let app = TestApp::empty(options).await;
    let time = "2026-01-01T00:00:00.000001Z";
    let user = json!({"id": "usr_x", "email": "a@example.com", "api_token": "test_token", "role": "admin", "created_at": time, "updated_at": time});
    app.import(Table::User, vec![object(user)]).await;
    let group = json!({"id": GROUP, "name": "Everybody", "created_at": time, "updated_at": time});
    app.import(Table::CustomerGroup, vec![object(group)]).await;
    let customer = |number: usize| {
        object(json!({
            "id": format!("cus_{number:08}"), "email": format!("customer{number}@example.com"), "has_account": false,
            "created_at": time, "updated_at": time, "metadata": {"note": "x".repeat(100)},
        }))
    };
    let member = |number: usize| {
        object(json!({"customer_group_id": GROUP, "customer_id": format!("cus_{number:08}")}))
    };
    app.import(Table::Customer, (0..members).map(customer).collect()).await;
    app.import(Table::CustomerGroupCustomers, (0..members).map(member).collect()).await;
    app
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_up_to_a_mebibyte_has_an_etag_and_a_larger_one_is_streamed() {
    let app = shop(5_000, TestAppOptions::default()).await;
    let mut client = app.client();

    let small = client.send("GET", &LIST.replace("limit=0", "limit=1000"), &[token()], None).await;
    let length: usize = small.header("content-length").unwrap().parse().unwrap();
    assert!(length < 1024 * 1024);
    let etag = small.header("etag").unwrap().to_owned();
    for (condition, status) in [
        (etag.clone(), 304),
        (etag.replace("W/", ""), 304),
        ("*".to_owned(), 304),
        ("W/\"other\"".to_owned(), 200),
    ] {
        let headers = [token(), header("if-none-match", &condition)];
        let again = client.send("GET", &LIST.replace("limit=0", "limit=1000"), &headers, None).await;
        assert_eq!(again.status, status, "{condition}");
    }
    let path = LIST.replace("limit=0", "limit=1000");
    let several = [token(), header("if-none-match", "\"other\""), header("if-none-match", &etag)];
    assert_eq!(client.send("GET", &path, &several, None).await.status, 304);
    let head = client.send("HEAD", &path, &several, None).await;
    assert_eq!(head.status, 304);
    assert_eq!(head.header("content-length"), small.header("content-length"));
    let headers = [token(), header("if-none-match", &etag), header("cache-control", "no-cache")];
    let fresh = client.send("GET", &LIST.replace("limit=0", "limit=1000"), &headers, None).await;
    assert_eq!(fresh.status, 200);

    let large = client.send("GET", LIST, &[token()], None).await;
    assert_eq!(large.header("etag"), None);
    assert_eq!(large.header("transfer-encoding"), Some("chunked"));
    let list = large.json();
    assert_eq!(list["count"], 5_000);
    assert_eq!(list["limit"], 0);
    let ids: Vec<_> =
        list["customers"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(ids, (0..5_000).map(|number| format!("cus_{number:08}")).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_with_all_its_members_is_streamed_as_well() {
    let app = shop(5_000, TestAppOptions::default()).await;
    let response = app.call("GET", &format!("/admin/customer-groups/{GROUP}?expand=customers"), None).await;
    assert_eq!(response.header("etag"), None);
    assert_eq!(response.json()["customer_group"]["customers"].as_array().unwrap().len(), 5_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_takes_nothing_loses_the_stream_and_never_sees_an_end() {
    let store = StoreOptions { reader_timeout: Duration::from_millis(300), ..StoreOptions::default() };
    let app = shop(40_000, TestAppOptions { store, ..TestAppOptions::default() }).await;
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    let request = format!("GET {LIST} HTTP/1.1\r\nhost: x\r\nx-medusa-access-token: test_token\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;

    let mut answer = Vec::new();
    // The connection may end in an error or be closed: what counts is that no end of the body comes.
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.starts_with(b"HTTP/1.1 200 OK"));
    assert!(!answer.ends_with(b"0\r\n\r\n"), "the answer ended as if it were whole");
    assert!(answer.len() < 40_000 * 300, "the whole answer was sent");

    // The snapshot and the stream's place are free again.
    assert_eq!(app.call("GET", LIST, None).await.json()["count"], 40_000);
}
