//! Adding customers to a group and removing them.

use jiff::SignedDuration;
use serde_json::json;
use stheno_store::{CustomerFilter, StoreError, Table};

use crate::database::Database;
use crate::shop::{START, Shop, json_of, texts};

pub(crate) async fn adding_and_removing_answer_the_group(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a"]).await;
    shop.add_customers(&["cus_1"]).await;
    let group = shop.group("cgrp_a").await;
    let added = shop.store.add_customers_to_group("cgrp_a", texts(&["cus_1"])).await.unwrap();
    assert_eq!(json_of(added.unwrap()).await, group.clone().unwrap());
    assert_eq!(shop.members("cgrp_a").await, ["cus_1"]);
    let removed = shop.store.remove_customers_from_group("cgrp_a", texts(&["cus_1"])).await.unwrap();
    assert_eq!(json_of(removed.unwrap()).await, group.unwrap());
    assert_eq!(shop.members("cgrp_a").await, [""; 0]);
}

pub(crate) async fn adding_twice_is_no_fault(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a"]).await;
    shop.add_customers(&["cus_1", "cus_2", "cus_3"]).await;
    shop.add_members("cgrp_a", &["cus_1"]).await;
    shop.add_members("cgrp_a", &["cus_3", "cus_1", "cus_2", "cus_3"]).await;
    assert_eq!(shop.members("cgrp_a").await, ["cus_1", "cus_2", "cus_3"]);
}

pub(crate) async fn a_customer_is_in_many_groups(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a", "cgrp_b"]).await;
    shop.add_customers(&["cus_1", "cus_2"]).await;
    shop.add_members("cgrp_a", &["cus_1", "cus_2"]).await;
    shop.add_members("cgrp_b", &["cus_1"]).await;
    shop.store.remove_customers_from_group("cgrp_a", texts(&["cus_1"])).await.unwrap();
    assert_eq!(shop.members("cgrp_a").await, ["cus_2"]);
    assert_eq!(shop.members("cgrp_b").await, ["cus_1"]);
}

pub(crate) async fn unknown_customers_are_all_named_and_nobody_is_added(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a"]).await;
    shop.add_customers(&["cus_1", "cus_2"]).await;
    let odd = ["z", "cus_1", "a", "", "z", "it's \"odd\"\\\n,", "cus_2", "\u{1F600}", "CUS_1", "\0"];
    let unknown = shop.store.add_customers_to_group("cgrp_a", texts(&odd)).await;
    let Err(StoreError::UnknownCustomers(unknown)) = unknown else {
        panic!("unknown customers were added");
    };
    assert_eq!(unknown, ["z", "a", "", "z", "it's \"odd\"\\\n,", "\u{1F600}", "CUS_1", "\0"]);
    assert_eq!(shop.members("cgrp_a").await, [""; 0]);
}

pub(crate) async fn an_unknown_group_is_none_before_anything_else(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_customers(&["cus_1"]).await;
    shop.import(Table::CustomerGroup, json!([{"id": "cgrp_old", "name": "Old", "deleted_at": START}])).await;
    for group in ["cgrp_nope", "cgrp_old"] {
        for customers in [texts(&["cus_1"]), texts(&["cus_nope"]), Vec::new()] {
            let added = shop.store.add_customers_to_group(group, customers.clone()).await;
            assert_matches!(added, Ok(None));
            let removed = shop.store.remove_customers_from_group(group, customers).await;
            assert_matches!(removed, Ok(None));
        }
        assert_eq!(shop.members(group).await, [""; 0]);
    }
}

pub(crate) async fn an_empty_list_changes_nothing(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a"]).await;
    shop.add_customers(&["cus_1"]).await;
    shop.add_members("cgrp_a", &["cus_1"]).await;
    let added = shop.store.add_customers_to_group("cgrp_a", Vec::new()).await;
    assert_matches!(added, Ok(Some(_)));
    let removed = shop.store.remove_customers_from_group("cgrp_a", Vec::new()).await;
    assert_matches!(removed, Ok(Some(_)));
    assert_eq!(shop.members("cgrp_a").await, ["cus_1"]);
}

