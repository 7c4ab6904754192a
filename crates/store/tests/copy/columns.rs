//! Columns that a shop has added.

use stheno_store::copy::{CopyError, CopyOptions};

use crate::database::{Database, Kind};

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_both_sides_have_are_copied() {
    let added = [
        ("tier", "text", "text", "'gold'"),
        ("points", "bigint", "INTEGER", "9007199254740993"),
        ("rate", "double precision", "REAL", "0.1"),
        ("price", "numeric", "NUMERIC", "1.5"),
        ("is_big", "boolean", "BOOLEAN", "TRUE"),
        ("extra", "jsonb", "JSON", "'{\"a\":[1,2.5]}'"),
        ("seen_at", "timestamptz", "timestamptz", "'2024-11-03T08:00:00.000538Z'"),
        ("born", "date", "date", "'1815-12-10'"),
        ("photo", "bytea", "BLOB", "NULL"),
    ];
    let start = Database::with_shop(Kind::Sqlite).await;
    let middle = Database::new(Kind::Postgres).await;
    let end = Database::new(Kind::Sqlite).await;
    for (name, in_postgres, in_sqlite, value) in added {
        for database in [&start, &end] {
            database.execute(&format!("ALTER TABLE customer ADD COLUMN {name} {in_sqlite}")).await;
        }
        middle.execute(&format!("ALTER TABLE customer ADD COLUMN {name} {in_postgres}")).await;
        start.execute(&format!("UPDATE customer SET {name} = {value} WHERE id = 'cus_1'")).await;
    }
    start.execute("UPDATE customer SET photo = x'00ff10' WHERE id = 'cus_1'").await;
    start.must_copy_to(&middle).await;
    let shown = "SELECT concat_ws(' ', tier, points, rate, price, is_big, extra, seen_at AT TIME ZONE 'UTC', born, photo)
                 FROM customer WHERE id = 'cus_1'";
    assert_eq!(
        middle.ask(shown).await,
        "gold 9007199254740993 0.1 1.5 t {\"a\": [1, 2.5]} 2024-11-03 08:00:00.000538 1815-12-10 \\x00ff10"
    );
    middle.must_copy_to(&end).await;
    assert_eq!(end.rows().await, start.rows().await);
}

/// What the target would cut or round is no copy.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_the_target_would_change_is_no_copy() {
    let source = Database::with_shop(Kind::Sqlite).await;
    source
        .execute("ALTER TABLE customer ADD COLUMN rate REAL; ALTER TABLE customer ADD COLUMN tier text")
        .await;
    source.execute("UPDATE customer SET rate = 0.125 WHERE id = 'cus_1'").await;
    let target = Database::new(Kind::Postgres).await;
    target.execute("ALTER TABLE customer ADD COLUMN rate numeric(9, 2), ADD COLUMN tier varchar(3)").await;
    let error = source.copy_to(&target, &CopyOptions::default()).await.unwrap_err();
    assert!(
        matches!(error, CopyError::Check { name: "customer", expected: 3, found: 3, different: 1 }),
        "{error:?}"
    );
    source.execute("UPDATE customer SET rate = 0.5, tier = 'golden' WHERE id = 'cus_1'").await;
    let error = source.copy_to(&target, &CopyOptions::default()).await.unwrap_err();
    let CopyError::Conflicts(report) = error else { panic!("{error:?}") };
    assert_eq!(report.conflicts[0].key, "cus_1");
    source.execute("UPDATE customer SET tier = 'big' WHERE id = 'cus_1'").await;
    assert!(source.must_copy_to(&target).await.continued);
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_the_target_lacks_are_left_behind_only_if_that_is_wished() {
    for (from, to) in [(Kind::Medusa, Kind::Sqlite), (Kind::Sqlite, Kind::Postgres)] {
        let source = Database::with_shop(from).await;
        source
            .execute("ALTER TABLE customer ADD COLUMN tier text; ALTER TABLE customer ADD COLUMN idle text")
            .await;
        source.execute("ALTER TABLE address ADD COLUMN floor integer").await;
        source
            .execute("UPDATE customer SET tier = 'gold' WHERE id = 'cus_1'; UPDATE address SET floor = 3")
            .await;
        let target = Database::new(to).await;
        target.execute("ALTER TABLE address ADD COLUMN floor boolean").await;
        let error = source.copy_to(&target, &CopyOptions::default()).await.unwrap_err();
        let text = error.to_string().to_lowercase();
        let expected = "the target cannot take the columns customer.tier (text), address.floor (integer, on the target boolean)";
        assert_eq!(text, expected);
        assert!(matches!(error, CopyError::Columns(_)));
        assert!(!target.rows().await.iter().any(|row| row.contains("cus_1")));

        let options = CopyOptions { leave_columns: true, ..CopyOptions::default() };
        let report = source.copy_to(&target, &options).await.unwrap();
        let names: Vec<_> = report.left_behind.iter().map(|left| &*left.column).collect();
        assert_eq!(names, ["tier", "floor"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_the_database_computes_are_not_copied() {
    let (source, target) = (Database::with_shop(Kind::Postgres).await, Database::new(Kind::Medusa).await);
    for database in [&source, &target] {
        database
            .execute("ALTER TABLE customer ADD COLUMN folded text GENERATED ALWAYS AS (lower(email)) STORED")
            .await;
    }
    source.must_copy_to(&target).await;
    assert_eq!(target.rows().await, source.rows().await);
}
