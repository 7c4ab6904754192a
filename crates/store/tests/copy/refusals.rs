//! What a copy refuses before it writes anything, and what a row cannot be.

use stheno_store::copy::{CopyError, CopyOptions, Reason};
use stheno_store::{Store, StoreError, StoreOptions};

use crate::database::{Database, KINDS, Kind, open};

fn options() -> CopyOptions {
    CopyOptions::default()
}

fn skipping() -> CopyOptions {
    CopyOptions { skip_conflicts: true, ..CopyOptions::default() }
}

/// What cannot be copied, as lines.
fn lines(error: &CopyError) -> Vec<String> {
    let CopyError::Conflicts(report) = error else { panic!("{error:?}") };
    report.conflicts.iter().map(|conflict| format!("{} {}", conflict.name, conflict.key)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_with_rows_is_left_as_it_is() {
    let source = Database::with_shop(Kind::Sqlite).await;
    for kind in KINDS {
        let target = Database::new(kind).await;
        target.execute("INSERT INTO \"user\" (id, email, created_at, updated_at) VALUES ('usr_9', 'a@b', '2024-11-03T08:00:00.000538Z', '2024-11-03T08:00:00.000538Z')").await;
        let before = target.rows().await;
        let error = source.copy_to(&target, &options()).await.unwrap_err();
        assert!(matches!(&error, CopyError::NotEmpty(tables) if tables == &["user"]), "{error:?}");
        assert_eq!(target.rows().await, before);
        // Nothing stands in the way of serving it.
        open(&target.url).await.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_medusas_database_that_is_refused_gets_no_tables() {
    let source = Database::with_shop(Kind::Sqlite).await;
    source.execute("ALTER TABLE customer ADD COLUMN tier TEXT; UPDATE customer SET tier = 'gold'").await;
    let target = Database::untouched(Kind::Medusa).await;
    let error = source.copy_to(&target, &options()).await.unwrap_err();
    assert!(matches!(error, CopyError::Columns(_)), "{error:?}");
    target.execute("INSERT INTO \"user\" (id, email) VALUES ('usr_9', 'a@b')").await;
    let leaving = CopyOptions { leave_columns: true, ..options() };
    let error = source.copy_to(&target, &leaving).await.unwrap_err();
    assert!(matches!(error, CopyError::NotEmpty(_)), "{error:?}");
    let made = "SELECT count(*)::text FROM pg_class WHERE relname LIKE 'stheno%'";
    assert_eq!(target.ask(made).await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_not_copied_into_itself() {
    for kind in KINDS {
        let database = Database::with_shop(kind).await;
        let before = database.rows().await;
        let again = match kind {
            Kind::Sqlite => database.url.replace("shop.db", "./shop.db"),
            _ => database.url.replace("postgres://", "postgresql://"),
        };
        for merge in [false, true] {
            let options = CopyOptions { merge, ..options() };
            let error = stheno_store::copy::copy(&database.url, &again, &options, |_| {}).await.unwrap_err();
            assert!(matches!(error, CopyError::Same), "{error:?}");
        }
        assert_eq!(database.rows().await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_that_cannot_be_used_are_refused_in_words() {
    let shop = Database::with_shop(Kind::Sqlite).await;
    let (foreign, empty) =
        (Database::untouched(Kind::Postgres).await, Database::untouched(Kind::Postgres).await);
    foreign.execute("CREATE TABLE customer (id text)").await;
    let newer = Database::new(Kind::Sqlite).await;
    newer.execute("INSERT INTO stheno_migration VALUES (999, 'later', '')").await;
    let missing = shop.url.replace("shop.db", "nowhere.db");
    let unreachable = "postgres://ada:s3cret@127.0.0.1:9/shop";
    for (from, to, word) in [
        (&*missing, &*shop.url, "there is no database file"),
        ("mysql://x", &*shop.url, "mysql"),
        (&*empty.url, &*shop.url, "none of a shop's tables"),
        (&*foreign.url, &*shop.url, "none of a shop's tables"),
        (&*newer.url, &*shop.url, "999"),
        (unreachable, &*shop.url, "not ready"),
        (&*shop.url, unreachable, "not ready"),
        (&*shop.url, &*foreign.url, "another program's"),
        (&*shop.url, &*newer.url, "999"),
    ] {
        let error = stheno_store::copy::copy(from, to, &options(), |_| {}).await.unwrap_err();
        let (CopyError::Source(cause) | CopyError::Target(cause)) = &error else { panic!("{error:?}") };
        let text = cause.to_string();
        let known =
            text.contains(word) || matches!(cause, StoreError::Unavailable { .. }) && word == "not ready";
        assert!(known, "{from} to {to}: {text}");
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
    assert!(!std::fs::exists(missing.strip_prefix("sqlite:").unwrap()).unwrap());
}

/// What only Medusa has is demanded by its foreign keys.
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_a_medusas_database_cannot_take_are_listed_and_can_be_left_out() {
    let change = "
        UPDATE address SET country_code = 'xx' WHERE id = 'addr_3';
        UPDATE discount_condition_customer_group SET condition_id = 'discon_9' WHERE customer_group_id = 'cgrp_2'";
    for from in [Kind::Sqlite, Kind::Postgres] {
        let source = Database::with_shop(from).await;
        source.execute(change).await;
        let target = Database::untouched(Kind::Medusa).await;
        let error = source.copy_to(&target, &options()).await.unwrap_err();
        // And with the address, that a customer is billed there.
        let expected = [
            "address addr_3",
            "customer.billing_address_id cus_3",
            "discount_condition_customer_group discon_9 cgrp_2",
        ];
        assert_eq!(lines(&error), expected);
        let CopyError::Conflicts(report) = error else { unreachable!() };
        assert_eq!(report.conflicts[0].reason, Reason::Missing("country_code".to_owned()));
        // It is not served by half.
        let refused = Store::open(&target.url, StoreOptions::default()).await.unwrap_err();
        assert!(refused.to_string().contains("not finished"), "{refused}");

        // Mended on one side, it goes on.
        target.execute("INSERT INTO country VALUES ('xx')").await;
        let report = source.copy_to(&target, &skipping()).await.unwrap();
        assert!(report.continued);
        assert_eq!(report.conflicts.len(), 1, "{:?}", report.conflicts);
        let left_out: Vec<_> = report.tables.iter().filter(|table| table.left_out > 0).collect();
        assert_eq!((left_out.len(), left_out[0].name), (1, "discount_condition_customer_group"));
        let billed = "SELECT string_agg(billing_address_id, ' ' ORDER BY id) FROM customer";
        assert_eq!(target.ask(billed).await, "addr_1 addr_3");
        open(&target.url).await.close().await;
    }
}

/// Many rows that are refused, among many that are not.
#[tokio::test(flavor = "multi_thread")]
async fn each_row_that_is_refused_is_found() {
    let source = Database::new(Kind::Sqlite).await;
    source
        .execute(
            "INSERT INTO address (id, city, country_code, created_at, updated_at)
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
             SELECT printf('addr_%05d', i), CASE WHEN i % 1000 = 0 THEN 'x' || char(0) || 'y' END,
                    CASE WHEN i % 701 = 0 THEN 'xx' ELSE 'dk' END, '2024-11-03T08:00:00.000538Z', '2024-11-03T08:00:00.000538Z' FROM n",
        )
        .await;
    let target = Database::untouched(Kind::Medusa).await;
    let report = source.copy_to(&target, &skipping()).await.unwrap();
    let mut keys: Vec<_> = report.conflicts.iter().map(|conflict| conflict.key.clone()).collect();
    keys.sort();
    let mut expected: Vec<_> =
        (1..=5000).filter(|i| i % 701 == 0 || i % 1000 == 0).map(|i| format!("addr_{i:05}")).collect();
    expected.sort();
    assert_eq!(keys, expected);
    assert_eq!(target.ask("SELECT count(*)::text FROM address").await, (5000 - expected.len()).to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_sqlite_cannot_hold_is_listed() {
    let source = Database::new(Kind::Postgres).await;
    let digits = format!("1{}", "0".repeat(400));
    source
        .execute(&format!(
            "INSERT INTO customer (id, email, metadata, deleted_at) VALUES
                 ('cus_1', '1', '{{\"n\": {digits}}}', NULL), ('cus_2', '2', NULL, 'infinity'),
                 ('cus_3', '3', NULL, '0044-03-15 BC'), ('cus_4', '4', NULL, '10000-01-01')"
        ))
        .await;
    let target = Database::untouched(Kind::Sqlite).await;
    let error = source.copy_to(&target, &options()).await.unwrap_err();
    assert_eq!(lines(&error), ["customer cus_1", "customer cus_2", "customer cus_3", "customer cus_4"]);
    let CopyError::Conflicts(report) = error else { unreachable!() };
    for (conflict, column) in
        report.conflicts.iter().zip(["metadata", "deleted_at", "deleted_at", "deleted_at"])
    {
        assert!(conflict.reason.to_string().contains(column), "{conflict:?}");
    }
    // From one PostgreSQL to another they go as they are.
    let other = Database::untouched(Kind::Medusa).await;
    source.must_copy_to(&other).await;
    assert_eq!(other.rows().await, source.rows().await);
}
