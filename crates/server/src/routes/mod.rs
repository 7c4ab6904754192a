//! The endpoints. The folders are the URLs, a file is an endpoint: its parameters, then its handler.

pub(crate) mod admin;
pub(crate) mod docs;
pub(crate) mod health;
pub(crate) mod metrics;
