//! A PostgreSQL database as one end of a copy.

use std::fmt::Write as _;
use std::ops::Range;

use jiff::Timestamp;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row as Found};

use super::pool::{Client, Pool};
use super::{Connector, Postgres, fault, migration, schema};
use crate::StoreError;
use crate::answer::Streaming;
use crate::copy::part::{self, Form, Part, Row, Writing};
use crate::copy::{MARK, Reason, Refused};
use crate::entity::Catalog;
use crate::sql::quoted;

/// What a piece of rows should weigh, in bytes.
const PIECE_BYTES: usize = 1024 * 1024;

/// How many rows a piece has at the most.
const PIECE_ROWS: usize = 4096;

/// How many rows the first piece has, until it is known what they weigh.
const FIRST_ROWS: usize = 128;

/// Values are texts that do not depend on who set what; rows are found by indexes, also before statistics are there; and
/// a copy takes the time it takes.
const SETTINGS: &str = "
    SET LOCAL TimeZone TO 'UTC'; SET LOCAL DateStyle TO ISO; SET LOCAL IntervalStyle TO postgres;
    SET LOCAL extra_float_digits TO 1; SET LOCAL bytea_output TO hex;
    SET LOCAL enable_seqscan TO off; SET LOCAL enable_bitmapscan TO off; SET LOCAL enable_sort TO off;
    SET LOCAL enable_hashjoin TO off; SET LOCAL enable_mergejoin TO off;
    SELECT set_config(name, '0', true) FROM pg_settings
    WHERE name IN ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')";

/// One end of a copy, with a connection of its own.
pub(crate) struct CopyEnd {
    client: Client,
    pool: Pool,
    catalog: Catalog,
    reading: Option<usize>,
}

impl Postgres {
    /// Whether a copy into this database was not finished.
    pub(crate) async fn has_half_a_copy(&self) -> Result<bool, StoreError> {
        let rows = self.pool.query("SELECT to_regclass($1::text) IS NOT NULL", &[&MARK]).await?;
        rows.first().map_or(Ok(false), |row| row.try_get(0)).map_err(fault)
    }
}

impl CopyEnd {
    /// The database as it is at this moment, whatever is written to it from now on. Nothing is made in it.
    pub(crate) async fn source(connector: Connector, streaming: Streaming) -> Result<Self, StoreError> {
        let end = Self::target(connector, streaming).await?;
        let begin = format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {SETTINGS}");
        end.client.batch_execute(&begin).await.map_err(fault)?;
        Ok(end)
    }

    /// The database, to be written.
    pub(crate) async fn target(connector: Connector, streaming: Streaming) -> Result<Self, StoreError> {
        let pool = connector.open(streaming).await?;
        let client = pool.get().await?;
        if !client.is_direct() {
            return Err(StoreError::Url(
                "cannot copy through PgBouncer: give the URL of the server itself, without pgbouncer=true"
                    .to_owned(),
            ));
        }
        Ok(Self { client, pool, catalog: Catalog::default(), reading: None })
    }

    /// Brings the tables up to date.
    pub(crate) async fn migrate(&mut self, now: Timestamp) -> Result<(), StoreError> {
        migration::make_tables(&self.pool, now, &|_| {}).await.map(drop)
    }

