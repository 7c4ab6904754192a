//! Which server a command talks to, as whom, and what to say when that fails.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use jiff::Timestamp;
use stheno_auth::secret::Secret;
use stheno_client::{Client, ClientBuilder, CustomerGroups, Customers, Error, Retry};

use super::profiles::{Login, Profile, Profiles, parse_name};
use super::time::now;
use crate::duration;
use crate::exit::{Exit, failure};
use crate::given::given;

/// Which server, and who is asking.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct Connection {
    /// A server and who is signed in there, as `stheno login` keeps them; without this, the current one
    #[arg(
        long,
        env = "STHENO_PROFILE",
        value_name = "NAME",
        global = true,
        value_parser = parse_name
    )]
    profile: Option<String>,

    /// The server's address, in place of a profile; the credential is then in STHENO_API_TOKEN or STHENO_BEARER_TOKEN
    #[arg(long, env = "STHENO_URL", value_name = "URL", global = true)]
    url: Option<String>,

    /// File with an API token; or set STHENO_API_TOKEN to the token itself. Either counts more than a profile's
    #[arg(long, env = "STHENO_API_TOKEN_FILE", value_name = "FILE", global = true)]
    api_token_file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) calls: Calls,
}

/// How patient this program is.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct Calls {
    /// How long one call may take with all its attempts; a bare number is in seconds
    #[arg(
        long,
        env = "STHENO_TIMEOUT",
        value_name = "TIME",
        default_value = "120s",
        value_parser = duration::parse,
        global = true
    )]
    timeout: Duration,

    /// How often a call is tried again where that is safe
    #[arg(long, env = "STHENO_RETRIES", value_name = "NUMBER", default_value_t = 2, global = true)]
    retries: u32,
}

/// A shop that can be asked.
#[derive(Debug)]
pub(crate) struct Shop {
    client: Client,
    url: String,
    /// What to do if the server does not know who is asking.
    sign_in: String,
}

impl Connection {
    /// A client of the server. Nothing is sent yet.
    pub(crate) fn open(&self) -> Result<Shop> {
        if self.profile.is_some() && self.url.is_some() {
            return Err(failure(
                Exit::Usage,
                "a server is named twice, by --profile or STHENO_PROFILE and by --url or STHENO_URL: leave one out",
            ));
        }
        let given = self.given_login()?;
        if let (Some(url), Some(given)) = (&self.url, &given) {
            // Nothing is missing, so it does not matter whether there are profiles.
            return self.with_given(url, given);
        }
        let profiles = Profiles::load()?;
        let name = profiles.name_or_current(self.profile.as_deref());
        let profile = name.map(|name| profiles.get(name)).transpose()?;
        let Some(url) = self.url.as_deref().or(profile.map(|profile| profile.url.as_str())) else {
            return Err(failure(
                Exit::Usage,
                "no server is named: sign in with `stheno login`, or set STHENO_URL and STHENO_API_TOKEN",
            ));
        };
        if let Some(given) = &given {
            return self.with_given(url, given);
        }
        // A profile's token is for its own server and is sent to no other.
        let url = without_slash(url);
        let profile = name.zip(profile).filter(|(_, profile)| profile.url == url);
        let (name, login) = signed_in(url, profile)?;
        self.shop(url, login, format!("sign in again with `stheno login --profile {name}`"))
    }

    fn with_given(&self, url: &str, (login, variable): &(Login, &str)) -> Result<Shop> {
        self.shop(url, login, format!("is {variable} one of this server's, and still good?"))
    }

    fn shop(&self, url: &str, login: &Login, sign_in: String) -> Result<Shop> {
        let url = without_slash(url);
        let client = with_login(self.calls.builder(url), login).build()?;
        Ok(Shop { client, url: url.to_owned(), sign_in })
    }

    /// A credential of the environment, and the variable that it comes from.
    fn given_login(&self) -> Result<Option<(Login, &'static str)>> {
        let text = |secret: Secret| secret.expose().trim().to_owned();
        let unusable = |error| failure(Exit::Usage, format!("{error:#}"));
        let api_token = given("STHENO_API_TOKEN", self.api_token_file.as_deref()).map_err(unusable)?;
        let bearer_token = given("STHENO_BEARER_TOKEN", None).map_err(unusable)?;
        Ok(match (api_token, bearer_token) {
            (Some(_), Some(_)) => {
                return Err(failure(
                    Exit::Usage,
                    "STHENO_API_TOKEN and STHENO_BEARER_TOKEN are both set: unset one of them",
                ));
            }
            (Some(token), None) => Some((Login::ApiToken { api_token: text(token) }, "STHENO_API_TOKEN")),
            (None, Some(token)) => {
                let login = Login::BearerToken { bearer_token: text(token), expires_at: None };
                Some((login, "STHENO_BEARER_TOKEN"))
            }
            (None, None) => None,
        })
    }
}

