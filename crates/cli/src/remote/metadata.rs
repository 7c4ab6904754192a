//! Metadata on the command line.

use std::fs;

use anyhow::Result;
use serde_json::Value;
use stheno_client::Metadata;

use crate::exit::{Exit, failure};

/// How an update treats metadata, as `--help` tells it.
pub(crate) const RULE: &str = "\
Metadata is merged into what is there, one level deep: keys that are not named stay, and a value that is a list or an \
object replaces the one that is there. An empty text removes a key, as --remove-metadata does; null is kept as null.";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Metadata")]
pub(crate) struct MetadataArguments {
    /// A key and its text, as often as needed; KEY:=JSON for a number, true, false, null, a list or an object
    #[arg(long = "metadata", value_name = "KEY=TEXT", value_parser = entry)]
    entries: Vec<(String, Value)>,

    /// A JSON object with keys and values; @FILE for one in a file
    #[arg(long = "metadata-json", value_name = "JSON")]
    object: Option<String>,
}

/// Metadata of an update, which can lose keys.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Metadata")]
pub(crate) struct MetadataChanges {
    #[command(flatten)]
    metadata: MetadataArguments,

    /// A key to remove, as often as needed
    #[arg(long = "remove-metadata", value_name = "KEY")]
    removed: Vec<String>,
}

impl MetadataArguments {
    /// The metadata; `None` if none was given. Of a key that comes twice, the last counts.
    pub(crate) fn read(self) -> Result<Option<Metadata>> {
        let mut metadata = self.object.as_deref().map(object).transpose()?;
        if !self.entries.is_empty() {
            metadata.get_or_insert_default().extend(self.entries);
        }
        Ok(metadata)
    }
}

impl MetadataChanges {
    /// What to merge; an empty text stands for a key to remove.
    pub(crate) fn read(self) -> Result<Option<Metadata>> {
        let mut metadata = self.metadata.read()?;
        for key in self.removed {
            let before = metadata.get_or_insert_default().insert(key.clone(), "".into());
            if before.is_some() {
                return Err(failure(
                    Exit::Usage,
                    format!("the key {key} is both to be set and to be removed: say one of them"),
                ));
            }
        }
        Ok(metadata)
    }
}

/// `KEY=TEXT` or `KEY:=JSON`.
fn entry(text: &str) -> Result<(String, Value), String> {
    let form = || "give KEY=TEXT, or KEY:=JSON".to_owned();
    let (key, value) = text.split_once('=').ok_or_else(form)?;
    let (key, value) = match key.strip_suffix(':') {
        Some(key) => {
            let value = serde_json::from_str(value).map_err(|error| {
                format!("what follows := is no JSON ({error}); for a text, write KEY=TEXT")
            })?;
            (key, value)
        }
        None => (key, value.into()),
    };
    if key.is_empty() { Err(form()) } else { Ok((key.to_owned(), value)) }
}

/// A JSON object: the text, or what the file holds that it names.
fn object(text: &str) -> Result<Metadata> {
    let (content, source) = match text.strip_prefix('@') {
        Some(file) => {
            let content = fs::read_to_string(file).map_err(|error| {
                failure(Exit::Usage, format!("cannot read {file}, which --metadata-json names: {error}"))
            })?;
            (content, file)
        }
        None => (text.to_owned(), "--metadata-json"),
    };
    serde_json::from_str(&content).map_err(|error| {
        let message = format!("{source} holds no JSON object such as {{\"tier\": 1}}: {error}");
        failure(Exit::Usage, message)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn entries_are_texts_or_json() {
        assert_eq!(entry("tier=1"), Ok(("tier".to_owned(), json!("1"))));
        assert_eq!(entry("tier:=1"), Ok(("tier".to_owned(), json!(1))));
        assert_eq!(entry("note=a=b"), Ok(("note".to_owned(), json!("a=b"))));
        assert_eq!(entry("note="), Ok(("note".to_owned(), json!(""))));
        assert_eq!(entry("a.b:=[1, null]"), Ok(("a.b".to_owned(), json!([1, null]))));
        for wrong in ["tier", "=1", ":=1", "tier:=gold"] {
            assert!(entry(wrong).is_err(), "{wrong}");
        }
    }
}
