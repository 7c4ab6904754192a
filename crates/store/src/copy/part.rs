//! What is copied: each table with its columns, as one of the two databases has them.

use std::sync::Arc;

use super::LeftBehind;
use crate::entity::{Catalog, Column, ColumnKind, Table};
use crate::json;

/// The values of a row, in the order of its part's columns. Equal rows have equal texts on every engine.
pub(crate) type Row = Vec<Option<String>>;

/// How the text of a value is written so that equal values are equal texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it is.
    Text,
    /// `true` or `false`
    Boolean,
    /// As JavaScript writes it, if that is the same number.
    Number,
    /// `2024-11-03T08:00:00.000538Z`, if it is of our calendar.
    Time,
    /// Without spaces, keys in the order of `jsonb`.
    Json,
    /// `\x` and hexadecimal digits
    Bytes,
    /// As the database writes it: a type that only one engine has.
    Other,
}

/// A column of a part.
#[derive(Debug, Clone)]
pub(crate) struct PartColumn {
    pub(crate) name: String,
    pub(crate) form: Form,
    /// The type, as the database names it.
    pub(crate) declared: String,
}

/// What becomes of a part's rows on the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writing {
    /// They are inserted, with as many columns as are named first.
    Insert(usize),
    /// The last column is set in rows that are there.
    Update,
}

/// Rows that are copied together, as one database has them.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// What it is called in reports.
    pub(crate) name: &'static str,
    pub(crate) table: &'static str,
    /// Those of the primary key first.
    pub(crate) columns: Vec<PartColumn>,
    /// How many columns the primary key has.
    pub(crate) key: usize,
    /// Which rows it has, if not all of the table.
    pub(crate) condition: Option<&'static str>,
    pub(crate) writing: Writing,
}

impl Part {
    /// How many columns are written.
    pub(crate) fn width(&self) -> usize {
        match self.writing {
            Writing::Insert(width) => width,
            Writing::Update => self.columns.len(),
        }
    }

    /// The columns of the primary key.
    pub(crate) fn key_columns(&self) -> &[PartColumn] {
        &self.columns[..self.key]
    }

    /// The key of a row, for people.
    pub(crate) fn shown_key(&self, row: &Row) -> String {
        let values = row[..self.key].iter().map(|value| value.as_deref().unwrap_or("null"));
        values.collect::<Vec<_>>().join(" ")
    }
}

/// A part on both sides: the same columns in the same order, each as its database has it.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    pub(crate) source: Arc<Part>,
    pub(crate) target: Arc<Part>,
}

/// The column by which customers refer to addresses, which refer to customers themselves.
const BILLING_ADDRESS: &str = "billing_address_id";

/// All that is copied, each part after those that its rows refer to, and the columns that cannot be.
pub(crate) fn pairs(source: &Catalog, target: &Catalog) -> (Vec<Pair>, Vec<LeftBehind>) {
    let (mut pairs, mut left_behind) = (Vec::new(), Vec::new());
    for table in Table::ALL {
        let pair = pair(table, source, target, &mut left_behind);
        pairs.push(pair);
        if table == Table::Address {
            pairs.push(billing_addresses());
        }
    }
    (pairs, left_behind)
}

fn pair(table: Table, source: &Catalog, target: &Catalog, left_behind: &mut Vec<LeftBehind>) -> Pair {
    let key = key_of(table);
    let mut columns = Vec::new();
    for column in source.columns(table) {
        match target.columns(table).iter().find(|candidate| candidate.name == column.name) {
            Some(twin) if fits(form_of(column), form_of(twin)) => columns.push((column, twin)),
            twin => left_behind.push(LeftBehind {
                table: table.name(),
                column: column.name.clone(),
                declared: column.declared.clone(),
                declared_on_target: twin.map(|twin| twin.declared.clone()),
            }),
        }
    }
    let place = |name: &str| match key.iter().position(|part| *part == name) {
        Some(place) => place,
        // Written after the addresses, so behind all that is written at first.
        None if name == BILLING_ADDRESS && table == Table::Customer => usize::MAX,
        None => key.len(),
    };
    columns.sort_by_key(|(column, _)| place(&column.name));
    let inserted = columns.iter().filter(|(column, _)| place(&column.name) < usize::MAX).count();
    let part = |columns: Vec<&Column>| {
        Arc::new(Part {
            name: table.name(),
            table: table.name(),
            columns: columns.into_iter().map(PartColumn::from).collect(),
            key: key.len(),
            condition: None,
            writing: Writing::Insert(inserted),
        })
    };
    Pair {
        source: part(columns.iter().map(|(column, _)| *column).collect()),
        target: part(columns.iter().map(|(_, twin)| *twin).collect()),
    }
}

