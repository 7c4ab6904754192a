//! Copying a shop between any two databases.
#![allow(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

mod columns;
mod continuing;
mod database;
mod merging;
mod odd_values;
mod refusals;
mod whole;
