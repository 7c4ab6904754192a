//! Creating, retrieving and changing customers.

use jiff::SignedDuration;
use serde_json::{Value, json};
use stheno_store::{
    CustomerChanges, CustomerFilter, Duplicate, IdKind, NewCustomer, StoreError, Table, UnknownName,
};

use crate::database::Database;
use crate::shop::{
    SHOWN_START, START, Shop, first_id, id, ids_in, json_of, new_customer, object, string_of, texts, time,
};

impl Shop {
    async fn create_customer(&self, email: &str) -> Value {
        json_of(self.store.create_customer(new_customer(email)).await.unwrap()).await
    }

    async fn update_customer(&self, id: &str, changes: CustomerChanges) -> Result<Option<Value>, StoreError> {
        let selection = self.all(Table::Customer);
        match self.store.update_customer(id, changes, &selection).await? {
            Some(text) => Ok(Some(json_of(text).await)),
            None => Ok(None),
        }
    }

    async fn groups_of(&self, customer: &str) -> Vec<String> {
        let selection = self.with(Table::Customer, &["groups"]);
        let text = self.store.retrieve_customer(customer, &selection).await.unwrap();
        ids_in(&json_of(text.unwrap()).await, "groups")
    }
}

fn with_account(email: &str) -> NewCustomer {
    NewCustomer { password_hash: Some("container".to_owned()), ..new_customer(email) }
}

fn change_email(email: &str) -> CustomerChanges {
    CustomerChanges { email: Some(Some(email.to_owned())), ..CustomerChanges::default() }
}

fn change_groups(groups: &[&str]) -> CustomerChanges {
    CustomerChanges { groups: Some(texts(groups)), ..CustomerChanges::default() }
}

fn email_is_taken(outcome: Result<impl Sized, StoreError>, email: &str, has_account: &str) {
    let Err(StoreError::Duplicate(duplicate)) = outcome else {
        panic!("the address {email} was not refused");
    };
    let expected = Duplicate {
        table: Table::Customer,
        columns: &["email", "has_account"],
        values: texts(&[email, has_account]),
    };
    assert_eq!(duplicate, expected);
}

fn membership_is_taken(outcome: Result<impl Sized, StoreError>, group: &str, customer: &str) {
    let Err(StoreError::Duplicate(duplicate)) = outcome else {
        panic!("the second {group} was not refused");
    };
    let expected = Duplicate {
        table: Table::CustomerGroupCustomers,
        columns: &["customer_group_id", "customer_id"],
        values: texts(&[group, customer]),
    };
    assert_eq!(duplicate, expected);
}

pub(crate) async fn a_new_customer_is_answered_in_the_order_of_medusa(database: Database) {
    let shop = Shop::open(database).await;
    let customer = NewCustomer {
        email: "ada@shop.example".to_owned(),
        first_name: Some("Ada".to_owned()),
        last_name: None,
        phone: Some("+44 1".to_owned()),
        password_hash: Some("container".to_owned()),
        metadata: Some(object(json!({"aa": 1, "b": ""}))),
    };
    let text = string_of(shop.store.create_customer(customer).await.unwrap()).await;
    let id = first_id(IdKind::Customer);
    assert_eq!(
        text,
        format!(
            r#"{{"id":"{id}","created_at":"{SHOWN_START}","updated_at":"{SHOWN_START}","deleted_at":null,"email":"ada@shop.example","first_name":"Ada","last_name":null,"billing_address_id":null,"phone":"+44 1","has_account":true,"metadata":{{"b":"","aa":1}}}}"#
        )
    );
    assert_eq!(shop.customer(&id).await.unwrap(), serde_json::from_str::<Value>(&text).unwrap());
}

pub(crate) async fn a_customer_without_a_password_is_a_guest(database: Database) {
    let shop = Shop::open(database).await;
    let guest = shop.create_customer("ada@shop.example").await;
    assert_eq!(guest["has_account"], false);
    assert_eq!(guest["metadata"], Value::Null);
}

