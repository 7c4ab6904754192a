//! Rows to JSON, without anything in between.

use std::cell::OnceCell;
use std::io::Write as _;

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, Row, ToSql};

use crate::StoreError;
use crate::answer::Output;
use crate::entity::{Catalog, ColumnKind, Relation};
use crate::json::{write_constants, write_integer, write_name, write_text};
use crate::selection::{CUSTOMER_COUNT, Selection};
use crate::sql::{self, Dialect, Parameter, Statement};
use crate::time;

impl ToSql for Parameter {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Texts(texts) => ToSqlOutput::Owned(Value::Text(json_list(texts))),
            Self::Boolean(value) => ToSqlOutput::Owned(Value::Integer(i64::from(*value))),
            Self::Integer(value) => ToSqlOutput::Owned(Value::Integer(*value)),
            Self::Real(value) => ToSqlOutput::Owned(Value::Real(*value)),
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
    each: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    for_each(connection, &statement.text, &statement.parameters, each)
}

fn for_each(
    connection: &Connection,
    text: &str,
    parameters: &[Parameter],
    mut each: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut prepared = connection.prepare_cached(text).map_err(super::fault)?;
    let parameters = rusqlite::params_from_iter(parameters);
    let mut rows = prepared.query(parameters).map_err(super::fault)?;
    while let Some(row) = rows.next().map_err(super::fault)? {
        each(row)?;
    }
    Ok(())
}

/// Writes the rows of a selection as JSON objects.
pub(super) struct RowWriter<'a> {
    catalog: &'a Catalog,
    selection: &'a Selection,
    relations: Vec<RelationWriter<'a>>,
}

/// Writes the rows that a relation leads to.
struct RelationWriter<'a> {
    relation: Relation,
    /// Its first parameter is the id of the row that the relation starts from.
    statement: Statement,
    rows: RowWriter<'a>,
    /// What the relation leads to from every row alike, once it has been read; none, if rows differ in it.
    alike: Option<OnceCell<Vec<u8>>>,
}

impl<'a> RowWriter<'a> {
    /// `only_groups` are the only ones that the relation `groups` of the rows holds, if not all.
    pub(super) fn new(
        catalog: &'a Catalog,
        selection: &'a Selection,
        only_groups: Option<&[String]>,
    ) -> Self {
        let relations = selection.relations.iter().map(|(relation, selection)| {
            let only = only_groups.filter(|_| *relation == Relation::Groups);
            let rows = Self::new(catalog, selection, None);
            // The members of one group, shown with that group, are all shown with the same.
            let alike = only.is_some_and(|only| only.len() == 1) && rows.relations.is_empty();
            RelationWriter {
                relation: *relation,
                statement: sql::related(Dialect::Sqlite, catalog, *relation, selection, only),
                rows,
                alike: alike.then(OnceCell::new),
            }
        });
        Self { catalog, selection, relations: relations.collect() }
    }

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
        if !self.relations.is_empty() {
            let id: String = row.get(0).map_err(super::fault)?;
            for relation in &self.relations {
                write_name(&mut output.text, relation.relation.name());
                relation.write(connection, &id, output)?;
            }
        }
        output.text.push(b'}');
        output.flush_if_large_blocking()
    }

    /// Writes the columns of a row that was read with its id and the selection's columns.
    pub(super) fn write_columns(&self, row: &Row<'_>, text: &mut Vec<u8>) -> rusqlite::Result<()> {
        write_constants(text, self.selection.table);
        let columns = self.catalog.columns(self.selection.table);
        let first = self.selection.lead(self.catalog);
        for (index, position) in self.selection.columns.iter().enumerate() {
            let column = &columns[*position];
            write_name(text, &column.name);
            write_value(text, column.kind, row.get_ref(first + index)?);
        }
        if self.selection.customer_count {
            write_name(text, CUSTOMER_COUNT);
            write_integer(text, row.get(first + self.selection.columns.len())?);
        }
        Ok(())
    }
}

impl RelationWriter<'_> {
    fn write<H>(&self, connection: &Connection, id: &str, output: &mut Output<H>) -> Result<(), StoreError> {
        if let Some(alike) = &self.alike {
            let text = match alike.get() {
                Some(text) => text,
                None => {
                    let text = self.read_alike(connection, id)?;
                    alike.get_or_init(|| text)
                }
            };
            output.text.extend_from_slice(text);
            return Ok(());
        }
        let (open, close, nothing) = if self.relation.is_list() { ("[", "]", "") } else { ("", "", "null") };
        output.text.extend_from_slice(open.as_bytes());
        let mut found = false;
        self.for_each_row(connection, id, |row| {
            if std::mem::replace(&mut found, true) {
                output.text.push(b',');
            }
            self.rows.write(connection, row, output)
        })?;
        if !found {
            output.text.extend_from_slice(nothing.as_bytes());
        }
        output.text.extend_from_slice(close.as_bytes());
        Ok(())
    }

    /// The list that every row is shown with. Its rows have no relations themselves.
    fn read_alike(&self, connection: &Connection, id: &str) -> Result<Vec<u8>, StoreError> {
        let mut text = vec![b'['];
        self.for_each_row(connection, id, |row| {
            text.extend_from_slice(if text.len() > 1 { b",{" } else { b"{" });
            self.rows.write_columns(row, &mut text).map_err(super::fault)?;
            text.push(b'}');
            Ok(())
        })?;
        text.push(b']');
        Ok(text)
    }

    fn for_each_row(
        &self,
        connection: &Connection,
        id: &str,
        each: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        // A database without the table has no rows of it either.
        if self.rows.catalog.columns(self.rows.selection.table).is_empty() {
            return Ok(());
        }
        let mut parameters = self.statement.parameters.clone();
        parameters[0] = Parameter::Text(id.to_owned());
        for_each(connection, &self.statement.text, &parameters, each)
    }
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

fn write_display(text: &mut Vec<u8>, value: impl std::fmt::Display) {
    if write!(text, "{value}").is_err() {
        unreachable!("writing to a vector does not fail");
    }
}
