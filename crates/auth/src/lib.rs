#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod api_token;
mod crypto;
pub mod jwt;
pub mod password;
pub mod secret;
pub mod session;

pub use crypto::RandomError;
