//! Numbers that are kept by triggers on Medusa's tables: exact whoever writes how, and in nobody's way, whatever is lost.

use std::time::{Duration, Instant};

use stheno_store::{CustomerFilter, Schema, Selection, Store, StoreOptions, Table, ThingKind};
use tokio_postgres::Client;

use crate::counts::assert_counts;
use crate::database::Database;
use crate::postgres_medusa::{all_made, medusa};
use crate::schema::{faults, migrate, schema_of};
use crate::shop::{Shop, json_of, texts};

/// What Medusa does to each of its tables: some of it changes numbers, all of it must go through.
const WRITES: [&str; 15] = [
    "INSERT INTO customer_group (id, name) VALUES ('cgrp_x', 'X'), ('cgrp_y', 'Y')",
    "INSERT INTO customer (id, email) VALUES ('cus_x', 'x'), ('cus_y', 'y'), ('cus_z', 'z')",
    "INSERT INTO customer_group_customers SELECT g.id, c.id FROM customer_group g, customer c ON CONFLICT DO NOTHING",
    "UPDATE customer SET first_name = 'Emma', has_account = TRUE WHERE id = 'cus_x'",
    "UPDATE customer SET deleted_at = now() WHERE id IN ('cus_y', 'cus_1')",
    "UPDATE customer SET deleted_at = NULL WHERE id = 'cus_y'",
    "UPDATE customer_group_customers SET customer_group_id = 'cgrp_y' WHERE customer_group_id = 'cgrp_x'
     AND customer_id = 'cus_none'",
    "UPDATE customer_group SET deleted_at = now() WHERE id = 'cgrp_x'",
    "DELETE FROM customer_group_customers WHERE customer_id = 'cus_2'",
    "DELETE FROM customer WHERE id IN ('cus_z', 'cus_1')",
    "DELETE FROM customer_group WHERE id = 'cgrp_x'",
    "INSERT INTO address (id, customer_id) VALUES ('addr_x', 'cus_x'); UPDATE address SET city = 'Oslo'; DELETE FROM address",
    "INSERT INTO price_list (id, name, description) VALUES ('pl_x', 'X', ''); UPDATE price_list SET name = 'Y';
     INSERT INTO price_list_customer_groups VALUES ('pl_x', 'cgrp_y'); DELETE FROM price_list_customer_groups;
     DELETE FROM price_list",
    "TRUNCATE customer_group_customers; TRUNCATE customer CASCADE; TRUNCATE customer_group CASCADE;
     INSERT INTO customer_group (id, name) VALUES ('cgrp_a', 'A');
     INSERT INTO customer (id, email) VALUES ('cus_1', '1'), ('cus_2', '2');
     INSERT INTO customer_group_customers VALUES ('cgrp_a', 'cus_1')",
    "INSERT INTO \"user\" (id, email) VALUES ('usr_x', 'x'); DELETE FROM \"user\" WHERE id = 'usr_x'",
];

/// A Medusa's database with some members, where all is made.
async fn filled_shop() -> Shop {
    let shop = Shop::open(medusa().await).await;
    all_made(&shop.database).await;
    shop.add_groups(&["cgrp_a", "cgrp_b"]).await;
    shop.add_customers(&["cus_1", "cus_2", "cus_3"]).await;
    shop.add_members("cgrp_a", &["cus_1", "cus_2", "cus_3"]).await;
    shop
}

