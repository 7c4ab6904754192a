//! Beside the real Medusa, on its own database.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod at_once;
mod both;
mod contract;
mod operations;
mod schema;
mod sessions;
