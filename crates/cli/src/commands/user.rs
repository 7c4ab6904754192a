//! `stheno user`: who may sign in, and with what. Works beside a server on the same database.

use std::collections::HashMap;
use std::io::{self, Write as _};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Subcommand, ValueEnum};
use comfy_table::Table;
use jiff::Timestamp;
use serde_json::{Value, json};
use stheno_auth::api_token::{Access, ApiToken};
use stheno_store::{Login, LoginEntry, LoginFilter, NewUser, Role, Store, StoreError, StoreOptions};

use crate::credential::Credential;
use crate::database::Database;
use crate::exit::{Exit, failure};
use crate::password_source::PasswordSource;
use crate::remote::ask::{can_ask, confirm};
use crate::remote::{note, time};
use crate::{email, password};

const BESIDE_A_SERVER: &str = "Works while the server runs too, on the same --database.";

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Create a user
    #[command(after_help = BESIDE_A_SERVER)]
    Create(Create),
    /// Make an API token for a user, and print it: it is shown only this once
    #[command(after_help = BESIDE_A_SERVER)]
    Token(Token),
    /// Give a user a new password, and close the user's sessions. Bearer tokens stay good until they expire
    #[command(after_help = BESIDE_A_SERVER)]
    Password(Password),
    /// List the users, the oldest first
    #[command(after_help = BESIDE_A_SERVER)]
    List(List),
    /// List a user's API tokens, the oldest first. The tokens themselves are kept nowhere
    #[command(after_help = BESIDE_A_SERVER)]
    Tokens(OfUser),
    /// List logins, refused ones too, and logouts, the latest first: the audit trail. Those of guesses come a minute late
    #[command(after_help = BESIDE_A_SERVER)]
    Logins(Logins),
    /// Revoke API tokens of a user. Servers that run refuse them after 5 seconds at the latest
    #[command(after_help = BESIDE_A_SERVER)]
    Revoke(Revoke),
    /// Delete a user, whose sessions and tokens end with it. Servers that run refuse them after 5 seconds at the latest
    #[command(after_help = BESIDE_A_SERVER)]
    Delete(Delete),
}

#[derive(Debug, clap::Args)]
struct Create {
    /// The e-mail address to sign in with
    #[arg(long, value_parser = email::parse)]
    email: String,

    /// What the user is to the shop
    #[arg(
        long,
        default_value = Role::Member.as_str(),
        value_parser = PossibleValuesParser::new(ROLES.map(Role::as_str)).try_map(|text| role(&text))
    )]
    role: Role,

    #[command(flatten)]
    password: PasswordSource,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    database: Database,
}

/// What is enough to say which user is meant.
#[derive(Debug, clap::Args)]
struct OfUser {
    /// The user's e-mail address
    #[arg(long, value_parser = email::parse)]
    email: String,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    database: Database,
}

#[derive(Debug, clap::Args)]
struct Delete {
    /// Delete the last user, too, without asking
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    user: OfUser,
}

#[derive(Debug, clap::Args)]
struct Token {
    /// Make one that may only read: whatever would change something is answered 403
    #[arg(long)]
    read_only: bool,

    #[command(flatten)]
    user: OfUser,
}

#[derive(Debug, clap::Args)]
struct Password {
    /// The user's e-mail address
    #[arg(long, value_parser = email::parse)]
    email: String,

    #[command(flatten)]
    password: PasswordSource,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    database: Database,
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    database: Database,
}

#[derive(Debug, clap::Args)]
struct Revoke {
    /// The user's e-mail address
    #[arg(long, value_parser = email::parse)]
    email: String,

    /// The token's id, as `stheno user tokens` shows it
    #[arg(long, value_name = "ID", required_unless_present = "all")]
    token: Option<String>,

    /// Revoke all, also the one that Medusa keeps with the user
    #[arg(long, conflicts_with = "token")]
    all: bool,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    database: Database,
}

#[derive(Debug, clap::Args)]
struct Logins {
    /// Those of a user: an e-mail address or, for one who has been deleted, an id
    #[arg(long, alias = "email")]
    user: Option<String>,

    /// Those from this time on: 2026-01-31, 2026-01-31T08:00 (both UTC), or how long ago, such as 7d or 12h
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    since: Option<Timestamp>,

    /// How many at the most
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    database: Database,
}

#[derive(Debug, clap::Args)]
struct Output {
    /// How the result is written, to standard output
    #[arg(long = "output", value_name = "FORMAT", value_enum, default_value_t = OutputFormat::Text)]
    format: OutputFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OutputFormat {
    Text,
    Json,
}

const ROLES: [Role; 3] = [Role::Admin, Role::Member, Role::Developer];

fn role(name: &str) -> Result<Role> {
    let role = ROLES.into_iter().find(|role| role.as_str() == name);
    role.context("no such role")
}

pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    match arguments.action {
        Action::Create(arguments) => create(arguments).await,
        Action::Token(arguments) => token(arguments).await,
        Action::Password(arguments) => set_password(arguments).await,
        Action::List(arguments) => list(arguments).await,
        Action::Tokens(arguments) => tokens(arguments).await,
        Action::Logins(arguments) => logins(arguments).await,
        Action::Revoke(arguments) => revoke(arguments).await,
        Action::Delete(arguments) => delete(arguments).await,
    }
}

