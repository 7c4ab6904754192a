//! What Stheno adds to a PostgreSQL database: made beside those who write, checked, mended, removed.

use std::sync::Mutex;
use std::time::Duration;

use futures::future::join_all;
use stheno_store::{Progress, Schema, Store, StoreOptions};
use stheno_testkit::postgres::PgBouncer;

use crate::database::Database;
use crate::postgres_medusa::{all_made, medusa, not_ours};
use crate::schema::{faults, migrate, schema_of};
use crate::shop::{Shop, new_group};

#[tokio::test(flavor = "multi_thread")]
async fn many_who_migrate_at_once_make_each_thing_once() {
    for database in [Database::empty_postgres().await, medusa().await] {
        let made = std::sync::Arc::new(Mutex::new(Vec::new()));
        let migrations = (0..12).map(|_| {
            let (url, made) = (database.url().to_owned(), std::sync::Arc::clone(&made));
            tokio::spawn(async move {
                let schema = Schema::connect(&url, StoreOptions::default()).await.unwrap();
                let tell = |progress| {
                    if let Progress::Made(thing) = progress {
                        made.lock().unwrap().push(thing);
                    }
                };
                let left = schema.migrate(&tell).await.unwrap();
                schema.close().await;
                left
            })
        });
        for left in join_all(migrations).await {
            assert_eq!(left.unwrap(), []);
        }
        let mut made = made.lock().unwrap().clone();
        let count = made.len();
        assert!(count >= 32, "{made:?}");
        made.sort();
        made.dedup();
        assert_eq!(made.len(), count, "something was made twice");
        let schema = schema_of(&database).await;
        assert_eq!(faults(&schema).await, [""; 0]);
        schema.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_or_changed_is_found_and_mended() {
    let shop = Shop::open(Database::postgres().await).await;
    shop.store.close().await;
    let database = shop.database;
    let schema = schema_of(&database).await;
    assert_eq!(faults(&schema).await, [""; 0]);
    database
        .execute(
            "DROP TABLE stheno_session;
             DROP INDEX stheno_customer_created_at;
             DROP INDEX stheno_customer_group_created_at;
             CREATE INDEX stheno_customer_group_created_at ON customer_group (created_at, id);
             UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'stheno_user_api_token'::regclass",
        )
        .await;
    assert_eq!(
        faults(&schema).await,
        [
            "Missing table stheno_session",
            "Missing index stheno_session_expires_at on stheno_session",
            "Missing index stheno_session_user_id on stheno_session",
            "Changed(\"its definition\") index stheno_customer_group_created_at on customer_group",
            "Missing index stheno_customer_created_at on customer",
            "Invalid index stheno_user_api_token on user",
        ]
    );
    assert_eq!(migrate(&schema).await.len(), 6);
    assert_eq!(faults(&schema).await, [""; 0]);
    schema.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_table_is_not_made_anew() {
    let shop = Shop::open(Database::postgres().await).await;
    shop.store.close().await;
    shop.database
        .execute(
            "INSERT INTO stheno_session VALUES ('hash', 'usr_1', now());
             ALTER TABLE stheno_session DROP COLUMN expires_at CASCADE",
        )
        .await;
    let schema = schema_of(&shop.database).await;
    let left = schema.migrate(&|_| {}).await.unwrap();
    assert!(left[0].hindrance.as_deref().unwrap().contains("holds data"), "{left:?}");
    let error = Store::open(shop.database.url(), StoreOptions::default()).await.unwrap_err();
    assert!(error.to_string().contains("stheno_session (it has no column expires_at)"), "{error}");
    let client = shop.database.postgres_database().connect().await;
    let rows = client.query("SELECT id_hash FROM stheno_session", &[]).await.unwrap();
    assert_eq!(rows.len(), 1);
    schema.close().await;
}

/// `CREATE INDEX CONCURRENTLY` waits for whoever reads or writes already. Nobody waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn indexes_are_made_while_others_write() {
    let database = medusa().await;
    let other = database.postgres_database().connect().await;
    other.batch_execute("BEGIN; UPDATE customer_group SET name = 'Held'").await.unwrap();
    // A server is there at once, and makes the indexes later.
    let shop = Shop::open(database).await;
    shop.store.create_customer_group(new_group("Meanwhile")).await.unwrap();
    let third = shop.database.postgres_database().connect().await;
    third.batch_execute("SET lock_timeout = '1s'").await.unwrap();
    for number in 0..20 {
        let insert = format!(
            "INSERT INTO customer_group (id, name) VALUES ('cgrp_{number}', '{number}');
             INSERT INTO customer (id, email) VALUES ('cus_{number}', '{number}')"
        );
        third.batch_execute(&insert).await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let schema = schema_of(&shop.database).await;
    assert!(!faults(&schema).await.is_empty(), "nobody was waited for");
    schema.close().await;
    other.batch_execute("COMMIT").await.unwrap();
    all_made(&shop.database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_is_made_and_removed_through_a_pooler() {
    let database = medusa().await;
    let before = not_ours(&database).await;
    let pooler = PgBouncer::start(database.postgres_database(), 4).await;
    let schema = Schema::connect(pooler.url(), StoreOptions::default()).await.unwrap();
    assert_eq!(migrate(&schema).await.len(), 42);
    assert_eq!(faults(&schema).await, [""; 0]);
    schema.remove(&|_| {}).await.unwrap();
    assert_eq!(schema.made().await.unwrap(), []);
    schema.close().await;
    assert_eq!(not_ours(&database).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_drops_all_that_is_stheno_s_and_nothing_else() {
    for database in [medusa().await, Database::postgres().await] {
        database
            .execute(
                "CREATE TABLE sthenography (id int); CREATE INDEX sthenograph ON customer (phone);
                 CREATE INDEX stheno_of_the_shop ON customer (phone);
                 CREATE FUNCTION stheno_of_the_shop(a text, b int) RETURNS int LANGUAGE sql AS 'SELECT 1';
                 CREATE FUNCTION sthenograph() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
                 CREATE TRIGGER sthenograph BEFORE INSERT ON address FOR EACH ROW EXECUTE FUNCTION sthenograph()",
            )
            .await;
        let before = not_ours(&database).await;
        let shop = Shop::open(database).await;
        all_made(&shop.database).await;
        shop.add_groups(&["cgrp_a"]).await;
        shop.store.close().await;
        let schema = schema_of(&shop.database).await;
        let made = schema.made().await.unwrap();
        let dropped = Mutex::new(Vec::new());
        schema.remove(&|progress| dropped.lock().unwrap().push(progress)).await.unwrap();
        let dropped = dropped.into_inner().unwrap();
        assert_eq!(dropped, made.into_iter().map(Progress::Dropped).collect::<Vec<_>>());
        assert!(dropped.len() >= 28, "{dropped:?}");
        let theirs = "SELECT 'stheno_of_the_shop'::regclass, 'stheno_of_the_shop'::regproc";
        shop.database.execute(theirs).await;
        assert_eq!(schema.made().await.unwrap(), []);
        assert_eq!(not_ours(&shop.database).await, before);
        schema.close().await;

        // The shop's data is still there, and is taken up again.
        let shop = Shop::open(shop.database).await;
        assert!(shop.group("cgrp_a").await.is_some());
        all_made(&shop.database).await;
    }
}

/// A restore may lose what keeps a name from being taken twice.
#[tokio::test(flavor = "multi_thread")]
async fn lost_keys_of_a_database_of_stheno_s_own_are_found() {
    let shop = Shop::open(Database::postgres().await).await;
    all_made(&shop.database).await;
    shop.store.close().await;
    let schema = schema_of(&shop.database).await;
    shop.database
        .execute(
            "DROP INDEX \"IDX_c4c3a5225a7a1f0af782c40abc\";
             ALTER TABLE customer_group_customers DROP CONSTRAINT \"PK_e28a55e34ad1e2d3df9a0ac86d3\";
             DROP INDEX \"IDX_ba8de19442d86957a3aa3b5006\";
             CREATE INDEX \"IDX_ba8de19442d86957a3aa3b5006\" ON \"user\" (email) WHERE deleted_at IS NULL",
        )
        .await;
    let lost = schema.differences().await.unwrap();
    let said: Vec<_> = lost.iter().map(|lost| format!("{} {:?}", lost.thing, lost.fault)).collect();
    let expected = [
        "index IDX_c4c3a5225a7a1f0af782c40abc on customer_group Missing",
        "constraint PK_e28a55e34ad1e2d3df9a0ac86d3 on customer_group_customers Missing",
        "index IDX_ba8de19442d86957a3aa3b5006 on user Changed(\"its definition\")",
    ];
    assert_eq!(said, expected);
    assert_eq!(schema.migrate(&|_| {}).await.unwrap(), lost, "it is not said to be mended");
    // What is advised mends it.
    shop.database.execute("DROP INDEX \"IDX_ba8de19442d86957a3aa3b5006\"").await;
    for lost in lost {
        let hindrance = lost.hindrance.unwrap();
        shop.database.execute(hindrance.split_once("by hand with ").unwrap().1).await;
    }
    assert_eq!(schema.differences().await.unwrap(), []);
    schema.close().await;
}
