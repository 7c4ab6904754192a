//! `stheno login`: finds out who somebody is to a server, and keeps it in a profile.

use std::net::IpAddr;

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::Value;
use stheno_client::http::Uri;

use crate::email;
use crate::exit::{self, Exit, failure};
use crate::remote::connection::{Calls, explain, shown, with_login, without_slash};
use crate::remote::profiles::{Login, Profile, Profiles, parse_name};
use crate::remote::{ask, note};

const RULE: &str = "\
At a terminal, what is not given is asked for. Of e-mail address and password only the bearer token is kept that they are \
good for, which ends after 24 hours; an API token is kept, and lasts. The file is `stheno/profiles.json` in the user's \
folder for configuration, or `profiles.json` in the folder that STHENO_CONFIG_DIR names; only its owner can read it.";

#[derive(Debug, clap::Args)]
#[command(after_help = format!("{RULE}\n\n{}", exit::HELP))]
pub(crate) struct Arguments {
    /// The e-mail address to sign in with
    #[arg(long, value_parser = email::parse, conflicts_with = "api_token_stdin")]
    email: Option<String>,

    /// Read the password from the first line of standard input
    #[arg(long, requires = "email", conflicts_with = "api_token_stdin")]
    password_stdin: bool,

    /// Sign in with an API token, on the first line of standard input
    #[arg(long)]
    api_token_stdin: bool,

    /// The server's address: a scheme and a host, perhaps with a port and a path
    #[arg(long, env = "STHENO_URL", value_name = "URL", help_heading = "Server")]
    url: Option<String>,

    /// What to call it; without this, it is called as its host is
    #[arg(
        long,
        env = "STHENO_PROFILE",
        value_name = "NAME",
        value_parser = parse_name,
        help_heading = "Server"
    )]
    profile: Option<String>,

    #[command(flatten)]
    calls: Calls,
}

pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    Profiles::ensure_private_folder()?;
    let url = url(&arguments)?;
    warn_if_open(&url)?;
    let login = login(&arguments, &url).await?;
    let client = with_login(arguments.calls.builder(&url), &login).build()?;
    let user = client.admin().auth().get_session().await;
    let user = user.map_err(|error| explain(&error, &url, "is the API token one of this server's?"))?;

    let end = match &login {
        Login::BearerToken { expires_at, .. } => *expires_at,
        Login::ApiToken { .. } => None,
    };
    let profile = Profile { url: url.clone(), email: Some(user.email.clone()), login: Some(login) };
    let name = Profiles::change(|profiles| {
        let is_of_server = |name: &String| profiles.get(name).is_ok_and(|profile| profile.url == url);
        let current = profiles.current.clone().filter(is_of_server);
        let name = arguments.profile.clone().or(current).unwrap_or_else(|| name_of(&url));
        let known = profiles.profiles.get(&name);
        if arguments.profile.is_none() && known.is_some_and(|known| known.url != url) {
            return Err(failure(
                Exit::Refused,
                format!(
                    "there is a profile {name} for another address already: give this one a name with --profile"
                ),
            ));
        }
        profiles.profiles.insert(name.clone(), profile);
        profiles.current = Some(name.clone());
        Ok(name)
    })?;
    note(&format!("Signed in at {url} as {} (profile {name})", user.email))?;
    if let Some(end) = end {
        note(&format!(
            "This ends at {}; an API token, given to `stheno login --api-token-stdin`, lasts",
            shown(end)
        ))?;
    }
    Ok(())
}

/// The server's address: given, that of the profile, or asked for.
fn url(arguments: &Arguments) -> Result<String> {
    if let Some(url) = &arguments.url {
        return Ok(without_slash(url).to_owned());
    }
    let profiles = Profiles::load()?;
    // With --profile, it may be a new one.
    let known =
        profiles.name_or_current(arguments.profile.as_deref()).and_then(|name| profiles.profiles.get(name));
    if arguments.profile.is_some()
        && let Some(profile) = known
    {
        return Ok(profile.url.clone());
    }
    if !ask::can_ask() {
        return Err(failure(Exit::Usage, "no server is named: give its address with --url"));
    }
    let usual = known.map_or("http://127.0.0.1:9000", |profile| &profile.url);
    let url = ask::line(&format!("Server [{usual}]: "))?;
    Ok(if url.is_empty() { usual.to_owned() } else { without_slash(&url).to_owned() })
}