/// The columns of the primary key, in an order in which both engines can read all rows by an index.
fn key_of(table: Table) -> &'static [&'static str] {
    match table {
        Table::CustomerGroupCustomers => &["customer_group_id", "customer_id"],
        Table::PriceListCustomerGroups => &["price_list_id", "customer_group_id"],
        Table::DiscountConditionCustomerGroup => &["condition_id", "customer_group_id"],
        _ => &["id"],
    }
}

fn text(name: &str) -> PartColumn {
    PartColumn { name: name.to_owned(), form: Form::Text, declared: "text".to_owned() }
}

fn alike(part: Part) -> Pair {
    let part = Arc::new(part);
    Pair { source: Arc::clone(&part), target: part }
}

/// Where customers are billed at: written when the addresses are there.
fn billing_addresses() -> Pair {
    alike(Part {
        name: "customer.billing_address_id",
        table: Table::Customer.name(),
        columns: vec![text("id"), text(BILLING_ADDRESS)],
        key: 1,
        condition: Some("billing_address_id IS NOT NULL"),
        writing: Writing::Update,
    })
}

/// Stheno's own API tokens. One whose user is gone lets nobody in.
pub(crate) fn api_tokens() -> Pair {
    let time = PartColumn {
        name: "created_at".to_owned(),
        form: Form::Time,
        declared: "timestamp with time zone".to_owned(),
    };
    alike(Part {
        name: API_TOKENS,
        table: API_TOKENS,
        columns: vec![text("token_hash"), text("user_id"), time],
        key: 1,
        condition: Some("user_id IN (SELECT id FROM \"user\")"),
        writing: Writing::Insert(3),
    })
}

/// The table of Stheno's own API tokens.
pub(crate) const API_TOKENS: &str = "stheno_api_token";

impl From<&Column> for PartColumn {
    fn from(column: &Column) -> Self {
        Self { name: column.name.clone(), form: form_of(column), declared: column.declared.clone() }
    }
}

fn form_of(column: &Column) -> Form {
    match column.kind {
        ColumnKind::Text | ColumnKind::Secret => Form::Text,
        ColumnKind::Boolean => Form::Boolean,
        ColumnKind::Json => Form::Json,
        // A time without a zone is no moment, and stays as it is written.
        ColumnKind::Time if is_without_zone(&column.declared) => Form::Other,
        ColumnKind::Time => Form::Time,
        ColumnKind::Plain => form_of_type(&column.declared),
    }
}

fn is_without_zone(declared: &str) -> bool {
    let declared = declared.to_ascii_lowercase();
    declared.starts_with("timestamp") && declared != "timestamptz" && !declared.ends_with("with time zone")
        || declared.ends_with("without time zone")
}

fn form_of_type(declared: &str) -> Form {
    let declared = declared.to_ascii_lowercase();
    if declared.ends_with("[]") {
        return Form::Other;
    }
    match declared.split([' ', '(']).next().unwrap_or_default() {
        "text" | "varchar" | "character" | "char" | "clob" => Form::Text,
        "int" | "integer" | "tinyint" | "smallint" | "mediumint" | "bigint" | "int2" | "int4" | "int8"
        | "real" | "double" | "float" | "float4" | "float8" | "numeric" | "decimal" => Form::Number,
        "bytea" | "blob" => Form::Bytes,
        _ => Form::Other,
    }
}

/// Whether values of one form can be written as another. A type that only one engine has is the database's to judge.
fn fits(source: Form, target: Form) -> bool {
    source == target || target == Form::Text || source == Form::Other || target == Form::Other
}

/// JSON so that equal values are equal texts.
pub(crate) fn json_text(text: &str) -> String {
    rewritten(text, json::write_exactly)
}

/// A number so that equal values are equal texts.
pub(crate) fn number_text(text: &str) -> String {
    rewritten(text, json::write_number_exactly)
}

fn rewritten(text: &str, write: fn(&mut Vec<u8>, &[u8])) -> String {
    let mut written = Vec::with_capacity(text.len());
    write(&mut written, text.as_bytes());
    String::from_utf8(written).unwrap_or_else(|_| text.to_owned())
}
