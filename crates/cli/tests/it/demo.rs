//! The demo shop.

use rusqlite::types::Value as Stored;

use crate::support::{API_TOKEN, Shop};

const TABLES: [&str; 6] = [
    "customer",
    "address",
    "customer_group",
    "customer_group_customers",
    "price_list",
    "price_list_customer_groups",
];

/// Every value of the shop's rows.
fn rows(shop: &Shop) -> Vec<Vec<Stored>> {
    let database = shop.database();
    let mut rows = Vec::new();
    for table in TABLES {
        let mut statement = database.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).unwrap();
        let columns = statement.column_count();
        let found =
            statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect()).unwrap();
        rows.extend(found.map(Result::unwrap));
    }
    rows
}

#[test]
fn the_data_is_always_the_same_and_the_credentials_are_always_new() {
    let (one, other) = (Shop::new(), Shop::new());
    let servers = [one.serve(["--demo"]), other.serve(["--demo"])];
    let rows_of_one = rows(&one);
    assert!(rows_of_one.len() > 2_500);
    assert_eq!(rows_of_one, rows(&other));
    let credentials = |shop: &Shop| std::fs::read_to_string(shop.path("stheno.db.credentials")).unwrap();
    assert_ne!(credentials(&one), credentials(&other));
    drop(servers);
}

#[test]
fn it_has_customers_and_groups_of_every_size() {
    let shop = Shop::with_known_credentials();
    let server = shop.serve(["--demo"]);
    let get = |path: &str| server.get(path).with_token(API_TOKEN).send().body;
    assert_eq!(get("/admin/customers?limit=1")["count"], 1_000);
    let groups = get("/admin/customer-groups?limit=0&expand=customers");
    assert_eq!(groups["count"], 20);
    let mut sizes: Vec<usize> = groups["customer_groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["customers"].as_array().unwrap().len())
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes[..2], [0, 1]);
    assert!(sizes[19] > 500, "{sizes:?}");
}

#[test]
fn a_second_start_keeps_what_was_changed() {
    let shop = Shop::with_known_credentials();
    let server = shop.serve(["--demo"]);
    let groups = server.get("/admin/customer-groups?limit=1").with_token(API_TOKEN).send().body;
    let id = groups["customer_groups"][0]["id"].as_str().unwrap();
    let path = format!("/admin/customer-groups/{id}");
    assert_eq!(server.delete(&path).with_token(API_TOKEN).send().status, 200);
    server.stop();

    let server = shop.serve(["--demo"]);
    assert_eq!(server.get(&path).with_token(API_TOKEN).send().status, 404);
    let log = server.stop();
    assert!(log.contains("the demo shop is there already"), "{log}");
    assert!(!shop.path("stheno.db.credentials").exists());
}

#[test]
fn a_shop_that_is_not_asked_for_stays_empty() {
    let shop = Shop::with_known_credentials().with("STHENO_DEMO", "0");
    let server = shop.serve([]);
    let groups = server.get("/admin/customer-groups").with_token(API_TOKEN).send().body;
    assert_eq!(groups["count"], 0);
    drop(server);
    // A shop with users but nothing else can still become the demo shop.
    let shop = shop.with("STHENO_DEMO", "1");
    let server = shop.serve([]);
    let groups = server.get("/admin/customer-groups").with_token(API_TOKEN).send().body;
    assert_eq!(groups["count"], 20);
}
