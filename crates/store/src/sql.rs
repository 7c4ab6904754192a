//! The one place that writes SQL which depends on what is asked: static text and bound parameters. A list of values
//! is one parameter, so that the statements are few and stay prepared.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::customer::{AccountFilter, CustomerFilter};
use crate::customer_group::CustomerGroupFilter;
use crate::entity::{Catalog, Relation, Table};
use crate::filter::{Bound, DateRange, IdFilter, TextComparison};
use crate::fold::fold;
use crate::selection::{Order, Selection, Window};

/// The SQL that an engine understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
}

/// A value that is bound to a statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Parameter {
    Text(String),
    /// A list of texts, as one value.
    Texts(Vec<String>),
    Boolean(bool),
    Integer(i64),
    Time(Timestamp),
}

/// A statement that grows: its text, and the values bound to it so far.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    dialect: Dialect,
    pub(crate) text: String,
    pub(crate) parameters: Vec<Parameter>,
}

impl Statement {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self { dialect, text: String::with_capacity(256), parameters: Vec::new() }
    }

    fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    fn bind(&mut self, parameter: Parameter) -> &mut Self {
        self.parameters.push(parameter);
        let number = self.parameters.len();
        match self.dialect {
            Dialect::Sqlite => write!(self.text, "?{number}"),
        }
        .unwrap_or_else(|never| unreachable!("writing to a String failed: {never}"));
        self
    }

    /// ` AND column IN (values)`
    fn and_one_of(&mut self, column: &str, values: &[String]) -> &mut Self {
        self.push(" AND ").push(column);
        match self.dialect {
            Dialect::Sqlite => self
                .push(" IN (SELECT value FROM json_each(")
                .bind(Parameter::Texts(values.to_vec()))
                .push("))"),
        }
    }

    /// ` AND column operator value`
    fn and_compare(&mut self, column: &str, operator: &str, value: Parameter) -> &mut Self {
        self.push(" AND ").push(column).push(" ").push(operator).push(" ").bind(value)
    }

    fn and_within(&mut self, column: &str, range: &DateRange) {
        let bounds = [(">", range.gt), (">=", range.gte), ("<", range.lt), ("<=", range.lte)];
        for (operator, bound) in bounds {
            let after = operator.starts_with('>');
            match bound {
                None => {}
                Some(Bound::At(time)) => {
                    self.and_compare(column, operator, Parameter::Time(time));
                }
                Some(Bound::Past) if after => {}
                Some(Bound::Future) if !after => {}
                Some(Bound::Past | Bound::Future) => {
                    self.push(" AND FALSE");
                }
            }
        }
    }

    fn and_compare_text(&mut self, column: &str, comparison: &TextComparison) {
        let TextComparison { gt, gte, lt, lte, starts_with, ends_with, contains } = comparison;
        for (operator, value) in [(">", gt), (">=", gte), ("<", lt), ("<=", lte)] {
            if let Some(value) = value {
                self.and_compare(column, operator, Parameter::Text(value.clone()));
            }
        }
        for (place, value) in [("starts_with", starts_with), ("ends_with", ends_with), ("contains", contains)]
        {
            if let Some(value) = value {
                match self.dialect {
                    Dialect::Sqlite => {
                        self.push(" AND stheno_").push(place).push("(").push(column).push(", ")
                    }
                };
                self.bind(Parameter::Text(fold(value))).push(")");
            }
        }
    }

    /// ` AND any of the columns, or the first two with a space between, contains the term in any case`
    fn and_matches(&mut self, function: &str, columns: &str, term: &str) {
        match self.dialect {
            Dialect::Sqlite => self.push(" AND ").push(function).push("(").push(columns).push(", "),
        };
        self.bind(Parameter::Text(fold(term))).push(")");
    }

    fn push_order(&mut self, id: &str, order: &Order) {
        let Order { column, nullable, descending } = order;
        let direction = if *descending { " DESC" } else { "" };
        self.push(" ORDER BY ");
        if column != "id" {
            self.push("r.").push(&quoted(column)).push(direction);
            if *nullable {
                self.push(if *descending { " NULLS FIRST" } else { " NULLS LAST" });
            }
            self.push(", ");
        }
        // Among equals Medusa goes by id, ascending in either direction.
        self.push(id).push(if column == "id" { direction } else { "" });
    }

    fn push_window(&mut self, window: Window) {
        let limit = window.limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
        let offset = i64::try_from(window.offset).unwrap_or(i64::MAX);
        match self.dialect {
            Dialect::Sqlite => self
                .push(" LIMIT ")
                .bind(Parameter::Integer(limit))
                .push(" OFFSET ")
                .bind(Parameter::Integer(offset)),
        };
    }
}

