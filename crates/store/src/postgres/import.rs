use std::fmt::Write as _;

use deadpool_postgres::Transaction;
use futures::FutureExt as _;
use serde_json::{Map, Value};
use tokio_postgres::types::ToSql;

use super::{Postgres, fault};
use crate::entity::{Catalog, ColumnKind, Table};
use crate::sql::quoted;
use crate::{StoreError, time};

/// The column by which customers refer to addresses, which refer to customers themselves.
const BILLING_ADDRESS: &str = "billing_address_id";

impl Postgres {
    pub(crate) async fn import(
        &self,
        mut rows: Vec<(Table, Vec<Map<String, Value>>)>,
    ) -> Result<u64, StoreError> {
        // Each table after those that its rows refer to.
        rows.sort_by_key(|(table, _)| Table::ALL.iter().position(|known| known == table));
        let catalog = std::sync::Arc::clone(self.catalogs.present());
        let import = self.pool.write(move |transaction| {
            async move {
                let mut imported = 0;
                for (table, rows) in &rows {
                    for (number, row) in (1..).zip(rows) {
                        insert(transaction, &catalog, *table, number, row).await?;
                        imported += 1;
                    }
                }
                for (_, customers) in rows.iter().filter(|(table, _)| *table == Table::Customer) {
                    for (number, row) in (1..).zip(customers) {
                        set_billing_address(transaction, number, row).await?;
                    }
                }
                Ok(imported)
            }
            .boxed()
        });
        import.await
    }
}

/// Inserts a row: a customer yet without the address it is billed at.
async fn insert(
    transaction: &Transaction<'_>,
    catalog: &Catalog,
    table: Table,
    number: usize,
    row: &Map<String, Value>,
) -> Result<(), StoreError> {
    let mut names = Vec::with_capacity(row.len());
    let mut values = Vec::with_capacity(row.len());
    let mut places = String::new();
    for (name, value) in row {
        let Some(column) = catalog.columns(table).iter().find(|column| column.name == *name) else {
            return Err(does_not_fit(table, number, &format!("there is no column {name}")));
        };
        if table == Table::Customer && name == BILLING_ADDRESS {
            continue;
        }
        names.push(quoted(name));
        values.push(
            to_text(column.kind, value).map_err(|error| {
                does_not_fit(table, number, &format!("{name} cannot hold {value}: {error}"))
            })?,
        );
        let comma = if places.is_empty() { "" } else { ", " };
        // Every value is a text that the database itself reads as the column's type.
        let _ = write!(places, "{comma}${}::text::{}", values.len(), column.declared);
    }
    if names.is_empty() {
        return Err(does_not_fit(table, number, &"it is empty"));
    }
    let sql = format!("INSERT INTO {} ({}) VALUES ({places})", quoted(table.name()), names.join(", "));
    let prepared = transaction.prepare_cached(&sql).await.map_err(fault)?;
    let values: Vec<_> = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
    transaction.execute(&prepared, &values).await.map(drop).map_err(|error| refused(table, number, error))
}

/// Writes which address a customer is billed at, now that it is there.
async fn set_billing_address(
    transaction: &Transaction<'_>,
    number: usize,
    row: &Map<String, Value>,
) -> Result<(), StoreError> {
    let (Some(Value::String(id)), Some(Value::String(address))) = (row.get("id"), row.get(BILLING_ADDRESS))
    else {
        return Ok(());
    };
    let sql = "UPDATE customer SET billing_address_id = $2 WHERE id = $1";
    let prepared = transaction.prepare_cached(sql).await.map_err(fault)?;
    transaction
        .execute(&prepared, &[id, address])
        .await
        .map(drop)
        .map_err(|error| refused(Table::Customer, number, error))
}

fn refused(table: Table, number: usize, error: tokio_postgres::Error) -> StoreError {
    match error.as_db_error() {
        // The value is of no use, or breaks a constraint.
        Some(said) if ["22", "23"].iter().any(|class| said.code().code().starts_with(class)) => {
            does_not_fit(table, number, &said.message())
        }
        _ => fault(error),
    }
}

/// Says which row it is, but not what is in it: it may be a password.
fn does_not_fit(table: Table, number: usize, reason: &dyn std::fmt::Display) -> StoreError {
    StoreError::Schema(format!("row {number} of {} does not fit: {reason}", table.name()))
}

/// A value as PostgreSQL reads it.
fn to_text(kind: ColumnKind, value: &Value) -> Result<Option<String>, jiff::Error> {
    Ok(match (kind, value) {
        (_, Value::Null) => None,
        (ColumnKind::Json, json) => Some(json.to_string()),
        (ColumnKind::Time, Value::String(text)) => Some(time::to_text(text.parse()?)),
        (_, Value::String(text)) => Some(text.clone()),
        (_, json) => Some(json.to_string()),
    })
}
