//! Copies that are broken off, and sources that are written to meanwhile.

use std::sync::mpsc;
use std::time::Duration;

use stheno_store::copy::{Conflict, CopyError, CopyOptions, Progress, Step, copy};

use crate::database::{Database, KINDS, Kind};

/// Enough rows that a copy can be broken off among them.
const CUSTOMERS: usize = 6_000;

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

async fn with_many_rows(kind: Kind) -> Database {
    let database = Database::with_shop(kind).await;
    let time = "'2024-11-03T08:00:00.000538Z'";
    database
        .execute(&format!(
            "INSERT INTO customer (id, email, created_at, updated_at)
             WITH RECURSIVE n (i) AS (SELECT 100001 UNION ALL SELECT i + 1 FROM n WHERE i < {})
             SELECT 'cus_' || i, i || '@shop.example', {time}, {time} FROM n;
             INSERT INTO address (id, customer_id, created_at, updated_at)
             SELECT 'addr_' || id, id, {time}, {time} FROM customer WHERE id LIKE 'cus_1%' AND id <> 'cus_1';
             UPDATE customer SET billing_address_id = 'addr_' || id WHERE id LIKE 'cus_1%' AND id <> 'cus_1';
             INSERT INTO customer_group_customers (customer_group_id, customer_id)
             SELECT 'any id', id FROM customer WHERE id LIKE 'cus_1%'",
            100_000 + CUSTOMERS
        ))
        .await;
    database
}