async fn create(arguments: Create) -> Result<()> {
    let Create { email, role, database, output, .. } = arguments;
    let store = open_existing(&database).await?;
    let password = arguments.password.read()?;
    let password_hash = password::hash(password.secret().clone()).await?;
    let user = NewUser { email: email.clone(), password_hash: Some(password_hash), role, token_hash: None };
    let id = match store.create_user(user).await {
        Err(StoreError::Duplicate(_)) => bail!(
            "there is a user {email} already: give another address, or make a new password with `stheno user \
             password{}`",
            database.as_flag()
        ),
        created => created?,
    };
    store.close().await;
    note(&format!("Created {email} ({})", role.as_str()))?;
    let result = json!({ "id": id, "email": email, "role": role.as_str() });
    write_with_password(result, &password, &output)
}

async fn token(arguments: Token) -> Result<()> {
    let Token { read_only, user: OfUser { email, database, output } } = arguments;
    let store = open_existing(&database).await?;
    let id = id_of(&store, &email, &database).await?;
    let token = ApiToken::generate(if read_only { Access::Read } else { Access::Full })?;
    ensure!(store.create_api_token(&id, token.hash()).await?, gone(&email));
    store.close().await;
    let which = if read_only { ", which may only read" } else { "" };
    note(&format!("A new API token of {email}{which}, shown only this once:"))?;
    let result =
        json!({ "id": id, "email": email, "api_token": token.expose(), "access": access(&token.hash()) });
    output.write(&result, token.expose())
}

async fn set_password(arguments: Password) -> Result<()> {
    let Password { email, database, output, .. } = arguments;
    let store = open_existing(&database).await?;
    let id = id_of(&store, &email, &database).await?;
    let password = arguments.password.read()?;
    let password_hash = password::hash(password.secret().clone()).await?;
    ensure!(store.set_password_hash(&id, password_hash).await?, gone(&email));
    store.close().await;
    note(&format!("Changed the password of {email}"))?;
    let result = json!({ "id": id, "email": email });
    write_with_password(result, &password, &output)
}

async fn list(arguments: List) -> Result<()> {
    let store = open_to_read(&arguments.database).await?;
    let users = store.list_users().await?;
    store.close().await;
    let result: Value = users
        .iter()
        .map(|user| {
            json!({
                "id": user.id,
                "email": user.email,
                "role": user.role,
                "api_tokens": user.tokens,
                "created_at": user.created_at,
            })
        })
        .collect();
    let header = ["E-MAIL", "ROLE", "API TOKENS", "CREATED (UTC)", "ID"];
    let rows = users
        .into_iter()
        .map(|user| [user.email, user.role, user.tokens.to_string(), minute(user.created_at), user.id]);
    arguments.output.write(&result, &table(header, rows))
}

async fn tokens(arguments: OfUser) -> Result<()> {
    let OfUser { email, database, output } = arguments;
    let store = open_to_read(&database).await?;
    let id = id_of(&store, &email, &database).await?;
    let tokens = store.api_tokens(&id).await?;
    store.close().await;
    let result: Value = tokens
        .iter()
        .map(|token| {
            let (id, access) = (shown(&token.hash), access(&token.hash));
            json!({ "id": id, "access": access, "created_at": token.created_at })
        })
        .collect();
    let rows = tokens.iter().map(|token| {
        [shown(&token.hash).to_owned(), access(&token.hash).to_owned(), minute(token.created_at)]
    });
    output.write(&result, &table(["ID", "ACCESS", "CREATED (UTC)"], rows))
}

async fn logins(arguments: Logins) -> Result<()> {
    let Logins { user, since, limit, output, database } = arguments;
    let store = open_to_read(&database).await?;
    let user_id = match user {
        Some(email) if email.contains('@') => Some(id_of(&store, &email.to_lowercase(), &database).await?),
        id => id,
    };
    let entries = store.logins(LoginFilter { user_id, since }, limit).await?;
    let users = store.list_users().await?;
    store.close().await;
    let emails: HashMap<&str, &str> = users.iter().map(|user| (&*user.id, &*user.email)).collect();
    let email_of = |login: &Login| emails.get(login.user_id.as_deref()?).copied();
    let result: Value = entries
        .iter()
        .map(|LoginEntry { id, login }| {
            json!({
                "id": id,
                "at": login.at,
                "user_id": login.user_id,
                "email": email_of(login),
                "kind": login.kind.as_str(),
                "outcome": login.outcome.as_str(),
                "attempts": login.attempts,
                "address": login.address,
            })
        })
        .collect();
    let header = ["TIME (UTC)", "USER", "KIND", "OUTCOME", "ATTEMPTS", "ADDRESS"];
    let rows = entries.iter().map(|LoginEntry { login, .. }| {
        [
            login.at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            email_of(login).or(login.user_id.as_deref()).unwrap_or("nobody").to_owned(),
            login.kind.as_str().to_owned(),
            login.outcome.as_str().to_owned(),
            login.attempts.to_string(),
            login.address.map(|address| address.to_string()).unwrap_or_default(),
        ]
    });
    output.write(&result, &table(header, rows))?;
    if entries.is_empty() {
        note("no logins")?;
    } else if entries.len() as u64 == u64::from(limit) {
        note(&format!("the latest {limit}, of which there may be more: `--limit` shows others"))?;
    }
    Ok(())
}

