//! A SQLite file as one end of a copy.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Row as Found, params_from_iter};

use super::{Connector, Sqlite, closed, fault, is_duplicate, schema};
use crate::StoreError;
use crate::copy::part::{self, Form, Part, PartColumn, Row, Writing};
use crate::copy::{MARK, Reason, Refused};
use crate::entity::Catalog;
use crate::sql::quoted;
use crate::time;

/// What a piece of rows weighs, in bytes, up to its last row.
const PIECE_BYTES: usize = 1024 * 1024;

/// How many rows a piece has at the most.
const PIECE_ROWS: usize = 4096;

/// One end of a copy, with a connection of its own.
pub(crate) struct CopyEnd {
    /// None, while a thread works with it.
    connection: Option<Connection>,
    catalog: Catalog,
    identity: String,
    /// The last row that was read of the part that is being read.
    last: Option<Row>,
}

impl Sqlite {
    /// Whether a copy into this file was not finished.
    pub(crate) async fn has_half_a_copy(&self) -> Result<bool, StoreError> {
        self.readers.look_up(|connection| has_table(connection, MARK))
    }
}

impl CopyEnd {
    /// The file as it is at this moment, whatever is written to it from now on. Nothing is made in it.
    pub(crate) async fn source(connector: Connector) -> Result<Self, StoreError> {
        Self::open(connector, |connector| {
            if !connector.path.exists() {
                let path = connector.path.display();
                let text = format!("there is no database file {path}: name one that has a shop in it");
                return Err(StoreError::Url(text));
            }
            let connection = connector.open_reader()?;
            schema::refuse_foreign(&connection, |error| connector.refused(error))?;
            // The moment is that of the first read.
            connection
                .execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema")
                .map_err(|error| connector.refused(error))?;
            Ok(connection)
        })
        .await
    }

    /// The file, to be written. It is made if it is not there.
    pub(crate) async fn target(connector: Connector) -> Result<Self, StoreError> {
        Self::open(connector, Connector::open_writer).await
    }

    async fn open(
        connector: Connector,
        open: impl FnOnce(&Connector) -> Result<Connection, StoreError> + Send + 'static,
    ) -> Result<Self, StoreError> {
        let open = move || {
            let connection = open(&connector)?;
            let path = connector.path.canonicalize().map_err(StoreError::internal)?;
            let identity = format!("sqlite {}", path.display());
            Ok(Self { connection: Some(connection), catalog: Catalog::default(), identity, last: None })
        };
        tokio::task::spawn_blocking(open).await.map_err(StoreError::internal)?
    }

    /// Brings the tables up to date.
    pub(crate) async fn migrate(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.call(move |connection| schema::migrate(connection, now)).await
    }

    /// Finds out which columns the tables have.
    pub(crate) async fn read_catalog(&mut self) -> Result<(), StoreError> {
        self.catalog = self.call(|connection| schema::read_catalog(connection)).await?;
        Ok(())
    }

    /// Works with the connection on a thread that may block.
    async fn call<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let mut connection = self.connection.take().ok_or_else(closed)?;
        let work = move || {
            let outcome = work(&mut connection);
            (connection, outcome)
        };
        let (connection, outcome) = tokio::task::spawn_blocking(work).await.map_err(StoreError::internal)?;
        self.connection = Some(connection);
        outcome
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// What this file is known by, also tomorrow.
    pub(crate) async fn identity(&mut self) -> Result<String, StoreError> {
        Ok(self.identity.clone())
    }

    pub(crate) async fn has_table(&mut self, name: &str) -> Result<bool, StoreError> {
        let name = name.to_owned();
        self.call(move |connection| has_table(connection, &name).map_err(fault)).await
    }

    pub(crate) async fn begin(&mut self) -> Result<(), StoreError> {
        self.last = None;
        self.call(|connection| connection.execute_batch("BEGIN IMMEDIATE").map_err(fault)).await
    }

    pub(crate) async fn commit(&mut self) -> Result<(), StoreError> {
        self.call(|connection| connection.execute_batch("COMMIT").map_err(fault)).await
    }

    /// Runs a statement on texts, and answers how many rows it has changed.
    pub(crate) async fn execute(&mut self, sql: &str, values: &[&str]) -> Result<u64, StoreError> {
        let sql = sql.to_owned();
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        self.call(move |connection| {
            let changed = connection.execute(&sql, params_from_iter(values)).map_err(fault)?;
            Ok(changed as u64)
        })
        .await
    }

    /// The text that is the first column of the first row.
    pub(crate) async fn text(&mut self, sql: &str) -> Result<Option<String>, StoreError> {
        let sql = sql.to_owned();
        self.call(move |connection| {
            let text = connection.query_row(&sql, [], |row| row.get(0)).optional().map_err(fault)?;
            Ok(text.flatten())
        })
        .await
    }