pub(crate) async fn an_address_is_taken_once_by_an_account_and_once_by_a_guest(database: Database) {
    let shop = Shop::open(database).await;
    let email = "ada@shop.example";
    shop.store.create_customer(new_customer(email)).await.unwrap();
    shop.store.create_customer(with_account(email)).await.unwrap();
    email_is_taken(shop.store.create_customer(new_customer(email)).await, email, "f");
    email_is_taken(shop.store.create_customer(with_account(email)).await, email, "t");
    assert_eq!(shop.customers(CustomerFilter::default()).await.len(), 2);
}

pub(crate) async fn the_address_of_a_soft_deleted_customer_is_free(database: Database) {
    let shop = Shop::open(database).await;
    shop.import(
        Table::Customer,
        json!([{"id": "cus_gone", "email": "ada@shop.example", "deleted_at": START}]),
    )
    .await;
    let id = id(&shop.create_customer("ada@shop.example").await);
    assert_eq!(shop.customers(CustomerFilter::default()).await, [id]);
}

pub(crate) async fn a_customer_that_is_not_there_is_none(database: Database) {
    let shop = Shop::open(database).await;
    shop.import(
        Table::Customer,
        json!([{"id": "cus_gone", "email": "ada@shop.example", "deleted_at": START}]),
    )
    .await;
    let with_groups = shop.with(Table::Customer, &["groups", "orders"]);
    for id in ["cus_nope", "cus_gone", "", "\0"] {
        assert_eq!(shop.customer(id).await, None);
        let expanded = shop.store.retrieve_customer(id, &with_groups).await;
        assert_matches!(expanded, Ok(None));
        // Whatever else may be wrong with the changes.
        let changes =
            CustomerChanges { groups: Some(texts(&["cgrp_nope"])), ..change_email("new@shop.example") };
        assert_eq!(shop.update_customer(id, changes).await.unwrap(), None);
    }
}

pub(crate) async fn every_field_of_a_guest_can_be_changed(database: Database) {
    let shop = Shop::open(database).await;
    let id = id(&shop.create_customer("ada@shop.example").await);
    shop.clock.set(time("2025-01-02T03:04:05.678901Z"));
    let changes = CustomerChanges {
        email: Some(Some("Ada.L@Shop.Example".to_owned())),
        first_name: Some(Some("Ada".to_owned())),
        last_name: Some(Some("Lovelace".to_owned())),
        phone: Some(Some("1".to_owned())),
        password_hash: Some("container".to_owned()),
        metadata: Some(object(json!({"a": 1, "b": ""}))),
        groups: None,
    };
    let updated = shop.update_customer(&id, changes).await.unwrap().unwrap();
    let mut expected = json!({
        "id": id, "created_at": SHOWN_START, "updated_at": "2025-01-02T03:04:05.678Z", "deleted_at": null,
        "email": "Ada.L@Shop.Example", "first_name": "Ada", "last_name": "Lovelace", "billing_address_id": null,
        "phone": "1", "has_account": false, "metadata": {"a": 1},
    });
    assert_eq!(updated, expected);
    assert_eq!(shop.customer(&id).await.unwrap(), expected);

    shop.clock.advance(SignedDuration::from_hours(1));
    let removals = CustomerChanges {
        first_name: Some(None),
        last_name: Some(None),
        phone: Some(None),
        ..CustomerChanges::default()
    };
    let updated = shop.update_customer(&id, removals).await.unwrap().unwrap();
    for column in ["first_name", "last_name", "phone"] {
        expected[column] = Value::Null;
    }
    expected["updated_at"] = "2025-01-02T04:04:05.678Z".into();
    assert_eq!(updated, expected);
}

