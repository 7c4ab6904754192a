use std::fmt;

use crate::Order;

/// What customers can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CustomerSort {
    /// When the customer was made.
    CreatedAt,
    /// E-mail address.
    Email,
    /// First name, by code point.
    FirstName,
    /// Those without an account first.
    HasAccount,
    /// Id, which is also the order in which the customers were made.
    Id,
    /// Last name, by code point.
    LastName,
    /// Phone number, as text.
    Phone,
    /// When the customer was last changed.
    UpdatedAt,
}

impl CustomerSort {
    /// Largest, or latest, first.
    pub fn descending(self) -> Order<Self> {
        Order::descending(self)
    }
}

impl fmt::Display for CustomerSort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::CreatedAt => "created_at",
            Self::Email => "email",
            Self::FirstName => "first_name",
            Self::HasAccount => "has_account",
            Self::Id => "id",
            Self::LastName => "last_name",
            Self::Phone => "phone",
            Self::UpdatedAt => "updated_at",
        })
    }
}

/// What a customer can bring along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CustomerRelation {
    /// The address that bills go to.
    BillingAddress,
    /// The groups the customer is in.
    Groups,
    /// The groups the customer is in, with their price lists.
    GroupsPriceLists,
    /// The orders. Stheno on a database of its own has none.
    Orders,
    /// The addresses to ship to.
    ShippingAddresses,
}

impl fmt::Display for CustomerRelation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::BillingAddress => "billing_address",
            Self::Groups => "groups",
            Self::GroupsPriceLists => "groups.price_lists",
            Self::Orders => "orders",
            Self::ShippingAddresses => "shipping_addresses",
        })
    }
}

/// A column of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CustomerField {
    /// The id of the address that bills go to.
    BillingAddressId,
    /// When the customer was made.
    CreatedAt,
    /// When the customer was deleted, if so.
    DeletedAt,
    /// E-mail address.
    Email,
    /// First name.
    FirstName,
    /// Whether the customer can log in.
    HasAccount,
    /// Id.
    Id,
    /// Last name.
    LastName,
    /// Free data.
    Metadata,
    /// Phone number.
    Phone,
    /// When the customer was last changed.
    UpdatedAt,
}

impl fmt::Display for CustomerField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::BillingAddressId => "billing_address_id",
            Self::CreatedAt => "created_at",
            Self::DeletedAt => "deleted_at",
            Self::Email => "email",
            Self::FirstName => "first_name",
            Self::HasAccount => "has_account",
            Self::Id => "id",
            Self::LastName => "last_name",
            Self::Metadata => "metadata",
            Self::Phone => "phone",
            Self::UpdatedAt => "updated_at",
        })
    }
}
