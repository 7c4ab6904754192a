//! Rows that come from elsewhere, as they are.

use serde_json::{Value, json};
use stheno_store::{CustomerFilter, CustomerGroupFilter, StoreError, Table};

use crate::database::Database;
use crate::shop::{START, Shop, id, import_into, new_group, objects};

pub(crate) async fn rows_are_kept_as_they_are(database: Database) {
    let shop = Shop::open(database).await;
    let imported = shop
        .store
        .import(vec![
            (
                Table::CustomerGroup,
                objects(json!([{
                    "id": "any id", "name": "VIP", "metadata": {"b": 1.5, "a": "", "c": [{"é": null}]},
                    "created_at": "2024-11-03T10:00:00.123456+02:00", "updated_at": "2024-11-04T00:00:00Z",
                }])),
            ),
            (
                Table::Customer,
                objects(json!([
                    {"id": "cus_1", "email": "A@b", "has_account": true, "created_at": START, "updated_at": START},
                    {"id": "cus_2", "email": "A@b", "has_account": false, "created_at": START, "updated_at": START,
                     "deleted_at": null, "metadata": null},
                ])),
            ),
        ])
        .await;
    assert_eq!(imported.unwrap(), 3);
    let expected = json!({
        "id": "any id", "created_at": "2024-11-03T08:00:00.123Z", "updated_at": "2024-11-04T00:00:00.000Z",
        "deleted_at": null, "name": "VIP", "metadata": {"a": "", "b": 1.5, "c": [{"é": null}]},
    });
    assert_eq!(shop.group("any id").await.unwrap(), expected);
    assert_eq!(shop.customer("cus_1").await.unwrap()["has_account"], true);
    assert_eq!(shop.customer("cus_2").await.unwrap()["has_account"], false);
    assert_eq!(shop.store.import(Vec::new()).await.unwrap(), 0);
}

pub(crate) async fn tables_may_come_in_any_order(database: Database) {
    let shop = Shop::open(database).await;
    let rows = |rows: Value| objects(rows);
    let times = |mut row: Value| {
        row["created_at"] = START.into();
        row["updated_at"] = START.into();
        row
    };
    let imported = shop
        .store
        .import(vec![
            (
                Table::CustomerGroupCustomers,
                rows(json!([{"customer_group_id": "cgrp_a", "customer_id": "cus_1"}])),
            ),
            (Table::Address, rows(json!([times(json!({"id": "addr_1", "customer_id": "cus_1"}))]))),
            (
                Table::Customer,
                rows(json!([times(json!({"id": "cus_1", "email": "1", "billing_address_id": "addr_1"}))])),
            ),
            (Table::CustomerGroup, rows(json!([times(json!({"id": "cgrp_a", "name": "A"}))]))),
        ])
        .await;
    assert_eq!(imported.unwrap(), 4);
    assert_eq!(shop.members("cgrp_a").await, ["cus_1"]);
    assert_eq!(shop.customer("cus_1").await.unwrap()["billing_address_id"], "addr_1");
}

pub(crate) async fn metadata_may_be_any_json(database: Database) {
    let shop = Shop::open(database).await;
    let values =
        [json!("text"), json!(""), json!([1, {"b": 1, "a": 2}]), json!(true), json!(1.5), json!("{\"a\":")];
    for (number, metadata) in values.into_iter().enumerate() {
        let id = format!("cgrp_{number}");
        shop.import(Table::CustomerGroup, json!([{"id": id, "name": id, "metadata": metadata}])).await;
        assert_eq!(shop.group(&id).await.unwrap()["metadata"], metadata);
    }
}

