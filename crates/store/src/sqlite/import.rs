use rusqlite::types::Value as Stored;
use rusqlite::{Connection, params_from_iter};
use serde_json::{Map, Value};

use super::{Sqlite, fault};
use crate::entity::{Catalog, ColumnKind, Table};
use crate::sql::quoted;
use crate::{StoreError, metadata, time};

impl Sqlite {
    pub(crate) async fn import(
        &self,
        rows: Vec<(Table, Vec<Map<String, Value>>)>,
    ) -> Result<u64, StoreError> {
        let catalog = self.catalog.clone();
        self.writer
            .write(move |connection| {
                // Customers and addresses refer to each other, so references are checked at the end.
                connection
                    .execute_batch("PRAGMA defer_foreign_keys = ON")
                    .map_err(fault)?;
                let mut imported = 0;
                for (table, rows) in &rows {
                    for row in rows {
                        insert(connection, &catalog, *table, row)?;
                        imported += 1;
                    }
                }
                Ok(imported)
            })
            .await
    }
}

fn insert(
    connection: &Connection,
    catalog: &Catalog,
    table: Table,
    row: &Map<String, Value>,
) -> Result<(), StoreError> {
    let mut names = Vec::with_capacity(row.len());
    let mut values = Vec::with_capacity(row.len());
    for (name, value) in row {
        let Some(column) = catalog.columns(table).iter().find(|column| column.name == *name) else {
            return Err(StoreError::Schema(format!(
                "the table {} has no column {name}",
                table.name()
            )));
        };
        names.push(quoted(name));
        values.push(to_stored(column.kind, value).map_err(|error| {
            StoreError::Schema(format!(
                "{} of {} cannot hold {value}: {error}",
                name,
                table.name()
            ))
        })?);
    }
    let places = vec!["?"; values.len()].join(", ");
    let sql = format!(
        "INSERT INTO {} ({}) VALUES ({places})",
        quoted(table.name()),
        names.join(", ")
    );
    connection
        .prepare_cached(&sql)
        .and_then(|mut statement| statement.execute(params_from_iter(values)))
        .map(drop)
        .map_err(fault)
}

fn to_stored(kind: ColumnKind, value: &Value) -> Result<Stored, jiff::Error> {
    Ok(match (kind, value) {
        (_, Value::Null) => Stored::Null,
        (ColumnKind::Json, Value::Object(object)) => Stored::Text(metadata::to_text(object)),
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
