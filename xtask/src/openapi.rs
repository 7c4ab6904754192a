//! The API's description: written from the code, and tested against the program.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::command::{Stream, cargo, follow, run};
use crate::count::Count;
use crate::python;

const DOCUMENT: &str = "openapi/openapi.json";

/// The tests in Python: validator, generated client, schemathesis.
pub(crate) const TESTS: &str = "tests/openapi";

/// Writes the document that the code has, for a test to compare.
pub(crate) fn write() -> Result<()> {
    // Built apart, so that what the compiler says is seen.
    let example = "--package=stheno-server --example=openapi --locked";
    run(&mut cargo(&format!("build {example}")))?;
    let output = cargo(&format!("run --quiet {example}")).stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success() && !output.stdout.is_empty(), "the document could not be made");
    fs::write(DOCUMENT, output.stdout).with_context(|| format!("cannot write {DOCUMENT}"))
}

/// Tests the program, which was built, against the document.
pub(crate) fn test(binary: &Path) -> Result<(bool, Count)> {
    let mut count = Count::default();
    let mut pytest = Command::new(python::program(TESTS, "python")?);
    pytest.args(["-m", "pytest", "-rfE"]).current_dir(TESTS);
    pytest.env("STHENO_BIN", binary).env("PYTHONDONTWRITEBYTECODE", "1");
    // What the caller's environment says of other runs is not meant for this one.
    pytest.env_remove("STHENO_DATABASE").env_remove("PYTEST_ADDOPTS");
    let succeeded = follow(&mut pytest, Stream::Output, |line| count.read_pytest(line))?;
    ensure!(!succeeded || count.passed > 0, "no test ran in {TESTS}");
    Ok((succeeded, count))
}
