//! Creating, retrieving, changing and deleting customer groups.

use jiff::SignedDuration;
use serde_json::{Value, json};
use stheno_store::{
    CustomerGroupChanges, CustomerGroupFilter, Duplicate, IdGenerator, IdKind, NewCustomerGroup, StoreError,
    Table,
};

use crate::database::Database;
use crate::shop::{
    SHOWN_START, START, Shop, first_id, id, ids_in, import_into, json_of, new_group, object, string_of,
    texts, time,
};

fn rename(name: &str) -> CustomerGroupChanges {
    CustomerGroupChanges { name: Some(Some(name.to_owned())), metadata: None }
}

fn change_metadata(metadata: Value) -> CustomerGroupChanges {
    CustomerGroupChanges { name: None, metadata: Some(object(metadata)) }
}

impl Shop {
    async fn create_group(&self, name: &str) -> Value {
        json_of(self.store.create_customer_group(new_group(name)).await.unwrap()).await
    }

    async fn update_group(
        &self,
        id: &str,
        changes: CustomerGroupChanges,
    ) -> Result<Option<Value>, StoreError> {
        let selection = self.all(Table::CustomerGroup);
        match self.store.update_customer_group(id, changes, &selection).await? {
            Some(text) => Ok(Some(json_of(text).await)),
            None => Ok(None),
        }
    }
}

fn name_is_taken(outcome: Result<impl Sized, StoreError>, name: &str) {
    let Err(StoreError::Duplicate(duplicate)) = outcome else {
        panic!("the name {name} was not refused");
    };
    let expected =
        Duplicate { table: Table::CustomerGroup, columns: &["name"], values: vec![name.to_owned()] };
    assert_eq!(duplicate, expected);
}

pub(crate) async fn a_new_group_is_answered_in_the_order_of_medusa(database: Database) {
    let shop = Shop::open(database).await;
    let group =
        NewCustomerGroup { name: "VIP \"1\"".to_owned(), metadata: Some(object(json!({"aa": 1, "b": ""}))) };
    let text = string_of(shop.store.create_customer_group(group).await.unwrap()).await;
    let id = first_id(IdKind::CustomerGroup);
    assert_eq!(
        text,
        format!(
            r#"{{"id":"{id}","created_at":"{SHOWN_START}","updated_at":"{SHOWN_START}","deleted_at":null,"name":"VIP \"1\"","metadata":{{"b":"","aa":1}}}}"#
        )
    );
    assert_eq!(shop.group(&id).await.unwrap(), serde_json::from_str::<Value>(&text).unwrap());
}

pub(crate) async fn a_group_without_metadata_has_null(database: Database) {
    let shop = Shop::open(database).await;
    assert_eq!(shop.create_group("VIP").await["metadata"], Value::Null);
}

pub(crate) async fn ids_of_one_moment_ascend(database: Database) {
    // The random parts descend.
    let mut random = 1000;
    let shop = Shop::open_with(database, |options| {
        options.ids = IdGenerator::with_random(move || {
            random -= 1;
            random
        });
    })
    .await;
    let mut ids = Vec::new();
    for number in 0..20 {
        // A clock that is set back makes no difference.
        if number == 10 {
            shop.clock.advance(SignedDuration::from_hours(-1));
        }
        ids.push(id(&shop.create_group(&format!("Group {number}")).await));
    }
    assert!(ids.is_sorted_by(|left, right| left < right), "{ids:?}");
    assert!(ids.iter().all(|id| id.starts_with("cgrp_") && id.len() == 31));
}

pub(crate) async fn a_taken_name_is_refused(database: Database) {
    let shop = Shop::open(database).await;
    shop.create_group("VIP").await;
    name_is_taken(shop.store.create_customer_group(new_group("VIP")).await, "VIP");
    assert_eq!(shop.groups(CustomerGroupFilter::default()).await.len(), 1);
}

pub(crate) async fn names_that_differ_in_case_are_two(database: Database) {
    let shop = Shop::open(database).await;
    shop.create_group("VIP").await;
    shop.create_group("vip").await;
    shop.create_group("").await;
    assert_eq!(shop.groups(CustomerGroupFilter::default()).await.len(), 3);
}

pub(crate) async fn the_name_of_a_deleted_group_is_free(database: Database) {
    let shop = Shop::open(database).await;
    let first = id(&shop.create_group("VIP").await);
    assert!(shop.store.delete_customer_group(&first).await.unwrap());
    let second = id(&shop.create_group("VIP").await);
    assert_ne!(first, second);
}

pub(crate) async fn the_name_of_a_soft_deleted_group_is_free(database: Database) {
    let shop = Shop::open(database).await;
    shop.import(Table::CustomerGroup, json!([{"id": "cgrp_old", "name": "VIP", "deleted_at": START}])).await;
    let id = id(&shop.create_group("VIP").await);
    assert_eq!(shop.groups(CustomerGroupFilter::default()).await, [id]);
}

