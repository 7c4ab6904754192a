//! Values that are never flags, because everyone on a machine can read the command lines of others: from an
//! environment variable, or from a file.

use std::env::{self, VarError};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use stheno_auth::secret::Secret;

/// The value of `variable`, or the content of `file`, which `variable` with `_FILE` behind it names.
///
/// # Errors
/// If both are there, or one of them holds nothing that can be used.
pub(crate) fn given(variable: &str, file: Option<&Path>) -> Result<Option<Secret>> {
    let value = match env::var(variable) {
        Ok(value) => Some(value),
        Err(VarError::NotPresent) => None,
        Err(VarError::NotUnicode(_)) => bail!("{variable} is not UTF-8: give it a text"),
    };
    match (value, file) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => bail!("{variable} and {variable}_FILE are both set: unset one of them"),
        (Some(value), None) => {
            let secret = value
                .parse()
                .ok()
                .with_context(|| format!("{variable} is empty: give it a value, or unset it"))?;
            Ok(Some(secret))
        }
        (None, Some(path)) => from_file(variable, path).map(Some),
    }
}

fn from_file(variable: &str, path: &Path) -> Result<Secret> {
    let shown = path.display();
    let content = fs::read_to_string(path).map_err(|error| {
        anyhow!(
            "cannot read {shown}, which {variable}_FILE names: {error}; check that the file is there, that this user \
             may read it, and that it holds a text"
        )
    })?;
    Secret::from_file_content(&content)
        .ok()
        .with_context(|| format!("{shown}, which {variable}_FILE names, is empty: write the value into it"))
}
