//! Where a new password comes from: standard input, the terminal, or made up.

use std::io::{self, IsTerminal as _};

use anyhow::{Context as _, Result, ensure};
use stheno_auth::secret::Secret;

use crate::credential::Credential;
use crate::exit::{Exit, failure};
use crate::password;
use crate::remote::{ask, note};

/// The password of somebody new.
#[derive(Debug, clap::Args)]
pub(crate) struct PasswordSource {
    /// Read the password from the first line of standard input
    #[arg(long, conflicts_with = "generate_password")]
    password_stdin: bool,

    /// Make up a password and print it, instead of asking for one at a terminal
    #[arg(long)]
    generate_password: bool,
}

/// The password of somebody who may keep the old one.
#[derive(Debug, clap::Args)]
pub(crate) struct NewPassword {
    #[command(flatten)]
    source: PasswordSource,

    /// Ask for a new password at the terminal
    #[arg(long, conflicts_with_all = ["password_stdin", "generate_password"])]
    ask_password: bool,
}

impl PasswordSource {
    /// The password. Where none is given and nobody can be asked, one is made up.
    pub(crate) fn read(&self) -> Result<Credential> {
        let chosen = if self.password_stdin {
            Some(ask::secret_on_standard_input("password")?)
        } else if self.generate_password || !io::stdin().is_terminal() {
            None
        } else {
            ask_twice()?
        };
        if chosen.as_ref().is_some_and(password::is_short) {
            note("Warning: the password is short, and guessed soon")?;
        }
        Credential::chosen_or(chosen, password::generate)
    }
}

impl NewPassword {
    /// The password, if there is to be a new one.
    pub(crate) fn read(&self) -> Result<Option<Credential>> {
        if self.ask_password && !io::stdin().is_terminal() {
            return Err(failure(
                Exit::Usage,
                "there is no terminal to ask for the password at: give --password-stdin, or --generate-password",
            ));
        }
        let PasswordSource { password_stdin, generate_password } = self.source;
        let wanted = password_stdin || generate_password || self.ask_password;
        wanted.then(|| self.source.read()).transpose()
    }
}

/// Asks at the terminal, without showing what is typed. `None` if nothing is typed.
fn ask_twice() -> Result<Option<Secret>> {
    let ask = |prompt| rpassword::prompt_password(prompt).context("cannot ask for a password");
    let password = ask("Password (leave it empty to have one made up): ")?;
    if password.is_empty() {
        return Ok(None);
    }
    ensure!(
        ask("Once more: ")? == password,
        "the two passwords differ: nothing was changed, so run the command again"
    );
    Ok(Some(password.parse()?))
}