    /// Finds out which columns the tables have, but for what the database computes by itself: that is not copied.
    pub(crate) async fn read_catalog(&mut self) -> Result<(), StoreError> {
        self.catalog = schema::read_catalog(&***self.client).await?;
        let sql = "SELECT c.relname::text, a.attname::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                   WHERE a.attgenerated <> '' AND pg_table_is_visible(c.oid)";
        for row in self.client.query(sql, &[]).await.map_err(fault)? {
            let read = || Ok((row.try_get(0)?, row.try_get(1)?));
            let (table, column): (String, String) = read().map_err(fault)?;
            self.catalog.remove(&table, &column);
        }
        Ok(())
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// What this database is known by, also tomorrow.
    pub(crate) async fn identity(&mut self) -> Result<String, StoreError> {
        let is_allowed = "SELECT has_function_privilege('pg_control_system()', 'execute')";
        let is_allowed: bool =
            self.client.query_one(is_allowed, &[]).await.and_then(|row| row.try_get(0)).map_err(fault)?;
        let server = match is_allowed {
            true => "(SELECT system_identifier::text FROM pg_control_system())",
            false => "concat_ws(':', inet_server_addr()::text, inet_server_port()::text)",
        };
        let sql = format!(
            "SELECT concat('postgres ', {server}, ' ', d.oid::text) FROM pg_database d WHERE datname = current_database()"
        );
        self.client.query_one(&sql, &[]).await.and_then(|row| row.try_get(0)).map_err(fault)
    }

    pub(crate) async fn has_table(&mut self, name: &str) -> Result<bool, StoreError> {
        let sql = "SELECT to_regclass($1::text) IS NOT NULL";
        self.client.query_one(sql, &[&name]).await.and_then(|row| row.try_get(0)).map_err(fault)
    }

    pub(crate) async fn begin(&mut self) -> Result<(), StoreError> {
        self.reading = None;
        self.client.batch_execute(&format!("BEGIN; {SETTINGS}")).await.map_err(fault)
    }

    pub(crate) async fn commit(&mut self) -> Result<(), StoreError> {
        self.client.batch_execute("COMMIT").await.map_err(fault)
    }

    /// Runs a statement on texts, and answers how many rows it has changed.
    pub(crate) async fn execute(&mut self, sql: &str, values: &[&str]) -> Result<u64, StoreError> {
        let values: Vec<_> = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        let prepared = self.client.prepare_cached(sql).await.map_err(fault)?;
        self.client.execute(&prepared, &values).await.map_err(fault)
    }

    /// The text that is the first column of the first row.
    pub(crate) async fn text(&mut self, sql: &str) -> Result<Option<String>, StoreError> {
        let row = self.client.query_opt(sql, &[]).await.map_err(fault)?;
        row.map_or(Ok(None), |row| row.try_get(0)).map_err(fault)
    }

    pub(crate) async fn count(&mut self, part: &Part) -> Result<u64, StoreError> {
        let sql = format!("SELECT count(*) FROM {}{}", quoted(part.table), condition(part, "WHERE"));
        let row = self.client.query_one(&sql, &[]).await.map_err(fault)?;
        super::rows::count_in(&row)
    }

    /// Begins to read all rows of a part, in the order of their keys.
    pub(crate) async fn scan(&mut self, part: &Part) -> Result<(), StoreError> {
        if self.reading.is_some() {
            self.client.batch_execute("CLOSE stheno_copy").await.map_err(fault)?;
        }
        let key: Vec<String> = part.key_columns().iter().map(|column| quoted(&column.name)).collect();
        let sql = format!(
            "DECLARE stheno_copy NO SCROLL CURSOR FOR SELECT {} FROM {} t{} ORDER BY {}",
            read_columns(part),
            quoted(part.table),
            condition(part, "WHERE"),
            key.join(", ")
        );
        self.client.batch_execute(&sql).await.map_err(fault)?;
        self.reading = Some(FIRST_ROWS);
        Ok(())
    }

    /// The next rows of the part that is read; none, if there are no more.
    pub(crate) async fn next(&mut self, part: &Part) -> Result<Vec<Row>, StoreError> {
        let limit = self.reading.unwrap_or(FIRST_ROWS);
        let sql = format!("FETCH FORWARD {limit} FROM stheno_copy");
        let found = self.client.query(&sql, &[]).await.map_err(fault)?;
        let rows = found.iter().map(|row| read(part, row)).collect::<Result<Vec<_>, _>>().map_err(fault)?;
        let bytes: usize = rows.iter().flatten().flatten().map(String::len).sum();
        let each = bytes / rows.len().max(1) + 1;
        self.reading = Some((PIECE_BYTES / each).clamp(1, PIECE_ROWS));
        Ok(rows)
    }

    /// Those rows of a part that have the keys of these.
    pub(crate) async fn find(&mut self, part: &Part, rows: &[Row]) -> Result<Vec<Row>, StoreError> {
        let (keys, joins) = keys(part);
        let sql = format!(
            "SELECT {} FROM {keys} JOIN {} t ON {joins}{}",
            read_columns(part),
            quoted(part.table),
            condition(part, "AND")
        );
        let prepared = self.client.prepare_cached(&sql).await.map_err(fault)?;
        let columns = transposed(rows, part.key);
        let found = self.client.query(&prepared, &parameters(&columns)).await.map_err(fault)?;
        found.iter().map(|row| read(part, row)).collect::<Result<_, _>>().map_err(fault)
    }

    /// Writes rows, and answers which the database has refused. The others are written.
    pub(crate) async fn write(&mut self, part: &Part, rows: &[Row]) -> Result<Vec<Refused>, StoreError> {
        let sql = writing(part);
        let prepared = self.client.prepare_cached(&sql).await.map_err(fault)?;
        let mut refused = Vec::new();
        let mut pending: Vec<_> = std::iter::once(0..rows.len()).collect();
        // Where there is a fault among several rows, each half is tried by itself.
        while let Some(range) = pending.pop() {
            if range.is_empty() {
                continue;
            }
            let columns = transposed(&rows[range.clone()], part.width());
            self.client.batch_execute("SAVEPOINT stheno_rows").await.map_err(fault)?;
            let reason = match self.client.execute(&prepared, &parameters(&columns)).await {
                Ok(written) if written == range.len() as u64 => None,
                Ok(_) => Some(Reason::Missing(missing(part).to_owned())),
                Err(error) => Some(reason(error)?),
            };
            let Some(reason) = reason else {
                self.client.batch_execute("RELEASE stheno_rows").await.map_err(fault)?;
                continue;
            };
            self.client.batch_execute("ROLLBACK TO stheno_rows; RELEASE stheno_rows").await.map_err(fault)?;
            if range.len() == 1 {
                refused.push(Refused { row: range.start, reason });
            } else {
                let Range { start, end } = range;
                let middle = start + (end - start) / 2;
                pending.extend([middle..end, start..middle]);
            }
        }
        Ok(refused)
    }

    /// Runs a statement on the first keys of rows, which it compares as `{is_one}`.
    pub(crate) async fn on_keys(&mut self, sql: &str, rows: &[Row]) -> Result<(), StoreError> {
        let sql = sql.replace("{is_one}", "= ANY($1)");
        let keys: Vec<Option<&str>> = rows.iter().map(|row| row[0].as_deref()).collect();
        self.client.execute(&sql, &[&keys]).await.map(drop).map_err(fault)
    }

    /// Deletes the rows with the keys of these.
    pub(crate) async fn delete(&mut self, part: &Part, rows: &[Row]) -> Result<(), StoreError> {
        let (keys, joins) = keys(part);
        let sql = format!("DELETE FROM {} t USING {keys} WHERE {joins}", quoted(part.table));
        let columns = transposed(rows, part.key);
        self.client.execute(&sql, &parameters(&columns)).await.map(drop).map_err(fault)
    }
}

/// Keys that are given as an array for each column, as the relation `k`, and how rows of the relation `t` are found by it.
fn keys(part: &Part) -> (String, String) {
    let (mut arrays, mut names, mut joins) = (String::new(), String::new(), String::new());
    for (number, column) in (1..).zip(part.key_columns()) {
        let (comma, and) = if number == 1 { ("", "") } else { (", ", " AND ") };
        let _ = write!(arrays, "{comma}${number}::text[]");
        let _ = write!(names, "{comma}k{number}");
        let _ = write!(joins, "{and}t.{} = k.k{number}", quoted(&column.name));
    }
    (format!("unnest({arrays}) k ({names})"), joins)
}

/// The statement that writes rows, given as an array for each column.
fn writing(part: &Part) -> String {
    let (mut names, mut values, mut arrays, mut places) =
        (String::new(), String::new(), String::new(), String::new());
    let width = part.width();
    for (number, column) in (1..).zip(&part.columns[..width]) {
        let comma = if number == 1 { "" } else { ", " };
        let _ = write!(names, "{comma}{}", quoted(&column.name));
        let _ = write!(values, "{comma}v.v{number}{}", cast(&column.declared));
        let _ = write!(arrays, "{comma}${number}::text[]");
        let _ = write!(places, "{comma}v{number}");
    }
    let table = quoted(part.table);
    match part.writing {
        // What would not be read back, as it is no part of the shop, is not written: no foreign key forbids it.
        Writing::Insert(_) => format!(
            "INSERT INTO {table} ({names})
             SELECT * FROM (SELECT {values} FROM unnest({arrays}) v ({places})) n ({names}){}",
            condition(part, "WHERE")
        ),
        Writing::Update => {
            let (key, set) = (quoted(&part.columns[0].name), quoted(&part.columns[width - 1].name));
            format!(
                "UPDATE {table} t SET {set} = v.v{width} FROM unnest({arrays}) v ({places}) WHERE t.{key} = v.v1"
            )
        }
    }
}

/// What is missing, where a row was not written although nothing forbids it.
fn missing(part: &Part) -> &'static str {
    match part.writing {
        Writing::Insert(_) => "it",
        Writing::Update => "its row",
    }
}

