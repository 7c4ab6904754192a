//! A whole shop, into an empty database.

use crate::database::{Database, KINDS, Kind, open};

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_goes_from_each_kind_of_database_to_each() {
    for from in KINDS {
        let source = Database::with_shop(from).await;
        for to in KINDS {
            // Also where nobody has been yet.
            let target = Database::untouched(to).await;
            let report = source.must_copy_to(&target).await;
            assert!(report.conflicts.is_empty() && report.left_behind.is_empty() && !report.continued);
            let counts: Vec<_> = report.tables.iter().map(|table| (table.name, table.written)).collect();
            assert_eq!(
                counts,
                [
                    ("user", 2),
                    ("customer_group", 4),
                    ("customer", 3),
                    ("address", 3),
                    ("customer.billing_address_id", 2),
                    ("customer_group_customers", 5),
                    ("price_list", 2),
                    ("price_list_customer_groups", 2),
                    ("discount_condition_customer_group", 2),
                    ("stheno_api_token", 1),
                ],
                "{from:?} to {to:?}"
            );
            if (from == Kind::Sqlite) == (to == Kind::Sqlite) {
                assert_eq!(target.rows().await, source.rows().await, "{from:?} to {to:?}");
            }
            // Who has signed in does so again, each database signs by itself, and the audit trail is of where it was written.
            for table in ["stheno_session", "stheno_secret", "stheno_login"] {
                let count = format!("SELECT CAST(count(*) AS text) FROM {table}");
                assert_eq!(target.ask(&count).await, "0");
            }
            assert_serves(&target).await;
        }
    }
}

async fn assert_serves(target: &Database) {
    let store = open(&target.url).await;
    for (token, hash) in [("a-token-of-medusas", ""), ("", "hash-of-a-token")] {
        assert_eq!(store.user_by_token(token, hash).await.unwrap().as_deref(), Some("usr_1"));
    }
    let user = store.user_by_email("ada@shop.example").await.unwrap().unwrap();
    assert_eq!(user.id, "usr_1");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_goes_round_comes_back_as_it_was() {
    let start = Database::with_shop(Kind::Sqlite).await;
    let (own, medusas, end) = (
        Database::untouched(Kind::Postgres).await,
        Database::untouched(Kind::Medusa).await,
        Database::untouched(Kind::Sqlite).await,
    );
    start.must_copy_to(&own).await;
    own.must_copy_to(&medusas).await;
    medusas.must_copy_to(&end).await;
    assert_eq!(own.rows().await, medusas.rows().await);
    assert_eq!(end.rows().await, start.rows().await);
    let deleted = "SELECT to_char(deleted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') FROM \"user\" WHERE id = 'usr_2'";
    assert_eq!(own.ask(deleted).await, "2024-11-04 08:00:00.999999");
    let kinds = "SELECT string_agg(coalesce(jsonb_typeof(metadata), 'none'), ' ' ORDER BY id) FROM customer";
    assert_eq!(own.ask(kinds).await, "object null none");
    let flags = "SELECT string_agg(has_account::text, ' ' ORDER BY id) FROM customer";
    assert_eq!(own.ask(flags).await, "true false false");
}

/// Nothing is made in a Medusa's database that is only read.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_left_as_it_is() {
    let source = Database::untouched(Kind::Medusa).await;
    source.execute("INSERT INTO customer (id, email) VALUES ('cus_1', 'a@b.example')").await;
    let target = Database::untouched(Kind::Sqlite).await;
    source.must_copy_to(&target).await;
    let tables = "SELECT count(*)::text FROM pg_tables WHERE tablename LIKE 'stheno%'";
    assert_eq!(source.ask(tables).await, "0");
    assert_eq!(target.ask("SELECT email FROM customer").await, "a@b.example");
}

/// More rows than a piece has, with keys in an order that is not that of their making.
#[tokio::test(flavor = "multi_thread")]
async fn many_rows_pass_in_pieces() {
    let fill = "
        INSERT INTO customer (id, email, metadata, created_at, updated_at)
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
        SELECT 'cus_' || ((i * 7919) % 10007), i || '@shop.example', '{\"n\":' || i || '}', '2024-11-03T08:00:00.000538Z',
            '2024-11-03T08:00:00.000538Z' FROM n;
        INSERT INTO customer_group (id, name, created_at, updated_at) VALUES
            ('cgrp_a', 'a', '2024-11-03T08:00:00.000538Z', '2024-11-03T08:00:00.000538Z'),
            ('cgrp_b', 'b', '2024-11-03T08:00:00.000538Z', '2024-11-03T08:00:00.000538Z');
        INSERT INTO customer_group_customers (customer_group_id, customer_id) SELECT g.id, c.id FROM customer_group g, customer c";
    let start = Database::new(Kind::Sqlite).await;
    start.execute(fill).await;
    let middle = Database::untouched(Kind::Postgres).await;
    let end = Database::untouched(Kind::Sqlite).await;
    start.must_copy_to(&middle).await;
    let report = middle.must_copy_to(&end).await;
    assert_eq!(report.tables.iter().map(|table| table.written).sum::<u64>(), 30_002);
    assert_eq!(end.rows().await, start.rows().await);
}
