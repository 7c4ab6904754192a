//! The first administrator, whom a shop without users gets when it is served.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use stheno_auth::api_token::{self, Access, ApiToken, READ_PREFIX};
use stheno_auth::secret::Secret;
use stheno_store::{NewUser, Role, Store};

use crate::credential::Credential;
use crate::database::Database;
use crate::given::given;
use crate::{email, password};

const DEFAULT_EMAIL: &str = "admin@example.com";

/// Bounds of an API token that is chosen, in bytes: it has to fit into a header.
const API_TOKEN_BYTES: std::ops::RangeInclusive<usize> = 8..=1024;

/// Shorter than this, a chosen API token deserves a warning.
const RECOMMENDED_API_TOKEN_BYTES: usize = 16;

/// How long a server waits for another one in the same folder to make the first user.
const PATIENCE: Duration = Duration::from_secs(5);

/// The first administrator, made where there is no user yet
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "First administrator, made where there is no user yet")]
pub(crate) struct AdministratorArguments {
    /// The e-mail address to sign in with
    #[arg(
        long,
        env = "STHENO_ADMIN_EMAIL",
        value_name = "EMAIL",
        value_parser = email::parse,
        default_value = DEFAULT_EMAIL,
        conflicts_with = "admin_email_file"
    )]
    admin_email: String,

    /// File with the e-mail address
    #[arg(long, env = "STHENO_ADMIN_EMAIL_FILE", value_name = "FILE")]
    admin_email_file: Option<PathBuf>,

    /// File with the password; or set STHENO_ADMIN_PASSWORD to the password itself. One is made if neither is set
    #[arg(long, env = "STHENO_ADMIN_PASSWORD_FILE", value_name = "FILE")]
    admin_password_file: Option<PathBuf>,

    /// File with an API token; or set STHENO_ADMIN_API_TOKEN to the token itself. One is made if neither is set
    #[arg(long, env = "STHENO_ADMIN_API_TOKEN_FILE", value_name = "FILE")]
    admin_api_token_file: Option<PathBuf>,
}

/// What was chosen for the first administrator.
#[derive(Debug, Clone)]
pub(crate) struct Chosen {
    email: String,
    password: Option<Secret>,
    api_token: Option<Secret>,
}

/// The first administrator, just made.
#[derive(Debug)]
pub(crate) struct Administrator {
    pub(crate) email: String,
    pub(crate) password: Credential,
    pub(crate) api_token: Credential,
}

impl AdministratorArguments {
    /// Reads variables and files.
    pub(crate) fn read(&self) -> Result<Chosen> {
        let email = match &self.admin_email_file {
            Some(path) => email_in(path)?,
            None => self.admin_email.clone(),
        };
        let password = given("STHENO_ADMIN_PASSWORD", self.admin_password_file.as_deref())?;
        let api_token = given("STHENO_ADMIN_API_TOKEN", self.admin_api_token_file.as_deref())?;
        if let Some(token) = &api_token {
            check_api_token(token)?;
        }
        Ok(Chosen { email, password, api_token })
    }
}

fn email_in(path: &Path) -> Result<String> {
    let text = given("STHENO_ADMIN_EMAIL", Some(path))?.context("STHENO_ADMIN_EMAIL_FILE holds nothing")?;
    email::parse(text.expose().trim()).map_err(|hint| {
        anyhow!("{}, which STHENO_ADMIN_EMAIL_FILE names, holds no e-mail address: {hint}", path.display())
    })
}

fn check_api_token(token: &Secret) -> Result<()> {
    let bytes = token.expose().as_bytes();
    ensure!(
        API_TOKEN_BYTES.contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic),
        "STHENO_ADMIN_API_TOKEN cannot be sent in a header: give it {} to {} letters, digits and signs of ASCII, without spaces",
        API_TOKEN_BYTES.start(),
        API_TOKEN_BYTES.end()
    );
    // An administrator who could only read is not meant, and nothing would say so.
    ensure!(
        Access::of(token.expose()) == Access::Full,
        "STHENO_ADMIN_API_TOKEN begins with {READ_PREFIX}, which is how tokens begin that may only read: choose another one, \
         and make such a token with `stheno user token --read-only`"
    );
    Ok(())
}

/// Refuses to start where credentials would have to be written, and the file is there already. `ensure_one` finds that
/// too, but only when the database is made.
pub(crate) fn check_file(
    chosen: &Chosen,
    credentials_file: Option<&Path>,
    database: &Database,
) -> Result<()> {
    let must_be_made = chosen.password.is_none() || chosen.api_token.is_none();
    if let Some(path) = credentials_file.filter(|path| must_be_made && path.exists())
        // Looked at last: a process that starts at the same moment makes the database before the file.
        && database.file().is_some_and(|file| !file.exists())
    {
        return Err(in_the_way(path));
    }
    Ok(())
}

fn in_the_way(path: &Path) -> anyhow::Error {
    anyhow!(
        "{} is there already and is not overwritten: move it away, or choose the credentials with \
         STHENO_ADMIN_PASSWORD and STHENO_ADMIN_API_TOKEN",
        path.display()
    )
}

