use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::open_enum::open_enum;
use crate::{CustomerGroup, Extra};

/// Prices of their own, for everyone or for some customer groups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct PriceList {
    /// `pl_` and a ULID, as a rule.
    pub id: String,
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Whether its prices are shown as reduced.
    pub r#type: PriceListType,
    /// Whether it is in use.
    pub status: PriceListStatus,
    /// When it comes into force; at once if null.
    #[serde(default, with = "crate::timestamp::option")]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub starts_at: Option<Timestamp>,
    /// When it ends; never if null.
    #[serde(default, with = "crate::timestamp::option")]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub ends_at: Option<Timestamp>,
    /// When the list was made.
    #[serde(with = "crate::timestamp")]
    pub created_at: Timestamp,
    /// When the list was last changed.
    #[serde(with = "crate::timestamp")]
    pub updated_at: Timestamp,
    /// When the list was deleted, if so.
    #[serde(default, with = "crate::timestamp::option")]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub deleted_at: Option<Timestamp>,
    /// The groups it is for, if asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false, no_recursion))]
    pub customer_groups: Option<Vec<CustomerGroup>>,
    /// Properties that this type does not know.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Extra,
}

impl PriceList {
    /// A draft of a sale, made at this time.
    pub fn new(
        id: impl Into<String>,
        name: impl Into<String>,
        description: impl Into<String>,
        created_at: Timestamp,
    ) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            description: description.into(),
            r#type: PriceListType::Sale,
            status: PriceListStatus::Draft,
            starts_at: None,
            ends_at: None,
            created_at,
            updated_at: created_at,
            deleted_at: None,
            customer_groups: None,
            extra: Extra::new(),
        }
    }
}

/// A price list of a [`PartialCustomerGroup`](crate::PartialCustomerGroup): whole if it was asked for with `expand`, or
/// with only those columns that `fields` named.
///
/// Of what may be null, the outer `Option` says whether it came. Relations of the price list are in `extra`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(description = "A price list of a group: with all columns, or with those that `fields` names.")
)]
#[non_exhaustive]
pub struct PartialPriceList {
    /// `pl_` and a ULID, as a rule. Stheno always sends it, Medusa when it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub id: Option<String>,
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub name: Option<String>,
    /// Description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub description: Option<String>,
    /// Whether its prices are shown as reduced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub r#type: Option<PriceListType>,
    /// Whether it is in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub status: Option<PriceListStatus>,
    /// When it comes into force; at once if null.
    #[serde(default, with = "crate::timestamp::double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Timestamp>))]
    pub starts_at: Option<Option<Timestamp>>,
    /// When it ends; never if null.
    #[serde(default, with = "crate::timestamp::double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Timestamp>))]
    pub ends_at: Option<Option<Timestamp>>,
    /// When the list was made.
    #[serde(default, with = "crate::timestamp::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub created_at: Option<Timestamp>,
    /// When the list was last changed.
    #[serde(default, with = "crate::timestamp::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub updated_at: Option<Timestamp>,
    /// When the list was deleted, if so.
    #[serde(default, with = "crate::timestamp::double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Timestamp>))]
    pub deleted_at: Option<Option<Timestamp>>,
    /// Properties that this type does not know.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Extra,
}

open_enum! {
    /// How the prices of a [`PriceList`] are shown.
    PriceListType {
        /// `sale`: beside the price they reduce.
        Sale = "sale",
        /// `override`: in its place.
        Override = "override",
    }
}

open_enum! {
    /// Whether a [`PriceList`] is in use.
    PriceListStatus {
        /// `active`: it is, between its dates.
        Active = "active",
        /// `draft`: not yet.
        Draft = "draft",
    }
}
