#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod address;
mod auth;
mod change;
mod concealed;
mod customer;
mod customer_group;
mod deleted;
mod error;
mod list;
mod open_enum;
mod price_list;
pub mod timestamp;
mod user;

pub use address::Address;
pub use auth::{AccessToken, Credentials};
pub use change::Change;
pub use customer::{
    CreateCustomer, Customer, CustomerEnvelope, CustomerList, PartialCustomer, UpdateCustomer,
};
pub use customer_group::{
    CreateCustomerGroup, CustomerGroup, CustomerGroupEnvelope, CustomerGroupList, CustomerIds,
    PartialCustomerGroup, UpdateCustomerGroup,
};
pub use deleted::Deleted;
pub use error::{ErrorBody, ErrorType};
pub use list::Id;
pub use price_list::{PartialPriceList, PriceList, PriceListStatus, PriceListType};
pub use user::{User, UserEnvelope, UserRole};

/// Free data that a shop keeps beside a record: any JSON under names of its own, in the order it was written.
///
/// On an update, metadata is **merged** one level deep into what is there: keys that are not named stay; a key with
/// an empty string (`""`) is **removed**; a key with `null` is kept with the value null; a nested object is replaced
/// as a whole. On a create it is stored as it comes, empty strings included.
pub type Metadata = serde_json::Map<String, serde_json::Value>;

/// Properties of an answer that its type does not know, such as columns that a shop added.
pub type Extra = serde_json::Map<String, serde_json::Value>;
