//! How far a copy is, and what it has done.

use std::fmt;

/// What a copy is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// What an earlier run has written is compared with the source as it is now.
    Comparing,
    /// Rows are written.
    Copying,
    /// Both sides are compared.
    Checking,
}

/// How far a copy is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// What it is at.
    pub step: Step,
    /// The table, or the column that is written by itself.
    pub name: &'static str,
    /// How many rows are done.
    pub done: u64,
    /// How many rows there are.
    pub total: u64,
}

/// What has become of a table's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedTable {
    /// The table, or the column that is written by itself.
    pub name: &'static str,
    /// How many rows the source has.
    pub rows: u64,
    /// How many were written.
    pub written: u64,
    /// How many were there already.
    pub present: u64,
    /// How many could not be copied.
    pub left_out: u64,
}

/// A row that cannot be copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The table, or the column that is written by itself.
    pub name: &'static str,
    /// The row's primary key; the values of a key of several columns with a space between.
    pub key: String,
    /// What is in the way.
    pub reason: Reason,
}

/// What is in the way of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The target has a row with its key, with other values in these columns.
    Differs(Vec<String>),
    /// Another row of the target has the same value in these columns, with commas between.
    Taken(String),
    /// What these columns, with commas between, refer to is not there. SQLite says `it`, and not which.
    Missing(String),
    /// The target cannot hold a value, or a rule of the target's forbids the row.
    Unfit(String),
    /// The target has a row that the source does not have.
    NotInSource,
    /// The target has a row that was changed later than the source's.
    ChangedLater,
}

impl Reason {
    /// The reason as a word that programs compare with.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Differs(_) => "differs",
            Self::Taken(_) => "taken",
            Self::Missing(_) => "missing_reference",
            Self::Unfit(_) => "unfit",
            Self::NotInSource => "not_in_source",
            Self::ChangedLater => "changed_later",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Differs(columns) => write!(formatter, "is there with another {}", columns.join(", ")),
            Self::Taken(columns) => write!(formatter, "another row has its {columns}"),
            Self::Missing(columns) => write!(formatter, "what {columns} refers to is not there"),
            Self::Unfit(text) => write!(formatter, "does not fit: {text}"),
            Self::NotInSource => formatter.write_str("is in the target alone"),
            Self::ChangedLater => formatter.write_str("was changed later in the target than in the source"),
        }
    }
}

/// A column that the target does not have, or has of a type that cannot hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftBehind {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: String,
    /// The source's type.
    pub declared: String,
    /// The target's type, if it has such a column.
    pub declared_on_target: Option<String>,
}

impl fmt::Display for LeftBehind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, column, declared, declared_on_target } = self;
        write!(formatter, "{table}.{column} ({declared}")?;
        match declared_on_target {
            Some(other) => write!(formatter, ", on the target {other})"),
            None => write!(formatter, ")"),
        }
    }
}

/// What a copy has done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopyReport {
    /// Whether an earlier run was continued.
    pub continued: bool,
    /// What has become of each table's rows, in the order in which they were copied.
    pub tables: Vec<CopiedTable>,
    /// The rows that could not be copied.
    pub conflicts: Vec<Conflict>,
    /// The columns that hold something, and were left behind.
    pub left_behind: Vec<LeftBehind>,
}
