//! Beside the real Medusa, on its own database.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod both;
mod contract;
mod operations;
mod sessions;