    pub(crate) async fn count(&mut self, part: &Part) -> Result<u64, StoreError> {
        let condition = part.condition.map_or_else(String::new, |condition| format!(" WHERE {condition}"));
        let sql = format!("SELECT count(*) FROM {}{condition}", quoted(part.table));
        self.call(move |connection| {
            let count: i64 = connection.query_row(&sql, [], |row| row.get(0)).map_err(fault)?;
            Ok(count.unsigned_abs())
        })
        .await
    }

    /// Begins to read all rows of a part, in the order of their keys.
    pub(crate) async fn scan(&mut self, _part: &Part) -> Result<(), StoreError> {
        self.last = None;
        Ok(())
    }

    /// The next rows of the part that is read; none, if there are no more.
    pub(crate) async fn next(&mut self, part: &Arc<Part>) -> Result<Vec<Row>, StoreError> {
        let (part, last) = (Arc::clone(part), self.last.take());
        let rows = self.call(move |connection| read_on(connection, &part, last.as_ref())).await?;
        self.last = rows.last().cloned();
        Ok(rows)
    }

    /// Those rows of a part that have the keys of these.
    pub(crate) async fn find(&mut self, part: &Arc<Part>, rows: &Arc<[Row]>) -> Result<Vec<Row>, StoreError> {
        let (part, rows) = (Arc::clone(part), Arc::clone(rows));
        self.call(move |connection| {
            let mut statement = connection.prepare_cached(&reading(&part, &of_key(&part))).map_err(fault)?;
            let mut found = Vec::with_capacity(rows.len());
            for row in &*rows {
                let key = params_from_iter(&row[..part.key]);
                let read = statement.query_row(key, |row| read(&part, row)).optional().map_err(fault)?;
                found.extend(read);
            }
            Ok(found)
        })
        .await
    }

    /// Writes rows, and answers which the database has refused. The others are written.
    pub(crate) async fn write(
        &mut self,
        part: &Arc<Part>,
        rows: &Arc<[Row]>,
    ) -> Result<Vec<Refused>, StoreError> {
        let (part, rows) = (Arc::clone(part), Arc::clone(rows));
        self.call(move |connection| {
            let mut statement = connection.prepare_cached(&writing(&part)).map_err(fault)?;
            let mut refused = Vec::new();
            for (number, row) in rows.iter().enumerate() {
                let columns = &part.columns[..part.width()];
                let values = columns.iter().zip(row).map(|(column, value)| stored(column, value.as_deref()));
                let reason = match values.collect::<Result<Vec<_>, _>>() {
                    Err(reason) => Some(reason),
                    Ok(values) => match statement.execute(params_from_iter(values)) {
                        Ok(1) => None,
                        Ok(_) => Some(Reason::Missing("its row".to_owned())),
                        Err(error) => Some(reason(error)?),
                    },
                };
                refused.extend(reason.map(|reason| Refused { row: number, reason }));
            }
            Ok(refused)
        })
        .await
    }

    /// Runs a statement on the first keys of rows, which it compares as `{is_one}`.
    pub(crate) async fn on_keys(&mut self, sql: &str, rows: &Arc<[Row]>) -> Result<(), StoreError> {
        let (sql, rows) = (sql.replace("{is_one}", "= ?1"), Arc::clone(rows));
        self.call(move |connection| {
            let mut statement = connection.prepare_cached(&sql).map_err(fault)?;
            rows.iter().try_for_each(|row| statement.execute([&row[0]]).map(drop)).map_err(fault)
        })
        .await
    }

    /// Deletes the rows with the keys of these.
    pub(crate) async fn delete(&mut self, part: &Arc<Part>, rows: &Arc<[Row]>) -> Result<(), StoreError> {
        let (part, rows) = (Arc::clone(part), Arc::clone(rows));
        self.call(move |connection| {
            let sql = format!("DELETE FROM {} WHERE {}", quoted(part.table), of_key(&part));
            let mut statement = connection.prepare_cached(&sql).map_err(fault)?;
            let mut delete = |row: &Row| statement.execute(params_from_iter(&row[..part.key])).map(drop);
            rows.iter().try_for_each(&mut delete).map_err(fault)
        })
        .await
    }
}

fn has_table(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1)";
    connection.query_row(sql, [name], |row| row.get(0))
}

/// `"id" = ?1`, and so on.
fn of_key(part: &Part) -> String {
    let columns = (1..).zip(part.key_columns());
    let compared: Vec<String> =
        columns.map(|(number, column)| format!("{} = ?{number}", quoted(&column.name))).collect();
    compared.join(" AND ")
}

/// The statement that reads a part's rows of which `which` holds.
fn reading(part: &Part, which: &str) -> String {
    let columns: Vec<String> = part.columns.iter().map(|column| quoted(&column.name)).collect();
    let condition = part.condition.map_or_else(String::new, |condition| format!(" AND {condition}"));
    format!("SELECT {} FROM {} WHERE {which}{condition}", columns.join(", "), quoted(part.table))
}

