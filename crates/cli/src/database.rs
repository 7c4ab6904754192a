//! Where the data is, and how it is opened.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use anyhow::Result;
use stheno_store::{Schema, Store, StoreError, StoreOptions};

use crate::given::given;

const DEFAULT_URL: &str = "sqlite:stheno.db";

/// The database that a command works on.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Data")]
pub(crate) struct Database {
    /// Where the data is: `sqlite:PATH`, a file that `serve` makes if it is not there, or
    /// `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, an empty database or a Medusa v1's. It may say how the connection is
    /// encrypted: `?sslmode=verify-full&sslrootcert=FILE`
    #[arg(
        long = "database",
        env = "DATABASE_URL",
        hide_env_values = true,
        value_name = "URL",
        default_value = DEFAULT_URL
    )]
    url: String,

    /// File with the password of the database's user, where the URL has none; or set DATABASE_PASSWORD to it
    #[arg(long, env = "DATABASE_PASSWORD_FILE", value_name = "FILE")]
    database_password_file: Option<PathBuf>,
}

impl Database {
    /// Opens the store, and makes it if it is not there.
    pub(crate) async fn open(&self, options: StoreOptions) -> Result<Store> {
        Store::open(&self.url, self.with_password(options)?).await.map_err(|error| self.advise(error))
    }

    /// Connects to the database without opening the store: to see what is in it, and to change that.
    pub(crate) async fn schema(&self) -> Result<Schema> {
        let options = self.with_password(StoreOptions::default())?;
        Schema::connect(&self.url, options).await.map_err(|error| self.advise(error))
    }

    /// The error, whose advice to run a command names this database.
    fn advise(&self, error: StoreError) -> anyhow::Error {
        let StoreError::Schema(text) = error else { return error.into() };
        StoreError::Schema(text.replace("`stheno migrate`", &format!("`stheno migrate{}`", self.as_flag())))
            .into()
    }

    fn with_password(&self, mut options: StoreOptions) -> Result<StoreOptions> {
        let password = given("DATABASE_PASSWORD", self.database_password_file.as_deref())?;
        options.password = password.map(|password| password.expose().to_owned().into());
        Ok(options)
    }

    /// As it was given, with the password that may be in it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Whether the data is on a server, which may be away and come back.
    pub(crate) fn is_on_a_server(&self) -> bool {
        self.url.starts_with("postgres")
    }

    /// Whether that server is on this machine, and shares its cores.
    pub(crate) fn is_beside(&self) -> bool {
        let Some((_, rest)) = self.url.split_once("://").filter(|_| self.is_on_a_server()) else {
            return false;
        };
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        // Without a host, or with one that is a folder, it is a Unix socket.
        host.is_empty()
            || ["localhost", "127.", "[::1]", "%2F", "%2f"].iter().any(|beside| host.starts_with(beside))
    }

    /// The database, as a person knows it: without a password.
    pub(crate) fn shown(&self) -> impl Display {
        let server = || {
            let (_, address) = self.url.split_once("://").filter(|_| !self.url.contains("password="))?;
            let address = address.rsplit_once('@').map_or(address, |(_, address)| address);
            address.split('?').next().filter(|address| !address.is_empty())
        };
        self.file().map_or_else(|| server().unwrap_or("PostgreSQL").into(), Path::to_string_lossy)
    }

    /// The file that the data is in. `None` if the URL names none, which opening it explains.
    pub(crate) fn file(&self) -> Option<&Path> {
        let path = self.url.strip_prefix("sqlite:")?;
        let path = path.strip_prefix("//").unwrap_or(path);
        let names_one = !path.is_empty() && path != ":memory:" && !path.contains('?');
        names_one.then(|| Path::new(path))
    }

    /// The file for credentials that no terminal can show: beside the data, named after it; in the present folder,
    /// where the data is on a server.
    pub(crate) fn credentials_file(&self) -> PathBuf {
        let mut name = self.file().unwrap_or(Path::new("stheno")).as_os_str().to_owned();
        name.push(".credentials");
        name.into()
    }

    /// What a command line must say to mean this database, with a space in front; nothing for the usual one. A URL
    /// that may hold a password is not repeated.
    pub(crate) fn as_flag(&self) -> String {
        if self.url == DEFAULT_URL {
            String::new()
        } else if self.file().is_some() {
            format!(" --database {}", shell_words::quote(&self.url))
        } else {
            " --database \"$DATABASE_URL\"".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(url: &str) -> Database {
        Database { url: url.to_owned(), database_password_file: None }
    }

    #[test]
    fn the_credentials_lie_beside_the_data() {
        for (url, file) in [
            ("sqlite:stheno.db", "stheno.db.credentials"),
            ("sqlite:///var/lib/shop", "/var/lib/shop.credentials"),
            ("sqlite://shop.db", "shop.db.credentials"),
            ("postgres://ada:s3cret@db.example/shop", "stheno.credentials"),
        ] {
            assert_eq!(database(url).credentials_file(), Path::new(file));
        }
    }

    #[test]
    fn another_database_is_named_so_that_a_shell_reads_it() {
        assert_eq!(database(DEFAULT_URL).as_flag(), "");
        assert_eq!(database("sqlite:my shop.db").as_flag(), " --database 'sqlite:my shop.db'");
    }

    #[test]
    fn a_password_is_not_repeated() {
        let server = database("postgres://ada:s3cret@db.example/shop");
        assert_eq!(server.shown().to_string(), "db.example/shop");
        assert_eq!(server.as_flag(), " --database \"$DATABASE_URL\"");
        let encrypted = database("postgres://ada:s3cret@db.example/shop?sslmode=require");
        assert_eq!(encrypted.shown().to_string(), "db.example/shop");
        for url in
            ["postgres://db.example/shop?user=a@b&password=s3cret", "postgres://db/shop?password=s3@cret"]
        {
            assert_eq!(database(url).shown().to_string(), "PostgreSQL");
        }
        for (url, is_beside) in [
            ("postgres://localhost/shop", true),
            ("postgres://ada:s3cret@127.0.0.1:5433/shop", true),
            ("postgres://ada@[::1]/shop", true),
            ("postgres:///shop?host=/run/postgresql", true),
            ("postgres://%2Frun%2Fpostgresql/shop", true),
            ("postgres://ada:s3cret@db.example/shop", false),
            ("sqlite:shop.db", false),
        ] {
            assert_eq!(database(url).is_beside(), is_beside, "{url}");
        }
        assert_eq!(database("postgres://localhost/shop").shown().to_string(), "localhost/shop");
        assert_eq!(database("postgres://").shown().to_string(), "PostgreSQL");
    }
}
