//! `stheno profiles`: the servers that somebody has signed in at.

use anyhow::Result;
use clap::Subcommand;
use serde_json::json;

use crate::exit;
use crate::remote::note;
use crate::remote::output::Output;
use crate::remote::profiles::{Login, Profiles};

#[derive(Debug, clap::Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the profiles; no secrets are shown
    List {
        #[command(flatten)]
        output: Output,
    },
    /// Make a profile the current one, which is used where none is named
    Use {
        /// The profile's name
        name: String,
    },
    /// Remove profiles, and the tokens that are kept in them
    Remove {
        /// The profiles' names
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
}

pub(crate) fn run(arguments: Arguments) -> Result<()> {
    match arguments.action {
        Action::List { output } => list(output),
        Action::Use { name } => {
            Profiles::change(|profiles| {
                profiles.get(&name)?;
                profiles.current = Some(name.clone());
                Ok(())
            })?;
            note(&format!("The current profile is {name}"))
        }
        Action::Remove { names } => {
            Profiles::change(|profiles| {
                for name in &names {
                    profiles.get(name)?;
                }
                profiles.profiles.retain(|name, _| !names.contains(name));
                profiles.current = profiles.current.take().filter(|current| !names.contains(current));
                Ok(())
            })?;
            note(&format!("Removed {}", names.join(", ")))
        }
    }
}

fn list(output: Output) -> Result<()> {
    let profiles = Profiles::load()?;
    let mut rows = output.rows(["name", "url", "email", "login", "expires_at", "current"]);
    for (name, profile) in &profiles.profiles {
        let (login, end) = match &profile.login {
            None => (None, None),
            Some(Login::ApiToken { .. }) => (Some("api_token"), None),
            Some(Login::BearerToken { expires_at, .. }) => (Some("password"), *expires_at),
        };
        rows.add(&json!({
            "name": name,
            "url": profile.url,
            "email": profile.email,
            "login": login,
            "expires_at": end,
            "current": profiles.current.as_ref() == Some(name),
        }))?;
    }
    rows.finish()?;
    if profiles.profiles.is_empty() { note("no profiles: `stheno login` makes one") } else { Ok(()) }
}