/// Copies until `done` rows of a table are done, and breaks off there.
async fn break_off(source: &Database, target: &Database, step: Step, name: &'static str, done: u64) {
    let (from, to) = (source.url.clone(), target.url.clone());
    let (reached, when_reached) = mpsc::channel();
    let (aborted, when_aborted) = mpsc::channel();
    let run = tokio::spawn(async move {
        let watch = move |progress: Progress| {
            if progress.step == step && progress.name == name && progress.done >= done {
                let _ = reached.send(());
                when_aborted.recv_timeout(PATIENCE).unwrap();
            }
        };
        copy(&from, &to, &CopyOptions::default(), watch).await
    });
    let wait = move || when_reached.recv_timeout(PATIENCE).unwrap();
    tokio::task::spawn_blocking(wait).await.unwrap();
    run.abort();
    aborted.send(()).unwrap();
    // It may come there once more before it ends.
    let _ = aborted.send(());
    assert!(run.await.unwrap_err().is_cancelled());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_copy_that_is_broken_off_again_and_again_goes_on() {
    for kind in [Kind::Sqlite, Kind::Medusa] {
        let source = with_many_rows(kind).await;
        let target = Database::untouched(kind).await;
        break_off(&source, &target, Step::Copying, "customer", 4000).await;
        assert!(!target.rows().await.is_empty());
        break_off(&source, &target, Step::Copying, "customer.billing_address_id", 4000).await;
        break_off(&source, &target, Step::Comparing, "customer", 4000).await;
        break_off(&source, &target, Step::Copying, "customer_group_customers", 4000).await;
        break_off(&source, &target, Step::Checking, "customer", 4000).await;
        let report = source.must_copy_to(&target).await;
        assert!(report.continued);
        // What was there was not written again.
        assert_eq!(report.tables.iter().map(|table| table.written).sum::<u64>(), 0);
        assert_eq!(target.rows().await, source.rows().await);
        let error = source.copy_to(&target, &CopyOptions::default()).await.unwrap_err();
        assert!(matches!(error, CopyError::NotEmpty(_)), "{error:?}");
    }
}

/// Whatever has become of rows that were copied already: the target ends as the source is when the copy goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_has_changed_in_between_is_made_good() {
    let changes = "
        -- Names and addresses that go from one to another.
        UPDATE customer_group SET name = 'swap' WHERE id = 'cgrp_1';
        UPDATE customer_group SET name = 'VIP' WHERE id = 'cgrp_2';
        UPDATE customer_group SET name = 'vip' WHERE id = 'cgrp_1';
        UPDATE customer SET email = 'swap' WHERE id = 'cus_100001';
        UPDATE customer SET email = '100001@shop.example' WHERE id = 'cus_100002';
        UPDATE customer SET email = '100002@shop.example' WHERE id = 'cus_100001';
        -- Addresses that customers exchange.
        UPDATE customer SET billing_address_id = NULL WHERE id IN ('cus_100003', 'cus_100004', 'cus_100005');
        UPDATE customer SET billing_address_id = 'addr_cus_100004' WHERE id = 'cus_100003';
        UPDATE customer SET billing_address_id = 'addr_cus_100003' WHERE id = 'cus_100004';
        DELETE FROM address WHERE id = 'addr_cus_100005';
        UPDATE address SET customer_id = 'cus_1' WHERE id = 'addr_cus_100006';
        -- What is gone, and what has come in its place.
        DELETE FROM customer_group WHERE id = 'any id';
        INSERT INTO customer_group (id, name, created_at, updated_at)
            SELECT 'any other id', '  a name, with \"quotes\" \\ and ''more''  ', created_at, updated_at FROM customer_group WHERE id = 'cgrp_1';
        INSERT INTO customer_group_customers (customer_group_id, customer_id)
            SELECT 'any other id', id FROM customer WHERE id LIKE 'cus_11%';
        UPDATE customer SET deleted_at = updated_at WHERE id = 'cus_100007';
        INSERT INTO customer (id, email, created_at, updated_at)
            SELECT 'cus_0', email, created_at, updated_at FROM customer WHERE id = 'cus_100007';
        DELETE FROM stheno_api_token;
        UPDATE \"user\" SET password_hash = 'bmV3' WHERE id = 'usr_1';
        DELETE FROM price_list WHERE id = 'pl_1';
        UPDATE discount_condition_customer_group SET metadata = '{\"n\":2}' WHERE customer_group_id = 'cgrp_2';";
    for kind in KINDS {
        let source = with_many_rows(kind).await;
        let target = Database::untouched(kind).await;
        break_off(&source, &target, Step::Checking, "customer", 0).await;
        source.execute(changes).await;
        if kind == Kind::Medusa {
            // What the source has no more may as well be new on the target.
            let before = target.rows().await;
            let error = source.copy_to(&target, &CopyOptions::default()).await.unwrap_err();
            assert!(theirs(&error).contains(&"customer_group any id: is in the target alone".to_owned()));
            assert_eq!(target.rows().await, before);
            continue;
        }
        let report = source.must_copy_to(&target).await;
        assert!(report.continued && report.conflicts.is_empty());
        let (expected, found) = (source.rows().await, target.rows().await);
        for (expected, found) in expected.iter().zip(&found) {
            assert_eq!(found, expected, "{kind:?}");
        }
        assert_eq!(found.len(), expected.len());
    }
}

fn theirs(error: &CopyError) -> Vec<String> {
    let CopyError::Theirs(report) = error else { panic!("{error:?}") };
    let line = |conflict: &Conflict| format!("{} {}: {}", conflict.name, conflict.key, conflict.reason);
    report.conflicts.iter().map(line).collect()
}

