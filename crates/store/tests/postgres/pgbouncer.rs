//! What a PgBouncer between us and the server does, beyond what the conformance suite shows.

use std::time::{Duration, Instant};

use futures::future::join_all;
use stheno_store::{NewCustomerGroup, Store, StoreError, StoreOptions};
use stheno_testkit::postgres::{PgBouncer, PostgresDatabase};

fn options() -> StoreOptions {
    StoreOptions { lock_timeout: Duration::from_millis(200), ..StoreOptions::default() }
}

async fn create(store: &Store, name: &str) -> Result<(), StoreError> {
    let group = NewCustomerGroup { name: name.to_owned(), metadata: None };
    store.create_customer_group(group).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_have_left_on_a_connection_does_no_harm() {
    let database = PostgresDatabase::empty().await;
    let pooler = PgBouncer::start(&database, 2).await;
    let stores =
        join_all((0..3).map(|_| async { Store::open(pooler.url(), options()).await.unwrap() })).await;
    // The names that another process may have given to its statements: on each connection, while both are busy. What the
    // stores have prepared there goes first, as it does wherever one of them begins.
    let names: String = (0..2000).map(|number| format!("PREPARE s{number} AS SELECT 1;")).collect();
    let url = pooler.url().replace("&pgbouncer=true", "");
    let others = (0..2).map(|_| async {
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client
            .batch_execute(&format!("BEGIN; SELECT pg_sleep(0.5); DEALLOCATE ALL; {names} COMMIT"))
            .await
            .unwrap();
    });
    join_all(others).await;
    let writes = (0..60).map(|number| {
        let store = &stores[number % 3];
        async move { create(store, &number.to_string()).await }
    });
    for outcome in join_all(writes).await {
        outcome.unwrap();
    }

    // A lock is waited for as long as was said, and no setting stays on a connection for others.
    let other = database.connect().await;
    other.batch_execute("BEGIN; LOCK TABLE customer_group IN EXCLUSIVE MODE").await.unwrap();
    let started = Instant::now();
    let waited = create(&stores[0], "last").await;
    assert!(matches!(waited, Err(StoreError::Unavailable { .. })), "{waited:?}");
    assert!(started.elapsed() < Duration::from_secs(30));
    other.batch_execute("COMMIT").await.unwrap();
    create(&stores[0], "last").await.unwrap();
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let shown = client.simple_query("SHOW lock_timeout").await.unwrap();
    let value = shown.iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    assert_eq!(value, Some("0"));
    for store in stores {
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_that_the_url_does_not_name_is_told() {
    let database = PostgresDatabase::empty().await;
    let pooler = PgBouncer::start(&database, 2).await;
    let url = pooler.url().replace("&pgbouncer=true", "");
    match Store::open(&url, options()).await {
        Err(StoreError::Url(text)) => assert!(text.contains("add pgbouncer=true"), "{text}"),
        other => panic!("{other:?}"),
    }
}