/// A name in SQL. The names are Medusa's or read from the database itself.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `row.id, row."name", …`: the id, for the relations, and the columns of a selection.
fn columns(catalog: &Catalog, row: &str, selection: &Selection) -> String {
    let mut text = format!("{row}.id");
    for position in &selection.columns {
        let _ = write!(text, ", {row}.{}", quoted(&catalog.columns(selection.table)[*position].name));
    }
    text
}

/// One row by its id.
pub(crate) fn retrieve(dialect: Dialect, catalog: &Catalog, selection: &Selection, id: &str) -> Statement {
    let mut statement = Statement::new(dialect);
    statement
        .push("SELECT ")
        .push(&columns(catalog, "r", selection))
        .push(" FROM ")
        .push(&quoted(selection.table.name()))
        .push(" r WHERE r.id = ")
        .bind(Parameter::Text(id.to_owned()))
        .push(" AND r.deleted_at IS NULL");
    statement
}

/// What a list is made from: the rows, and how they are counted and ordered.
pub(crate) struct ListSource {
    /// ` FROM … WHERE …`, for the rows `r`.
    source: Statement,
    /// The column that has the rows' ids in the order in which they are found.
    id: &'static str,
}

impl ListSource {
    pub(crate) fn customer_groups(dialect: Dialect, filter: &CustomerGroupFilter) -> Self {
        let CustomerGroupFilter { q, names, id, created_at, updated_at, discount_condition_id } = filter;
        let mut source = Statement::new(dialect);
        source.push(" FROM customer_group r");
        if let Some(condition) = discount_condition_id {
            source
                .push(" JOIN discount_condition_customer_group d ON d.customer_group_id = r.id AND d.condition_id = ")
                .bind(Parameter::Text(condition.clone()));
        }
        source.push(" WHERE r.deleted_at IS NULL");
        if let Some(term) = q {
            source.and_matches("stheno_contains", "r.name", term);
        }
        if let Some(names) = names {
            source.and_one_of("r.name", names);
        }
        match id {
            Some(IdFilter::OneOf(ids)) => {
                source.and_one_of("r.id", ids);
            }
            Some(IdFilter::Compare(comparison)) => source.and_compare_text("r.id", comparison),
            None => {}
        }
        source.and_within("r.created_at", created_at);
        source.and_within("r.updated_at", updated_at);
        Self { source, id: "r.id" }
    }

