use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use crate::list::whole_number;
use crate::{Customer, Extra, Id, Metadata, PartialCustomer, PartialPriceList, PriceList};

/// A group of customers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(
        examples(json!({
            "id": "cgrp_01JBRGKF01104SSAZYSN3KZHD7",
            "name": "Wholesale",
            "metadata": {"discount": "12%"},
            "created_at": "2024-11-03T08:00:00.000Z",
            "updated_at": "2024-11-03T08:00:00.000Z",
            "deleted_at": null
        }))
    )
)]
#[non_exhaustive]
pub struct CustomerGroup {
    /// `cgrp_` and a ULID.
    pub id: String,
    /// Name, unique among the groups (upper and lower case are different).
    pub name: String,
    /// Free data.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>, required))]
    pub metadata: Option<Metadata>,
    /// When the group was made.
    #[serde(with = "crate::timestamp")]
    pub created_at: Timestamp,
    /// When its name or metadata last changed. Adding and removing customers does not count.
    #[serde(with = "crate::timestamp")]
    pub updated_at: Timestamp,
    /// Always null: deleting a group removes it.
    #[serde(default, with = "crate::timestamp::option")]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub deleted_at: Option<Timestamp>,
    /// The members, in no particular order, if asked for with `expand`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false, no_recursion))]
    pub customers: Option<Vec<Customer>>,
    /// The price lists for this group, in no particular order, if asked for with `expand`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false, no_recursion))]
    pub price_lists: Option<Vec<PriceList>>,
    /// Properties that this type does not know.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Extra,
}

impl CustomerGroup {
    /// A group made at this time.
    pub fn new(id: impl Into<String>, name: impl Into<String>, created_at: Timestamp) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            metadata: None,
            created_at,
            updated_at: created_at,
            deleted_at: None,
            customers: None,
            price_lists: None,
            extra: Extra::new(),
        }
    }
}

/// A customer group of which only some columns were asked for, with `fields`.
///
/// The id always comes, and in lists `created_at` too. Of what may be null, the outer `Option` says whether it came:
/// `metadata` is `Some(None)` when it came and is null. To tell no difference, call `flatten()`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(
        description = "A customer group: with all columns, or with those that `fields` names. The id always comes, and in lists `created_at` too.",
        examples(json!({
            "id": "cgrp_01JBRGKF01104SSAZYSN3KZHD7",
            "name": "Wholesale",
            "metadata": {"discount": "12%"},
            "created_at": "2024-11-03T08:00:00.000Z",
            "updated_at": "2024-11-03T08:00:00.000Z",
            "deleted_at": null
        }))
    )
)]
#[non_exhaustive]
pub struct PartialCustomerGroup {
    /// `cgrp_` and a ULID.
    pub id: String,
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub name: Option<String>,
    /// Free data.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub metadata: Option<Option<Metadata>>,
    /// When the group was made.
    #[serde(default, with = "crate::timestamp::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub created_at: Option<Timestamp>,
    /// When its name or metadata last changed.
    #[serde(default, with = "crate::timestamp::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub updated_at: Option<Timestamp>,
    /// Always null: deleting a group removes it.
    #[serde(default, with = "crate::timestamp::double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Timestamp>))]
    pub deleted_at: Option<Option<Timestamp>>,
    /// How many members it has, if `fields` named that. Stheno tells it, Medusa does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub customer_count: Option<u64>,
    /// The members, in no particular order: whole if asked for with `expand`, or the columns that `fields` named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false, no_recursion))]
    pub customers: Option<Vec<PartialCustomer>>,
    /// The price lists for this group, in no particular order, in the same way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false, no_recursion))]
    pub price_lists: Option<Vec<PartialPriceList>>,
    /// Properties that this type does not know.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Extra,
}

impl PartialCustomerGroup {
    /// A group of which only the id came.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: None,
            metadata: None,
            created_at: None,
            updated_at: None,
            deleted_at: None,
            customer_count: None,
            customers: None,
            price_lists: None,
            extra: Extra::new(),
        }
    }
}

/// Reads a value that is there, null or not.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// An answer that is one customer group: a [`CustomerGroup`], or a [`PartialCustomerGroup`] if `fields` was given.
///
/// Medusa answers an empty list of customers for an unknown group with `null`: read that as `Option<CustomerGroup>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(description = "An answer that is one customer group."))]
#[non_exhaustive]
pub struct CustomerGroupEnvelope<G = CustomerGroup> {
    /// The group.
    pub customer_group: G,
}

impl<G> CustomerGroupEnvelope<G> {
    /// An answer with this group.
    pub fn new(customer_group: G) -> Self {
        Self { customer_group }
    }
}

/// A page of customer groups: [`CustomerGroup`]s, or [`PartialCustomerGroup`]s if `fields` was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(description = "A page of customer groups."))]
#[non_exhaustive]
pub struct CustomerGroupList<G = CustomerGroup> {
    /// How many groups match in all.
    #[serde(deserialize_with = "whole_number")]
    pub count: u64,
    /// The groups of this page.
    pub customer_groups: Vec<G>,
    /// How many groups precede this page.
    #[serde(deserialize_with = "whole_number")]
    pub offset: u64,
    /// How many groups fit on a page; 0 if all do.
    #[serde(deserialize_with = "whole_number")]
    pub limit: u64,
}

impl<G> CustomerGroupList<G> {
    /// A page.
    pub fn new(customer_groups: Vec<G>, count: u64, offset: u64, limit: u64) -> Self {
        Self { count, customer_groups, offset, limit }
    }
}

/// A customer group to be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CreateCustomerGroup {
    /// Name, unique among the groups.
    pub name: String,
    /// Free data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

impl CreateCustomerGroup {
    /// A group with this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), metadata: None }
    }
}

impl<T: Into<String>> From<T> for CreateCustomerGroup {
    fn from(name: T) -> Self {
        Self::new(name)
    }
}

/// What to change in a customer group. What is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UpdateCustomerGroup {
    /// A new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Metadata to be merged into what is there, by the rules of [`Metadata`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

/// Customers to be added to a group or removed from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CustomerIds {
    /// The customers. One that comes twice counts once.
    pub customer_ids: Vec<Id>,
}

impl<T: Into<Id>> FromIterator<T> for CustomerIds {
    fn from_iter<I: IntoIterator<Item = T>>(ids: I) -> Self {
        Self { customer_ids: ids.into_iter().map(Into::into).collect() }
    }
}
