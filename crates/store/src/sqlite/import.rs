use rusqlite::types::Value as Stored;
use rusqlite::{Connection, ErrorCode, params_from_iter};
use serde_json::{Map, Value};

use super::{Sqlite, fault};
use crate::entity::{Catalog, ColumnKind, Table};
use crate::sql::quoted;
use crate::{StoreError, metadata, time};

/// The column by which customers refer to addresses, which refer to customers themselves.
const BILLING_ADDRESS: &str = "billing_address_id";

impl Sqlite {
    pub(crate) async fn import(
        &self,
        mut rows: Vec<(Table, Vec<Map<String, Value>>)>,
    ) -> Result<u64, StoreError> {
        // Each table after those that its rows refer to.
        rows.sort_by_key(|(table, _)| Table::ALL.iter().position(|known| known == table));
        let catalog = self.catalog.clone();
        self.writer
            .write(move |connection| {
                let mut imported = 0;
                for (table, rows) in &rows {
                    for (number, row) in (1..).zip(rows) {
                        insert(connection, &catalog, *table, number, row)?;
                        imported += 1;
                    }
                }
                for (_, customers) in rows.iter().filter(|(table, _)| *table == Table::Customer) {
                    for (number, row) in (1..).zip(customers) {
                        set_billing_address(connection, number, row)?;
                    }
                }
                Ok(imported)
            })
            .await
    }
}

/// Inserts a row: a customer yet without the address it is billed at.
fn insert(
    connection: &Connection,
    catalog: &Catalog,
    table: Table,
    number: usize,
    row: &Map<String, Value>,
) -> Result<(), StoreError> {
    let mut names = Vec::with_capacity(row.len());
    let mut values = Vec::with_capacity(row.len());
    for (name, value) in row {
        let Some(column) = catalog.columns(table).iter().find(|column| column.name == *name) else {
            return Err(does_not_fit(table, number, &format!("there is no column {name}")));
        };
        if table == Table::Customer && name == BILLING_ADDRESS {
            continue;
        }
        names.push(quoted(name));
        values.push(
            to_stored(column.kind, value).map_err(|error| {
                does_not_fit(table, number, &format!("{name} cannot hold {value}: {error}"))
            })?,
        );
    }
    if names.is_empty() {
        return Err(does_not_fit(table, number, &"it is empty"));
    }
    let places = vec!["?"; values.len()].join(", ");
    let sql = format!("INSERT INTO {} ({}) VALUES ({places})", quoted(table.name()), names.join(", "));
    connection
        .prepare_cached(&sql)
        .and_then(|mut statement| statement.execute(params_from_iter(values)))
        .map(drop)
        .map_err(|error| refused(table, number, error))
}

/// Writes which address a customer is billed at, now that it is there.
fn set_billing_address(
    connection: &Connection,
    number: usize,
    row: &Map<String, Value>,
) -> Result<(), StoreError> {
    let (Some(Value::String(id)), Some(Value::String(address))) = (row.get("id"), row.get(BILLING_ADDRESS))
    else {
        return Ok(());
    };
    connection
        .prepare_cached("UPDATE customer SET billing_address_id = ?2 WHERE id = ?1")
        .and_then(|mut statement| statement.execute([id, address]))
        .map(drop)
        .map_err(|error| refused(Table::Customer, number, error))
}

fn refused(table: Table, number: usize, error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => does_not_fit(table, number, &error),
        _ => fault(error),
    }
}

/// Says which row it is, but not what is in it: it may be a password.
fn does_not_fit(table: Table, number: usize, reason: &dyn std::fmt::Display) -> StoreError {
    StoreError::Schema(format!("row {number} of {} does not fit: {reason}", table.name()))
}

fn to_stored(kind: ColumnKind, value: &Value) -> Result<Stored, jiff::Error> {
    Ok(match (kind, value) {
        (_, Value::Null) => Stored::Null,
        (ColumnKind::Json, json) => Stored::Text(metadata::json_to_text(json.clone())),
        (ColumnKind::Time, Value::String(text)) => Stored::Text(time::to_text(text.parse()?)),
        (_, Value::String(text)) => Stored::Text(text.clone()),
        (_, Value::Bool(value)) => Stored::Integer(i64::from(*value)),
        (_, Value::Number(number)) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Stored::Integer(integer),
            (None, Some(real)) => Stored::Real(real),
            (None, None) => Stored::Null,
        },
        (_, json) => Stored::Text(json.to_string()),
    })
}
