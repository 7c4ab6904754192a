use std::fmt;

use crate::Order;
use crate::admin::customers::CustomerField;

/// What customer groups can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CustomerGroupSort {
    /// When the group was made.
    CreatedAt,
    /// Id, which is also the order in which the groups were made.
    Id,
    /// Name, by code point: `Z` comes before `a`.
    Name,
    /// When the group was last changed.
    UpdatedAt,
}

impl CustomerGroupSort {
    /// Largest, or latest, first.
    pub fn descending(self) -> Order<Self> {
        Order::descending(self)
    }
}

impl fmt::Display for CustomerGroupSort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::CreatedAt => "created_at",
            Self::Id => "id",
            Self::Name => "name",
            Self::UpdatedAt => "updated_at",
        })
    }
}

/// What a customer group can bring along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CustomerGroupRelation {
    /// Its members.
    Customers,
    /// Its members, with the address that their bills go to.
    CustomersBillingAddress,
    /// Its members, with all groups they are in.
    CustomersGroups,
    /// Its members, with their orders. Stheno on a database of its own has none.
    CustomersOrders,
    /// Its members, with the addresses to ship to.
    CustomersShippingAddresses,
    /// The price lists that are for it.
    PriceLists,
}

impl fmt::Display for CustomerGroupRelation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Customers => "customers",
            Self::CustomersBillingAddress => "customers.billing_address",
            Self::CustomersGroups => "customers.groups",
            Self::CustomersOrders => "customers.orders",
            Self::CustomersShippingAddresses => "customers.shipping_addresses",
            Self::PriceLists => "price_lists",
        })
    }
}

/// A column of a customer group, or what is computed for it. The id always comes, and in lists `created_at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CustomerGroupField {
    /// When the group was made.
    CreatedAt,
    /// How many members the group has. **For Stheno**: Medusa refuses it.
    CustomerCount,
    /// A column of the members. **For Stheno**: Medusa then answers one member of each group.
    Customers(CustomerField),
    /// Always null.
    DeletedAt,
    /// Id.
    Id,
    /// Free data.
    Metadata,
    /// Name.
    Name,
    /// When the group was last changed.
    UpdatedAt,
}

impl fmt::Display for CustomerGroupField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::CreatedAt => "created_at",
            Self::CustomerCount => "customer_count",
            Self::Customers(field) => return write!(formatter, "customers.{field}"),
            Self::DeletedAt => "deleted_at",
            Self::Id => "id",
            Self::Metadata => "metadata",
            Self::Name => "name",
            Self::UpdatedAt => "updated_at",
        })
    }
}
