//! The tables of Medusa v1 that Stheno reads and writes: their columns, how each is written as JSON, and how they
//! relate. The one place that knows a column's or a relation's name.

use crate::StoreError;

/// A table of Medusa v1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Table {
    /// `customer_group`
    CustomerGroup,
    /// `customer_group_customers`: who is a member of what.
    CustomerGroupCustomers,
    /// `customer`
    Customer,
    /// `"user"`: who may sign in.
    User,
    /// `address`
    Address,
    /// `price_list`
    PriceList,
    /// `price_list_customer_groups`
    PriceListCustomerGroups,
    /// `discount_condition_customer_group`
    DiscountConditionCustomerGroup,
    /// `"order"`: Medusa's alone, so a database of Stheno's own does not have it.
    Order,
}

impl Table {
    /// Every table that a database of Stheno's own has, each after those that its rows refer to (but for customers and addresses, which refer to each
    /// other).
    pub const ALL: [Self; 8] = [
        Self::User,
        Self::CustomerGroup,
        Self::Customer,
        Self::Address,
        Self::CustomerGroupCustomers,
        Self::PriceList,
        Self::PriceListCustomerGroups,
        Self::DiscountConditionCustomerGroup,
    ];

    /// The table's name in the database, without quotes.
    pub fn name(self) -> &'static str {
        match self {
            Self::CustomerGroup => "customer_group",
            Self::CustomerGroupCustomers => "customer_group_customers",
            Self::Customer => "customer",
            Self::User => "user",
            Self::Address => "address",
            Self::PriceList => "price_list",
            Self::PriceListCustomerGroups => "price_list_customer_groups",
            Self::DiscountConditionCustomerGroup => "discount_condition_customer_group",
            Self::Order => "order",
        }
    }

    /// The table with this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// Medusa's columns in the order in which Medusa answers them.
    fn known_columns(self) -> &'static [(&'static str, ColumnKind)] {
        use ColumnKind::{Boolean, Json, Text, Time};
        match self {
            Self::CustomerGroup => &[
                ("id", Text),
                ("created_at", Time),
                ("updated_at", Time),
                ("deleted_at", Time),
                ("name", Text),
                ("metadata", Json),
            ],
            Self::Customer => &[
                ("id", Text),
                ("created_at", Time),
                ("updated_at", Time),
                ("deleted_at", Time),
                ("email", Text),
                ("first_name", Text),
                ("last_name", Text),
                ("billing_address_id", Text),
                ("phone", Text),
                ("has_account", Boolean),
                ("metadata", Json),
                ("password_hash", ColumnKind::Secret),
            ],
            Self::User => &[
                ("id", Text),
                ("created_at", Time),
                ("updated_at", Time),
                ("deleted_at", Time),
                ("role", Text),
                ("email", Text),
                ("first_name", Text),
                ("last_name", Text),
                ("api_token", ColumnKind::Secret),
                ("metadata", Json),
                ("password_hash", ColumnKind::Secret),
            ],
            Self::Address => &[
                ("id", Text),
                ("created_at", Time),
                ("updated_at", Time),
                ("deleted_at", Time),
                ("customer_id", Text),
                ("company", Text),
                ("first_name", Text),
                ("last_name", Text),
                ("address_1", Text),
                ("address_2", Text),
                ("city", Text),
                ("country_code", Text),
                ("province", Text),
                ("postal_code", Text),
                ("phone", Text),
                ("metadata", Json),
            ],
            Self::PriceList => &[
                ("id", Text),
                ("created_at", Time),
                ("updated_at", Time),
                ("deleted_at", Time),
                ("name", Text),
                ("description", Text),
                ("type", Text),
                ("status", Text),
                ("starts_at", Time),
                ("ends_at", Time),
            ],
            Self::CustomerGroupCustomers => &[("customer_group_id", Text), ("customer_id", Text)],
            Self::PriceListCustomerGroups => &[("price_list_id", Text), ("customer_group_id", Text)],
            Self::DiscountConditionCustomerGroup => &[
                ("customer_group_id", Text),
                ("condition_id", Text),
                ("metadata", Json),
                ("created_at", Time),
                ("updated_at", Time),
            ],
            Self::Order => &[],
        }
    }

    /// The relations that `expand` may name on a row of this table.
    pub(crate) fn relations(self) -> &'static [Relation] {
        match self {
            Self::CustomerGroup => &[Relation::Customers, Relation::PriceLists],
            Self::Customer => {
                &[Relation::Groups, Relation::ShippingAddresses, Relation::BillingAddress, Relation::Orders]
            }
            Self::PriceList => &[Relation::CustomerGroups],
            Self::Address => &[Relation::Customer],
            _ => &[],
        }
    }
}

/// How a column is written as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    Text,
    Boolean,
    /// A time, to the millisecond and in UTC on the wire.
    Time,
    Json,
    /// Whatever the database holds: a column that a shop has added.
    Plain,
    /// Never written.
    Secret,
}

