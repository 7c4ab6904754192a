//! A large answer takes no more memory than a small one. Alone in its process, whose memory is measured.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use futures::StreamExt as _;
use stheno_store::{NewCustomerGroup, Selection, Store, StoreOptions, Table};
use stheno_testkit::postgres::PostgresDatabase;

const MEMBERS: usize = 200_000;

/// What the process may grow by while it answers, in kilobytes: a fraction of the answer.
const ALLOWED: usize = 16 * 1024;

/// The memory that the process uses, in kilobytes.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Makes an empty group, and answers its id.
async fn make_group(store: &Store) -> String {
    let group = NewCustomerGroup { name: "Everyone".to_owned(), metadata: None };
    let group = store.create_customer_group(group).await.unwrap();
    let group: serde_json::Value = serde_json::from_slice(&group.start).unwrap();
    group["id"].as_str().unwrap().to_owned()
}

/// Reads a group with all its members.
async fn measure(store: &Store, id: &str) {
    let mut selection = Selection::all(store.catalog(), Table::CustomerGroup);
    selection.add_relation(store.catalog(), "customers").unwrap();
    let before = memory();
    let text = store.retrieve_customer_group(id, &selection).await.unwrap().unwrap();
    let (mut length, mut most) = (text.start.len(), memory());
    let mut rest = text.rest.unwrap();
    while let Some(piece) = rest.next().await {
        length += piece.unwrap().len();
        most = most.max(memory());
    }
    assert!(length / 1024 > 3 * ALLOWED, "the answer has only {length} bytes");
    assert!(most - before.min(most) < ALLOWED, "{before} kB before, {most} kB at most");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_with_many_members_is_answered_in_constant_memory() {
    in_a_file().await;
    in_postgres().await;
}

async fn in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let store = Store::open(&format!("sqlite:{}", path.display()), StoreOptions::default()).await.unwrap();
    let id = make_group(&store).await;
    let other = rusqlite::Connection::open(&path).unwrap();
    other
        .execute_batch(&format!(
            "PRAGMA synchronous = OFF;
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MEMBERS})
             INSERT INTO customer (id, email, created_at, updated_at)
             SELECT printf('cus_%08d', i), i || '@shop.example', '2024-11-03T08:00:00.000538Z',
                    '2024-11-03T08:00:00.000538Z' FROM n;
             INSERT INTO customer_group_customers (customer_group_id, customer_id) SELECT '{id}', id FROM customer;"
        ))
        .unwrap();
    drop(other);
    measure(&store, &id).await;
}

async fn in_postgres() {
    let database = PostgresDatabase::empty().await;
    let store = Store::open(database.url(), StoreOptions::default()).await.unwrap();
    let id = make_group(&store).await;
    database
        .execute(&format!(
            "INSERT INTO customer (id, email) SELECT 'cus_' || lpad(i::text, 8, '0'), i || '@shop.example'
             FROM generate_series(1, {MEMBERS}) i;
             INSERT INTO customer_group_customers (customer_group_id, customer_id) SELECT '{id}', id FROM customer;"
        ))
        .await;
    measure(&store, &id).await;
}
