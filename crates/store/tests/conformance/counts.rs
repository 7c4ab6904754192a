//! Numbers that are kept: of groups, customers and members, whoever writes.

use serde_json::{Value, json};
use stheno_store::{
    AccountFilter, CustomerFilter, CustomerGroupFilter, CustomerGroupList, CustomerList, Order, Selection,
    Table, Window,
};

use crate::database::Database;
use crate::shop::{START, Shop, ids_in, json_of, rows, texts};

/// Every list whose number is kept says how many rows it has: those that are read.
pub(crate) async fn assert_counts(shop: &Shop, step: &str) {
    let groups = shop.groups(CustomerGroupFilter::default()).await;
    let everybody = CustomerFilter::default();
    shop.customers(everybody.clone()).await;
    for has_account in [None, Some(true), Some(false)] {
        let has_account = has_account.map(AccountFilter::Is);
        shop.customers(CustomerFilter { has_account, ..everybody.clone() }).await;
        for group in &groups {
            let groups = Some(texts(&[group]));
            shop.customers(CustomerFilter { has_account, groups, ..everybody.clone() }).await;
        }
    }
    let mut selection = shop.with(Table::CustomerGroup, &["customers"]);
    selection.add_column(shop.store.catalog(), "customer_count").unwrap();
    let page = shop.store.list_customer_groups(CustomerGroupList { selection, ..shop.group_list() }).await;
    for group in rows(page.unwrap()).await {
        assert_eq!(group["customer_count"], ids_in(&group, "customers").len(), "{step}: {group}");
    }
}

pub(crate) async fn counts_follow_every_write(database: Database) {
    let shop = Shop::open(database).await;
    assert_counts(&shop, "an empty shop").await;
    shop.add_groups(&["cgrp_a", "cgrp_b"]).await;
    shop.add_customers(&["cus_1", "cus_2", "cus_3", "cus_4"]).await;
    shop.add_members("cgrp_a", &["cus_1", "cus_2", "cus_3"]).await;
    shop.add_members("cgrp_b", &["cus_2"]).await;
    assert_counts(&shop, "members").await;
    let now = format!("'{START}'");
    for step in [
        // A customer comes, is deleted for the time being, and restored.
        "INSERT INTO customer (id, email, has_account, created_at, updated_at) VALUES ('cus_5', 'e', TRUE, NOW, NOW)",
        "INSERT INTO customer (id, email, created_at, updated_at, deleted_at) VALUES ('cus_6', 'f', NOW, NOW, NOW)",
        "INSERT INTO customer_group_customers VALUES ('cgrp_a', 'cus_5'), ('cgrp_a', 'cus_6'), ('cgrp_b', 'cus_6')",
        "UPDATE customer SET deleted_at = NOW WHERE id IN ('cus_1', 'cus_2')",
        "UPDATE customer SET deleted_at = NOW WHERE id IN ('cus_2', 'cus_5')",
        "UPDATE customer SET deleted_at = NULL, has_account = TRUE WHERE id IN ('cus_2', 'cus_6')",
        // Accounts come and go, of those who are deleted too.
        "UPDATE customer SET has_account = NOT has_account",
        "UPDATE customer SET first_name = 'Emma'",
        "UPDATE customer SET deleted_at = NOW, has_account = NOT has_account WHERE id = 'cus_2'",
        "UPDATE customer SET has_account = NOT has_account, deleted_at = NULL WHERE id IN ('cus_1', 'cus_2')",
        // Members move.
        "UPDATE customer_group_customers SET customer_group_id = 'cgrp_b' WHERE customer_id IN ('cus_1', 'cus_5')",
        "UPDATE customer_group_customers SET customer_id = 'cus_4' WHERE customer_id = 'cus_1'",
        "INSERT INTO customer_group_customers VALUES ('cgrp_b', 'cus_4') ON CONFLICT DO NOTHING",
        "DELETE FROM customer_group_customers WHERE customer_id IN ('cus_5', 'cus_6') AND customer_group_id = 'cgrp_b'",
        // Groups are deleted for the time being, and restored.
        "UPDATE customer_group SET deleted_at = NOW WHERE id = 'cgrp_b'",
        "DELETE FROM customer_group_customers WHERE customer_id = 'cus_2'",
        "UPDATE customer_group SET deleted_at = NULL, name = 'Other'",
        // Those who go for good, deleted before or not, go with their memberships.
        "DELETE FROM customer WHERE id IN ('cus_3', 'cus_5')",
        "UPDATE customer SET deleted_at = NOW WHERE id = 'cus_4'",
        "DELETE FROM customer WHERE id IN ('cus_4')",
        "INSERT INTO customer_group_customers SELECT g.id, c.id FROM customer_group g, customer c WHERE g.id <> c.id
         ON CONFLICT DO NOTHING",
        "DELETE FROM customer_group WHERE id = 'cgrp_a'",
        "DELETE FROM customer",
    ] {
        let step = step.replace("NOW", &now);
        // A name is unique.
        shop.database.execute(&step.replace("name = 'Other'", "name = id")).await;
        assert_counts(&shop, &step).await;
    }
    shop.add_customers(&["cus_7", "cus_8"]).await;
    shop.add_members("cgrp_b", &["cus_7", "cus_8"]).await;
    shop.store.remove_customers_from_group("cgrp_b", texts(&["cus_8", "cus_9"])).await.unwrap().unwrap();
    assert_counts(&shop, "a member is removed").await;
    assert!(shop.store.delete_customer_group("cgrp_b").await.unwrap());
    let shop = shop.reopen_after("").await;
    assert_counts(&shop, "opened again").await;
    assert_eq!(shop.customers(CustomerFilter::default()).await, ["cus_7", "cus_8"]);
}

