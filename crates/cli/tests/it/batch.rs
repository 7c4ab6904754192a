//! Ten thousand members in one call: all of them or none, whatever happens to the server or to its disk meanwhile.
#![cfg(target_os = "linux")]

use std::time::Instant;

use rustix::process::Signal;
use serde_json::{Map, Value, json};
use stheno_store::{Store, StoreOptions, Table};
use stheno_testkit::postgres::PostgresDatabase;

use crate::support::{API_TOKEN, Call, Server, Shop};

const MEMBERS: usize = 10_000;
const MEMBERS_OF_THE_GROUP: &str = "/admin/customer-groups/cgrp_big/customers";

/// Makes the group and the customers.
async fn fill(url: &str) {
    let row = |fields: Value| -> Map<String, Value> {
        let mut row: Map<String, Value> = serde_json::from_value(fields).unwrap();
        for time in ["created_at", "updated_at"] {
            row.insert(time.to_owned(), "2024-11-03T08:00:00Z".into());
        }
        row
    };
    let customers = (0..MEMBERS)
        .map(|number| row(json!({ "id": id(number), "email": format!("{number}@shop.example") })));
    let groups = vec![row(json!({ "id": "cgrp_big", "name": "Big" }))];
    let store = Store::open(url, StoreOptions::default()).await.unwrap();
    store.import(vec![(Table::CustomerGroup, groups), (Table::Customer, customers.collect())]).await.unwrap();
    store.close().await;
}

fn id(number: usize) -> String {
    format!("cus_{number:05}")
}

fn batch(server: &Server, method: &'static str) -> Call {
    Call::new(method, format!("{}{MEMBERS_OF_THE_GROUP}/batch", server.url)).with_token(API_TOKEN)
}

fn everyone() -> Option<Value> {
    let ids: Vec<Value> = (0..MEMBERS).map(|number| json!({ "id": id(number) })).collect();
    Some(json!({ "customer_ids": ids }))
}

fn members(server: &Server) -> u64 {
    let answer = server.get(&format!("{MEMBERS_OF_THE_GROUP}?limit=1")).with_token(API_TOKEN).send();
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    answer.body["count"].as_u64().unwrap()
}

fn all_or_nothing(shop: &Shop) {
    let mut server = shop.serve([]);
    let started = Instant::now();
    assert_eq!(batch(&server, "POST").try_send(everyone()).unwrap().status, 200);
    let whole = started.elapsed();
    assert_eq!(members(&server), MEMBERS as u64);
    for (signal, part) in [(Signal::KILL, 0.3), (Signal::KILL, 0.5), (Signal::KILL, 0.8), (Signal::TERM, 0.5)]
    {
        assert_eq!(batch(&server, "DELETE").try_send(everyone()).unwrap().status, 200);
        let call = batch(&server, "POST");
        let adding = std::thread::spawn(move || call.try_send(everyone()));
        std::thread::sleep(whole.mul_f64(part));
        server.signal(signal);
        server.wait();
        let answer = adding.join().unwrap();
        server = shop.serve([]);
        let members = members(&server);
        let expected: &[u64] = match &answer {
            Ok(answer) if answer.status == 200 => &[MEMBERS as u64],
            Ok(answer) => panic!("{answer:?}"),
            // It died before it could say so.
            Err(_) => &[0, MEMBERS as u64],
        };
        assert!(expected.contains(&members), "{signal:?} after {part}: {members} members, {answer:?}");
        println!("{signal:?} after {part} of {whole:?}: {members} members, answered: {}", answer.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_added_whole_or_not_at_all_to_sqlite() {
    let shop = Shop::with_known_credentials();
    fill(&format!("sqlite:{}", shop.path("stheno.db").display())).await;
    all_or_nothing(&shop);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_added_whole_or_not_at_all_to_postgresql() {
    let database = PostgresDatabase::empty().await;
    fill(database.url()).await;
    let shop = Shop::with_known_credentials().with("DATABASE_URL", database.url());
    all_or_nothing(&shop);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_may_not_grow_is_a_full_store() {
    let shop = Shop::with_known_credentials();
    fill(&format!("sqlite:{}", shop.path("stheno.db").display())).await;
    let server = shop.serve([]);
    // What is written goes to the log first.
    let log = shop.path("stheno.db-wal").metadata().unwrap().len();
    server.limit_files(Some(log + 40_000));
    for _ in 0..2 {
        let refused = batch(&server, "POST").try_send(everyone()).unwrap();
        assert_eq!((refused.status, &refused.body["code"]), (507, &json!("store_full")));
        assert_eq!(members(&server), 0);
    }
    server.limit_files(None);
    assert_eq!(batch(&server, "POST").try_send(everyone()).unwrap().status, 200);
    assert_eq!(members(&server), MEMBERS as u64);
    let log = server.stop();
    assert!(log.contains("the store is full"), "{log}");
}