pub(crate) async fn a_group_that_is_not_there_is_none(database: Database) {
    let shop = Shop::open(database).await;
    shop.import(Table::CustomerGroup, json!([{"id": "cgrp_old", "name": "VIP", "deleted_at": START}])).await;
    let with_members = shop.with(Table::CustomerGroup, &["customers"]);
    for id in ["cgrp_nope", "cgrp_old", "", "a,b", "'; --", "\0"] {
        assert_eq!(shop.group(id).await, None);
        let expanded = shop.store.retrieve_customer_group(id, &with_members).await;
        assert_matches!(expanded, Ok(None));
        assert_eq!(shop.update_group(id, rename("New")).await.unwrap(), None);
        assert_eq!(shop.update_group(id, CustomerGroupChanges::default()).await.unwrap(), None);
        assert!(!shop.store.delete_customer_group(id).await.unwrap());
    }
}

pub(crate) async fn a_soft_deleted_group_is_not_deleted_for_good(database: Database) {
    let shop = Shop::open(database).await;
    let row = json!([{"id": "cgrp_old", "name": "VIP", "deleted_at": START}]);
    shop.import(Table::CustomerGroup, row.clone()).await;
    assert!(!shop.store.delete_customer_group("cgrp_old").await.unwrap());
    // The id is still in use.
    assert_matches!(import_into(&shop.store, Table::CustomerGroup, row).await, Err(StoreError::Schema(_)));
}

pub(crate) async fn a_new_name_moves_the_time_of_the_last_change(database: Database) {
    let shop = Shop::open(database).await;
    let id = id(&shop.create_group("VIP").await);
    shop.clock.set(time("2025-01-02T03:04:05.678901Z"));
    let updated = shop.update_group(&id, rename("Gold")).await.unwrap().unwrap();
    let expected = json!({
        "id": id, "created_at": SHOWN_START, "updated_at": "2025-01-02T03:04:05.678Z", "deleted_at": null,
        "name": "Gold", "metadata": null,
    });
    assert_eq!(updated, expected);
    assert_eq!(shop.group(&id).await.unwrap(), expected);
}

pub(crate) async fn the_same_values_again_leave_the_time_of_the_last_change(database: Database) {
    let shop = Shop::open(database).await;
    let group = NewCustomerGroup {
        name: "VIP".to_owned(),
        metadata: Some(object(json!({"b": {"y": 1, "x": 2}, "a": [1.5, null]}))),
    };
    let created = json_of(shop.store.create_customer_group(group).await.unwrap()).await;
    shop.clock.advance(SignedDuration::from_hours(1));
    let id = id(&created);
    let same = [
        CustomerGroupChanges::default(),
        rename("VIP"),
        change_metadata(json!({})),
        change_metadata(json!({"a": [1.5, null], "b": {"x": 2, "y": 1}})),
        change_metadata(json!({"absent": ""})),
    ];
    for changes in same {
        assert_eq!(shop.update_group(&id, changes).await.unwrap().as_ref(), Some(&created));
    }
}

pub(crate) async fn metadata_is_merged_one_level_deep(database: Database) {
    let shop = Shop::open(database).await;
    let group = NewCustomerGroup {
        name: "VIP".to_owned(),
        metadata: Some(object(json!({"keep": 1, "drop": 2, "nested": {"a": 1, "b": 2}}))),
    };
    let id = id(&json_of(shop.store.create_customer_group(group).await.unwrap()).await);
    shop.clock.advance(SignedDuration::from_hours(1));
    let changes = change_metadata(json!({"drop": "", "nested": {"c": ""}, "null": null, "new": [1]}));
    let updated = shop.update_group(&id, changes).await.unwrap().unwrap();
    assert_eq!(updated["metadata"], json!({"keep": 1, "nested": {"c": ""}, "null": null, "new": [1]}));
    assert_eq!(updated["updated_at"], "2024-11-03T09:00:00.000Z");

    let all = change_metadata(json!({"keep": "", "nested": "", "null": "", "new": ""}));
    let emptied = shop.update_group(&id, all).await.unwrap().unwrap();
    assert_eq!(emptied["metadata"], json!({}));
}

pub(crate) async fn changing_no_metadata_into_some_is_a_change(database: Database) {
    let shop = Shop::open(database).await;
    let id = id(&shop.create_group("VIP").await);
    shop.clock.advance(SignedDuration::from_hours(1));
    let changes = change_metadata(json!({"absent": ""}));
    let updated = shop.update_group(&id, changes).await.unwrap().unwrap();
    assert_eq!(updated["metadata"], json!({}));
    assert_eq!(updated["updated_at"], "2024-11-03T09:00:00.000Z");
}

pub(crate) async fn metadata_that_is_no_object_becomes_one(database: Database) {
    let shop = Shop::open(database).await;
    let cases = [
        (json!([]), json!({"new": 1})),
        (json!(["a", {"b": 2}]), json!({"0": "a", "1": {"b": 2}, "new": 1})),
        (json!("né"), json!({"0": "n", "1": "é", "new": 1})),
        (json!(7), json!({"new": 1})),
    ];
    for (number, (before, after)) in cases.into_iter().enumerate() {
        let id = format!("cgrp_{number}");
        shop.import(Table::CustomerGroup, json!([{"id": id, "name": id, "metadata": before}])).await;
        let updated = shop.update_group(&id, change_metadata(json!({"new": 1}))).await.unwrap().unwrap();
        assert_eq!(updated["metadata"], after);
    }
}