pub(crate) async fn a_group_says_how_many_members_it_has(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a", "cgrp_b"]).await;
    shop.add_customers(&["cus_1", "cus_2"]).await;
    shop.add_members("cgrp_a", &["cus_1", "cus_2"]).await;
    let catalog = shop.store.catalog();
    let mut selection = Selection::id(catalog, Table::CustomerGroup);
    selection.add_column(catalog, "customer_count").unwrap();
    let group = |id| shop.store.retrieve_customer_group(id, &selection);
    assert_eq!(
        json_of(group("cgrp_a").await.unwrap().unwrap()).await,
        json!({"id": "cgrp_a", "customer_count": 2})
    );
    let list = CustomerGroupList { selection: selection.clone(), ..shop.group_list() };
    assert_eq!(
        rows(shop.store.list_customer_groups(list).await.unwrap()).await,
        [json!({"id": "cgrp_a", "customer_count": 2}), json!({"id": "cgrp_b", "customer_count": 0})]
    );
    // It is shown where it is named alone, and orders nothing.
    assert_eq!(shop.group("cgrp_a").await.unwrap().get("customer_count"), None);
    assert!(Order::ascending(catalog, Table::CustomerGroup, "customer_count").is_err());
    assert!(Selection::id(catalog, Table::Customer).add_column(catalog, "customer_count").is_err());
    // Also of the groups that a relation leads to.
    let mut selection = Selection::id(catalog, Table::Customer);
    selection.add_column(catalog, "groups.customer_count").unwrap();
    let customer = shop.store.retrieve_customer("cus_1", &selection).await.unwrap().unwrap();
    let expected = json!({"id": "cus_1", "groups": [{"id": "cgrp_a", "customer_count": 2}]});
    assert_eq!(json_of(customer).await, expected);
    // A shop's own column of that name goes before.
    let shop =
        shop.reopen_after("ALTER TABLE customer_group ADD COLUMN customer_count integer DEFAULT 7").await;
    assert_eq!(shop.group("cgrp_a").await.unwrap()["customer_count"], 7);
}

