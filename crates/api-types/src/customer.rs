use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::concealed::Concealed;
use crate::customer_group::present;
use crate::list::whole_number;
use crate::{Address, Change, CustomerGroup, Extra, Id, Metadata};

/// A customer of the shop.
///
/// Medusa puts `password_hash` into some of its answers; it is dropped on reading, and never written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(
        description = "A customer of the shop.",
        examples(json!({
            "id": "cus_01JAA3XBJB4NYBM5RVRKHWKNE1",
            "email": "emma.smith@example.com",
            "first_name": "Emma",
            "last_name": "Smith",
            "billing_address_id": null,
            "phone": null,
            "has_account": true,
            "metadata": null,
            "created_at": "2024-11-03T08:00:00.000Z",
            "updated_at": "2024-11-03T08:00:00.000Z",
            "deleted_at": null
        }))
    )
)]
#[non_exhaustive]
pub struct Customer {
    /// `cus_` and a ULID.
    pub id: String,
    /// E-mail address. Two customers may have the same, if one has an account and the other has none.
    pub email: String,
    /// First name.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub first_name: Option<String>,
    /// Last name.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub last_name: Option<String>,
    /// The address that bills go to.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub billing_address_id: Option<String>,
    /// Phone number, as it was entered.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub phone: Option<String>,
    /// Whether the customer can log in; one who bought as a guest cannot.
    pub has_account: bool,
    /// Free data.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>, required))]
    pub metadata: Option<Metadata>,
    /// When the customer was made.
    #[serde(with = "crate::timestamp")]
    pub created_at: Timestamp,
    /// When the customer was last changed. Joining and leaving groups does not count.
    #[serde(with = "crate::timestamp")]
    pub updated_at: Timestamp,
    /// When the customer was deleted, if so. Answers hold no deleted customers, as a rule.
    #[serde(default, with = "crate::timestamp::option")]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub deleted_at: Option<Timestamp>,
    /// The groups the customer is in, in no particular order, if asked for with `expand`. A list of a group's customers
    /// always brings them, and then holds that group only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false, no_recursion))]
    pub groups: Option<Vec<CustomerGroup>>,
    /// The address that bills go to, null if there is none, if asked for with `expand`.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Address>, no_recursion))]
    pub billing_address: Option<Option<Address>>,
    /// The addresses to ship to, in no particular order, if asked for with `expand`, and after an update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false, no_recursion))]
    pub shipping_addresses: Option<Vec<Address>>,
    /// The orders, as plain JSON objects, if asked for with `expand`, and after an update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false, value_type = Option<Vec<Object>>))]
    pub orders: Option<Vec<serde_json::Value>>,
    #[serde(default, skip_serializing)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    password_hash: Concealed,
    /// Properties that this type does not know.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Extra,
}

impl Customer {
    /// A guest made at this time, with nothing else known.
    pub fn new(id: impl Into<String>, email: impl Into<String>, created_at: Timestamp) -> Self {
        Self {
            id: id.into(),
            email: email.into(),
            first_name: None,
            last_name: None,
            billing_address_id: None,
            phone: None,
            has_account: false,
            metadata: None,
            created_at,
            updated_at: created_at,
            deleted_at: None,
            groups: None,
            billing_address: None,
            shipping_addresses: None,
            orders: None,
            password_hash: Concealed,
            extra: Extra::new(),
        }
    }
}

/// A member of a [`PartialCustomerGroup`](crate::PartialCustomerGroup): whole if it was asked for with `expand`, or with only those columns that
/// `fields` named.
///
/// Of what may be null, the outer `Option` says whether it came. Relations of the customer are in `extra`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(
        description = "A customer as a member of a group: with all columns, or with those that `fields` names."
    )
)]
#[non_exhaustive]
pub struct PartialCustomer {
    /// `cus_` and a ULID. Stheno always sends it, Medusa when it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub id: Option<String>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub email: Option<String>,
    /// First name.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub first_name: Option<Option<String>>,
    /// Last name.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub last_name: Option<Option<String>>,
    /// The address that bills go to.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub billing_address_id: Option<Option<String>>,
    /// Phone number, as it was entered.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub phone: Option<Option<String>>,
    /// Whether the customer can log in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub has_account: Option<bool>,
    /// Free data.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub metadata: Option<Option<Metadata>>,
    /// When the customer was made.
    #[serde(default, with = "crate::timestamp::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub created_at: Option<Timestamp>,
    /// When the customer was last changed.
    #[serde(default, with = "crate::timestamp::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub updated_at: Option<Timestamp>,
    /// When the customer was deleted, if so.
    #[serde(default, with = "crate::timestamp::double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Timestamp>))]
    pub deleted_at: Option<Option<Timestamp>>,
    #[serde(default, skip_serializing)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    password_hash: Concealed,
    /// Properties that this type does not know.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Extra,
}

/// An answer that is one customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct CustomerEnvelope {
    /// The customer.
    pub customer: Customer,
}

impl CustomerEnvelope {
    /// An answer with this customer.
    pub fn new(customer: Customer) -> Self {
        Self { customer }
    }
}

/// A page of customers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct CustomerList {
    /// The customers of this page.
    pub customers: Vec<Customer>,
    /// How many customers match in all.
    #[serde(deserialize_with = "whole_number")]
    pub count: u64,
    /// How many customers precede this page.
    #[serde(deserialize_with = "whole_number")]
    pub offset: u64,
    /// How many customers fit on a page; 0 if all do.
    #[serde(deserialize_with = "whole_number")]
    pub limit: u64,
}

impl CustomerList {
    /// A page.
    pub fn new(customers: Vec<Customer>, count: u64, offset: u64, limit: u64) -> Self {
        Self { customers, count, offset, limit }
    }
}

/// A customer with an account, to be made.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CreateCustomer {
    /// E-mail address, stored in lower case.
    pub email: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// The password that the customer will log in with.
    pub password: String,
    /// Phone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Free data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

impl CreateCustomer {
    /// A customer with everything that is required.
    pub fn new(
        email: impl Into<String>,
        first_name: impl Into<String>,
        last_name: impl Into<String>,
        password: impl Into<String>,
    ) -> Self {
        Self {
            email: email.into(),
            first_name: first_name.into(),
            last_name: last_name.into(),
            password: password.into(),
            phone: None,
            metadata: None,
        }
    }
}

impl fmt::Debug for CreateCustomer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CreateCustomer")
            .field("email", &self.email)
            .field("first_name", &self.first_name)
            .field("last_name", &self.last_name)
            .field("phone", &self.phone)
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}

/// What to change in a customer. What is `None` or [`Change::Keep`] stays.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UpdateCustomer {
    /// A new e-mail address, for a customer without an account only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// First name.
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    pub first_name: Change<String>,
    /// Last name.
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    pub last_name: Change<String>,
    /// Phone number.
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    pub phone: Change<String>,
    /// A new password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// The groups the customer shall be in from now on; from all others the customer is removed. An id may come once only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<Id>>,
    /// Metadata to be merged into what is there, by the rules of [`Metadata`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

impl fmt::Debug for UpdateCustomer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("UpdateCustomer")
            .field("email", &self.email)
            .field("first_name", &self.first_name)
            .field("last_name", &self.last_name)
            .field("phone", &self.phone)
            .field("groups", &self.groups)
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}
