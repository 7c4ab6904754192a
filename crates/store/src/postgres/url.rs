//! Database URLs: what tokio-postgres reads of them, and what it does not know.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret as _, SecretString};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::tls::{Mode, Parameters};
use crate::StoreError;

/// Where a database is, and how it is connected to.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) config: Config,
    pub(super) tls: MakeRustlsConnect,
    /// Whether between us and the server is a PgBouncer that gives each transaction another connection.
    pub(super) is_pooled: bool,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { config, tls: _, is_pooled } = self;
        let mut shown = formatter.debug_struct("Target");
        shown.field("config", config).field("is_pooled", is_pooled).finish_non_exhaustive()
    }
}

/// A host that says nothing on an idle connection is asked for a sign of life after so long, in these steps.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_RETRIES: u32 = 3;

/// A host that does not even acknowledge what it is sent is given up after so long.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(15);

impl Target {
    /// Reads a URL. `password` is what it leaves out; connecting may take as long as `timeout`.
    pub(super) fn parse(
        url: &str,
        password: Option<&SecretString>,
        timeout: Duration,
    ) -> Result<Self, StoreError> {
        let Url { rest, tls, is_pooled } = Url::split(url)?;
        // What the parser says may repeat a part of the URL, and with it the password.
        let mut config: Config = rest.parse().map_err(|_| unreadable())?;
        if config.get_hosts().is_empty() {
            // Without a name there would be no TLS.
            for address in config.get_hostaddrs().to_vec() {
                config.host(address.to_string());
            }
        }
        if config.get_hosts().is_empty() {
            config.host("localhost");
        }
        if config.get_application_name().is_none() {
            config.application_name("stheno");
        }
        if config.get_password().is_none()
            && let Some(password) = password
        {
            config.password(password.expose_secret());
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(timeout);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(TCP_USER_TIMEOUT);
        }
        if config.get_keepalives_idle() == Config::new().get_keepalives_idle() {
            config.keepalives_idle(KEEPALIVE_IDLE);
        }
        if config.get_keepalives_interval().is_none() {
            config.keepalives_interval(KEEPALIVE_INTERVAL);
        }
        if config.get_keepalives_retries().is_none() {
            config.keepalives_retries(KEEPALIVE_RETRIES);
        }
        let mode = tls.mode()?;
        let connector = tls.connector(mode)?;
        config.ssl_mode(match mode {
            // A socket of this machine is never encrypted.
            _ if config.get_hosts().iter().all(|host| !matches!(host, Host::Tcp(_))) => SslMode::Disable,
            Mode::Disable => SslMode::Disable,
            Mode::Prefer => SslMode::Prefer,
            Mode::Require | Mode::VerifyCa | Mode::VerifyFull => SslMode::Require,
        });
        Ok(Self { config, tls: connector, is_pooled })
    }

    /// Where it is, without the password.
    pub(super) fn place(&self) -> String {
        let hosts: Vec<String> = self.config.get_hosts().iter().map(host_name).collect();
        let hosts = hosts.join(", ");
        match self.config.get_dbname().or(self.config.get_user()) {
            Some(name) => format!("{name} at {hosts}"),
            None => format!("at {hosts}"),
        }
    }
}

fn host_name(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    }
}

fn unreadable() -> StoreError {
    StoreError::Url(
        "cannot read the database URL: give postgres://USER:PASSWORD@HOST:PORT/DATABASE, with what is not a letter or a \
         digit in percent-encoding, and behind a question mark only parameters that Stheno knows"
            .to_owned(),
    )
}

/// A URL whose parameters have been looked through.
struct Url {
    /// It, without the parameters that tokio-postgres does not know.
    rest: String,
    tls: Parameters,
    is_pooled: bool,
}

impl Url {
    fn split(url: &str) -> Result<Self, StoreError> {
        let credentials = url.find('@').map_or(0, |at| at + 1);
        let parameters = url[credentials..].find('?').map_or(url.len(), |at| credentials + at);
        let mut split =
            Self { rest: url[..parameters].to_owned(), tls: Parameters::default(), is_pooled: false };
        let mut sign = '?';
        for parameter in url[parameters..].trim_start_matches('?').split('&').filter(|text| !text.is_empty())
        {
            if !split.take(parameter)? {
                split.rest.push(sign);
                split.rest.push_str(parameter);
                sign = '&';
            }
        }
        Ok(split)
    }