/// Passwords and tokens over plain http can be read on the way, but for the way within this machine.
fn warn_if_open(url: &str) -> Result<()> {
    if is_open(url) {
        note(&format!(
            "Warning: {url} is not encrypted, so others on the way can read what you sign in with"
        ))?;
    }
    Ok(())
}

fn is_open(url: &str) -> bool {
    let uri: Option<Uri> = url.parse().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    let is_here = host == "localhost" || address.is_some_and(|address| address.is_loopback());
    uri.as_ref().and_then(Uri::scheme_str) == Some("http") && !is_here
}

async fn login(arguments: &Arguments, url: &str) -> Result<Login> {
    if arguments.api_token_stdin {
        return Ok(api_token(ask::secret_on_standard_input("API token")?.expose()));
    }
    let email = match &arguments.email {
        Some(email) => Some(email.clone()),
        None if ask::can_ask() => {
            let answer = ask::line("E-mail address (leave it empty to give an API token): ")?;
            (!answer.is_empty()).then_some(answer)
        }
        None => {
            return Err(failure(
                Exit::Usage,
                "there is no terminal to ask at: give --api-token-stdin, or --email and --password-stdin",
            ));
        }
    };
    let Some(email) = email else { return Ok(api_token(ask::secret("API token: ")?.expose())) };
    let password = if arguments.password_stdin {
        ask::secret_on_standard_input("password")?
    } else if ask::can_ask() {
        ask::secret("Password: ")?
    } else {
        return Err(failure(
            Exit::Usage,
            "there is no terminal to ask for the password at: give --password-stdin",
        ));
    };
    let anyone = arguments.calls.builder(url).build()?;
    let token = anyone.admin().auth().get_token(email, password.expose()).await;
    let token =
        token.map_err(|error| explain(&error, url, "do e-mail address and password belong together?"))?;
    let bearer_token = token.into_body().access_token;
    Ok(Login::BearerToken { expires_at: end_of(&bearer_token), bearer_token })
}

fn api_token(text: &str) -> Login {
    Login::ApiToken { api_token: text.trim().to_owned() }
}

/// When a JSON Web Token ends, as it says itself (RFC 7519, `exp`).
fn end_of(token: &str) -> Option<Timestamp> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    Timestamp::from_second(claims["exp"].as_i64()?).ok()
}

/// What a profile is called unless somebody says so: as the server is.
fn name_of(url: &str) -> String {
    let uri: Option<Uri> = url.parse().ok();
    let name = uri.as_ref().and_then(Uri::authority).map(|authority| authority.as_str().to_owned());
    name.filter(|name| parse_name(name).is_ok()).unwrap_or_else(|| "default".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_called_after_its_server() {
        assert_eq!(name_of("https://shop.example/medusa"), "shop.example");
        assert_eq!(name_of("http://127.0.0.1:9000"), "127.0.0.1:9000");
    }

    #[test]
    fn what_others_could_read_is_known() {
        for url in ["https://shop.example", "http://localhost:9000", "http://127.0.0.1", "http://[::1]:9000"]
        {
            assert!(!is_open(url), "{url}");
        }
        for url in ["http://shop.example", "http://10.0.0.1:9000", "http://127.shop.example"] {
            assert!(is_open(url), "{url}");
        }
    }

    #[test]
    fn a_token_says_when_it_ends() {
        let token = format!("e30.{}.x", URL_SAFE_NO_PAD.encode(r#"{"user_id": "usr_1", "exp": 1767225600}"#));
        assert_eq!(end_of(&token), Some("2026-01-01T00:00:00Z".parse().unwrap()));
        for token in ["", "e30", "e30.e30.x", "a.%.c"] {
            assert_eq!(end_of(token), None, "{token}");
        }
    }
}