/// A column of a table as it is in this database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: ColumnKind,
    /// The type, as the database names it.
    pub(crate) declared: String,
    pub(crate) nullable: bool,
}

/// What leads from a row to rows of another table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    /// The members of a customer group.
    Customers,
    /// The price lists of a customer group.
    PriceLists,
    /// The groups of a customer.
    Groups,
    ShippingAddresses,
    BillingAddress,
    /// The orders of a customer: none, where the database has no orders.
    Orders,
    /// The groups of a price list.
    CustomerGroups,
    /// The customer whom an address belongs to.
    Customer,
}

impl Relation {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::PriceLists => "price_lists",
            Self::Groups => "groups",
            Self::ShippingAddresses => "shipping_addresses",
            Self::BillingAddress => "billing_address",
            Self::Orders => "orders",
            Self::CustomerGroups => "customer_groups",
            Self::Customer => "customer",
        }
    }

    /// The table that the relation leads to.
    pub(crate) fn target(self) -> Table {
        match self {
            Self::Customers | Self::Customer => Table::Customer,
            Self::PriceLists => Table::PriceList,
            Self::Groups | Self::CustomerGroups => Table::CustomerGroup,
            Self::ShippingAddresses | Self::BillingAddress => Table::Address,
            Self::Orders => Table::Order,
        }
    }

    /// Whether it leads to a list of rows rather than to one or none.
    pub(crate) fn is_list(self) -> bool {
        !matches!(self, Self::BillingAddress | Self::Customer)
    }
}

/// The columns that the tables have in this database: Medusa's, and those that the shop has added.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    tables: Vec<(Table, Vec<Column>)>,
}

impl Catalog {
    /// Reads the columns of every table with `columns_of`, which answers each column's name, declared type and
    /// whether it may be null.
    ///
    /// # Errors
    /// Those of `columns_of`, and [`StoreError::Schema`] that names what is missing.
    pub(crate) fn read(
        mut columns_of: impl FnMut(Table) -> Result<Vec<(String, String, bool)>, StoreError>,
    ) -> Result<Self, StoreError> {
        let mut tables = Vec::with_capacity(Table::ALL.len());
        for table in Table::ALL {
            let present = columns_of(table)?;
            let known = table.known_columns();
            let mut columns = Vec::with_capacity(present.len());
            for (name, kind) in known {
                let found = present.iter().find(|(present, _, _)| present == name);
                let Some((_, declared, nullable)) = found else {
                    let text = format!("the table {} has no column {name}", table.name());
                    return Err(StoreError::Schema(text));
                };
                columns.push(Column {
                    name: (*name).to_owned(),
                    kind: *kind,
                    declared: declared.clone(),
                    nullable: *nullable,
                });
            }
            let added =
                present.into_iter().filter(|(name, _, _)| !known.iter().any(|(known, _)| known == name));
            columns.extend(added.map(|(name, declared, nullable)| Column {
                name,
                kind: kind_of_added(&declared),
                declared,
                nullable,
            }));
            tables.push((table, columns));
        }
        Ok(Self { tables })
    }

    /// The columns of `table`; none, if the database does not have it.
    pub(crate) fn columns(&self, table: Table) -> &[Column] {
        self.tables.iter().find(|(candidate, _)| *candidate == table).map_or(&[], |(_, columns)| columns)
    }

    /// Leaves a column out.
    pub(crate) fn remove(&mut self, table: &str, column: &str) {
        for (candidate, columns) in &mut self.tables {
            if candidate.name() == table {
                columns.retain(|candidate| candidate.name != column);
            }
        }
    }

    /// The columns of `table` that may be shown.
    pub(crate) fn public_columns(&self, table: Table) -> impl Iterator<Item = (usize, &Column)> {
        self.columns(table).iter().enumerate().filter(|(_, column)| column.kind != ColumnKind::Secret)
    }

    /// The column of `table` that `order` may name: any that is shown, but for JSON, which has no order.
    pub(crate) fn sortable_column(&self, table: Table, name: &str) -> Option<&Column> {
        self.public_columns(table)
            .map(|(_, column)| column)
            .find(|column| column.name == name && column.kind != ColumnKind::Json)
    }
}

/// A column that a shop has added is written by its declared type.
fn kind_of_added(declared: &str) -> ColumnKind {
    let declared = declared.to_ascii_lowercase();
    // `timestamp(3) with time zone`, say; but not `timestamp[]`, nor an enum by the name of `timestamp_kind`.
    let is_time =
        declared.split([' ', '(']).next().is_some_and(|name| ["timestamp", "timestamptz"].contains(&name));
    match &*declared {
        list if list.ends_with("[]") => ColumnKind::Plain,
        "bool" | "boolean" => ColumnKind::Boolean,
        "json" | "jsonb" => ColumnKind::Json,
        _ if is_time => ColumnKind::Time,
        _ => ColumnKind::Plain,
    }
}