fn read_on(connection: &Connection, part: &Part, last: Option<&Row>) -> Result<Vec<Row>, StoreError> {
    let names: Vec<String> = part.key_columns().iter().map(|column| quoted(&column.name)).collect();
    let names = names.join(", ");
    let behind = match last {
        Some(_) => {
            let places: Vec<String> = (1..=part.key).map(|number| format!("?{number}")).collect();
            format!("({names}) > ({})", places.join(", "))
        }
        None => "TRUE".to_owned(),
    };
    let sql = format!("{} ORDER BY {names}", reading(part, &behind));
    let mut statement = connection.prepare_cached(&sql).map_err(fault)?;
    let key = last.map_or(&[][..], |row| &row[..part.key]);
    let mut found = statement.query(params_from_iter(key)).map_err(fault)?;
    let (mut rows, mut bytes) = (Vec::new(), 0);
    while rows.len() < PIECE_ROWS && bytes < PIECE_BYTES {
        let Some(row) = found.next().map_err(fault)? else { break };
        let row = read(part, row).map_err(fault)?;
        bytes += row.iter().flatten().map(String::len).sum::<usize>();
        rows.push(row);
    }
    Ok(rows)
}

fn read(part: &Part, row: &Found<'_>) -> rusqlite::Result<Row> {
    let values = part.columns.iter().enumerate().map(|(index, column)| {
        Ok(match (row.get_ref(index)?, column.form) {
            (ValueRef::Null, _) => None,
            (ValueRef::Integer(number), Form::Boolean) => Some((number != 0).to_string()),
            (ValueRef::Integer(number), _) => Some(number.to_string()),
            (ValueRef::Real(number), _) => Some(part::number_text(&number.to_string())),
            (ValueRef::Blob(bytes), _) => Some(bytes_text(bytes)),
            (text @ ValueRef::Text(_), form) => Some(match (text.as_str()?, form) {
                (text, Form::Json) => part::json_text(text),
                (text, Form::Number) => part::number_text(text),
                (text, _) => text.to_owned(),
            }),
        })
    });
    values.collect()
}

/// The statement that writes a row.
fn writing(part: &Part) -> String {
    let columns = &part.columns[..part.width()];
    let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
    let table = quoted(part.table);
    match part.writing {
        Writing::Insert(width) => {
            let places = vec!["?"; width].join(", ");
            format!("INSERT INTO {table} ({}) VALUES ({places})", names.join(", "))
        }
        Writing::Update => {
            format!(
                "UPDATE {table} SET {} = ?{} WHERE {} = ?1",
                names[part.width() - 1],
                part.width(),
                names[0]
            )
        }
    }
}

/// A value as SQLite keeps it.
fn stored(column: &PartColumn, value: Option<&str>) -> Result<Value, Reason> {
    let Some(text) = value else { return Ok(Value::Null) };
    let unfit = |what: &str| Reason::Unfit(format!("{} holds {what}", column.name));
    Ok(match column.form {
        Form::Boolean => Value::Integer(i64::from(text == "true")),
        Form::Number => number(text),
        Form::Bytes => {
            text.strip_prefix("\\x").and_then(bytes).map_or(Value::Text(text.to_owned()), Value::Blob)
        }
        Form::Time if !time::is_stored_form(text.as_bytes()) => {
            return Err(unfit("a time outside of the years 1 to 9999"));
        }
        // What answers are made of must be readable.
        Form::Json if serde_json::from_str::<serde_json::Value>(text).is_err() => {
            return Err(unfit("a number that no double holds"));
        }
        Form::Text | Form::Time | Form::Json | Form::Other => Value::Text(text.to_owned()),
    })
}

/// A number, if SQLite can hold it; the text otherwise.
fn number(text: &str) -> Value {
    if let Ok(integer) = text.parse() {
        return Value::Integer(integer);
    }
    match text.parse::<f64>() {
        Ok(real) if part::number_text(&real.to_string()) == text => Value::Real(real),
        _ => Value::Text(text.to_owned()),
    }
}

fn bytes_text(bytes: &[u8]) -> String {
    let mut text = "\\x".to_owned();
    for byte in bytes {
        text.extend([byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0')));
    }
    text
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// Why the database has refused a row; an error, if it is not for what the row holds.
fn reason(error: rusqlite::Error) -> Result<Reason, StoreError> {
    let rusqlite::Error::SqliteFailure(failure, Some(message)) = &error else { return Err(fault(error)) };
    if is_duplicate(&error) {
        // `UNIQUE constraint failed: customer.email, customer.has_account`
        let columns = message.split(": ").nth(1).unwrap_or("a unique value");
        let columns: Vec<&str> =
            columns.split(", ").map(|column| column.rsplit('.').next().unwrap_or(column)).collect();
        return Ok(Reason::Taken(columns.join(", ")));
    }
    if failure.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY {
        return Ok(Reason::Missing("it".to_owned()));
    }
    match failure.code {
        ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig => {
            Ok(Reason::Unfit(message.clone()))
        }
        _ => Err(fault(error)),
    }
}
