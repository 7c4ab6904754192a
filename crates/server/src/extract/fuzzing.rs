//! The ways into the handlers, for the fuzz targets of `fuzz/`. Not there in any other build.

use bytes::Bytes;
use serde_json::Value;

use super::body::{self, Encoding};
use super::{Input, check, query_value};
use crate::routes::admin::auth::Login;
use crate::routes::admin::{customer_groups, customers};

/// The content encodings of [`body`].
pub const ENCODINGS: usize = 3;

/// Reads a body, of at most `limit` bytes when it is decompressed, and has every route that takes one take it. Returns what
/// was read, if it is JSON.
pub fn body(encoding: usize, bytes: Vec<u8>, limit: usize) -> Option<Value> {
    let encoding = [Encoding::Identity, Encoding::Gzip, Encoding::Deflate].into_iter().nth(encoding)?;
    let decoded = encoding.decode(Bytes::from(bytes), limit).ok()?;
    let value = body::parse(&decoded).ok()?;
    let takers = [
        takes::<Login>,
        takes::<customer_groups::create::Body>,
        takes::<customer_groups::update::Body>,
        takes::<customer_groups::add_customers::Body>,
        takes::<customer_groups::remove_customers::Body>,
        takes::<customers::create::Body>,
        takes::<customers::update::Body>,
    ];
    for takes in takers {
        takes(value.clone());
    }
    Some(value)
}

/// Reads a query string, and has every route that takes one take it.
pub fn query(query: &str) {
    let value = query_value(query);
    let takers = [
        takes::<customer_groups::list::Query>,
        takes::<customer_groups::list_customers::Query>,
        takes::<customer_groups::retrieve::Query>,
        takes::<customer_groups::update::Query>,
        takes::<customers::list::Query>,
        takes::<customers::retrieve::Query>,
    ];
    for takes in takers {
        takes(value.clone());
    }
}

fn takes<T: Input>(value: Value) {
    // What is not valid is told so, on one line.
    if let Err(refused) = check::<T>(value) {
        assert!(!format!("{refused}").is_empty());
    }
}