pub(crate) async fn removing_passes_over_those_that_are_no_members(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a"]).await;
    shop.add_customers(&["cus_1", "cus_2", "cus_3"]).await;
    shop.add_members("cgrp_a", &["cus_1", "cus_2"]).await;
    let ids = texts(&["cus_3", "cus_nope", "cus_1", "cus_1"]);
    let removed = shop.store.remove_customers_from_group("cgrp_a", ids).await;
    assert_matches!(removed, Ok(Some(_)));
    assert_eq!(shop.members("cgrp_a").await, ["cus_2"]);
}

pub(crate) async fn members_come_and_go_without_a_change_of_the_group(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a"]).await;
    shop.add_customers(&["cus_1"]).await;
    let (group, customer) = (shop.group("cgrp_a").await, shop.customer("cus_1").await);
    shop.clock.advance(SignedDuration::from_hours(1));
    shop.add_members("cgrp_a", &["cus_1"]).await;
    assert_eq!(shop.group("cgrp_a").await, group);
    assert_eq!(shop.customer("cus_1").await, customer);
    shop.store.remove_customers_from_group("cgrp_a", texts(&["cus_1"])).await.unwrap();
    assert_eq!(shop.group("cgrp_a").await, group);
    assert_eq!(shop.customer("cus_1").await, customer);
}

pub(crate) async fn a_soft_deleted_customer_may_be_added_but_is_not_shown(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a"]).await;
    shop.add_customers(&["cus_1"]).await;
    shop.import(
        Table::Customer,
        json!([{"id": "cus_gone", "email": "gone@shop.example", "deleted_at": START}]),
    )
    .await;
    shop.add_members("cgrp_a", &["cus_gone", "cus_1"]).await;
    assert_eq!(shop.members("cgrp_a").await, ["cus_1"]);
    let unknown = shop.store.add_customers_to_group("cgrp_a", texts(&["cus_nope", "cus_gone"])).await;
    let Err(StoreError::UnknownCustomers(unknown)) = unknown else {
        panic!("an unknown customer was added");
    };
    assert_eq!(unknown, ["cus_nope"]);
}

pub(crate) async fn a_hundred_thousand_customers_go_in_one_call(database: Database) {
    const COUNT: usize = 100_000;
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a"]).await;
    shop.database.make_customers(COUNT, 1).await;
    let customers: Vec<String> = (0..COUNT).map(|i| format!("cus_{}", 1_000_001 + i)).collect();
    let members = async || {
        let mut list = shop.customer_list();
        list.filter.groups = Some(texts(&["cgrp_a"]));
        list.window.limit = Some(1);
        shop.store.list_customers(list).await.unwrap().count
    };

    let mut with_unknown = customers.clone();
    with_unknown.insert(7, "cus_nope".to_owned());
    with_unknown.push("cus_nor".to_owned());
    let refused = shop.store.add_customers_to_group("cgrp_a", with_unknown).await;
    let Err(StoreError::UnknownCustomers(unknown)) = refused else {
        panic!("unknown customers were added");
    };
    assert_eq!(unknown, ["cus_nope", "cus_nor"]);
    assert_eq!(members().await, 0);

    let added = shop.store.add_customers_to_group("cgrp_a", customers.clone()).await;
    assert_matches!(added, Ok(Some(_)));
    assert_eq!(members().await, COUNT as u64);

    let removed = shop.store.remove_customers_from_group("cgrp_a", customers[1..].to_vec()).await;
    assert_matches!(removed, Ok(Some(_)));
    assert_eq!(shop.members("cgrp_a").await, customers[..1]);
    let everyone = shop.store.list_customers(stheno_store::CustomerList {
        filter: CustomerFilter::default(),
        window: stheno_store::Window { offset: 0, limit: Some(1) },
        ..shop.customer_list()
    });
    assert_eq!(everyone.await.unwrap().count, COUNT as u64);
}
