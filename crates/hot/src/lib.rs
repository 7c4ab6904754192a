//! What nearly every request does, in pieces that can be timed (`cargo bench --package stheno-hot`) and whose instructions
//! can be counted (`cargo xtask instructions`).
//!
//! The requests go to a server's router in this very process, on a small shop in SQLite: past the sockets, which are the
//! system's, and through all else.

use std::hint::black_box;

use axum::Router;
use axum::body::Body;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Map, Value, json};
use stheno_auth::secret::{Secret, SigningKeys};
use stheno_server::{App, Config, Secrets, router};
use stheno_store::{Store, StoreOptions, Table};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

/// What is timed and counted.
pub const NAMES: [&str; 7] = [
    "query string",
    "retrieve a group",
    "list 50 groups",
    "list 50 members",
    "retrieve a group with 100 members",
    "search customers",
    "refuse a body",
];

const GROUPS: usize = 60;
const MEMBERS: usize = 100;
const GROUP: &str = "cgrp_000000";
const TOKEN: &str = "a-token";

/// A query as a dashboard sends it.
const QUERY: &str = "q=emma&offset=50&limit=50&expand=customers%2Ccustomers.groups&fields=id,name,metadata&order=-created_at\
                     &id%5B%5D=cgrp_1&id%5B%5D=cgrp_2&created_at%5Bgte%5D=2026-01-01T00%3A00%3A00.000Z&created_at%5Blt%5D=2027-01-01";

/// A server of a small shop, that lives in one thread and those that read for it.
#[derive(Debug)]
pub struct Hot {
    runtime: Runtime,
    store: Store,
    router: Router,
    _folder: TempDir,
}

impl Hot {
    /// A new shop.
    ///
    /// # Panics
    /// If it cannot be made.
    #[must_use]
    pub fn new() -> Self {
        let runtime =
            Builder::new_current_thread().enable_all().build().unwrap_or_else(|error| panic!("{error}"));
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no folder for a database: {error}"));
        let database = format!("sqlite:{}", folder.path().join("shop.db").display());
        let store = runtime.block_on(shop(&database));
        let secret: Secret = "supersecret".parse().unwrap_or_else(|error| panic!("{error}"));
        let keys = SigningKeys::from(secret);
        let secrets = Secrets { jwt: keys.clone().into(), cookie: keys.into() };
        // Some of the server's parts are made in a runtime.
        let app = runtime.block_on(async { App::new(store.clone(), secrets, Config::default()) });
        Self { runtime, store, router: router(app), _folder: folder }
    }

    /// Does one of [`NAMES`] so many times.
    ///
    /// # Panics
    /// If there is none of this name, or what it does goes wrong.
    pub fn run(&self, name: &str, times: usize) {
        let get = |path: &str| self.send(times, &Method::GET, path, "", StatusCode::OK);
        let group = format!("/admin/customer-groups/{GROUP}");
        match name {
            "query string" => (0..times).for_each(|_| drop(black_box(stheno_qs::parse(black_box(QUERY))))),
            "retrieve a group" => get(&group),
            "list 50 groups" => get("/admin/customer-groups?limit=50"),
            "list 50 members" => get(&format!("{group}/customers?limit=50")),
            "retrieve a group with 100 members" => get(&format!("{group}?expand=customers")),
            "search customers" => get("/admin/customers?q=customer7&limit=50"),
            "refuse a body" => {
                let body = json!({"name": "A name", "metadata": {"a": 1, "b": [1, 2, 3], "c": "text"}, "no_field": 1});
                let body = body.to_string();
                self.send(times, &Method::POST, "/admin/customer-groups", &body, StatusCode::BAD_REQUEST);
            }
            _ => panic!("nothing is called {name:?}"),
        }
    }

    fn send(&self, times: usize, method: &Method, path: &str, body: &str, expected: StatusCode) {
        self.runtime.block_on(async {
            for _ in 0..times {
                let request = Request::builder()
                    .method(method)
                    .uri(path)
                    .header("x-medusa-access-token", TOKEN)
                    .header("content-type", "application/json")
                    .body(Body::from(body.to_owned()))
                    .unwrap_or_else(|error| panic!("{error}"));
                let Ok(response) = self.router.clone().oneshot(request).await;
                assert_eq!(response.status(), expected, "{method} {path}");
                let body = response.into_body().collect().await.unwrap_or_else(|error| panic!("{error}"));
                black_box(body.to_bytes());
            }
        });
    }

    /// Closes the shop.
    pub fn close(self) {
        self.runtime.block_on(self.store.close());
    }
}

impl Default for Hot {
    fn default() -> Self {
        Self::new()
    }
}

async fn shop(database: &str) -> Store {
    let store = Store::open(database, StoreOptions::default())
        .await
        .unwrap_or_else(|error| panic!("cannot open a store: {error:?}"));
    let time = "2026-01-01T00:00:00.000001Z";
    let user = json!({"id": "usr_a", "email": "a@example.com", "api_token": TOKEN, "role": "admin", "created_at": time,
                      "updated_at": time});
    let group = |number: usize| {
        object(
            json!({"id": format!("cgrp_{number:06}"), "name": format!("Group {number}"), "created_at": time,
                      "updated_at": time, "metadata": {"discount": number}}),
        )
    };
    let customer = |number: usize| {
        object(json!({"id": format!("cus_{number:06}"), "email": format!("customer{number}@example.com"),
                      "first_name": "Zoë", "last_name": "O'Neill", "has_account": false, "created_at": time,
                      "updated_at": time, "metadata": {"note": "likes \"quotes\""}}))
    };
    let member = |number: usize| {
        object(json!({"customer_group_id": GROUP, "customer_id": format!("cus_{number:06}")}))
    };
    let rows = vec![
        (Table::User, vec![object(user)]),
        (Table::CustomerGroup, (0..GROUPS).map(group).collect()),
        (Table::Customer, (0..MEMBERS).map(customer).collect()),
        (Table::CustomerGroupCustomers, (0..MEMBERS).map(member).collect()),
    ];
    store.import(rows).await.unwrap_or_else(|error| panic!("cannot import rows: {error:?}"));
    store
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}
