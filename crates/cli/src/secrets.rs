//! What tokens and cookies are signed with: given, or made once and kept with the data.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use secrecy::ExposeSecret as _;
use stheno_auth::secret::{Secret, SigningKeys};
use stheno_store::{Store, StoreError};

use crate::given::given;

/// Secrets that sign. Where none is given, one is made once and kept in the database
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Secrets, made once and kept in the database where none is given")]
pub(crate) struct SecretArguments {
    /// File with the secret that signs bearer tokens; or set JWT_SECRET to the secret itself
    #[arg(long, env = "JWT_SECRET_FILE", value_name = "FILE")]
    jwt_secret_file: Option<PathBuf>,

    /// File with the secret before it, whose tokens still count; or set JWT_SECRET_PREVIOUS
    #[arg(long, env = "JWT_SECRET_PREVIOUS_FILE", value_name = "FILE")]
    jwt_secret_previous_file: Option<PathBuf>,

    /// File with the secret that signs session cookies; or set COOKIE_SECRET to the secret itself
    #[arg(long, env = "COOKIE_SECRET_FILE", value_name = "FILE")]
    cookie_secret_file: Option<PathBuf>,

    /// File with the secret before it, whose sessions still count; or set COOKIE_SECRET_PREVIOUS
    #[arg(long, env = "COOKIE_SECRET_PREVIOUS_FILE", value_name = "FILE")]
    cookie_secret_previous_file: Option<PathBuf>,
}

/// The secrets that were given.
#[derive(Debug)]
pub(crate) struct Given {
    /// For bearer tokens.
    pub(crate) jwt: GivenKeys,
    /// For session cookies.
    pub(crate) cookie: GivenKeys,
}

/// The secrets for one purpose, as far as they were given.
#[derive(Debug, Clone)]
pub(crate) struct GivenKeys {
    /// The name under which the database keeps the secret that was not given.
    name: &'static str,
    /// The variable that gives it.
    variable: &'static str,
    /// What it is best set to.
    hint: &'static str,
    current: Option<Secret>,
    previous: Option<Secret>,
}

impl SecretArguments {
    /// Reads variables and files.
    pub(crate) fn read(&self) -> Result<Given> {
        Ok(Given {
            jwt: keys("jwt", "JWT_SECRET", &self.jwt_secret_file, &self.jwt_secret_previous_file)?,
            cookie: keys(
                "cookie",
                "COOKIE_SECRET",
                &self.cookie_secret_file,
                &self.cookie_secret_previous_file,
            )?,
        })
    }
}

fn keys(
    name: &'static str,
    variable: &'static str,
    file: &Option<PathBuf>,
    previous_file: &Option<PathBuf>,
) -> Result<GivenKeys> {
    let current = signing(variable, file.as_deref())?;
    let previous = given(&format!("{variable}_PREVIOUS"), previous_file.as_deref())?;
    if current.is_none() && previous.is_some() {
        tracing::info!(
            "{variable}_PREVIOUS is given without {variable}: what it signed still counts, and the secret that the \
             database keeps signs from now on"
        );
    }
    // A bearer token from either is good at both, then.
    let hint = if variable == "JWT_SECRET" { " to Medusa's jwt_secret" } else { "" };
    Ok(GivenKeys { name, variable, hint, current, previous })
}

/// A secret to sign with, with a warning if it is short.
fn signing(variable: &str, file: Option<&Path>) -> Result<Option<Secret>> {
    let secret = given(variable, file)?;
    if secret.as_ref().is_some_and(Secret::is_short) {
        tracing::warn!(
            "{variable} is shorter than {} bytes, so it can be guessed from one token: choose a longer one, and give \
             this one as {variable}_PREVIOUS until everybody has signed in anew",
            Secret::RECOMMENDED_BYTES
        );
    }
    Ok(secret)
}

impl GivenKeys {
    /// The keys, with what was not given from the database.
    pub(crate) async fn complete(self, store: &Store) -> Result<SigningKeys> {
        let current = match self.current {
            Some(current) => current,
            None => {
                let fresh = Secret::generate()?.expose().to_owned();
                match store.secret(self.name, fresh).await {
                    Err(StoreError::Limited { .. }) => bail!(
                        "{} is not set, and the database has no table to keep a secret in that is made: set it{}, or let \
                         `stheno migrate` make the tables as a user who may",
                        self.variable,
                        self.hint
                    ),
                    kept => kept?.expose_secret().parse()?,
                }
            }
        };
        Ok(SigningKeys::new(current, self.previous))
    }
}