pub(crate) async fn a_null_name_is_refused_and_nothing_saved(database: Database) {
    let shop = Shop::open(database).await;
    let created = shop.create_group("VIP").await;
    shop.clock.advance(SignedDuration::from_hours(1));
    let changes = CustomerGroupChanges { name: Some(None), metadata: Some(object(json!({"a": 1}))) };
    assert_matches!(
        shop.update_group(&id(&created), changes).await,
        Err(StoreError::Null { table: Table::CustomerGroup, column: "name" })
    );
    assert_eq!(shop.group(&id(&created)).await.unwrap(), created);
}

pub(crate) async fn a_name_taken_by_another_is_refused_and_nothing_saved(database: Database) {
    let shop = Shop::open(database).await;
    shop.create_group("Gold").await;
    let created = shop.create_group("VIP").await;
    shop.clock.advance(SignedDuration::from_hours(1));
    let changes = CustomerGroupChanges { metadata: Some(object(json!({"a": 1}))), ..rename("Gold") };
    name_is_taken(shop.update_group(&id(&created), changes).await, "Gold");
    assert_eq!(shop.group(&id(&created)).await.unwrap(), created);
}

pub(crate) async fn an_update_answers_what_was_asked_for(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a"]).await;
    shop.add_customers(&["cus_1", "cus_2"]).await;
    shop.add_members("cgrp_a", &["cus_2", "cus_1"]).await;
    let selection = shop.with(Table::CustomerGroup, &["customers"]);
    let text = shop.store.update_customer_group("cgrp_a", rename("New"), &selection).await.unwrap().unwrap();
    let updated = json_of(text).await;
    assert_eq!(updated["name"], "New");
    assert_eq!(ids_in(&updated, "customers"), ["cus_1", "cus_2"]);
}

pub(crate) async fn deleting_is_idempotent(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a", "cgrp_b"]).await;
    assert!(shop.store.delete_customer_group("cgrp_a").await.unwrap());
    assert!(!shop.store.delete_customer_group("cgrp_a").await.unwrap());
    assert_eq!(shop.groups(CustomerGroupFilter::default()).await, ["cgrp_b"]);
}

pub(crate) async fn deleting_removes_memberships_and_links_of_this_group_alone(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a", "cgrp_b"]).await;
    shop.add_customers(&["cus_1"]).await;
    shop.import(Table::PriceList, json!([{"id": "pl_1", "name": "Sale", "description": ""}])).await;
    for group in ["cgrp_a", "cgrp_b"] {
        shop.add_members(group, &["cus_1"]).await;
        let link = json!([{"price_list_id": "pl_1", "customer_group_id": group}]);
        shop.import(Table::PriceListCustomerGroups, link).await;
        let condition = json!([{"condition_id": "discon_1", "customer_group_id": group}]);
        shop.import(Table::DiscountConditionCustomerGroup, condition).await;
    }
    assert!(shop.store.delete_customer_group("cgrp_a").await.unwrap());

    // A group with the same id finds nothing that the deleted one has left.
    shop.add_groups(&["cgrp_a"]).await;
    let mut list = shop.group_list();
    list.selection = shop.with(Table::CustomerGroup, &["customers", "price_lists"]);
    let groups = crate::shop::rows(shop.store.list_customer_groups(list).await.unwrap()).await;
    assert_eq!(ids_in(&groups[0], "customers"), [""; 0]);
    assert_eq!(ids_in(&groups[0], "price_lists"), [""; 0]);
    assert_eq!(ids_in(&groups[1], "customers"), ["cus_1"]);
    assert_eq!(ids_in(&groups[1], "price_lists"), ["pl_1"]);
    let of_condition = CustomerGroupFilter {
        discount_condition_id: Some("discon_1".to_owned()),
        ..CustomerGroupFilter::default()
    };
    assert_eq!(shop.groups(of_condition).await, ["cgrp_b"]);
    assert_eq!(shop.members("cgrp_b").await, ["cus_1"]);
    assert!(shop.customer("cus_1").await.is_some());
}

pub(crate) async fn names_of_any_text_are_kept(database: Database) {
    let shop = Shop::open(database).await;
    let names = ["O'Neil; DROP TABLE customer_group", "\\\" \n\t\u{1}", "é\u{301} 𐐀 ﷽", &"x".repeat(2600)];
    for name in names {
        let created = shop.create_group(name).await;
        assert_eq!(created["name"], name);
        assert_eq!(shop.group(&id(&created)).await.unwrap()["name"], name);
        let named = CustomerGroupFilter { names: Some(texts(&[name])), ..CustomerGroupFilter::default() };
        assert_eq!(shop.groups(named).await, [id(&created)]);
    }
}
