//! Rows to JSON, without anything in between.

use std::io::Write as _;

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, Row, ToSql};

use crate::StoreError;
use crate::answer::Output;
use crate::entity::{Catalog, ColumnKind, Relation};
use crate::selection::Selection;
use crate::sql::{self, Dialect, Parameter, Statement};
use crate::time;

impl ToSql for Parameter {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Texts(texts) => ToSqlOutput::Owned(Value::Text(json_list(texts))),
            Self::Boolean(value) => ToSqlOutput::Owned(Value::Integer(i64::from(*value))),
            Self::Integer(value) => ToSqlOutput::Owned(Value::Integer(*value)),
            Self::Time(time) => ToSqlOutput::Owned(Value::Text(time::to_text(*time))),
        })
    }
}

/// A list of texts as SQLite's `json_each` takes it.
pub(super) fn json_list(texts: &[String]) -> String {
    serde_json::Value::from(texts).to_string()
}

/// Runs `each` on every row of a statement.
pub(super) fn for_each_row(
    connection: &Connection,
    statement: &Statement,
    mut each: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut prepared = connection.prepare_cached(&statement.text).map_err(super::fault)?;
    let parameters = rusqlite::params_from_iter(&statement.parameters);
    let mut rows = prepared.query(parameters).map_err(super::fault)?;
    while let Some(row) = rows.next().map_err(super::fault)? {
        each(row)?;
    }
    Ok(())
}

/// Writes the rows of a selection as JSON objects.
pub(super) struct RowWriter<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) selection: &'a Selection,
    /// The only groups that the relation `groups` of the rows holds, if not all.
    pub(super) only_groups: Option<&'a [String]>,
}

impl RowWriter<'_> {
    /// Writes all rows of `statement`, with commas between, handing on what is enough.
    pub(super) fn write_all<H>(
        &self,
        connection: &Connection,
        statement: &Statement,
        output: &mut Output<H>,
    ) -> Result<(), StoreError> {
        let mut first = true;
        for_each_row(connection, statement, |row| {
            if !std::mem::take(&mut first) {
                output.text.push(b',');
            }
            self.write(connection, row, output)
        })
    }

    fn write<H>(
        &self,
        connection: &Connection,
        row: &Row<'_>,
        output: &mut Output<H>,
    ) -> Result<(), StoreError> {
        output.text.push(b'{');
        self.write_columns(row, &mut output.text).map_err(super::fault)?;
        if !self.selection.relations.is_empty() {
            let id: String = row.get(0).map_err(super::fault)?;
            for (relation, selection) in &self.selection.relations {
                write_name(&mut output.text, relation.name());
                self.write_relation(connection, *relation, selection, &id, output)?;
            }
        }
        output.text.push(b'}');
        output.flush_if_large()
    }

    /// Writes the columns of a row that was read with the selection's columns behind its id.
    pub(super) fn write_columns(&self, row: &Row<'_>, text: &mut Vec<u8>) -> rusqlite::Result<()> {
        let columns = self.catalog.columns(self.selection.table);
        for (index, position) in self.selection.columns.iter().enumerate() {
            let column = &columns[*position];
            write_name(text, &column.name);
            write_value(text, column.kind, row.get_ref(index + 1)?);
        }
        Ok(())
    }

    fn write_relation<H>(
        &self,
        connection: &Connection,
        relation: Relation,
        selection: &Selection,
        id: &str,
        output: &mut Output<H>,
    ) -> Result<(), StoreError> {
        let (open, close) = if relation.is_list() { ("[", "]") } else { ("", "") };
        output.text.extend_from_slice(open.as_bytes());
        let mut found = false;
        // A database without the table has no rows of it either.
        if !self.catalog.columns(selection.table).is_empty() {
            let only = self.only_groups.filter(|_| relation == Relation::Groups);
            let statement = sql::related(Dialect::Sqlite, self.catalog, relation, selection, only, id);
            let rows = RowWriter { catalog: self.catalog, selection, only_groups: None };
            for_each_row(connection, &statement, |row| {
                if std::mem::replace(&mut found, true) {
                    output.text.push(b',');
                }
                rows.write(connection, row, output)
            })?;
        }
        if !found && !relation.is_list() {
            output.text.extend_from_slice(b"null");
        }
        output.text.extend_from_slice(close.as_bytes());
        Ok(())
    }
}

/// Writes `"name":`, with a comma before if it is not the first of its object.
fn write_name(text: &mut Vec<u8>, name: &str) {
    if text.last() != Some(&b'{') {
        text.push(b',');
    }
    write_text(text, name);
    text.push(b':');
}

fn write_value(text: &mut Vec<u8>, kind: ColumnKind, value: ValueRef<'_>) {
    match (kind, value) {
        (_, ValueRef::Null) => text.extend_from_slice(b"null"),
        (ColumnKind::Boolean, ValueRef::Integer(value)) => {
            text.extend_from_slice(if value == 0 { b"false" } else { b"true" });
        }
        // SQLite takes any text in a column that a shop has added. It must not break the answer.
        (ColumnKind::Json, ValueRef::Text(json)) if is_json(json) => text.extend_from_slice(json),
        (ColumnKind::Time, ValueRef::Text(stored)) if time::write_wire(text, stored) => {}
        (_, ValueRef::Text(value)) => write_text(text, &String::from_utf8_lossy(value)),
        (_, ValueRef::Integer(value)) => write_display(text, value),
        (_, ValueRef::Real(value)) => write_display(text, serde_json::Value::from(value)),
        (_, ValueRef::Blob(_)) => text.extend_from_slice(b"null"),
    }
}

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
}

fn write_text(text: &mut Vec<u8>, value: &str) {
    if serde_json::to_writer(text, value).is_err() {
        unreachable!("writing to a vector does not fail");
    }
}

fn write_display(text: &mut Vec<u8>, value: impl std::fmt::Display) {
    if write!(text, "{value}").is_err() {
        unreachable!("writing to a vector does not fail");
    }
}