/// Makes the first administrator, unless there is a user already. What had to be made up is written to
/// `credentials_file`, if there is one, before the user exists, so that no fault can leave a user whose password
/// nobody has seen.
pub(crate) async fn ensure_one(
    store: &Store,
    chosen: Chosen,
    credentials_file: Option<&Path>,
    database: &Database,
) -> Result<Option<Administrator>> {
    let users = store.list_users().await?;
    if !users.is_empty() {
        if users.iter().all(|user| user.role != Role::Admin.as_str()) {
            tracing::info!(
                "there are users already, none of them an administrator, and none is made: make one with `stheno user \
                 create --email EMAIL --role admin{}`",
                database.as_flag()
            );
        }
        if chosen.password.is_some() || chosen.api_token.is_some() {
            tracing::info!(
                "there are users already: STHENO_ADMIN_PASSWORD and STHENO_ADMIN_API_TOKEN have no effect"
            );
        }
        return Ok(None);
    }
    warn_if_weak(&chosen);
    let administrator = Administrator {
        email: chosen.email,
        password: Credential::chosen_or(chosen.password, password::generate)?,
        api_token: Credential::chosen_or(chosen.api_token, || {
            Ok(ApiToken::generate(Access::Full)?.expose().parse()?)
        })?,
    };
    let user = NewUser {
        email: administrator.email.clone(),
        password_hash: Some(password::hash(administrator.password.secret().clone()).await?),
        role: Role::Admin,
        token_hash: Some(api_token::hash(administrator.api_token.secret().expose())),
    };
    let written = credentials_file.filter(|_| administrator.must_be_told());
    if let Some(path) = written {
        match write_credentials(path, &administrator.to_file_content()) {
            Err(_) if path.exists() && is_made_by_another(store).await? => return Ok(None),
            written => written?,
        }
    }
    let created = store.create_first_user(user).await;
    match (&created, written) {
        (Ok(Some(_)), Some(path)) => tracing::info!(
            email = administrator.email,
            file = %path.display(),
            "made the first administrator; the file has the credentials, and only its owner can read it"
        ),
        (Ok(Some(_)), None) => tracing::info!(email = administrator.email, "made the first administrator"),
        // Another process was faster, or the store failed: these credentials open nothing.
        (_, Some(path)) => {
            fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
        (_, None) => {}
    }
    Ok(created?.map(|_| administrator))
}

/// Whether another server, which has written the same file just now, makes the first user.
async fn is_made_by_another(store: &Store) -> Result<bool> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if !store.list_users().await?.is_empty() {
            return Ok(true);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(false)
}

fn warn_if_weak(chosen: &Chosen) {
    if chosen.password.as_ref().is_some_and(password::is_short) {
        tracing::warn!("STHENO_ADMIN_PASSWORD is short: whoever guesses it administers the shop");
    }
    if let Some(token) = &chosen.api_token
        && token.expose().len() < RECOMMENDED_API_TOKEN_BYTES
    {
        tracing::warn!("STHENO_ADMIN_API_TOKEN is short: whoever guesses it administers the shop");
    }
}

impl Administrator {
    fn must_be_told(&self) -> bool {
        self.password.to_tell().or(self.api_token.to_tell()).is_some()
    }

    /// Lines that a shell can source, and that a container can take as its environment.
    fn to_file_content(&self) -> String {
        let mut content = format!(
            "# The first administrator. Keep this in a safe place, and delete the file.\nSTHENO_ADMIN_EMAIL={}\n",
            shell_words::quote(&self.email)
        );
        for (name, credential) in
            [("STHENO_ADMIN_PASSWORD", &self.password), ("STHENO_ADMIN_API_TOKEN", &self.api_token)]
        {
            if let Some(text) = credential.to_tell() {
                content.extend([name, "=", text, "\n"]);
            }
        }
        content
    }
}

/// Writes a new file that only its owner can read.
fn write_credentials(path: &Path, content: &str) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let shown = path.display();
    let mut file = options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => in_the_way(path),
        _ => anyhow!(
            "cannot write the administrator's credentials to {shown}: {error}; start in a folder that may be written, or \
             choose them with STHENO_ADMIN_EMAIL, STHENO_ADMIN_PASSWORD and STHENO_ADMIN_API_TOKEN"
        ),
    })?;
    let written = file.write_all(content.as_bytes()).and_then(|()| file.sync_all());
    written.map_err(|error| {
        // Half a file would be in the way at the next start; if it cannot be removed, that start says so.
        let _ = fs::remove_file(path);
        anyhow!("cannot write the administrator's credentials to {shown}: {error}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_token_fits_into_a_header_and_may_do_all() {
        for token in ["test_token", "a-chosen-api-token", "stheno_x", &"x".repeat(1024)] {
            assert!(check_api_token(&token.parse().unwrap()).is_ok(), "{token}");
        }
        for token in
            ["short", "stheno_read_by-all", "with space", "tökentöken", "line\nfeed", &"x".repeat(1025)]
        {
            assert!(check_api_token(&token.parse().unwrap()).is_err(), "{token}");
        }
    }

    #[test]
    fn the_file_holds_what_was_made_up() {
        let administrator = Administrator {
            email: "ada@example.com".to_owned(),
            password: Credential::Chosen("a-chosen-password".parse().unwrap()),
            api_token: Credential::Made("stheno_token".parse().unwrap()),
        };
        assert_eq!(
            administrator.to_file_content(),
            "# The first administrator. Keep this in a safe place, and delete the file.\n\
             STHENO_ADMIN_EMAIL=ada@example.com\n\
             STHENO_ADMIN_API_TOKEN=stheno_token\n"
        );
    }
}
