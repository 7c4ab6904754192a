//! Which part of a list is answered, in which order, and how many rows there are in all.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use futures::StreamExt as _;
use serde_json::{Value, json};
use stheno_store::{CustomerFilter, CustomerList, Order, StoreError, Table, UnknownName, Window};

use crate::database::Database;
use crate::shop::{Shop, id, new_group, rows, texts};

/// Customers of which many are alike in some column, or have nothing there.
fn customers() -> Value {
    let row = |id: &str, names: [Option<&str>; 3], account: bool, created: &str, updated: &str| {
        let [first, last, phone] = names;
        json!({
            "id": id, "email": format!("{}@shop.example", id.replace('_', ".")), "first_name": first, "last_name": last,
            "phone": phone, "has_account": account, "created_at": created, "updated_at": updated,
        })
    };
    let (one, two) = ("2024-11-03T08:00:00.000001Z", "2024-11-03T08:00:00.000002Z");
    json!([
        row("cus_e", [Some("ada"), Some("É"), None], true, one, two),
        row("cus_b", [Some("Ada"), None, Some("2")], false, two, two),
        row("cus_d", [None, Some("é"), Some("10")], true, one, one),
        row("cus_a", [Some("ada"), None, None], true, two, one),
        row("cus_c", [None, Some("\u{FFFD}"), Some("2")], false, one, one),
        row("cus_g", [Some("ada"), Some("\u{10400}"), None], false, two, two),
        row("cus_f", [Some("B"), Some("é"), Some("")], true, two, one),
    ])
}

/// As PostgreSQL orders: a missing value is the greatest of all, and equals go by id, ascending.
fn compare(left: &Value, right: &Value, column: &str, descending: bool) -> Ordering {
    let key = |row: &Value| match &row[column] {
        Value::Null => (1, String::new()),
        Value::String(text) => (0, text.clone()),
        other => (0, other.to_string()),
    };
    let order = key(left).cmp(&key(right));
    let order = if descending { order.reverse() } else { order };
    order.then_with(|| id(left).cmp(&id(right)))
}

pub(crate) fn sorted(rows: &Value, column: &str, descending: bool) -> Vec<String> {
    let mut rows = rows.as_array().unwrap().clone();
    rows.sort_by(|left, right| compare(left, right, column, descending));
    rows.iter().map(id).collect()
}

impl Shop {
    pub(crate) fn order(&self, table: Table, column: &str, descending: bool) -> Order {
        let catalog = self.store.catalog();
        if descending {
            Order::descending(catalog, table, column).unwrap()
        } else {
            Order::ascending(catalog, table, column).unwrap()
        }
    }

    async fn listed(&self, list: CustomerList) -> Vec<String> {
        let page = self.store.list_customers(list).await.unwrap();
        rows(page).await.iter().map(id).collect()
    }
}

impl Shop {
    /// The ids of a list, page by page, each behind the cursor of the one before.
    pub(crate) async fn followed(&self, mut list: CustomerList) -> Vec<String> {
        let mut ids = Vec::new();
        loop {
            let page = self.store.list_customers(list.clone()).await.unwrap();
            let next = page.next.clone();
            let before = ids.len();
            ids.extend(rows(page).await.iter().map(id));
            let Some(next) = next else { return ids };
            assert!(ids.len() > before, "a page that goes on shows something");
            list = list.after(&next).unwrap();
        }
    }
}

pub(crate) async fn a_list_goes_on_behind_a_cursor_whatever_comes_and_goes(database: Database) {
    let shop = Shop::open(database).await;
    let names: Vec<String> = (0..12).map(|number| format!("cus_{number:02}")).collect();
    let row = |number: usize, id: &String| {
        // Every third has no name, and the others share two.
        let name = (!number.is_multiple_of(3)).then(|| format!("Name {}", number % 3));
        json!({"id": id, "email": format!("{id}@shop.example"), "first_name": name})
    };
    let customers: Value = names.iter().enumerate().map(|(number, id)| row(number, id)).collect();
    shop.import(Table::Customer, customers.clone()).await;
    for descending in [false, true] {
        let expected = sorted(&customers, "first_name", descending);
        let list = CustomerList {
            order: shop.order(Table::Customer, "first_name", descending),
            window: Window { offset: 0, limit: Some(3) },
            ..shop.customer_list()
        };
        let mut shown = Vec::new();
        let mut page = shop.store.list_customers(list.clone()).await.unwrap();
        let mut gone = Vec::new();
        for step in 0.. {
            let count = page.count;
            let next = page.next.take();
            let ids: Vec<_> = rows(page).await.iter().map(id).collect();
            assert_eq!(count, 12, "the count is of all");
            shown.extend(ids.iter().cloned());
            let Some(next) = next else { break };
            // What a cursor was made of goes, and something comes before it.
            let last = ids.last().unwrap();
            let come = format!("cus_-{step}{descending}");
            shop.database
                .execute(&format!("UPDATE customer SET deleted_at = created_at WHERE id = '{last}'"))
                .await;
            let name = if descending { None } else { Some("A") };
            let new = json!([{"id": come, "email": come, "first_name": name}]);
            shop.import(Table::Customer, new).await;
            gone.extend([last.clone(), come]);
            page = shop.store.list_customers(list.clone().after(&next).unwrap()).await.unwrap();
        }
        assert_eq!(shown, expected, "descending: {descending}");
        for id in gone {
            let change = match names.contains(&id) {
                true => format!("UPDATE customer SET deleted_at = NULL WHERE id = '{id}'"),
                false => format!("DELETE FROM customer WHERE id = '{id}'"),
            };
            shop.database.execute(&change).await;
        }
    }
}

