//! Ids from the command line, files and standard input, in any number.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::exit::{Exit, failure};

/// How ids are read, as `--help` tells it.
pub(crate) const RULE: &str = "\
Files and standard input hold ids in lines or with commas between them, or CSV with a column `id` or `email`, such as \
--output csv writes. An id that comes twice counts once.";

#[derive(Debug, clap::Args)]
pub(crate) struct Ids {
    /// Ids; - for those on standard input
    #[arg(value_name = "ID", required_unless_present = "files")]
    ids: Vec<String>,

    /// File with ids, as often as needed
    #[arg(long = "ids-file", value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Ids {
    /// Whether it is one id on the command line: then the answer is one record.
    pub(crate) fn is_one(&self) -> bool {
        self.files.is_empty() && self.ids.len() == 1 && self.ids[0] != "-"
    }

    /// All of them, each once, in the order in which they came.
    pub(crate) fn read(self) -> Result<Vec<String>> {
        let mut ids = Vec::new();
        for id in self.ids {
            if id == "-" {
                read_from(io::stdin().lock(), "standard input", &mut ids)?;
            } else {
                ids.push(id);
            }
        }
        for path in self.files {
            let shown = path.display().to_string();
            let file = File::open(&path)
                .with_context(|| format!("cannot open {shown}, which --ids-file names"))
                .map_err(|error| failure(Exit::Usage, format!("{error:#}")))?;
            read_from(BufReader::new(file), &shown, &mut ids)?;
        }
        let mut seen = HashSet::with_capacity(ids.len());
        ids.retain(|id| seen.insert(id.clone()));
        Ok(ids)
    }
}

/// Reads ids: those of a column `id` or `email`, if the first line names one, or else every word between commas.
fn read_from(mut source: impl BufRead, name: &str, ids: &mut Vec<String>) -> Result<()> {
    let start = source.fill_buf().with_context(|| format!("cannot read {name}"))?;
    if start.trim_ascii_start().starts_with(b"[") || start.trim_ascii_start().starts_with(b"{") {
        return Err(failure(
            Exit::Usage,
            format!(
                "{name} holds JSON: give ids in lines, or CSV with a column id, as --output csv writes it"
            ),
        ));
    }
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(source);
    let mut column = None;
    for (number, record) in reader.records().enumerate() {
        let record = record.with_context(|| format!("cannot read {name}"))?;
        if number == 0 {
            let named = |name: &str| record.iter().position(|field| field.eq_ignore_ascii_case(name));
            column = named("id").or_else(|| named("email"));
            if column.is_some() {
                continue;
            }
        }
        let found =
            record.iter().enumerate().filter(|(index, _)| column.is_none_or(|column| column == *index));
        ids.extend(found.map(|(_, id)| id).filter(|id| !id.is_empty()).map(str::to_owned));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Vec<String> {
        let mut ids = Vec::new();
        read_from(text.as_bytes(), "a text", &mut ids).unwrap();
        ids
    }

    #[test]
    fn ids_come_in_lines_in_rows_and_in_columns() {
        assert_eq!(ids("cus_1\n\n  cus_2\r\ncus_3"), ["cus_1", "cus_2", "cus_3"]);
        assert_eq!(ids("cus_1, cus_2,\ncus_3,\n"), ["cus_1", "cus_2", "cus_3"]);
        assert_eq!(ids("name,id\n\"Smith, Ida\",cus_1\n\"x\",cus_2\n"), ["cus_1", "cus_2"]);
        assert_eq!(ids("Email\nada@example.com\n"), ["ada@example.com"]);
        assert_eq!(ids(""), [""; 0]);
    }

    #[test]
    fn json_is_refused_in_those_words() {
        let error = read_from(" [\n{\"id\": \"cus_1\"}]".as_bytes(), "standard input", &mut Vec::new());
        assert!(error.unwrap_err().to_string().contains("holds JSON"));
    }
}
