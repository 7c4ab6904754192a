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
    /// `"order"`: Medusa's alone, which is only read. A database of Stheno's own does not have it.
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

    /// Every table that is read.
    pub(crate) fn read() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().chain([Self::Order])
    }

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
            Self::Order => &[
                ("id", Text),
                ("created_at", Time),
                ("updated_at", Time),
                ("status", Text),
                ("fulfillment_status", Text),
                ("payment_status", Text),
                ("display_id", ColumnKind::Plain),
                ("cart_id", Text),
                ("customer_id", Text),
                ("email", Text),
                ("billing_address_id", Text),
                ("shipping_address_id", Text),
                ("region_id", Text),
                ("currency_code", Text),
                ("tax_rate", ColumnKind::Plain),
                ("draft_order_id", Text),
                ("canceled_at", Time),
                ("metadata", Json),
                ("no_notification", Boolean),
                ("idempotency_key", Text),
                ("external_id", Text),
                ("sales_channel_id", Text),
            ],
        }
    }

    /// What every row of this table is shown with before its columns.
    pub(crate) fn constants(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Order => &[("object", "order")],
            _ => &[],
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
    /// Whether one of its values comes before another.
    pub(crate) is_ordered: bool,
}

/// A column as a database says that it is.
#[derive(Debug, Clone)]
pub(crate) struct FoundColumn {
    pub(crate) name: String,
    pub(crate) declared: String,
    pub(crate) nullable: bool,
    /// Whether it holds texts, or one of a few.
    pub(crate) is_text: bool,
    pub(crate) is_ordered: bool,
}

impl FoundColumn {
    fn of_kind(self, kind: ColumnKind) -> Column {
        let Self { name, declared, nullable, is_text: _, is_ordered } = self;
        Column { name, kind, declared, nullable, is_ordered }
    }
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
    /// The orders of a customer: none, where the database is not a Medusa's.
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
    /// How often the columns have changed since the store was opened.
    generation: usize,
    tables: Vec<(Table, Vec<Column>)>,
}

impl Catalog {
    /// Reads the columns of every table with `columns_of`. `wanted` answers the type that a column ought to have, if its
    /// own does not do.
    ///
    /// # Errors
    /// Those of `columns_of`, and [`StoreError::Schema`] that names everything that is missing or of another type.
    pub(crate) fn read(
        mut columns_of: impl FnMut(Table) -> Result<Vec<FoundColumn>, StoreError>,
        wanted: impl Fn(ColumnKind, &FoundColumn) -> Option<&'static str>,
    ) -> Result<Self, StoreError> {
        let mut tables = Vec::new();
        let mut faults = Vec::new();
        for table in Table::read() {
            let mut present = columns_of(table)?;
            let name = table.name();
            if present.is_empty() {
                if table != Table::Order {
                    faults.push(format!("there is no table {name}"));
                }
                continue;
            }
            let mut columns = Vec::with_capacity(present.len());
            for (known, kind) in table.known_columns() {
                let Some(place) = present.iter().position(|found| found.name == *known) else {
                    // Which columns orders have is Medusa's affair, but for those that lead to them.
                    if table != Table::Order || ["id", "customer_id"].contains(known) {
                        faults.push(format!("the table {name} has no column {known}"));
                    }
                    continue;
                };
                let found = present.remove(place);
                if let Some(wanted) = wanted(*kind, &found) {
                    faults.push(format!("{name}.{known} is {}, not {wanted}", found.declared));
                }
                columns.push(found.of_kind(*kind));
            }
            columns.extend(present.into_iter().map(|added| {
                let kind = kind_of_added(&added.declared);
                added.of_kind(kind)
            }));
            tables.push((table, columns));
        }
        if faults.is_empty() {
            return Ok(Self { generation: 0, tables });
        }
        Err(StoreError::Schema(format!(
            "the tables are not those of Medusa 1.20, which Stheno works on: {}",
            faults.join("; ")
        )))
    }

    pub(crate) fn generation(&self) -> usize {
        self.generation
    }

    /// The same columns, as those that have changed for the `generation`th time.
    pub(crate) fn of_generation(self, generation: usize) -> Self {
        Self { generation, ..self }
    }

    /// Whether the tables have the same columns.
    pub(crate) fn has_the_columns_of(&self, other: &Self) -> bool {
        self.tables == other.tables
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

    /// The column of `table` that `order` may name: any that is shown and has an order, which JSON has not.
    pub(crate) fn sortable_column(&self, table: Table, name: &str) -> Option<&Column> {
        self.public_columns(table)
            .map(|(_, column)| column)
            .find(|column| column.name == name && column.kind != ColumnKind::Json && column.is_ordered)
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