pub(crate) async fn each_change_moves_the_time_of_the_last_change(database: Database) {
    let shop = Shop::open(database).await;
    let id = id(&shop.create_customer("ada@shop.example").await);
    let text = || Some(Some("x".to_owned()));
    let none = CustomerChanges::default;
    let changes = [
        change_email("ada.l@shop.example"),
        CustomerChanges { first_name: text(), ..none() },
        CustomerChanges { last_name: text(), ..none() },
        CustomerChanges { phone: text(), ..none() },
        CustomerChanges { password_hash: Some("container".to_owned()), ..none() },
        CustomerChanges { metadata: Some(object(json!({}))), ..none() },
    ];
    for (hour, changes) in (9..).zip(changes) {
        shop.clock.advance(SignedDuration::from_hours(1));
        let expected = format!("2024-11-03T{hour:02}:00:00.000Z");
        let updated = shop.update_customer(&id, changes.clone()).await.unwrap().unwrap();
        assert_eq!(updated["updated_at"], expected, "{changes:?}");
        // The same once more is no change.
        shop.clock.advance(SignedDuration::from_mins(1));
        let again = shop.update_customer(&id, changes).await.unwrap().unwrap();
        assert_eq!(again["updated_at"], expected);
        shop.clock.advance(SignedDuration::from_mins(-1));
    }
}

pub(crate) async fn the_address_of_an_account_stays(database: Database) {
    let shop = Shop::open(database).await;
    let email = "ada@shop.example";
    let account = json_of(shop.store.create_customer(with_account(email)).await.unwrap()).await;
    let id = id(&account);
    for address in ["new@shop.example", email] {
        // It comes before what is wrong with the groups.
        let changes = CustomerChanges {
            first_name: Some(Some("Ada".to_owned())),
            groups: Some(texts(&["cgrp_nope"])),
            ..change_email(address)
        };
        let outcome = shop.update_customer(&id, changes).await;
        assert_matches!(outcome, Err(StoreError::EmailOfAccount));
    }
    assert_eq!(shop.customer(&id).await.unwrap(), account);
}

pub(crate) async fn a_null_address_is_refused_and_nothing_saved(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a"]).await;
    let guest = shop.create_customer("ada@shop.example").await;
    let changes = CustomerChanges {
        email: Some(None),
        first_name: Some(Some("Ada".to_owned())),
        groups: Some(texts(&["cgrp_a"])),
        ..CustomerChanges::default()
    };
    assert_matches!(
        shop.update_customer(&id(&guest), changes).await,
        Err(StoreError::Null { table: Table::Customer, column: "email" })
    );
    assert_eq!(shop.customer(&id(&guest)).await.unwrap(), guest);
    assert_eq!(shop.groups_of(&id(&guest)).await, [""; 0]);
}

pub(crate) async fn an_address_taken_by_another_is_refused_and_nothing_saved(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a", "cgrp_b"]).await;
    shop.create_customer("bob@shop.example").await;
    let ada = shop.create_customer("ada@shop.example").await;
    let id = id(&ada);
    shop.update_customer(&id, change_groups(&["cgrp_a"])).await.unwrap();
    let changes = CustomerChanges {
        first_name: Some(Some("Ada".to_owned())),
        groups: Some(texts(&["cgrp_b"])),
        ..change_email("bob@shop.example")
    };
    email_is_taken(shop.update_customer(&id, changes).await, "bob@shop.example", "f");
    assert_eq!(shop.customer(&id).await.unwrap(), ada);
    assert_eq!(shop.groups_of(&id).await, ["cgrp_a"]);
}

pub(crate) async fn a_guest_may_take_the_address_of_an_account(database: Database) {
    let shop = Shop::open(database).await;
    shop.store.create_customer(with_account("ada@shop.example")).await.unwrap();
    let id = id(&shop.create_customer("guest@shop.example").await);
    let updated = shop.update_customer(&id, change_email("ada@shop.example")).await.unwrap();
    assert_eq!(updated.unwrap()["email"], "ada@shop.example");
}

pub(crate) async fn groups_are_set_as_a_whole(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a", "cgrp_b", "cgrp_c"]).await;
    let created = shop.create_customer("ada@shop.example").await;
    let id = id(&created);
    shop.clock.advance(SignedDuration::from_hours(1));
    for groups in [&["cgrp_a", "cgrp_b"][..], &["cgrp_c", "cgrp_b"], &["cgrp_c"], &[]] {
        let updated = shop.update_customer(&id, change_groups(groups)).await.unwrap();
        // The memberships are nothing of the customer itself.
        assert_eq!(updated.as_ref(), Some(&created));
        let mut expected = texts(groups);
        expected.sort();
        assert_eq!(shop.groups_of(&id).await, expected);
    }
}

