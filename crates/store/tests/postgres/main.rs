//! What a store does with a PostgreSQL server that a test has for itself: one that demands TLS, goes away, or says
//! nothing.
#![allow(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

mod pgbouncer;
mod tls;
