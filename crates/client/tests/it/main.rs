//! The client against a mock server: one file per endpoint, and one per thing that concerns all of them.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

mod auth;
mod backend;
#[cfg(feature = "blocking")]
mod blocking;
mod credentials;
mod customer_groups;
mod customers;
mod errors;
mod every_call;
#[cfg(feature = "test")]
mod fake;
mod queries;
mod readme;
#[cfg(feature = "test")]
#[path = "../scenarios/mod.rs"]
mod scenarios;
#[cfg(feature = "tracing")]
mod tracing;