/// The cast that makes a text a value of a type. Texts are assigned without one: a cast would cut what is too long.
fn cast(declared: &str) -> String {
    match declared.starts_with("character") || declared == "text" {
        true => String::new(),
        false => format!("::{declared}"),
    }
}

fn read_columns(part: &Part) -> String {
    let columns: Vec<String> =
        part.columns.iter().map(|column| format!("t.{}::text", quoted(&column.name))).collect();
    columns.join(", ")
}

fn condition(part: &Part, word: &str) -> String {
    part.condition.map_or_else(String::new, |condition| format!(" {word} {condition}"))
}

/// The first columns of rows, each as an array.
fn transposed(rows: &[Row], width: usize) -> Vec<Vec<Option<&str>>> {
    (0..width).map(|column| rows.iter().map(|row| row[column].as_deref()).collect()).collect()
}

fn parameters<'a>(columns: &'a [Vec<Option<&str>>]) -> Vec<&'a (dyn ToSql + Sync)> {
    columns.iter().map(|column| column as _).collect()
}

fn read(part: &Part, row: &Found) -> Result<Row, Error> {
    let values = part.columns.iter().enumerate().map(|(index, column)| {
        let text: Option<&str> = row.try_get(index)?;
        Ok(text.map(|text| match column.form {
            Form::Json => part::json_text(text),
            Form::Number => part::number_text(text),
            Form::Time => time_text(text),
            Form::Text | Form::Boolean | Form::Bytes | Form::Other => text.to_owned(),
        }))
    });
    values.collect()
}

