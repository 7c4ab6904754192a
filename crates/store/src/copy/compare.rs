//! Rows of two databases, side by side.

use std::collections::HashMap;

use super::part::{Part, Row};
use super::{Conflict, Reason};

/// Rows of one side, beside those of the other side with the same keys.
pub(super) struct Compared {
    /// How many are there, and alike.
    pub(super) alike: usize,
    /// Those that the other side does not have.
    pub(super) missing: Vec<Row>,
    /// Those that the other side has otherwise.
    pub(super) different: Vec<Row>,
    /// The columns in which they differ.
    columns: Vec<Vec<String>>,
}

impl Compared {
    /// Compares the first `width` columns.
    pub(super) fn new(part: &Part, rows: &[Row], found: &[Row], width: usize) -> Self {
        let found: HashMap<_, _> = found.iter().map(|row| (&row[..part.key], row)).collect();
        let mut compared = Self { alike: 0, missing: Vec::new(), different: Vec::new(), columns: Vec::new() };
        for row in rows {
            match found.get(&row[..part.key]) {
                None => compared.missing.push(row.clone()),
                Some(other) if row[..width] == other[..width] => compared.alike += 1,
                Some(other) => {
                    let columns = part.columns[..width].iter().enumerate();
                    let differing = columns.filter(|(index, _)| row[*index] != other[*index]);
                    compared.columns.push(differing.map(|(_, column)| column.name.clone()).collect());
                    compared.different.push(row.clone());
                }
            }
        }
        compared
    }

    /// Those that differ, as conflicts.
    pub(super) fn conflicts(&self, part: &Part) -> Vec<Conflict> {
        let different = self.different.iter().zip(&self.columns);
        different
            .map(|(row, columns)| Conflict {
                name: part.name,
                key: part.shown_key(row),
                reason: Reason::Differs(columns.clone()),
            })
            .collect()
    }
}
