//! The program as its users meet it: started as a process, in a folder of its own.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod support;
mod writers;

mod backup;
mod batch;
mod copy;
mod cors;
mod crash;
mod credentials;
mod demo;
mod deploy;
mod errors;
mod fleet;
mod help;
mod medusa;
mod migrate;
mod remote;
mod secrets;
mod shutdown;
mod soak;
#[cfg(target_os = "linux")]
mod terminal;
#[cfg(feature = "otlp")]
mod traces;
mod upgrade;
mod user;
mod waiting;