pub(crate) async fn a_row_that_does_not_fit_is_refused_and_so_are_the_others(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_taken"]).await;
    shop.add_customers(&["cus_taken"]).await;
    let misfits = [
        (Table::CustomerGroup, json!({"id": "cgrp_x", "name": "X", "nope": 1})),
        (Table::CustomerGroup, json!({"id": "cgrp_x", "name": "X", "created_at": "yesterday"})),
        (Table::CustomerGroup, json!({"id": "cgrp_x"})),
        (Table::CustomerGroup, json!({"id": null, "name": "X"})),
        (Table::CustomerGroup, json!({"id": "cgrp_taken", "name": "X"})),
        (Table::CustomerGroup, json!({"id": "cgrp_x", "name": "Group cgrp_taken"})),
        (Table::Customer, json!({"id": "cus_x", "email": "cus_taken@shop.example"})),
        (Table::Customer, json!({"id": "cus_x", "email": "x", "billing_address_id": "addr_nope"})),
        (Table::Address, json!({"id": "addr_x", "customer_id": "cus_nope"})),
        (Table::User, json!({"id": "usr_x", "email": "x", "role": "emperor"})),
        (
            Table::CustomerGroupCustomers,
            json!({"customer_group_id": "cgrp_taken", "customer_id": "cus_nope"}),
        ),
        (Table::CustomerGroupCustomers, json!({})),
        (Table::Order, json!({"id": "order_1"})),
    ];
    for (table, misfit) in misfits {
        let joins = table == Table::CustomerGroupCustomers || table == Table::Order;
        let mut misfit = misfit;
        if !joins {
            for column in ["created_at", "updated_at"] {
                if misfit.get(column).is_none() {
                    misfit[column] = START.into();
                }
            }
        }
        let good = json!([{"id": "cgrp_good", "name": "Good", "created_at": START, "updated_at": START}]);
        let refused = shop
            .store
            .import(vec![(Table::CustomerGroup, objects(good)), (table, objects(json!([misfit])))])
            .await;
        assert_matches!(refused, Err(StoreError::Schema(_)), "{misfit}");
        assert_eq!(shop.groups(CustomerGroupFilter::default()).await, ["cgrp_taken"], "{misfit}");
        assert_eq!(shop.customers(CustomerFilter::default()).await, ["cus_taken"], "{misfit}");
    }
}

pub(crate) async fn the_refusal_says_which_row(database: Database) {
    let shop = Shop::open(database).await;
    let rows = json!([
        {"id": "cus_1", "email": "1", "password_hash": "s3cret"},
        {"id": "cus_2", "email": "1", "password_hash": "s3cret"},
    ]);
    let Err(StoreError::Schema(text)) = import_into(&shop.store, Table::Customer, rows).await else {
        panic!("a taken address was imported");
    };
    assert!(text.contains("customer") && text.contains("row 2") && text.contains("email"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
}

pub(crate) async fn a_refused_import_leaves_what_is_written_beside_it(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a"]).await;
    let dangling = || json!([{"customer_group_id": "cgrp_a", "customer_id": "cus_nope"}]);
    for round in 0..8 {
        let names = [format!("{round} before"), format!("{round} after")];
        let (before, refused, after) = tokio::join!(
            shop.store.create_customer_group(new_group(&names[0])),
            import_into(&shop.store, Table::CustomerGroupCustomers, dangling()),
            shop.store.create_customer_group(new_group(&names[1])),
        );
        before.unwrap();
        after.unwrap();
        assert_matches!(refused, Err(StoreError::Schema(_)));
    }
    assert_eq!(shop.groups(CustomerGroupFilter::default()).await.len(), 17);
}

pub(crate) async fn references_are_watched_beside_an_import(database: Database) {
    let shop = Shop::open(database).await;
    for round in 0..8 {
        let name = format!("cgrp_{round}");
        let row = json!([{"id": name, "name": name}]);
        let expires = START.parse().unwrap();
        let (imported, orphan, created) = tokio::join!(
            import_into(&shop.store, Table::CustomerGroup, row),
            shop.store.create_session(format!("session {round}"), "usr_nope", expires),
            shop.store.create_customer_group(new_group(&format!("Group {round}"))),
        );
        imported.unwrap();
        orphan.unwrap_err();
        created.unwrap();
    }
    let created = shop.store.create_customer_group(new_group("Last")).await.unwrap();
    let created: Value = serde_json::from_slice(&created.start).unwrap();
    assert!(shop.group(&id(&created)).await.is_some());
}
