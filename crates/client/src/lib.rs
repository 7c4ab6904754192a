#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod admin;
mod batch;
#[cfg(feature = "blocking")]
mod blocking;
mod call;
mod client;
mod credential;
mod error;
mod execute;
mod operation;
mod page;
mod query;
mod raw;
mod request;
mod response;
mod retry;
mod stream;
#[cfg(any(test, feature = "test"))]
pub mod test;
mod time;
mod trace;
mod transport;

#[cfg(all(feature = "blocking", target_arch = "wasm32"))]
compile_error!("the feature `blocking` needs threads, which WebAssembly has not");

pub use admin::{Admin, Auth, CustomerGroups, Customers};
pub use batch::{BatchError, BatchReport, Batches, Membership, Progress};
#[cfg(feature = "blocking")]
pub use blocking::Iter;
pub use call::{Call, CallFuture, Optional};
pub use client::{Client, ClientBuilder};
pub use error::Error;
/// The crate whose types headers, methods and status codes are.
pub use http;
/// The crate whose types times are.
pub use jiff;
pub use operation::{Expandable, Listing, Operation};
pub use page::Page;
pub use query::{DateRange, IdFilter, Order};
pub use raw::Raw;
/// The crate whose client can be brought along.
pub use reqwest;
pub use response::Response;
pub use retry::Retry;
/// What answers and requests are made of.
pub use stheno_api_types as types;
pub use stream::{Items, Pages};

#[doc(no_inline)]
pub use stheno_api_types::{
    Address, Change, CreateCustomer, CreateCustomerGroup, Customer, CustomerGroup, Deleted, ErrorType,
    Metadata, PartialCustomer, PartialCustomerGroup, PartialPriceList, PriceList, User,
};