    /// Takes a parameter of ours; answers whether it is one.
    fn take(&mut self, parameter: &str) -> Result<bool, StoreError> {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = percent_decode_str(value).decode_utf8().map_err(|_| unreadable())?;
        match name {
            "sslmode" => {
                let mode = Mode::parse(&value).ok_or_else(|| {
                    StoreError::Url(format!("the database URL's sslmode is unknown: give {}", Mode::NAMES))
                })?;
                self.tls.mode = Some(mode);
            }
            "sslrootcert" => self.tls.root_certificates = Some(value.into_owned()),
            "sslcert" => self.tls.certificate = Some(value.into_owned().into()),
            "sslkey" => self.tls.key = Some(value.into_owned().into()),
            "pgbouncer" => {
                self.is_pooled = match &*value {
                    "true" => true,
                    "false" => false,
                    _ => {
                        return Err(StoreError::Url(
                            "the database URL's pgbouncer is unknown: give true or false".to_owned(),
                        ));
                    }
                }
            }
            // What other programs understand by these is not what anybody would guess.
            "ssl" | "sslaccept" | "sslcrl" | "sslpassword" | "gssencmode" | "passfile" | "service" => {
                return Err(StoreError::Url(format!(
                    "the database URL has {name}, which Stheno does not know: for TLS, give sslmode={}, and sslrootcert, \
                     sslcert and sslkey where they are needed",
                    Mode::NAMES
                )));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Target, StoreError> {
        Target::parse(url, None, Duration::from_secs(5))
    }

    fn refused(url: &str) -> String {
        match parse(url) {
            Err(StoreError::Url(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_connection_is_as_encrypted_as_the_url_demands() {
        for (url, mode) in [
            ("postgres://ada@db/shop", SslMode::Prefer),
            ("postgres://ada@db/shop?sslmode=disable", SslMode::Disable),
            ("postgres://ada@db/shop?sslmode=require&connect_timeout=3", SslMode::Require),
            ("postgres://ada@/shop?host=/run/postgresql&sslmode=require", SslMode::Disable),
            ("postgres://ada@db/shop?application_name=a%26b&sslmode=require", SslMode::Require),
        ] {
            let target = parse(url).unwrap();
            assert_eq!(target.config.get_ssl_mode(), mode, "{url}");
            assert_eq!(target.config.get_dbname(), Some("shop"), "{url}");
        }
    }

    #[test]
    fn what_the_url_sets_holds() {
        let target =
            parse("postgres://ada:s3cret@db/shop?tcp_user_timeout=7&keepalives_idle=8&connect_timeout=9");
        let config = target.unwrap().config;
        assert_eq!(config.get_tcp_user_timeout(), Some(&Duration::from_secs(7)));
        assert_eq!(config.get_keepalives_idle(), Duration::from_secs(8));
        assert_eq!(config.get_connect_timeout(), Some(&Duration::from_secs(9)));
        let password = SecretString::from("other");
        for (url, expected) in
            [("postgres://ada:s3cret@db/shop", "s3cret"), ("postgres://ada@db/shop", "other")]
        {
            let target = Target::parse(url, Some(&password), Duration::from_secs(5)).unwrap();
            assert_eq!(target.config.get_password(), Some(expected.as_bytes()));
            assert!(!format!("{target:?}").contains(expected), "{target:?}");
        }
    }

    #[test]
    fn a_pooler_is_named() {
        assert!(parse("postgres://ada@db/shop?pgbouncer=true").unwrap().is_pooled);
        assert!(!parse("postgres://ada@db/shop?pgbouncer=false").unwrap().is_pooled);
        assert!(!parse("postgres://ada@db/shop").unwrap().is_pooled);
    }

    #[test]
    fn a_place_has_no_password() {
        let place = |url: &str| parse(url).unwrap().place();
        assert_eq!(place("postgres://ada:s3cret@db:5433/shop?sslmode=disable"), "shop at db");
        assert_eq!(place("postgres://ada:s3cret@one,two/shop"), "shop at one, two");
        assert_eq!(place("postgres://ada@/shop?host=/run/postgresql"), "shop at /run/postgresql");
    }

    #[test]
    fn what_cannot_be_is_refused_without_the_password() {
        for (parameters, word) in [
            ("sslmode=s3cret", "verify-full"),
            ("sslmode=no-verify", "verify-full"),
            ("pgbouncer=s3cret", "true or false"),
            ("ssl=true", "sslmode"),
            ("s3cret=s3cret", "percent-encoding"),
            ("sslmode", "verify-full"),
            ("sslrootcert=/nowhere/ca.pem", "sslmode=verify-full"),
            ("sslmode=prefer&sslrootcert=/nowhere/ca.pem", "sslmode=verify-full"),
            ("sslmode=require&sslrootcert=system", "sslmode=verify-full"),
            ("sslmode=verify-ca", "needs sslrootcert"),
            ("sslmode=verify-ca&sslrootcert=/nowhere/ca.pem", "/nowhere/ca.pem"),
            ("sslmode=require&sslcert=/nowhere/client.pem", "sslkey"),
            ("sslmode=require&sslcert=/nowhere/client.pem&sslkey=/nowhere/key.pem", "/nowhere/client.pem"),
        ] {
            let text = refused(&format!("postgres://ada:s3cret@db/shop?{parameters}"));
            assert!(text.contains(word) && !text.contains("s3cret"), "{parameters}: {text}");
        }
    }
}
