//! `/admin`

pub(crate) mod auth;
pub(crate) mod customer_groups;
pub(crate) mod customers;

use stheno_store::{Duplicate, Window};

use crate::schema::Valid;

/// Which page of a list is asked for. A limit of 0 means all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paging {
    pub(crate) offset: u64,
    pub(crate) limit: u64,
}

impl Paging {
    fn take(valid: &mut Valid, limit: u64) -> Self {
        Self { offset: valid.number("offset").unwrap_or(0), limit: valid.number("limit").unwrap_or(limit) }
    }
}

impl From<Paging> for Window {
    fn from(Paging { offset, limit }: Paging) -> Self {
        Self { offset, limit: (limit > 0).then_some(limit) }
    }
}

/// A unique value that is taken, in the words with which Medusa refuses an update: parentheses are left out and
/// equals signs are spaces, also those in the value (`cg.update.duplicate_name_paren`).
fn in_words(duplicate: &Duplicate) -> String {
    let Duplicate { table, columns, values } = duplicate;
    let table = table.name();
    let (first, rest) = table.split_at(1);
    let detail = format!("{} {} already exists.", columns.join(", "), values.join(", "));
    let detail = detail.replace(['(', ')'], "").replace('=', " ");
    format!("{}{rest} with {detail}", first.to_uppercase())
}
