//! Medusa v1's Admin Customer Groups API over HTTP, in front of a [`stheno_store::Store`].
//!
//! [`serve()`] takes a listening socket and an [`App`]; [`router()`] is the same without connections. A request passes
//! `serve`, the layers of `router`, the extractor that authenticates it and checks its input against the declared
//! schema, and the file of its route, which calls the store.
#![warn(missing_docs)]

mod answer;
mod app;
mod audit;
pub mod config;
mod cors;
mod credentials;
pub mod entrance;
mod error;
mod extract;
mod limits;
mod medusa;
mod metrics;
mod observe;
pub mod openapi;
mod password;
mod position;
pub mod router;
mod routes;
mod schema;
pub mod serve;
pub mod telemetry;
mod tls;
#[cfg(feature = "otlp")]
mod traces;

pub use crate::app::App;
pub use crate::config::{AdminCors, Config, CookieSecure, RateLimit, Secrets, SettingError, TrustProxy};
pub use crate::entrance::Entrance;
#[cfg(fuzzing)]
#[doc(hidden)]
pub use crate::extract::fuzzing;
pub use crate::medusa::MedusaUrl;
pub use crate::metrics::metrics_router;
pub use crate::router::{router, router_with};
pub use crate::serve::{serve, serve_entrance, serve_router};
#[cfg(feature = "otlp")]
pub use crate::traces::Traces;
