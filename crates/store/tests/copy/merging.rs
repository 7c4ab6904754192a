//! Into a database that has rows.

use stheno_store::copy::{CopyError, CopyOptions, CopyReport};

use crate::database::{Database, KINDS, Kind};

fn merging() -> CopyOptions {
    CopyOptions { merge: true, ..CopyOptions::default() }
}

fn lines(report: &CopyReport) -> Vec<String> {
    let conflicts = report.conflicts.iter();
    conflicts.map(|conflict| format!("{} {}: {}", conflict.name, conflict.key, conflict.reason)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_rows_are_passed_over_and_new_ones_added() {
    for (from, to) in
        [(Kind::Sqlite, Kind::Postgres), (Kind::Medusa, Kind::Sqlite), (Kind::Postgres, Kind::Medusa)]
    {
        let source = Database::with_shop(from).await;
        let target = Database::with_shop(to).await;
        let time = "'2024-11-03T08:00:00.000538Z'";
        target.execute(&format!("INSERT INTO customer_group (id, name, created_at, updated_at) VALUES ('cgrp_own', 'own', {time}, {time})")).await;
        source
            .execute(&format!(
                "INSERT INTO customer (id, email, created_at, updated_at) VALUES ('cus_new', 'new', {time}, {time});
                 INSERT INTO address (id, customer_id, created_at, updated_at) VALUES ('addr_new', 'cus_new', {time}, {time});
                 UPDATE customer SET billing_address_id = 'addr_new' WHERE id = 'cus_new';
                 INSERT INTO customer_group_customers (customer_group_id, customer_id) VALUES ('cgrp_2', 'cus_new')"
            ))
            .await;
        let before = target.rows().await;
        let report = source.copy_to(&target, &merging()).await.unwrap();
        let written: Vec<_> = report
            .tables
            .iter()
            .filter(|table| table.written > 0)
            .map(|table| (table.name, table.written))
            .collect();
        let expected = [
            ("customer", 1),
            ("address", 1),
            ("customer.billing_address_id", 1),
            ("customer_group_customers", 1),
        ];
        assert_eq!(written, expected, "{from:?} to {to:?}");
        let after = target.rows().await;
        assert!(before.iter().all(|row| after.contains(row)));
        assert_eq!(after.len(), before.len() + 3);
        let billed = "SELECT billing_address_id FROM customer WHERE id = 'cus_new'";
        assert_eq!(target.ask(billed).await, "addr_new");
        // Once more, and there is nothing to do.
        let report = source.copy_to(&target, &merging()).await.unwrap();
        assert!(report.tables.iter().all(|table| table.written == 0 && table.left_out == 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conflicts_are_listed_and_nothing_is_written() {
    let time = "'2024-11-03T08:00:00.000538Z'";
    for kind in KINDS {
        let source = Database::with_shop(Kind::Sqlite).await;
        let target = Database::new(kind).await;
        target
            .execute(&format!(
                "INSERT INTO customer_group (id, name, created_at, updated_at) VALUES ('cgrp_9', 'vip', {time}, {time}), ('any id', 'other', {time}, {time});
                 INSERT INTO customer (id, email, first_name, has_account, password_hash, created_at, updated_at) VALUES
                     ('cus_9', 'Ada@b.example', 'Ada', TRUE, 'other', {time}, {time}), ('cus_2', 'Ada@b.example', '', FALSE, NULL, {time}, {time})"
            ))
            .await;
        let before = target.rows().await;
        let error = source.copy_to(&target, &merging()).await.unwrap_err();
        let CopyError::Conflicts(report) = error else { panic!("{error:?}") };
        let named: Vec<_> = report
            .conflicts
            .iter()
            .map(|conflict| (conflict.name, &*conflict.key, conflict.reason.kind()))
            .collect();
        assert_eq!(
            named,
            [
                ("customer_group", "any id", "differs"),
                ("customer_group", "cgrp_2", "taken"),
                ("customer", "cus_2", "differs"),
                ("customer", "cus_1", "taken"),
                ("address", "addr_1", "missing_reference"),
                ("customer_group_customers", "cgrp_1 cus_1", "missing_reference"),
                ("customer_group_customers", "cgrp_2 cus_1", "missing_reference"),
                ("discount_condition_customer_group", "discon_1 cgrp_2", "missing_reference"),
            ],
            "{kind:?}"
        );
        let lines = lines(&report);
        assert_eq!(
            lines[0],
            "customer_group any id: is there with another created_at, updated_at, name, metadata"
        );
        assert_eq!(lines[1], "customer_group cgrp_2: another row has its name");
        assert_eq!(lines[3], "customer cus_1: another row has its email, has_account");
        // Where a customer is billed is a part of it.
        assert!(lines[2].ends_with("last_name, metadata, billing_address_id"), "{}", lines[2]);
        assert_eq!(target.rows().await, before);

        let skipping = CopyOptions { skip_conflicts: true, ..merging() };
        let report = source.copy_to(&target, &skipping).await.unwrap();
        assert_eq!(report.conflicts.len(), 8);
        let after = target.rows().await;
        assert!(before.iter().all(|row| after.contains(row)), "{kind:?}: a row of the target's was changed");
        let count = |name: &str| after.iter().filter(|row| row.split(' ').next() == Some(name)).count();
        assert_eq!((count("customer_group"), count("customer"), count("address")), (4, 3, 2));
        assert_eq!(target.ask("SELECT billing_address_id FROM customer WHERE id = 'cus_3'").await, "addr_3");
    }
}

/// A customer that differs only in where it is billed is not changed either.
#[tokio::test(flavor = "multi_thread")]
async fn where_a_customer_is_billed_is_not_overwritten() {
    for kind in KINDS {
        let source = Database::with_shop(kind).await;
        let target = Database::with_shop(kind).await;
        target.execute("UPDATE customer SET billing_address_id = NULL WHERE id = 'cus_2'; UPDATE customer SET billing_address_id = 'addr_2' WHERE id = 'cus_3'").await;
        let before = target.rows().await;
        let skipping = CopyOptions { skip_conflicts: true, ..merging() };
        let report = source.copy_to(&target, &skipping).await.unwrap();
        assert_eq!(
            lines(&report),
            [
                "customer cus_2: is there with another billing_address_id",
                "customer cus_3: is there with another billing_address_id",
            ]
        );
        assert_eq!(target.rows().await, before);
    }
}

/// Two shops whose administrators have the same address: the source's stays behind, and so does what it signs in with.
#[tokio::test(flavor = "multi_thread")]
async fn the_token_of_a_user_who_is_left_out_is_left_out_too() {
    const TIMES: &str = "'2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z'";
    let user = |id: &str| {
        format!(
            "INSERT INTO \"user\" (id, email, role, created_at, updated_at)
             VALUES ('{id}', 'boss@shop.example', 'admin', {TIMES});
             INSERT INTO stheno_api_token (token_hash, user_id, created_at)
             VALUES ('boss_{id}', '{id}', '2026-01-01T00:00:00.000000Z')"
        )
    };
    for (from, to) in
        [(Kind::Sqlite, Kind::Postgres), (Kind::Postgres, Kind::Sqlite), (Kind::Postgres, Kind::Postgres)]
    {
        let source = Database::with_shop(from).await;
        source.execute(&user("usr_source")).await;
        let target = Database::with_shop(to).await;
        target.execute(&user("usr_target")).await;
        let skipping = CopyOptions { skip_conflicts: true, ..merging() };
        let report = source.copy_to(&target, &skipping).await.unwrap();
        let expected = [
            "user usr_source: another row has its email",
            "stheno_api_token boss_usr_source: what it refers to is not there",
        ];
        assert_eq!(lines(&report), expected, "{from:?} {to:?}");
        let tokens = "SELECT count(*) FROM stheno_api_token WHERE token_hash LIKE 'boss_%'";
        assert_eq!(target.ask(&format!("SELECT CAST(({tokens}) AS text)")).await, "1");
    }
}