async fn revoke(arguments: Revoke) -> Result<()> {
    let Revoke { email, token, all: _, database, output } = arguments;
    let store = open_existing(&database).await?;
    let id = id_of(&store, &email, &database).await?;
    let hash = match token {
        Some(token) => {
            let tokens = store.api_tokens(&id).await?;
            let found = tokens.into_iter().find(|found| shown(&found.hash) == token);
            let found = found.with_context(|| {
                format!(
                    "{email} has no API token {token}: see `stheno user tokens --email {email}{}`",
                    database.as_flag()
                )
            })?;
            Some(found.hash)
        }
        None => None,
    };
    let revoked = store.delete_api_tokens(&id, hash.as_deref()).await?;
    store.close().await;
    note(&format!("Revoked {revoked} of {email}'s API tokens"))?;
    output.write(&json!({ "id": id, "email": email, "revoked": revoked }), "")
}

async fn delete(arguments: Delete) -> Result<()> {
    let Delete { yes, user: OfUser { email, database, output } } = arguments;
    let store = open_existing(&database).await?;
    let id = id_of(&store, &email, &database).await?;
    if store.list_users().await?.len() == 1 {
        let last = format!("{email} is the last user, without whom nobody can sign in");
        if !yes && !can_ask() {
            return Err(failure(Exit::Usage, format!("{last}: say with --yes that this is meant")));
        }
        confirm(&format!("{last}. Delete {email}?"), yes)?;
    }
    ensure!(store.delete_user(&id).await?, gone(&email));
    store.close().await;
    note(&format!("Deleted {email}"))?;
    output.write(&json!({ "id": id, "email": email, "deleted": true }), "")
}

/// What of a token's hash tells it from the user's others.
fn shown(hash: &str) -> &str {
    let hash = hash.rsplit(':').next().unwrap_or(hash);
    hash.get(..12).unwrap_or(hash)
}

/// What a token is good for, by its hash.
fn access(hash: &str) -> &'static str {
    match Access::of_hash(hash) {
        Access::Full => "full",
        Access::Read => "read",
    }
}

fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M").to_string()
}

fn table<const N: usize>(header: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(header);
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

/// Opens the store, which is not made if it is not there: users in a database that nobody serves sign in nowhere.
async fn open_existing(database: &Database) -> Result<Store> {
    open(database, true).await
}

/// As [`open_existing`], and makes nothing in it.
async fn open_to_read(database: &Database) -> Result<Store> {
    open(database, false).await
}

async fn open(database: &Database, migrate: bool) -> Result<Store> {
    if let Some(file) = database.file() {
        ensure!(
            file.exists(),
            "there is no database file {}: name it with --database sqlite:PATH, or make one with `stheno serve{}`",
            file.display(),
            database.as_flag()
        );
    }
    database.open(StoreOptions { migrate, serves: false, ..StoreOptions::default() }).await
}

async fn id_of(store: &Store, email: &str, database: &Database) -> Result<String> {
    let user = store.user_by_email(email).await?;
    let user = user.with_context(|| {
        let on = database.as_flag();
        format!("there is no user {email}: see `stheno user list{on}`, or create one with `stheno user create{on}`")
    })?;
    Ok(user.id)
}

fn gone(email: &str) -> anyhow::Error {
    anyhow!("the user {email} has just been deleted")
}

/// Adds a new password to the result, if nobody knows it yet, and writes the result.
fn write_with_password(mut result: Value, password: &Credential, output: &Output) -> Result<()> {
    let Some(password) = password.to_tell() else { return output.write(&result, "") };
    note("The password, shown only this once:")?;
    result["password"] = password.into();
    output.write(&result, password)
}

impl Output {
    /// Writes a result: as JSON, or the text where there is any.
    fn write(&self, result: &Value, text: &str) -> Result<()> {
        let mut stdout = io::stdout().lock();
        match self.format {
            OutputFormat::Json => writeln!(stdout, "{result:#}")?,
            OutputFormat::Text if text.is_empty() => {}
            OutputFormat::Text => writeln!(stdout, "{text}")?,
        }
        Ok(())
    }
}
