use serde_json::{Map, json};
use stheno_store::{Store, StoreOptions, Table};

use super::{Console, id_in};
use crate::support::Shop;

const WHOLESALE: &str = "cgrp_01HS8JJQEY98WXZDDEJZ115YSC";
const MIKKEL: &str = "cus_01HR8R7EFN6X23EWFAPWDA5PZ1";

#[test]
fn are_listed() {
    let (mut console, _server) = Console::at_demo_shop();
    console.run(&format!("groups members {WHOLESALE} --limit 2"));
    console
        .run(&format!("groups members {WHOLESALE} -q hotel --has-account true --order -email --output csv"));
    console.run(&format!("groups members {WHOLESALE} --limit 1 --expand billing_address --output json"));
    console.run(&format!("groups members {WHOLESALE} --fields email,phone --created-since 2026-06-01"));
    console.run("groups members cgrp_nope");
    insta::assert_snapshot!(console.seen());
}

#[test]
fn are_added_and_removed_by_id_and_by_address() {
    let (mut console, _server) = Console::at_demo_shop();
    let group = id_in(&console.run("groups create VIP --output csv"), "cgrp");
    let mut console = Console { text: String::new(), ..console };
    console.hide(&group, "[id]");
    console.run(&format!("groups add {group} {MIKKEL} AVA.MacLeod@example.net --dry-run"));
    console.run(&format!("groups add {group} {MIKKEL} AVA.MacLeod@example.net"));
    console.run(&format!("groups add {group} {MIKKEL} cus_nope nobody@example.com"));
    console.run(&format!("groups add {group} cus_nope cus_neither --output json"));
    console.run(&format!("groups members {group} --fields email"));
    console.run(&format!("groups remove {group} {MIKKEL} --output csv"));
    console.run(&format!("groups remove {group} {MIKKEL} ava.macleod@example.net"));
    console.run(&format!("groups remove {group} {MIKKEL} ava.macleod@example.net --yes"));
    console.run("groups add cgrp_nope cus_nope");
    console.run_with(&format!("groups add {group} -"), "");
    console.run_with(&format!("groups add {group} -"), "[{\"id\": \"cus_1\"}]\n");
    console.run(&format!("groups add {group} --ids-file nope.csv"));
    console.run(&format!("groups members {group}"));
    insta::assert_snapshot!(console.seen());
}

/// What `--output csv` writes can be given to the next command.
#[test]
fn move_from_group_to_group() {
    let (mut console, _server) = Console::at_demo_shop();
    let group = id_in(&console.run("groups create VIP --output csv"), "cgrp");
    let members = console.run(&format!("groups members {WHOLESALE} --all --output csv"));
    assert_eq!(members.lines().count(), 1 + 53);
    // More addresses than are looked up one by one.
    let addresses: Vec<&str> = members.lines().skip(1).map(|line| line.split(',').nth(1).unwrap()).collect();
    let mut console = Console { text: String::new(), ..console };
    console.hide(&group, "[id]");
    console.run_with(&format!("groups add {group} -"), &addresses.join("\n"));
    console.run_with(&format!("groups remove {group} - --yes"), &members);
    std::fs::write(console.shop.path("members.csv"), &members).unwrap();
    console.run(&format!("groups add {group} --ids-file members.csv"));
    insta::assert_snapshot!(console.seen());
}

/// A shop of many customers, without accounts, and nobody in its one group.
fn shop_of(customers: usize) -> Shop {
    let shop = Shop::with_known_credentials();
    let url = format!("sqlite:{}", shop.path("stheno.db").display());
    let times = json!({ "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z" });
    let row = |columns: serde_json::Value| -> Map<String, serde_json::Value> {
        let mut row = times.as_object().unwrap().clone();
        row.extend(columns.as_object().unwrap().clone());
        row
    };
    let group = row(json!({ "id": "cgrp_all", "name": "All" }));
    let customers = (0..customers).map(|number| {
        row(json!({ "id": format!("cus_{number:05}"), "email": format!("{number}@example.com") }))
    });
    let rows = vec![(Table::Customer, customers.collect()), (Table::CustomerGroup, vec![group])];
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = Store::open(&url, StoreOptions::default()).await.unwrap();
        store.import(rows).await.unwrap();
        store.close().await;
    });
    shop
}

#[test]
fn come_in_thousands() {
    let shop = shop_of(3_000);
    let server = shop.serve([]);
    let mut console = Console::new(shop).at(&server.url);
    let ids: String = (0..3_002).map(|number| format!("cus_{number:05}\n")).collect();
    console.run_with("groups add cgrp_all - --batch-size 700", &ids);
    console.run("groups members cgrp_all --limit 1 --fields email");
    console.run_with("groups remove cgrp_all - --yes", &ids);
    console.run("groups members cgrp_all");
    insta::assert_snapshot!(console.seen());

    let all = console.run("customers list --all --output csv");
    assert_eq!(all.lines().count(), 1 + 3_000);
    let all: Vec<serde_json::Value> =
        serde_json::from_str(&console.run("customers list --all --limit 1000 --output json")).unwrap();
    assert_eq!(all.len(), 3_000);
    assert_eq!(all[2_999]["id"], "cus_02999");
}