/// `2024-11-03 08:00:00.0005+00` as a time is stored. What is not of our calendar stays as it is: infinity, and the years
/// before Christ and beyond 9999.
fn time_text(text: &str) -> String {
    const SECONDS: usize = "2024-11-03T08:00:00".len();
    let Some(local) = text.strip_suffix("+00").filter(|local| {
        local.is_ascii()
            && local.len() >= SECONDS
            && local.as_bytes()[4] == b'-'
            && local.as_bytes()[10] == b' '
    }) else {
        return text.to_owned();
    };
    let (seconds, fraction) = local.split_at(SECONDS);
    format!("{}T{}.{:0<6}Z", &seconds[..10], &seconds[11..], fraction.trim_start_matches('.'))
}

/// Why the database has refused a row; an error, if it is not for what the row holds.
fn reason(error: Error) -> Result<Reason, StoreError> {
    let Some(said) = error.as_db_error() else { return Err(fault(error)) };
    // `Key (email, has_account)=(…) already exists.`
    let columns = || {
        let columns = said.detail()?.strip_prefix("Key (")?.split(")=(").next()?;
        Some(columns.to_owned())
    };
    match said.code().code() {
        "23505" => Ok(Reason::Taken(columns().unwrap_or_else(|| "a unique value".to_owned()))),
        "23503" => Ok(Reason::Missing(columns().unwrap_or_else(|| "it".to_owned()))),
        // A trigger of the shop's, or what the column cannot hold.
        code if code == "P0001" || code.starts_with("22") || code.starts_with("23") => {
            Ok(Reason::Unfit(said.message().to_owned()))
        }
        _ => Err(fault(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_they_are_stored() {
        for (said, stored) in [
            ("2024-11-03 08:00:00.000538+00", "2024-11-03T08:00:00.000538Z"),
            ("2024-11-03 08:00:00.5+00", "2024-11-03T08:00:00.500000Z"),
            ("2024-11-03 08:00:00+00", "2024-11-03T08:00:00.000000Z"),
            ("infinity", "infinity"),
            ("10000-01-01 00:00:00+00", "10000-01-01 00:00:00+00"),
            ("0044-03-15 00:00:00+00 BC", "0044-03-15 00:00:00+00 BC"),
        ] {
            assert_eq!(time_text(said), stored);
        }
    }
}
