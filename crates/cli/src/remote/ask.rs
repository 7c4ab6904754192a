//! Questions at the terminal.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use anyhow::{Context as _, Result};
use stheno_auth::secret::Secret;

use super::printable;
use crate::exit::{Exit, failure};

/// Whether there is somebody to ask.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks whether to go on, unless that has been said already.
///
/// # Errors
/// If the answer is no, or nobody can be asked.
pub(crate) fn confirm(question: &str, yes: bool) -> Result<()> {
    if yes {
        return Ok(());
    }
    if !can_ask() {
        return Err(failure(
            Exit::Usage,
            "there is no terminal to ask at whether this is meant: say so with --yes, or try it with --dry-run",
        ));
    }
    let answer = line(&format!("{question} [y/N] "))?;
    if ["y", "yes"].contains(&answer.to_lowercase().as_str()) {
        return Ok(());
    }
    Err(failure(Exit::Failure, "nothing was done"))
}

/// Asks for a line of text.
pub(crate) fn line(prompt: &str) -> Result<String> {
    let mut stderr = io::stderr();
    write!(stderr, "{}", printable(prompt))
        .and_then(|()| stderr.flush())
        .context("cannot ask at the terminal")?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).context("cannot read the answer")?;
    Ok(line.trim().to_owned())
}

/// Asks for something that the terminal does not show.
pub(crate) fn secret(prompt: &str) -> Result<Secret> {
    let secret = rpassword::prompt_password(prompt).context("cannot ask at the terminal")?;
    secret.parse().ok().context("nothing was typed: run the command again")
}

/// The first line of standard input.
pub(crate) fn secret_on_standard_input(what: &str) -> Result<Secret> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).with_context(|| format!("cannot read the {what}"))?;
    Secret::from_file_content(&line)
        .ok()
        .with_context(|| format!("standard input has no {what}: write it on the first line"))
}
