//! Rows on standard output: as a table, JSON or CSV.

use std::collections::HashSet;
use std::io::{self, BufWriter, Stdout, Write as _};

use anyhow::Result;
use clap::ValueEnum;
use comfy_table::Table;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::printable;

/// How rows are written, as `--help` tells it.
pub(crate) const RULE: &str = "\
Output: table is for people, and its times are UTC; csv has the columns that --help names, in that order; json has the \
rows as the API answers them, one to a line. csv and json are written as rows come, so their number does not matter. A \
spreadsheet takes for a formula what begins with =, +, - or @, and customers choose their names: import csv as text.";

#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Output {
    /// How the result is written, to standard output
    #[arg(
        short = 'o',
        long = "output",
        env = "STHENO_OUTPUT",
        value_name = "FORMAT",
        value_enum,
        default_value_t = Format::Table,
        global = true
    )]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
    Csv,
}

/// The columns of rows in csv and tables.
#[derive(Debug)]
pub(crate) struct Columns {
    names: Vec<String>,
    /// Whether somebody chose them.
    chosen: bool,
}

impl Columns {
    /// The usual ones, or the id and those asked for; and then those of related records, of which there is one with
    /// their number.
    pub(crate) fn new(usual: &[&str], fields: &[impl ToString], relations: &[impl ToString]) -> Self {
        let mut names: Vec<String> = if fields.is_empty() {
            usual.iter().map(ToString::to_string).collect()
        } else {
            std::iter::once("id".to_owned()).chain(fields.iter().map(ToString::to_string)).collect()
        };
        names.extend(relations.iter().map(ToString::to_string));
        names.iter_mut().for_each(|name| name.truncate(name.find('.').unwrap_or(name.len())));
        let mut seen = HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        Self { names, chosen: !fields.is_empty() }
    }

    /// Those of one record.
    pub(crate) fn of_record(self) -> Vec<String> {
        self.names
    }

    /// Those of rows: in a table, metadata would leave no room for anything else, unless it was asked for.
    pub(crate) fn of_rows(mut self, output: Output) -> Vec<String> {
        if output.format == Format::Table && !self.chosen {
            self.names.retain(|name| name != "metadata");
        }
        self.names
    }
}

/// Rows on their way out.
pub(crate) struct Rows {
    columns: Vec<String>,
    sink: Sink,
}

enum Sink {
    /// Held until the end, because every row has a say in how wide columns are.
    Table(Vec<Vec<String>>),
    Json {
        out: BufWriter<Stdout>,
        first: bool,
    },
    Csv {
        out: Box<csv::Writer<Stdout>>,
        first: bool,
    },
}

impl Output {
    /// Rows with these columns. Nothing is written before the first of them, or the end, so that a failure is no empty list.
    pub(crate) fn rows<C: Into<String>>(self, columns: impl IntoIterator<Item = C>) -> Rows {
        let columns: Vec<String> = columns.into_iter().map(Into::into).collect();
        let sink = match self.format {
            Format::Table => Sink::Table(Vec::new()),
            Format::Json => Sink::Json { out: BufWriter::new(io::stdout()), first: true },
            Format::Csv => Sink::Csv { out: Box::new(csv::Writer::from_writer(io::stdout())), first: true },
        };
        Rows { columns, sink }
    }

    /// Writes one record, which is no list: the table has a line for each column.
    pub(crate) fn record<C: Into<String>>(
        self,
        columns: impl IntoIterator<Item = C>,
        record: &impl Serialize,
    ) -> Result<()> {
        let record = serde_json::to_value(record)?;
        match self.format {
            Format::Json => Ok(writeln!(io::stdout(), "{record:#}")?),
            Format::Csv => {
                let mut rows = self.rows(columns);
                rows.add(&record)?;
                rows.finish()
            }
            Format::Table => {
                let mut table = plain_table();
                for column in columns.into_iter().map(Into::into) {
                    let value = readable(&column, &record[&column]);
                    table.add_row([heading(&column), value]);
                }
                write_table(&mut table)
            }
        }
    }

    /// Whether rows are written as they come, so that a bar for progress has no terminal to itself.
    pub(crate) fn is_streamed(self) -> bool {
        self.format != Format::Table
    }
}