pub(crate) async fn what_is_near_the_end_is_the_end_of_the_whole(database: Database) {
    let shop = Shop::open(database).await;
    let catalog = shop.store.catalog();
    shop.add_groups(&["cgrp_a"]).await;
    shop.database.make_customers(2500, 1).await;
    // Few values, and some missing, so that ids decide often.
    shop.database
        .execute(
            "UPDATE customer SET first_name = CASE WHEN substr(id, 11) IN ('0', '5') THEN NULL ELSE substr(id, 11) END,
                                 has_account = substr(id, 10) < '50'",
        )
        .await;
    shop.database.make_members("cgrp_a").await;
    for groups in [None, Some(texts(&["cgrp_a"]))] {
        for column in ["id", "created_at", "email", "first_name", "has_account"] {
            for order in [Order::ascending, Order::descending] {
                let list = |offset, limit| CustomerList {
                    filter: CustomerFilter { groups: groups.clone(), ..CustomerFilter::default() },
                    order: order(catalog, Table::Customer, column).unwrap(),
                    window: Window { offset, limit },
                    selection: Selection::id(catalog, Table::Customer),
                };
                let read = async |offset, limit| {
                    let page = shop.store.list_customers(list(offset, limit)).await.unwrap();
                    assert_eq!(page.count, 2500);
                    rows(page).await
                };
                let whole: Vec<Value> = read(0, None).await;
                assert_eq!(whole.len(), 2500);
                for (offset, limit) in
                    [(2490, 10), (2490, 100), (2480, 3), (1500, 40), (1000, 10), (2499, 1), (2500, 1)]
                {
                    let end = whole.len().min(offset + limit);
                    let page = read(offset as u64, Some(limit as u64)).await;
                    assert_eq!(page, whole[offset..end], "{limit} from {offset} by {column}");
                }
            }
        }
    }
}

/// A large group is looked for among all customers, in the order asked for; but not for long where it is at their other end.
pub(crate) async fn members_are_found_wherever_they_are_among_the_customers(database: Database) {
    let shop = Shop::open(database).await;
    let catalog = shop.store.catalog();
    shop.add_groups(&["cgrp_a", "cgrp_b"]).await;
    shop.database.make_customers(26_000, 1).await;
    shop.database
        .execute(
            "INSERT INTO customer_group_customers SELECT 'cgrp_a', id FROM customer WHERE id >= 'cus_1022001';
             INSERT INTO customer_group_customers SELECT 'cgrp_b', id FROM customer WHERE substr(id, 11) = '7';
             UPDATE customer SET has_account = TRUE WHERE substr(id, 10) = '17'",
        )
        .await;
    for (group, count) in [("cgrp_a", 4_000), ("cgrp_b", 2_600)] {
        for column in ["created_at", "email"] {
            for order in [Order::ascending, Order::descending] {
                for has_account in [None, Some(AccountFilter::Is(true)), Some(AccountFilter::Is(false))] {
                    let list = |offset, limit| CustomerList {
                        filter: CustomerFilter {
                            groups: Some(texts(&[group])),
                            has_account,
                            ..CustomerFilter::default()
                        },
                        order: order(catalog, Table::Customer, column).unwrap(),
                        window: Window { offset, limit },
                        selection: Selection::id(catalog, Table::Customer),
                    };
                    let whole = shop.store.list_customers(list(0, None)).await.unwrap();
                    assert!(has_account.is_some() || whole.count == count);
                    let whole = rows(whole).await;
                    let mut followed = Vec::new();
                    let mut page = shop.store.list_customers(list(0, Some(100))).await.unwrap();
                    while has_account != Some(AccountFilter::Is(false)) && followed.len() < 150 {
                        let next = page.next.take();
                        followed.extend(rows(page).await);
                        let Some(next) = next else { break };
                        let list = list(0, Some(100)).after(&next).unwrap();
                        page = shop.store.list_customers(list).await.unwrap();
                    }
                    assert_eq!(followed, whole[..followed.len()], "{group} by {column} behind cursors");
                    for offset in [0, 30, whole.len() - 7] {
                        let page = shop.store.list_customers(list(offset as u64, Some(7))).await.unwrap();
                        assert_eq!(page.count, whole.len() as u64);
                        assert_eq!(
                            rows(page).await,
                            whole[offset..offset + 7],
                            "{offset} of {group} by {column}"
                        );
                    }
                }
            }
        }
    }
}
