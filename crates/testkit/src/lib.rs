//! What tests across the workspace share: a server on a throw-away database, a plain HTTP client, and the replayer of
//! the recorded contract. Never published, so that failures may panic with what went wrong.
#![warn(missing_docs)]
#![expect(clippy::missing_panics_doc, reason = "a test that cannot be set up fails, and says why")]

mod app;
pub mod contract;
mod http;
pub mod medusa;
pub mod postgres;

pub use crate::app::{Engine, TestApp, TestAppOptions};
pub use crate::http::{HttpClient, HttpResponse};
