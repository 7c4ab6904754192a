//! A disk that is full.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use rusqlite::Connection;
use serde_json::Value;

use super::{connector, environment, groups_by_name, new_group, streaming};
use crate::StoreError;
use crate::sqlite::readers::Readers;
use crate::sqlite::writer::Writer;
use crate::sqlite::{Sqlite, schema};

/// An engine whose file may grow by so many pages.
fn open(path: &Path, pages: u32) -> Sqlite {
    let (connector, environment) = (connector(path), environment());
    let mut connection = connector.open_writer().unwrap();
    schema::migrate(&mut connection, environment.clock.now()).unwrap();
    let used: u32 = connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    connection.pragma_update(None, "max_page_count", used + pages).unwrap();
    Sqlite {
        catalog: Arc::new(schema::read_catalog(&connection).unwrap()),
        readers: Readers::new(connector, 4, streaming()),
        writer: Writer::start(connection).unwrap(),
        environment,
    }
}

async fn groups(engine: &Sqlite) -> Vec<Value> {
    let page = engine.list_customer_groups(groups_by_name(engine.catalog())).await.unwrap();
    let text = String::from_utf8(page.rows.start).unwrap();
    serde_json::from_str(&format!("[{text}]")).unwrap()
}

async fn names(engine: &Sqlite) -> Vec<String> {
    groups(engine).await.iter().map(|group| group["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_what_was_answered_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(&folder.path().join("shop.db"), 60);
    let mut created = Vec::new();
    let fault = loop {
        let name = format!("{:03}", created.len());
        match engine.create_customer_group(new_group(&name, 20_000)).await {
            Ok(_) => created.push(name),
            Err(fault) => break fault,
        }
    };
    assert!(matches!(fault, StoreError::Full), "{fault:?}");
    assert!(created.len() > 5);
    assert_eq!(names(&engine).await, created);

    // Room can be made, and used again.
    let first = groups(&engine).await[0]["id"].as_str().unwrap().to_owned();
    assert!(engine.delete_customer_group(&first).await.unwrap());
    engine.create_customer_group(new_group("after", 1000)).await.unwrap();
    created.remove(0);
    created.push("after".to_owned());
    assert_eq!(names(&engine).await, created);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_answered_that_a_full_disk_has_swallowed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let engine = open(&path, 60);
    // Those that come while another process writes are committed together.
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let engine = &engine;
    let writes = (0..32).map(|number| async move {
        let size = if number == 16 { 1_000_000 } else { 10 };
        let name = format!("{number:02}");
        (engine.create_customer_group(new_group(&name, size)).await, name)
    });
    let release = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        other.execute_batch("COMMIT").unwrap();
    };
    let (writes, ()) = tokio::join!(join_all(writes), release);
    let mut expected = Vec::new();
    for (outcome, name) in writes {
        match outcome {
            Ok(_) => expected.push(name),
            Err(StoreError::Full) => assert_eq!(name, "16"),
            // It was done, but then undone with the one that did not fit.
            Err(StoreError::Unavailable { .. }) => assert!(*name < *"16", "{name}"),
            Err(fault) => panic!("{name}: {fault:?}"),
        }
    }
    assert!(!expected.contains(&"16".to_owned()) && expected.len() >= 15, "{expected:?}");
    assert_eq!(names(engine).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_members_that_do_not_fit_are_refused_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let engine = open(&path, 60);
    let group = engine.create_customer_group(new_group("VIP", 10)).await.unwrap();
    let group: Value = serde_json::from_slice(&group.start).unwrap();
    let group = group["id"].as_str().unwrap();
    // Another process is not bound by the limit of ours.
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
             INSERT INTO customer (id, email, created_at, updated_at)
             SELECT 'cus_' || i, i, '2024-11-03T08:00:00.000538Z', '2024-11-03T08:00:00.000538Z' FROM n",
        )
        .unwrap();
    let customers: Vec<_> = (1..=10_000).map(|number| format!("cus_{number}")).collect();
    let added = engine.add_customers_to_group(group, customers.clone()).await;
    assert!(matches!(added, Err(StoreError::Full)), "{added:?}");
    let members = || -> i64 {
        other.query_row("SELECT count(*) FROM customer_group_customers", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(members(), 0);
    // The engine goes on.
    assert!(engine.remove_customers_from_group(group, customers).await.unwrap().is_some());
}
