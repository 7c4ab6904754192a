//! Medusa v1's Admin Customer Groups API over HTTP.

pub mod schema;