/// A Medusa on the target does not know that a copy is not finished.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_medusa_has_written_in_between_is_not_lost() {
    let source = with_many_rows(Kind::Medusa).await;
    let target = Database::untouched(Kind::Medusa).await;
    break_off(&source, &target, Step::Copying, "customer.billing_address_id", 4000).await;
    let (early, late) = ("'2024-11-03T08:00:00.000538Z'", "'2026-11-03T08:00:00.000538Z'");
    source
        .execute(&format!(
            "UPDATE customer SET first_name = 'New', updated_at = {late} WHERE id = 'cus_100002'"
        ))
        .await;
    let both = format!(
        "INSERT INTO \"user\" (id, email, created_at, updated_at) VALUES ('usr_theirs', 'they@b.co', {late}, {late});
         INSERT INTO customer_group_customers (customer_group_id, customer_id) VALUES ('cgrp_1', 'cus_100001')"
    );
    target.execute(&both).await;
    target
        .execute(&format!(
            "UPDATE customer SET first_name = 'Theirs', updated_at = {late} WHERE id = 'cus_100001'"
        ))
        .await;
    let before = target.rows().await;
    let skipping = CopyOptions { skip_conflicts: true, ..CopyOptions::default() };
    for options in [CopyOptions::default(), skipping] {
        let mut found = theirs(&source.copy_to(&target, &options).await.unwrap_err());
        found.sort();
        let expected = [
            "customer cus_100001: was changed later in the target than in the source",
            "customer_group_customers cgrp_1 cus_100001: is in the target alone",
            "user usr_theirs: is in the target alone",
        ];
        assert_eq!(found, expected);
        assert_eq!(target.rows().await, before);
    }
    source.execute(&both).await;
    target.execute(&format!("UPDATE customer SET updated_at = {early} WHERE id = 'cus_100001'")).await;
    assert!(source.must_copy_to(&target).await.continued);
    assert_eq!(target.rows().await, source.rows().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_written_during_a_copy_is_not_in_it() {
    for from in [Kind::Sqlite, Kind::Postgres] {
        let source = with_many_rows(from).await;
        let target = Database::untouched(from).await;
        let before = source.rows().await;
        let handle = tokio::runtime::Handle::current();
        let mut written = false;
        let watch = |_| {
            if !std::mem::replace(&mut written, true) {
                tokio::task::block_in_place(|| {
                    handle.block_on(source.execute(
                        "UPDATE customer SET email = 'changed' WHERE id = 'cus_100001';
                         DELETE FROM customer_group WHERE id = 'cgrp_1';
                         INSERT INTO customer_group (id, name, created_at, updated_at)
                         SELECT 'cgrp_new', 'new', created_at, updated_at FROM customer_group WHERE id = 'cgrp_2'",
                    ));
                });
            }
        };
        copy(&source.url, &target.url, &CopyOptions::default(), watch).await.unwrap();
        assert_ne!(source.rows().await, before);
        assert_eq!(target.rows().await, before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_copies_into_one_target_the_later_one_goes_on() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let source = with_many_rows(kind).await;
        let target = Database::untouched(kind).await;
        let handle = tokio::runtime::Handle::current();
        let mut begun = false;
        let watch = |progress: Progress| {
            if progress.name == "customer" && progress.done > 0 && !std::mem::replace(&mut begun, true) {
                tokio::task::block_in_place(|| handle.block_on(source.must_copy_to(&target)));
            }
        };
        let error = copy(&source.url, &target.url, &CopyOptions::default(), watch).await.unwrap_err();
        assert!(matches!(error, CopyError::Overtaken), "{error:?}");
        assert_eq!(target.rows().await, source.rows().await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn half_a_copy_is_continued_and_nothing_else() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let source = with_many_rows(kind).await;
        let target = Database::untouched(kind).await;
        break_off(&source, &target, Step::Copying, "customer", 4000).await;
        let merge = CopyOptions { merge: true, ..CopyOptions::default() };
        let error = source.copy_to(&target, &merge).await.unwrap_err();
        assert!(matches!(error, CopyError::Unfinished), "{error:?}");
        let other = Database::with_shop(kind).await;
        let error = other.copy_to(&target, &CopyOptions::default()).await.unwrap_err();
        assert!(matches!(error, CopyError::OtherSource), "{error:?}");
        // Half a shop is no source either.
        let error = target.copy_to(&other, &merge).await.unwrap_err();
        assert!(matches!(error, CopyError::Source(_)), "{error:?}");
        source.must_copy_to(&target).await;
        assert_eq!(target.rows().await, source.rows().await);
    }
}