impl Calls {
    /// What all clients of this program have in common.
    pub(crate) fn builder(&self, url: &str) -> ClientBuilder {
        Client::builder(url)
            .header("user-agent", concat!("stheno/", env!("CARGO_PKG_VERSION")))
            .timeout(self.timeout)
            .retry(Retry::default().max_retries(self.retries))
    }
}

/// An address as it is kept and compared.
pub(crate) fn without_slash(url: &str) -> &str {
    url.trim().trim_end_matches('/')
}

/// The builder of a client that signs in so.
pub(crate) fn with_login(builder: ClientBuilder, login: &Login) -> ClientBuilder {
    match login {
        Login::ApiToken { api_token } => builder.api_key(api_token),
        Login::BearerToken { bearer_token, .. } => builder.bearer_token(bearer_token),
    }
}

/// The login that a profile keeps, if it is still good.
fn signed_in<'a>(url: &str, profile: Option<(&'a str, &'a Profile)>) -> Result<(&'a str, &'a Login)> {
    let unauthorized = |message: String| Err(failure(Exit::Unauthorized, message));
    match profile.map(|(name, profile)| (name, &profile.login)) {
        None => unauthorized(format!(
            "nobody is signed in at {url}: set STHENO_API_TOKEN, or sign in with `stheno login --url {url}`"
        )),
        Some((name, None)) => unauthorized(format!(
            "nobody is signed in with the profile {name}: sign in with `stheno login --profile {name}`"
        )),
        Some((name, Some(Login::BearerToken { expires_at: Some(end), .. }))) if *end <= now() => {
            unauthorized(format!(
                "the login of the profile {name} ended at {}: sign in again with `stheno login --profile {name}`",
                shown(*end)
            ))
        }
        Some((name, Some(login))) => Ok((name, login)),
    }
}

/// A time, as a person reads it.
pub(crate) fn shown(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

impl Shop {
    pub(crate) fn groups(&self) -> CustomerGroups {
        self.client.admin().customer_groups()
    }

    pub(crate) fn customers(&self) -> Customers {
        self.client.admin().customers()
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What went wrong, and what to do about it.
    pub(crate) fn explain(&self, error: &Error) -> anyhow::Error {
        explain(error, &self.url, &self.sign_in)
    }

    /// What went wrong with making a record, and how to find out whether it was made, where that is not sure.
    pub(crate) fn explain_create(&self, error: &Error, look: &str) -> anyhow::Error {
        if error.is_outcome_unknown() {
            failure(Exit::OutcomeUnknown, format!("{error}; look with `{look}` before you try again"))
        } else {
            self.explain(error)
        }
    }

    /// There is no such group.
    pub(crate) fn no_group(&self, id: &str) -> anyhow::Error {
        failure(Exit::NotFound, format!("there is no group {id} at {}: see `stheno groups list`", self.url))
    }

    /// There is no such customer.
    pub(crate) fn no_customer(&self, id: &str) -> anyhow::Error {
        failure(
            Exit::NotFound,
            format!("there is no customer {id} at {}: see `stheno customers list`", self.url),
        )
    }
}

/// What went wrong, and what to do about it.
pub(crate) fn explain(error: &Error, url: &str, sign_in: &str) -> anyhow::Error {
    let exit = Exit::from(error);
    let hint = if error.code().as_deref() == Some("read_only") {
        "use one that may write".to_owned()
    } else if exit == Exit::Unauthorized {
        sign_in.to_owned()
    } else if error.is_connect() {
        format!("is {url} right, and does the server run?")
    } else if error.is_timeout() {
        "try again, or give it longer with --timeout".to_owned()
    } else if error.is_conflict() {
        "another request was in the way: try again".to_owned()
    } else if exit == Exit::Unreachable {
        "try again later".to_owned()
    } else if error.is_server_error() {
        "the server's log says why".to_owned()
    } else if error.is_decode() || (exit == Exit::Failure && error.error_type().is_none()) {
        format!("is {url} the address of a Medusa v1 backend, or of Stheno?")
    } else {
        return failure(exit, error.to_string());
    };
    failure(exit, format!("{error}; {hint}"))
}
