//! `stheno logout`: forgets who somebody is to a server.

use anyhow::Result;

use crate::exit::{self, Exit, failure};
use crate::remote::note;
use crate::remote::profiles::{Login, Profiles, parse_name};

#[derive(Debug, clap::Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct Arguments {
    /// The profile to sign out of; without this, the current one
    #[arg(long, env = "STHENO_PROFILE", value_name = "NAME", value_parser = parse_name)]
    profile: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let (name, login) = Profiles::change(|profiles| {
        let name = profiles.name_or_current(arguments.profile.as_deref()).map(str::to_owned);
        let name = name.ok_or_else(|| failure(Exit::NotFound, "nobody is signed in: there is no profile"))?;
        let login = profiles.get_mut(&name)?.login.take();
        Ok((name, login))
    })?;
    match login {
        None => note(&format!("Nobody was signed in with the profile {name}")),
        Some(Login::ApiToken { .. }) => note(&format!(
            "Signed out of the profile {name}: its API token is forgotten here, and stays good at the server"
        )),
        Some(Login::BearerToken { .. }) => note(&format!(
            "Signed out of the profile {name}: its bearer token is forgotten here, and stays good at the server until it ends"
        )),
    }
}