/// Waits until counts are kept without doubt, and checks that they are right.
async fn assert_settled(database: &Database) {
    let client = database.postgres_database().connect().await;
    let started = Instant::now();
    let doubts = "SELECT count(*) FROM stheno_count WHERE kind = 'doubt'";
    while client.query_one(doubts, &[]).await.unwrap().get::<_, i64>(0) > 0 {
        assert!(started.elapsed() < Duration::from_secs(120), "counts stay in doubt");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(kept(&client).await, counted(&client).await);
}

/// The counts as they are kept.
async fn kept(client: &Client) -> String {
    let kept = "SELECT kind, subject, has_account, sum(amount) AS amount FROM stheno_count GROUP BY 1, 2, 3";
    lines(client, kept).await
}

/// The counts as they ought to be.
async fn counted(client: &Client) -> String {
    let counted = "
        SELECT 'members' AS kind, customer_group_id AS subject, has_account, count(*) AS amount
        FROM customer_group_customers JOIN customer c ON c.id = customer_id WHERE c.deleted_at IS NULL GROUP BY 2, 3
        UNION ALL SELECT 'customers', '', has_account, count(*) FROM customer WHERE deleted_at IS NULL GROUP BY 3
        UNION ALL SELECT 'groups', '', FALSE, count(*) FROM customer_group WHERE deleted_at IS NULL";
    lines(client, counted).await
}

async fn lines(client: &Client, sql: &str) -> String {
    let sql = format!(
        "SELECT coalesce(string_agg(concat_ws(' ', kind, subject, has_account, amount), E'\\n'
                                    ORDER BY kind, subject, has_account), '') FROM ({sql}) c WHERE amount <> 0"
    );
    client.query_one(&sql, &[]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_lost_fails_no_write_and_shows_no_wrong_number() {
    let mut shop = filled_shop().await;
    let schema = schema_of(&shop.database).await;
    let tables = schema.made().await.unwrap().into_iter().filter(|thing| thing.kind == ThingKind::Table);
    let mut losses: Vec<_> = tables.map(|table| format!("DROP TABLE {}", table.name)).collect();
    assert!(losses.contains(&"DROP TABLE stheno_count".to_owned()), "{losses:?}");
    losses.extend(
        [
            "ALTER TABLE stheno_count RENAME COLUMN amount TO number_of",
            "ALTER TABLE stheno_count DROP COLUMN kind",
            "DROP TABLE stheno_count; CREATE VIEW stheno_count AS SELECT 1 AS number",
            "DROP TABLE stheno_count; CREATE TABLE stheno_count (id integer NOT NULL)",
            "DROP INDEX stheno_count_subject",
            "DROP FUNCTION stheno_count_members CASCADE",
            "DROP FUNCTION stheno_count_customer CASCADE",
            "ALTER TABLE customer DISABLE TRIGGER stheno_customer_changed",
        ]
        .map(str::to_owned),
    );
    for loss in losses {
        shop.database.execute(&loss).await;
        for write in WRITES {
            shop.database.execute(write).await;
        }
        // Who finds the table gone or changed counts the rows; what else is broken by hand is seen within seconds, or,
        // here, by a process that begins.
        if loss.contains("TABLE stheno_count") {
            assert_counts(&shop, &loss).await;
        }
        let look = |options: &mut StoreOptions| (options.migrate, options.serves) = (false, false);
        let (other, _) = Shop::another(&shop.database, look).await;
        let serving = std::mem::replace(&mut shop.store, other);
        assert_counts(&shop, &loss).await;
        std::mem::replace(&mut shop.store, serving).close().await;

        // What holds data is not made anew, unless it is gone.
        if loss.contains("RENAME") || loss.contains("COLUMN") || loss.contains("CREATE TABLE") {
            shop.database.execute("DROP TABLE stheno_count").await;
        } else if loss.contains("VIEW") {
            shop.database.execute("DROP VIEW stheno_count").await;
        }
        migrate(&schema).await;
        assert_eq!(faults(&schema).await, [""; 0], "{loss}");
        assert_settled(&shop.database).await;
        assert_counts(&shop, &loss).await;
        shop.database
            .execute(
                "TRUNCATE customer_group_customers; TRUNCATE customer_group CASCADE; TRUNCATE customer CASCADE;
                 INSERT INTO customer_group (id, name) VALUES ('cgrp_a', 'A'), ('cgrp_b', 'B');
                 INSERT INTO customer (id, email) VALUES ('cus_1', '1'), ('cus_2', '2'), ('cus_3', '3')",
            )
            .await;
        assert_counts(&shop, &loss).await;
    }
    schema.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_are_counted_once() {
    let shop = filled_shop().await;
    let database = shop.database.postgres_database();
    let (one, two) = (database.connect().await, database.connect().await);
    let add = "INSERT INTO customer_group_customers VALUES ('cgrp_b', 'cus_1')";
    let remove =
        "DELETE FROM customer_group_customers WHERE customer_group_id = 'cgrp_a' AND customer_id = 'cus_1'";
    let delete = "UPDATE customer SET deleted_at = now() WHERE id = 'cus_1'";
    let account = "UPDATE customer SET has_account = NOT has_account WHERE id = 'cus_1'";
    let restore = "UPDATE customer SET deleted_at = NULL WHERE id = 'cus_1';
                   INSERT INTO customer_group_customers VALUES ('cgrp_a', 'cus_1') ON CONFLICT DO NOTHING;
                   DELETE FROM customer_group_customers WHERE customer_group_id = 'cgrp_b'";
    for isolation in ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"] {
        for (first, second) in [(add, delete), (add, account), (remove, delete), (remove, account)] {
            let begin = format!("BEGIN ISOLATION LEVEL {isolation}; SELECT 1 FROM customer");
            one.batch_execute(&begin).await.unwrap();
            two.batch_execute(&begin).await.unwrap();
            one.batch_execute(first).await.unwrap();
            // Nobody waits for another.
            two.batch_execute(&format!("SET LOCAL lock_timeout = '2s'; {second}")).await.unwrap();
            let step = format!("{first}; {second}, {isolation}");
            two.batch_execute("COMMIT").await.unwrap();
            assert_counts(&shop, &step).await;
            // One of two that cannot be put in an order is given up.
            let _ = one.batch_execute("COMMIT").await;
            assert_counts(&shop, &step).await;
            shop.database.execute(restore).await;
        }
    }
    assert_settled(&shop.database).await;
    assert_counts(&shop, "settled").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_differences_are_folded_and_bulk_loads_are_counted() {
    let shop = filled_shop().await;
    let client = shop.database.postgres_database().connect().await;
    for _ in 0..100 {
        client
            .batch_execute("DELETE FROM customer_group_customers WHERE customer_id = 'cus_1'")
            .await
            .unwrap();
        client
            .batch_execute("INSERT INTO customer_group_customers VALUES ('cgrp_a', 'cus_1')")
            .await
            .unwrap();
    }
    let started = Instant::now();
    loop {
        // Whoever reads sees that there is something to fold.
        assert_eq!(shop.members("cgrp_a").await.len(), 3);
        let rows = client.query_one("SELECT count(*) FROM stheno_count", &[]).await.unwrap().get::<_, i64>(0);
        if rows < 64 {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(120), "{rows} rows are not folded");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_settled(&shop.database).await;

    shop.database.make_customers(20_000, 10).await;
    shop.database.make_members("cgrp_b").await;
    assert_settled(&shop.database).await;
    let file = "COPY customer_group_customers FROM PROGRAM 'printf \"cgrp_a\\tcus_1000001\\ncgrp_a\\tcus_1000002\\n\"'";
    client.batch_execute(file).await.unwrap();
    let filter = CustomerFilter { groups: Some(texts(&["cgrp_a"])), ..CustomerFilter::default() };
    assert_eq!(shop.customers(filter).await.len(), 5);
    client.batch_execute("TRUNCATE customer_group_customers").await.unwrap();
    assert_counts(&shop, "emptied").await;
    assert_settled(&shop.database).await;
}

/// What was off without anybody's knowledge, as when a restore switches triggers off, is found by a look.
#[tokio::test(flavor = "multi_thread")]
async fn wrong_counts_are_found_and_mended() {
    let shop = filled_shop().await;
    let off = "SET session_replication_role = replica; DELETE FROM customer_group_customers WHERE customer_id = 'cus_1'";
    assert_settled(&shop.database).await;
    shop.database.execute(off).await;
    let schema = schema_of(&shop.database).await;
    assert_eq!(faults(&schema).await, ["Changed(\"1 of its counts are wrong\") table stheno_count"]);
    migrate(&schema).await;
    assert_eq!(faults(&schema).await, [""; 0]);
    assert_settled(&shop.database).await;
    assert_counts(&shop, "mended").await;

    // So does a process that begins to serve.
    shop.database.execute(&off.replace("cus_1", "cus_2")).await;
    let shop = shop.reopen_after("").await;
    let client = shop.database.postgres_database().connect().await;
    let started = Instant::now();
    while kept(&client).await != counted(&client).await {
        assert!(started.elapsed() < Duration::from_secs(120), "counts stay wrong");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    schema.close().await;
}

/// Triggers act with the rights of who has made them. These may be taken away, too.
#[tokio::test(flavor = "multi_thread")]
async fn rights_that_are_taken_away_fail_no_write() {
    let database = medusa().await;
    // Medusa's user owns its tables; Stheno's owns what it makes, and may make triggers.
    let url = database
        .postgres_database()
        .url_for_user(
            "GRANT ALL ON SCHEMA public TO {user}; GRANT ALL ON ALL TABLES IN SCHEMA public TO {user}",
        )
        .await;
    let schema = Schema::connect(&url, StoreOptions::default()).await.unwrap();
    let left = schema.migrate(&|_| {}).await.unwrap();
    let counts = [ThingKind::Table, ThingKind::Function, ThingKind::Trigger];
    assert!(!left.iter().any(|left| counts.contains(&left.thing.kind)), "{left:?}");
    database.execute(WRITES[0]).await;
    let user = database.postgres_database().user();
    for right in ["INSERT", "SELECT", "DELETE", "ALL"] {
        database.execute(&format!("REVOKE {right} ON stheno_count FROM {user}")).await;
        for write in &WRITES[1..] {
            database.execute(write).await;
        }
        let store =
            Store::open(&url, StoreOptions { serves: false, ..StoreOptions::default() }).await.unwrap();
        let selection = {
            let mut selection = Selection::id(store.catalog(), Table::CustomerGroup);
            selection.add_column(store.catalog(), "customer_count").unwrap();
            selection
        };
        let group = store.retrieve_customer_group("cgrp_a", &selection).await.unwrap().unwrap();
        assert_eq!(json_of(group).await["customer_count"], 1, "{right}");
        store.close().await;
        database.execute(&format!("GRANT ALL ON stheno_count TO {user}")).await;
        schema.migrate(&|_| {}).await.unwrap();
        assert_settled(&database).await;
        database.execute("DELETE FROM customer; DELETE FROM customer_group; INSERT INTO customer_group (id, name) VALUES ('cgrp_y', 'Y')").await;
    }
    schema.close().await;
}
