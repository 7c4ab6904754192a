//! The shop that is measured: customers, and groups of different sizes.

use serde_json::{Map, Value, json};
use stheno_auth::api_token;
use stheno_store::{NewUser, Role, Selection, Store, Table};

/// The API token that the load is sent with.
pub(crate) const TOKEN: &str = "a-token-for-the-bench";

/// How many members the group has whose members are listed.
pub(crate) const GROUP_MEMBERS: usize = 1000;

const GROUPS: usize = 200;
const AT_ONCE: usize = 20_000;

pub(crate) struct Shop {
    /// The id of the group that is retrieved and whose members are listed.
    pub(crate) group: String,
}

impl Shop {
    pub(crate) async fn fill(store: &Store, customers: usize) -> anyhow::Result<Self> {
        let user = NewUser {
            email: "bench@example.com".to_owned(),
            password_hash: None,
            role: Role::Admin,
            token_hash: Some(api_token::hash(TOKEN)),
        };
        store.create_user(user).await?;
        let groups = (0..GROUPS).map(group).collect();
        store.import(vec![(Table::CustomerGroup, groups)]).await?;
        let numbers: Vec<_> = (0..customers).collect();
        for numbers in numbers.chunks(AT_ONCE) {
            let rows = numbers.iter().copied().map(customer).collect();
            let members = numbers.iter().filter(|number| **number < GROUP_MEMBERS).map(|number| {
                object(json!({"customer_group_id": group_id(0), "customer_id": customer_id(*number)}))
            });
            let members = members.collect();
            store.import(vec![(Table::Customer, rows), (Table::CustomerGroupCustomers, members)]).await?;
        }
        Ok(Self { group: group_id(0) })
    }

    /// The answer to a retrieval of the group.
    pub(crate) async fn group_as_json(&self, store: &Store) -> anyhow::Result<Vec<u8>> {
        let selection = Selection::all(store.catalog(), Table::CustomerGroup);
        let group = store.retrieve_customer_group(&self.group, &selection).await?;
        let mut text = b"{\"customer_group\":".to_vec();
        text.extend(group.map(|group| group.start).unwrap_or_default());
        text.push(b'}');
        Ok(text)
    }
}

fn group_id(number: usize) -> String {
    format!("cgrp_01BENCH{number:019}")
}

fn customer_id(number: usize) -> String {
    format!("cus_01BENCH{number:019}")
}

fn group(number: usize) -> Map<String, Value> {
    object(json!({
        "id": group_id(number),
        "name": format!("Group {number:04}"),
        "metadata": {"tier": number % 5},
        "created_at": "2026-01-01T00:00:00.000001Z",
        "updated_at": "2026-01-01T00:00:00.000001Z",
    }))
}

fn customer(number: usize) -> Map<String, Value> {
    object(json!({
        "id": customer_id(number),
        "email": format!("customer{number}@example.com"),
        "first_name": format!("First{}", number % 997),
        "last_name": format!("Last{}", number % 1009),
        "has_account": number.is_multiple_of(3),
        "created_at": "2026-01-01T00:00:00.000001Z",
        "updated_at": "2026-01-01T00:00:00.000001Z",
    }))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