impl Rows {
    /// Adds a row.
    pub(crate) fn add(&mut self, row: &impl Serialize) -> Result<()> {
        match &mut self.sink {
            Sink::Json { out, first } => {
                out.write_all(if *first { b"[\n" } else { b",\n" })?;
                *first = false;
                serde_json::to_writer(out, row).map_err(io::Error::from)?;
            }
            Sink::Csv { out, first } => {
                let row = serde_json::to_value(row)?;
                if std::mem::take(first) {
                    out.write_record(&self.columns).map_err(broken)?;
                }
                let cells = self.columns.iter().map(|column| exact(&row[column]));
                out.write_record(cells).map_err(broken)?;
            }
            Sink::Table(rows) => {
                let row = serde_json::to_value(row)?;
                rows.push(self.columns.iter().map(|column| readable(column, &row[column])).collect());
            }
        }
        Ok(())
    }

    /// Hands on what has come so far.
    pub(crate) fn flush(&mut self) -> Result<()> {
        match &mut self.sink {
            Sink::Json { out, .. } => out.flush()?,
            Sink::Csv { out, .. } => out.flush()?,
            Sink::Table(_) => {}
        }
        Ok(())
    }

    /// Writes what is left.
    pub(crate) fn finish(mut self) -> Result<()> {
        match &mut self.sink {
            Sink::Json { out, first } => out.write_all(if *first { b"[]\n" } else { b"\n]\n" })?,
            Sink::Csv { out, first } => {
                if *first {
                    out.write_record(&self.columns).map_err(broken)?;
                }
            }
            Sink::Table(rows) => {
                let rows = std::mem::take(rows);
                if !rows.is_empty() {
                    let mut table = plain_table();
                    table.set_header(self.columns.iter().map(|column| heading(column)));
                    table.add_rows(rows);
                    write_table(&mut table)?;
                }
            }
        }
        self.flush()
    }
}

fn plain_table() -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table
}

fn write_table(table: &mut Table) -> Result<()> {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    Ok(writeln!(io::stdout(), "{}", table.trim_fmt())?)
}

/// What a column is called in a table.
fn heading(column: &str) -> String {
    match column {
        "email" => "E-MAIL".to_owned(),
        "created_at" => "CREATED (UTC)".to_owned(),
        "updated_at" => "UPDATED (UTC)".to_owned(),
        "deleted_at" => "DELETED (UTC)".to_owned(),
        "expires_at" => "EXPIRES (UTC)".to_owned(),
        "has_account" => "ACCOUNT".to_owned(),
        _ => column.replace(['_', '.'], " ").to_uppercase(),
    }
}

/// A value as programs read it. Of related records, there is their number.
fn exact(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(records) if records.iter().all(Value::is_object) => records.len().to_string(),
        other => other.to_string(),
    }
}

/// A value as people read it: times to the minute, and no characters that a terminal would obey.
fn readable(column: &str, value: &Value) -> String {
    match value {
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) if column.ends_with("_at") => text
            .parse::<Timestamp>()
            .map_or_else(|_| printable(text), |time| time.strftime("%Y-%m-%d %H:%M").to_string()),
        other => printable(&exact(other)),
    }
}

/// The fault under a row that could not be written.
fn broken(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_for_programs_or_for_people() {
        for (column, value, program, person) in [
            ("name", json!(null), "", ""),
            ("name", json!("Grün"), "Grün", "Grün"),
            ("name", json!("a\nb\u{1b}[31m"), "a\nb\u{1b}[31m", r"a\nb\u{1b}[31m"),
            ("created_at", json!("2026-01-31T08:15:30.123Z"), "2026-01-31T08:15:30.123Z", "2026-01-31 08:15"),
            ("has_account", json!(true), "true", "yes"),
            ("metadata", json!({"tier": 1}), r#"{"tier":1}"#, r#"{"tier":1}"#),
            ("customers", json!([{"id": "cus_1"}, {"id": "cus_2"}]), "2", "2"),
            ("customers", json!([]), "0", "0"),
        ] {
            assert_eq!((exact(&value).as_str(), readable(column, &value).as_str()), (program, person));
        }
    }
}
