//! Where a page of a list ends, so that the next begins behind it, whatever comes and goes meanwhile.

use std::fmt::Debug;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::selection::Order;
use crate::{StoreError, Table};

/// The first byte of a cursor.
const VERSION: u8 = 1;

/// A row's place in the order of a list: what the list is ordered by, and the row's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bookmark(pub(crate) Key, pub(crate) String);

/// What a list is ordered by, as it is in a row. Of PostgreSQL all but what is missing is text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Key {
    Missing,
    Text(String),
    Integer(i64),
    /// The bits of a number.
    Real(u64),
}

/// A number that stands for the rows that a filter lets through.
pub(crate) fn rows_of(table: Table, filter: &impl Debug) -> u64 {
    xxh3_64(format!("{table:?} {filter:?}").as_bytes())
}

impl Bookmark {
    /// The place in text, good for these rows in this order only: the version, a digest, and the place.
    pub(crate) fn write(&self, rows: u64, order: &Order) -> String {
        let place = serde_json::to_vec(self).unwrap_or_default();
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&digest(&place, rows, order));
        bytes.extend_from_slice(&place);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads what [`Bookmark::write`] wrote for the same rows in the same order.
    pub(crate) fn read(text: &str, rows: u64, order: &Order) -> Result<Self, StoreError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| StoreError::Cursor)?;
        let Some(([version, told @ ..], place)) = bytes.split_first_chunk::<9>() else {
            return Err(StoreError::Cursor);
        };
        if *version != VERSION || *told != digest(place, rows, order) {
            return Err(StoreError::Cursor);
        }
        serde_json::from_slice(place).map_err(|_| StoreError::Cursor)
    }
}

fn digest(place: &[u8], rows: u64, order: &Order) -> [u8; 8] {
    let order = format!("{} {}", order.column, order.descending);
    xxh3_64_with_seed(place, xxh3_64_with_seed(order.as_bytes(), rows)).to_be_bytes()
}