pub(crate) async fn a_cursor_is_of_one_list(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_customers(&["cus_a", "cus_b", "cus_c"]).await;
    let list = |limit| CustomerList { window: Window { offset: 0, limit }, ..shop.customer_list() };
    let page = shop.store.list_customers(list(Some(2))).await.unwrap();
    let next = page.next.unwrap();
    for limit in [None, Some(0), Some(3), Some(4)] {
        assert_eq!(shop.store.list_customers(list(limit)).await.unwrap().next, None, "{limit:?}");
    }
    // Another limit is another page of the same list.
    let rest = list(None).after(&next).unwrap();
    assert_eq!(shop.listed(rest).await, ["cus_c"]);
    let refused = |list: CustomerList, cursor: &str| {
        assert_matches!(list.after(cursor), Err(StoreError::Cursor));
    };
    let q = Some("a".to_owned());
    refused(CustomerList { filter: CustomerFilter { q, ..CustomerFilter::default() }, ..list(None) }, &next);
    refused(CustomerList { order: shop.order(Table::Customer, "id", true), ..list(None) }, &next);
    refused(CustomerList { order: shop.order(Table::Customer, "email", false), ..list(None) }, &next);
    assert_matches!(shop.group_list().after(&next), Err(StoreError::Cursor));
    let cut = &next[..next.len() - 2];
    for other in ["", "A", "cus_b", "!", cut, &format!("{next}A"), &next.replacen('A', "B", 1)] {
        refused(list(None), other);
    }
}

pub(crate) async fn customers_come_in_every_order(database: Database) {
    let shop = Shop::open(database).await;
    let customers = customers();
    shop.import(Table::Customer, customers.clone()).await;
    let columns = [
        "id",
        "created_at",
        "updated_at",
        "deleted_at",
        "email",
        "first_name",
        "last_name",
        "billing_address_id",
        "phone",
        "has_account",
    ];
    shop.add_groups(&["cgrp_a", "cgrp_b"]).await;
    let everyone: Vec<_> = customers.as_array().unwrap().iter().map(id).collect();
    for group in ["cgrp_a", "cgrp_b"] {
        let added = shop.store.add_customers_to_group(group, everyone.clone()).await;
        assert_matches!(added, Ok(Some(_)));
    }
    for column in columns {
        for descending in [false, true] {
            let expected = sorted(&customers, column, descending);
            for groups in [None, Some(texts(&["cgrp_a"])), Some(texts(&["cgrp_a", "cgrp_b"]))] {
                let filter = CustomerFilter { groups: groups.clone(), ..CustomerFilter::default() };
                let list = CustomerList {
                    filter,
                    order: shop.order(Table::Customer, column, descending),
                    ..shop.customer_list()
                };
                assert_eq!(shop.listed(list.clone()).await, expected, "by {column}, {groups:?}");
                // Pages cut anywhere make up the whole.
                let mut pages = Vec::new();
                for offset in [0, 3, 6] {
                    let window = Window { offset, limit: Some(3) };
                    pages.extend(shop.listed(CustomerList { window, ..list.clone() }).await);
                }
                assert_eq!(pages, expected, "by {column} in pages, {groups:?}");
                for limit in [1, 2, 3, 7] {
                    let window = Window { offset: 0, limit: Some(limit) };
                    let pages = shop.followed(CustomerList { window, ..list.clone() }).await;
                    assert_eq!(pages, expected, "by {column} behind cursors, {limit} each, {groups:?}");
                }
            }
        }
    }
}