pub(crate) async fn absent_groups_stay(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a"]).await;
    shop.add_customers(&["cus_1", "cus_2"]).await;
    shop.add_members("cgrp_a", &["cus_1", "cus_2"]).await;
    shop.update_customer("cus_1", change_email("new@shop.example")).await.unwrap();
    shop.update_customer("cus_1", CustomerChanges::default()).await.unwrap();
    assert_eq!(shop.groups_of("cus_1").await, ["cgrp_a"]);
    // Nor does one customer's change touch another's groups.
    shop.update_customer("cus_1", change_groups(&[])).await.unwrap();
    assert_eq!(shop.members("cgrp_a").await, ["cus_2"]);
}

pub(crate) async fn the_first_unknown_group_is_named_and_nothing_saved(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a", "cgrp_b"]).await;
    let ada = shop.create_customer("ada@shop.example").await;
    let id = id(&ada);
    shop.update_customer(&id, change_groups(&["cgrp_a"])).await.unwrap();
    let changes = CustomerChanges {
        first_name: Some(Some("Ada".to_owned())),
        // It comes before what is wrong with the address.
        email: Some(None),
        ..change_groups(&["cgrp_b", "cgrp_z", "cgrp_y"])
    };
    let Err(StoreError::UnknownCustomerGroup(unknown)) = shop.update_customer(&id, changes).await else {
        panic!("an unknown group was taken");
    };
    assert_eq!(unknown, "cgrp_z");
    assert_eq!(shop.customer(&id).await.unwrap(), ada);
    assert_eq!(shop.groups_of(&id).await, ["cgrp_a"]);
}

pub(crate) async fn a_group_named_twice_is_refused_unless_the_customer_is_in_it(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a", "cgrp_b"]).await;
    let id = id(&shop.create_customer("ada@shop.example").await);
    let twice = change_groups(&["cgrp_a", "cgrp_b", "cgrp_b"]);
    membership_is_taken(shop.update_customer(&id, twice).await, "cgrp_b", &id);
    // Even if there is no such group, or another one is unknown.
    let unknown = change_groups(&["cgrp_z", "cgrp_nope", "cgrp_nope"]);
    membership_is_taken(shop.update_customer(&id, unknown).await, "cgrp_nope", &id);
    assert_eq!(shop.groups_of(&id).await, [""; 0]);

    shop.update_customer(&id, change_groups(&["cgrp_a"])).await.unwrap();
    let present = change_groups(&["cgrp_a", "cgrp_a", "cgrp_b"]);
    shop.update_customer(&id, present).await.unwrap();
    assert_eq!(shop.groups_of(&id).await, ["cgrp_a", "cgrp_b"]);
}

pub(crate) async fn an_update_answers_what_was_asked_for(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a"]).await;
    shop.add_customers(&["cus_1"]).await;
    let selection = shop.with(Table::Customer, &["orders", "shipping_addresses", "groups"]);
    let changes = change_groups(&["cgrp_a"]);
    let text = shop.store.update_customer("cus_1", changes, &selection).await.unwrap();
    let updated = json_of(text.unwrap()).await;
    assert_eq!(updated["orders"], json!([]));
    assert_eq!(updated["shipping_addresses"], json!([]));
    assert_eq!(ids_in(&updated, "groups"), ["cgrp_a"]);
}

pub(crate) async fn no_password_leaves_the_store(database: Database) {
    let shop = Shop::open(database).await;
    let customer = json_of(shop.store.create_customer(with_account("ada@shop.example")).await.unwrap()).await;
    let mut list = shop.customer_list();
    list.filter.q = Some("ada".to_owned());
    let listed = crate::shop::rows(shop.store.list_customers(list).await.unwrap()).await;
    for customer in [&customer, &listed[0]] {
        assert_eq!(customer.get("password_hash"), None);
    }
    let mut selection = shop.all(Table::Customer);
    assert_matches!(
        selection.add_column(shop.store.catalog(), "password_hash"),
        Err(UnknownName::Column { .. })
    );
}