    pub(crate) fn customers(dialect: Dialect, filter: &CustomerFilter) -> Self {
        let CustomerFilter { q, groups, has_account, created_at, updated_at } = filter;
        let mut source = Statement::new(dialect);
        let mut id = "r.id";
        match groups.as_deref() {
            // The members of one group come straight from the table of memberships, in the order of their ids.
            Some([group]) => {
                id = "m.customer_id";
                source
                    .push(" FROM customer_group g JOIN customer_group_customers m ON m.customer_group_id = g.id")
                    .push(" JOIN customer r ON r.id = m.customer_id WHERE g.id = ")
                    .bind(Parameter::Text(group.clone()))
                    .push(" AND g.deleted_at IS NULL AND r.deleted_at IS NULL");
            }
            Some(groups) => {
                source
                    .push(" FROM customer r WHERE r.deleted_at IS NULL AND r.id IN (SELECT m.customer_id")
                    .push(" FROM customer_group g JOIN customer_group_customers m ON m.customer_group_id = g.id")
                    .push(" WHERE g.deleted_at IS NULL")
                    .and_one_of("g.id", groups)
                    .push(")");
            }
            None => {
                source.push(" FROM customer r WHERE r.deleted_at IS NULL");
            }
        }
        if let Some(term) = q {
            source.and_matches("stheno_customer_matches", "r.email, r.first_name, r.last_name", term);
        }
        match has_account {
            Some(AccountFilter::Is(value)) => {
                source.and_compare("r.has_account", "=", Parameter::Boolean(*value));
            }
            Some(AccountFilter::Null) => {
                source.push(" AND FALSE");
            }
            None => {}
        }
        source.and_within("r.created_at", created_at);
        source.and_within("r.updated_at", updated_at);
        Self { source, id }
    }

    /// How many rows there are.
    pub(crate) fn count(&self) -> Statement {
        let Statement { dialect, text, parameters } = &self.source;
        Statement {
            dialect: *dialect,
            text: format!("SELECT count(*){text}"),
            parameters: parameters.clone(),
        }
    }

    /// The rows of a window.
    pub(crate) fn page(
        self,
        catalog: &Catalog,
        selection: &Selection,
        order: &Order,
        window: Window,
    ) -> Statement {
        let mut statement = self.source;
        statement.text.insert_str(0, &format!("SELECT {}", columns(catalog, "r", selection)));
        statement.push_order(self.id, order);
        statement.push_window(window);
        statement
    }
}

/// The rows that a relation leads to from one row, whose id takes the place of the first parameter; only those among
/// `only`, where that is given.
pub(crate) fn related(
    dialect: Dialect,
    catalog: &Catalog,
    relation: Relation,
    selection: &Selection,
    only: Option<&[String]>,
) -> Statement {
    let (join, parent_column, order) = match relation {
        Relation::Customers => (
            "customer_group_customers l JOIN customer r ON r.id = l.customer_id",
            "l.customer_group_id",
            "l.customer_id",
        ),
        Relation::Groups => (
            "customer_group_customers l JOIN customer_group r ON r.id = l.customer_group_id",
            "l.customer_id",
            "l.customer_group_id",
        ),
        Relation::PriceLists => (
            "price_list_customer_groups l JOIN price_list r ON r.id = l.price_list_id",
            "l.customer_group_id",
            "l.price_list_id",
        ),
        Relation::CustomerGroups => (
            "price_list_customer_groups l JOIN customer_group r ON r.id = l.customer_group_id",
            "l.price_list_id",
            "l.customer_group_id",
        ),
        Relation::ShippingAddresses => ("address r", "r.customer_id", "r.id"),
        Relation::BillingAddress => {
            ("customer l JOIN address r ON r.id = l.billing_address_id", "l.id", "r.id")
        }
        Relation::Customer => ("address l JOIN customer r ON r.id = l.customer_id", "l.id", "r.id"),
        Relation::Orders => ("\"order\" r", "r.customer_id", "r.id"),
    };
    let mut statement = Statement::new(dialect);
    statement
        .push("SELECT ")
        .push(&columns(catalog, "r", selection))
        .push(" FROM ")
        .push(join)
        .push(" WHERE ")
        .push(parent_column)
        .push(" = ")
        .bind(Parameter::Text(String::new()));
    if selection.table != Table::Order {
        statement.push(" AND r.deleted_at IS NULL");
    }
    if let Some(only) = only {
        statement.and_one_of("r.id", only);
    }
    statement.push(" ORDER BY ").push(order);
    statement
}
