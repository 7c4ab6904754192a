//! What the recorded contract does not show. The files mirror the routes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod admin;
mod answers;
mod attacks;
mod audit;
mod bodies;
mod connections;
mod credentials;
mod database;
mod health;
mod limits;
mod logs;
mod medusa;
mod metrics;
mod openapi;

use serde_json::{Map, Value};

/// An object, from a literal.
fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}

/// A header for a request.
fn header(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// The header that lets the contract's administrator in.
fn token() -> (String, String) {
    header("x-medusa-access-token", "test_token")
}
