//! Both write at once: nothing that Medusa has acknowledged is lost by a write of Stheno's. What Medusa's own
//! read-modify-write overwrites is shown, since nobody but Medusa could prevent it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stheno_testkit::medusa::BesideMedusa;
use stheno_testkit::postgres::PostgresDatabase;
use stheno_testkit::{HttpResponse, TestAppOptions};

use crate::both::{Both, Side};

const GROUP: &str = "/admin/customer-groups/cgrp_01KW1F2Q004CWZWKZAJK9PC5E4";
const CUSTOMER: &str = "/admin/customers/cus_01J94J3Q6Z9Q9S5PFSTJH29KRS";

/// How many writes each of them makes, one after the other.
const WRITES: usize = 25;

/// Both, with a Stheno that waits for a lock as long as the test holds it.
async fn start() -> BesideMedusa {
    let mut options = TestAppOptions::default();
    options.store.lock_timeout = Duration::from_secs(120);
    options.store.statement_timeout = Duration::from_secs(120);
    BesideMedusa::with(options).await
}

fn is_success(side: Side, answer: &HttpResponse) {
    assert!(answer.status.is_success(), "{side:?}: {} {}", answer.status, answer.text());
}

async fn metadata(both: &mut Both, path: &str) -> Value {
    let row = both.same("GET", path, None).await.json();
    row.as_object().unwrap().values().next().unwrap()["metadata"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_update_of_medusas_is_lost_by_one_of_sthenos() {
    let beside = start().await;
    for path in [GROUP, CUSTOMER] {
        let write = async |side: Side, writer: &str| {
            let mut both = Both::new(&beside);
            for number in 0..WRITES {
                let key = format!("{writer}{number}");
                let answer = both.call(side, "POST", path, Some(json!({"metadata": {&*key: number}}))).await;
                is_success(side, &answer);
                // A customer is read again to be answered, with relations; by then Medusa may have overwritten the key.
                if side == Side::Stheno && path == GROUP {
                    let row = answer.json();
                    assert_eq!(row["customer_group"]["metadata"][&key], number, "{row}");
                }
            }
        };
        futures::join!(
            write(Side::Medusa, "medusa"),
            write(Side::Stheno, "stheno_a"),
            write(Side::Stheno, "stheno_b")
        );
        let metadata = metadata(&mut Both::new(&beside), path).await;
        for number in 0..WRITES {
            assert_eq!(metadata[format!("medusa{number}")], number, "{metadata}");
        }
    }
    beside.stheno.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_added_and_removed_through_both_at_once() {
    let beside = start().await;
    let mut both = Both::new(&beside);
    let some = "SELECT id FROM customer ORDER BY id LIMIT 100";
    let ids = beside.stheno.postgres().connect().await.query(some, &[]).await.unwrap();
    let ids: Vec<&str> = ids.iter().map(|row| row.get(0)).collect();
    let group =
        both.call(Side::Stheno, "POST", "/admin/customer-groups", Some(json!({"name": "At once"}))).await;
    let group = format!("/admin/customer-groups/{}", group.json()["customer_group"]["id"].as_str().unwrap());
    let batch = format!("{group}/customers/batch");
    // Some are added by both.
    let (of_medusa, of_stheno) = (&ids[..60], &ids[40..]);
    for method in ["POST", "DELETE"] {
        let write = async |side: Side, ids: &[&str]| {
            let mut both = Both::new(&beside);
            for ids in ids.chunks(4) {
                let ids: Vec<_> = ids.iter().map(|id| json!({"id": id})).collect();
                is_success(side, &both.call(side, method, &batch, Some(json!({"customer_ids": ids}))).await);
            }
        };
        futures::join!(write(Side::Medusa, of_medusa), write(Side::Stheno, of_stheno));
        let members = both.same("GET", &format!("{group}/customers?limit=100"), None).await.json();
        let left = if method == "POST" { ids.len() } else { 0 };
        assert_eq!(members["count"], left);
    }
    beside.stheno.stop().await;
}

/// Waits until so many sessions wait for the lock of a row. An index that is built meanwhile waits for whole transactions.
async fn until_waiting(database: &PostgresDatabase, count: i64) {
    let client = database.connect().await;
    let sql = "SELECT count(*) FROM pg_stat_activity
               WHERE datname = current_database() AND wait_event IN ('transactionid', 'tuple')";
    let start = Instant::now();
    while client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) != count {
        assert!(start.elapsed() < Duration::from_secs(60), "nobody waits");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Lets one write wait for the row's lock, then the other, and then both go on, in this order. Both are acknowledged.
async fn in_order(beside: &BesideMedusa, path: &str, first: (Side, Value), second: (Side, Value)) {
    let database = beside.stheno.postgres();
    let (resource, id) = path.strip_prefix("/admin/").unwrap().split_once('/').unwrap();
    let table = resource.trim_end_matches('s').replace('-', "_");
    let lock = database.connect().await;
    lock.batch_execute(&format!("BEGIN; SELECT 1 FROM {table} WHERE id = '{id}' FOR UPDATE")).await.unwrap();
    let write = async |(side, body): (Side, Value)| {
        let answer = Both::new(beside).call(side, "POST", path, Some(body)).await;
        is_success(side, &answer);
    };
    let second = async {
        until_waiting(database, 1).await;
        futures::join!(write(second), async {
            until_waiting(database, 2).await;
            lock.batch_execute("COMMIT").await.unwrap();
        });
    };
    futures::join!(write(first), second);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_medusa_has_read_before_stheno_saves_it_writes_back() {
    let beside = start().await;
    let mut both = Both::new(&beside);
    for path in [GROUP, CUSTOMER] {
        let column = if path == GROUP { "name" } else { "phone" };
        is_success(
            Side::Stheno,
            &both.call(Side::Stheno, "POST", path, Some(json!({"metadata": {"base": 0}}))).await,
        );

        // Stheno reads nothing: it merges into what Medusa has just saved.
        let (medusa, stheno) = (json!({"metadata": {"a": "medusa"}}), json!({"metadata": {"b": "stheno"}}));
        in_order(&beside, path, (Side::Medusa, medusa), (Side::Stheno, stheno)).await;
        let merged = metadata(&mut both, path).await;
        assert_eq!(
            (&merged["base"], &merged["a"], &merged["b"]),
            (&json!(0), &json!("medusa"), &json!("stheno"))
        );

        // Medusa has read the metadata before it waits, and writes all of it back: what Stheno has saved meanwhile is gone.
        // Other columns are not.
        let stheno = json!({"metadata": {"c": "stheno"}, column: "from Stheno"});
        let medusa = json!({"metadata": {"d": "medusa"}});
        in_order(&beside, path, (Side::Stheno, stheno), (Side::Medusa, medusa)).await;
        let overwritten = metadata(&mut both, path).await;
        assert_eq!(overwritten["d"], "medusa");
        assert_eq!(overwritten.get("c"), None, "Medusa has become better: say so in docs/BESIDE_MEDUSA.md");
        let row = both.same("GET", path, None).await.json();
        assert_eq!(row.as_object().unwrap().values().next().unwrap()[column], "from Stheno");
    }
    beside.stheno.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_membership_added_while_medusa_replaces_the_groups_is_kept() {
    let beside = start().await;
    let mut both = Both::new(&beside);
    let database = beside.stheno.postgres();
    let id = CUSTOMER.rsplit_once('/').unwrap().1;
    let mut groups = Vec::new();
    for name in ["Before", "Meanwhile", "Given"] {
        let group =
            both.call(Side::Stheno, "POST", "/admin/customer-groups", Some(json!({"name": name}))).await;
        groups.push(group.json()["customer_group"]["id"].as_str().unwrap().to_owned());
    }
    let [before, meanwhile, given] = groups.as_slice() else { unreachable!() };
    let update = json!({"groups": [{"id": before}]});
    is_success(Side::Medusa, &both.call(Side::Medusa, "POST", CUSTOMER, Some(update)).await);

    // Medusa has read the groups, and waits to save the customer. Memberships are not locked by that.
    let lock = database.connect().await;
    let locking = format!("BEGIN; SELECT 1 FROM customer WHERE id = '{id}' FOR NO KEY UPDATE");
    lock.batch_execute(&locking).await.unwrap();
    let update = json!({"first_name": "New", "groups": [{"id": given}]});
    let replacing = async {
        is_success(
            Side::Medusa,
            &Both::new(&beside).call(Side::Medusa, "POST", CUSTOMER, Some(update)).await,
        );
    };
    let adding = async {
        until_waiting(database, 1).await;
        let batch = format!("/admin/customer-groups/{meanwhile}/customers/batch");
        let body = json!({"customer_ids": [{"id": id}]});
        is_success(Side::Stheno, &Both::new(&beside).call(Side::Stheno, "POST", &batch, Some(body)).await);
        lock.batch_execute("COMMIT").await.unwrap();
    };
    futures::join!(replacing, adding);

    let customer = both.same("GET", &format!("{CUSTOMER}?expand=groups"), None).await.json();
    let groups = customer["customer"]["groups"].as_array().unwrap();
    let mut left: Vec<_> = groups.iter().map(|group| group["name"].as_str().unwrap()).collect();
    left.sort_unstable();
    assert_eq!(left, ["Given", "Meanwhile"]);
    beside.stheno.stop().await;
}
