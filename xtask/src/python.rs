//! Environments of Python with the packages of a committed list, outside of the checkout, where all checkouts share them.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::command::{run, version};
use crate::setup::cache;

const LIST: &str = "requirements.txt";

/// A program of the environment that the list in `folder` makes, such as `python`.
pub(crate) fn program(folder: &str, name: &str) -> Result<PathBuf> {
    Ok(environment(folder)?.join("bin").join(name))
}

/// Whether the environment is there, whole.
pub(crate) fn is_there(folder: &str) -> Result<bool> {
    Ok(mark(&environment(folder)?).is_file())
}

/// Makes the environment with the packages that the list in `folder` names.
pub(crate) fn install(folder: &str) -> Result<()> {
    let environment = environment(folder)?;
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment).stdin(Stdio::null()))?;
    let mut pip = Command::new(program(folder, "python")?);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--requirement",
    ]);
    run(pip.arg(Path::new(folder).join(LIST)).stdin(Stdio::null()))?;
    fs::write(mark(&environment), "").context("cannot mark the Python packages as installed")
}

/// An environment that was made only in part has no mark.
fn mark(environment: &Path) -> PathBuf {
    environment.join("installed")
}

/// In the cache, by what the list names and by the Python there is.
fn environment(folder: &str) -> Result<PathBuf> {
    let list = Path::new(folder).join(LIST);
    let list = fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
    let mut hasher = DefaultHasher::new();
    (list, version("python3")).hash(&mut hasher);
    Ok(cache()?.join("python").join(format!("{:016x}", hasher.finish())))
}
