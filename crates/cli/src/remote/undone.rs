//! What of many did not go through.

use anyhow::Result;
use serde_json::json;

use super::output::Output;
use crate::is_broken_pipe;

/// What standard output has after a command on many, as `--help` tells it.
pub(crate) const RULE: &str = "\
Standard output has what did not go through, also after Ctrl-C: rows with id and reason. It can be given to the next run.";

/// Those that did not go through, and why.
#[derive(Debug, Default)]
pub(crate) struct Undone(Vec<(String, &'static str)>);

impl Undone {
    pub(crate) fn extend(&mut self, ids: impl IntoIterator<Item = String>, reason: &'static str) {
        self.0.extend(ids.into_iter().map(|id| (id, reason)));
    }

    /// Writes them. A reader who has enough of it does not make the rest a success.
    pub(crate) fn write(&self, output: Output) -> Result<()> {
        self.write_rows(output).or_else(|error| if is_broken_pipe(&error) { Ok(()) } else { Err(error) })
    }

    fn write_rows(&self, output: Output) -> Result<()> {
        let mut rows = output.rows(["id", "reason"]);
        for (id, reason) in &self.0 {
            rows.add(&json!({ "id": id, "reason": reason }))?;
        }
        rows.finish()
    }
}
