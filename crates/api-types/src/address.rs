use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Extra, Metadata};

/// A postal address of a customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Address {
    /// `addr_` and a ULID, as a rule.
    pub id: String,
    /// The customer whose address it is.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub customer_id: Option<String>,
    /// Company.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub company: Option<String>,
    /// First name of the recipient.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub first_name: Option<String>,
    /// Last name of the recipient.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub last_name: Option<String>,
    /// First line: street and number.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub address_1: Option<String>,
    /// Second line.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub address_2: Option<String>,
    /// City.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub city: Option<String>,
    /// Country, two letters of ISO 3166-1 in lower case: `dk`.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub country_code: Option<String>,
    /// Province or state.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub province: Option<String>,
    /// Postal code.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub postal_code: Option<String>,
    /// Phone number of the recipient.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub phone: Option<String>,
    /// Free data.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>, required))]
    pub metadata: Option<Metadata>,
    /// When the address was made.
    #[serde(with = "crate::timestamp")]
    pub created_at: Timestamp,
    /// When the address was last changed.
    #[serde(with = "crate::timestamp")]
    pub updated_at: Timestamp,
    /// When the address was deleted, if so.
    #[serde(default, with = "crate::timestamp::option")]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub deleted_at: Option<Timestamp>,
    /// Properties that this type does not know.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Extra,
}

impl Address {
    /// An address made at this time, with nothing else known.
    pub fn new(id: impl Into<String>, created_at: Timestamp) -> Self {
        Self {
            id: id.into(),
            customer_id: None,
            company: None,
            first_name: None,
            last_name: None,
            address_1: None,
            address_2: None,
            city: None,
            country_code: None,
            province: None,
            postal_code: None,
            phone: None,
            metadata: None,
            created_at,
            updated_at: created_at,
            deleted_at: None,
            extra: Extra::new(),
        }
    }
}