pub(crate) async fn groups_come_in_every_order(database: Database) {
    let shop = Shop::open(database).await;
    let (one, two) = ("2024-11-03T08:00:00.000001Z", "2024-11-03T08:00:00.000002Z");
    let groups = json!([
        {"id": "cgrp_c", "name": "b", "created_at": one, "updated_at": two},
        {"id": "cgrp_a", "name": "B", "created_at": two, "updated_at": one},
        {"id": "cgrp_d", "name": "é", "created_at": one, "updated_at": one},
        {"id": "cgrp_b", "name": "", "created_at": two, "updated_at": two},
        {"id": "cgrp_e", "name": "\u{10400}", "created_at": one, "updated_at": one},
    ]);
    shop.import(Table::CustomerGroup, groups.clone()).await;
    for column in ["id", "name", "created_at", "updated_at", "deleted_at"] {
        for descending in [false, true] {
            let mut list = shop.group_list();
            list.order = shop.order(Table::CustomerGroup, column, descending);
            let page = shop.store.list_customer_groups(list).await.unwrap();
            let listed: Vec<_> = rows(page).await.iter().map(id).collect();
            assert_eq!(listed, sorted(&groups, column, descending), "by {column}");
            let mut list = shop.group_list();
            list.order = shop.order(Table::CustomerGroup, column, descending);
            list.window.limit = Some(2);
            let mut followed = Vec::new();
            loop {
                let page = shop.store.list_customer_groups(list.clone()).await.unwrap();
                let next = page.next.clone();
                followed.extend(rows(page).await.iter().map(id));
                let Some(next) = next else { break };
                list = list.after(&next).unwrap();
            }
            assert_eq!(followed, listed, "by {column} behind cursors");
        }
    }
}

pub(crate) async fn only_plain_columns_have_an_order(database: Database) {
    let shop = Shop::open(database).await;
    let catalog = shop.store.catalog();
    let names =
        ["nope", "metadata", "password_hash", "groups", "groups.name", "", "Email", "id ", "-id", "id\""];
    for name in names {
        for order in [Order::ascending, Order::descending] {
            let Err(UnknownName::Column { name: named, table }) = order(catalog, Table::Customer, name)
            else {
                panic!("customers have an order by {name}");
            };
            assert_eq!((&*named, table), (name, Table::Customer));
        }
    }
}

pub(crate) async fn a_window_shows_a_part_and_counts_all(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a", "cgrp_b", "cgrp_c", "cgrp_d"]).await;
    let all = ["cgrp_a", "cgrp_b", "cgrp_c", "cgrp_d"];
    let windows = [
        ((0, None), &all[..]),
        ((0, Some(4)), &all),
        ((0, Some(u64::MAX)), &all),
        ((0, Some(2)), &all[..2]),
        ((1, Some(2)), &all[1..3]),
        ((3, Some(2)), &all[3..]),
        ((3, None), &all[3..]),
        ((0, Some(0)), &[]),
        ((4, Some(1)), &[]),
        ((5, None), &[]),
        ((u64::MAX, None), &[]),
        ((u64::MAX, Some(u64::MAX)), &[]),
    ];
    for ((offset, limit), expected) in windows {
        let mut list = shop.group_list();
        list.window = Window { offset, limit };
        let page = shop.store.list_customer_groups(list).await.unwrap();
        assert_eq!(page.count, 4, "{offset} {limit:?}");
        let listed: Vec<_> = rows(page).await.iter().map(id).collect();
        assert_eq!(listed, expected, "{offset} {limit:?}");
    }
}

pub(crate) async fn an_empty_store_has_empty_lists(database: Database) {
    let shop = Shop::open(database).await;
    let groups = shop.store.list_customer_groups(shop.group_list()).await.unwrap();
    assert_eq!((groups.count, groups.rows.start.len()), (0, 0));
    let customers = shop.store.list_customers(shop.customer_list()).await.unwrap();
    assert_eq!((customers.count, customers.rows.start.len()), (0, 0));
}

pub(crate) async fn the_count_is_of_the_same_moment_as_the_page(database: Database) {
    let shop = Shop::open(database).await;
    let done = AtomicBool::new(false);
    let write = async {
        for number in 0.. {
            if done.load(Relaxed) {
                break;
            }
            let group = new_group(&format!("Group {number}"));
            shop.store.create_customer_group(group).await.unwrap();
        }
    };
    let read = async {
        let mut counts = BTreeSet::new();
        while counts.len() < 100 {
            let page = shop.store.list_customer_groups(shop.group_list()).await.unwrap();
            let count = page.count;
            assert_eq!(rows(page).await.len() as u64, count);
            counts.insert(count);
        }
        done.store(true, Relaxed);
    };
    tokio::join!(write, read);
}

pub(crate) async fn what_is_written_while_a_list_is_read_is_not_in_it(database: Database) {
    let shop = Shop::open_with(database, |options| options.whole_up_to = 1).await;
    shop.database.make_customers(3000, 1000).await;
    let page = shop.store.list_customers(shop.customer_list()).await.unwrap();
    let mut whole = page.rows.start;
    let mut rest = page.rows.rest.expect("a large list is a stream");

    shop.add_customers(&["cus_9999999"]).await;
    shop.database
        .execute(
            "UPDATE customer SET email = 'changed' || id, deleted_at = updated_at WHERE id > 'cus_1001000'",
        )
        .await;
    while let Some(piece) = rest.next().await {
        whole.extend(piece.unwrap());
    }
    let text = format!("[{}]", String::from_utf8(whole).unwrap());
    let listed: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(page.count, 3000);
    assert_eq!(listed.len(), 3000);
    assert_eq!(listed[2999]["email"], "1003000@shop.example");
}
