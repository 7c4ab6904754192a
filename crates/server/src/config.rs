//! What an operator can set.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use stheno_auth::jwt::JwtKeys;
use stheno_auth::session::CookieKeys;

pub use crate::cors::AdminCors;
pub use crate::limits::RateLimit;
use crate::medusa::MedusaUrl;

/// The settings of a server.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// The origins whose pages may call the admin API.
    pub admin_cors: AdminCors,
    /// Whether a session's cookie is marked `Secure`.
    pub cookie_secure: CookieSecure,
    /// Whose `x-forwarded-*` headers are believed.
    pub trust_proxy: TrustProxy,
    /// The largest JSON body, in bytes, after decompression.
    pub body_limit: usize,
    /// How long a write to a client may take before the connection is given up.
    pub write_timeout: Duration,
    /// How long a client may take to send the head of a request, and to begin the next one.
    pub header_timeout: Duration,
    /// How long a client may take to send the body of a request.
    pub body_timeout: Duration,
    /// How many calls are worked on at once.
    pub concurrency: usize,
    /// How many calls more may wait for their turn; those beyond are answered 503 at once.
    pub queue: usize,
    /// How long a call waits for its turn before it is answered 503.
    pub queue_timeout: Duration,
    /// How many calls may be made from one address.
    pub rate_limit_address: Option<RateLimit>,
    /// How many calls may be made with one credential.
    pub rate_limit_credential: Option<RateLimit>,
    /// How long requests in flight may take when the server shuts down.
    pub shutdown_timeout: Duration,
    /// How long a credential is believed without asking the store again: what another process has changed, such as a
    /// session that was closed or a user that was deleted, is seen after this time at the latest.
    pub credentials_remembered: Duration,
    /// The Medusa on the same database, whose session cookies count here too.
    pub medusa: Option<MedusaUrl>,
    /// How long Medusa may take to say whose a session is.
    pub medusa_timeout: Duration,
    /// How long logins and logouts are kept in the audit trail; without a time, none is written.
    pub audit_retention: Option<Duration>,
    /// Whether the API's description and its page are served.
    pub docs: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            admin_cors: AdminCors::default(),
            cookie_secure: CookieSecure::Auto,
            trust_proxy: TrustProxy::default(),
            body_limit: 8 * 1024 * 1024,
            write_timeout: Duration::from_secs(30),
            header_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(60),
            concurrency: 64,
            queue: 1024,
            queue_timeout: Duration::from_secs(2),
            rate_limit_address: None,
            rate_limit_credential: None,
            shutdown_timeout: Duration::from_secs(30),
            credentials_remembered: Duration::from_secs(5),
            medusa: None,
            medusa_timeout: Duration::from_secs(3),
            audit_retention: Some(Duration::from_secs(90 * 24 * 60 * 60)),
            docs: true,
        }
    }
}

/// What tokens and cookies are signed with.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// For bearer tokens.
    pub jwt: JwtKeys,
    /// For session cookies.
    pub cookie: CookieKeys,
}

/// When a session's cookie is set, and how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CookieSecure {
    /// Over https only, or behind a trusted proxy that says so, marked `Secure; SameSite=None`. As Medusa in
    /// production.
    #[default]
    Auto,
    /// Always, marked `Secure; SameSite=None`: for a proxy that does not say so.
    Always,
    /// Always, without `Secure`, `SameSite=Lax`: for http during development.
    Never,
}

/// A setting that is none of the known words or forms.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingError(String);

impl SettingError {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl FromStr for CookieSecure {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "always" => Ok(Self::Always),
            "never" => Ok(Self::Never),
            _ => Err(SettingError::new("give auto, always or never")),
        }
    }
}

impl fmt::Display for CookieSecure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        })
    }
}

/// The addresses of proxies whose `x-forwarded-*` headers are believed.
///
/// Written as a list with commas: `loopback`, `private` (the private and link-local networks), `all`, `none`, or
/// addresses and networks such as `10.1.2.3` and `10.0.0.0/8`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustProxy {
    text: String,
    networks: Vec<IpNet>,
}

const LOOPBACK: &[&str] = &["127.0.0.0/8", "::1/128"];
const PRIVATE: &[&str] =
    &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10"];
const ALL: &[&str] = &["0.0.0.0/0", "::/0"];

impl TrustProxy {
    /// Whether a peer with this address is believed.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.networks.iter().any(|network| network.contains(&peer))
    }
}

impl Default for TrustProxy {
    fn default() -> Self {
        let networks = LOOPBACK.iter().filter_map(|network| network.parse().ok()).collect();
        Self { text: "loopback".to_owned(), networks }
    }
}

impl FromStr for TrustProxy {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut networks = Vec::new();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let named: &[&str] = match word {
                "none" => &[],
                "all" => ALL,
                "loopback" => LOOPBACK,
                "private" => PRIVATE,
                other => &[other],
            };
            for network in named {
                let parsed = network.parse().or_else(|_| network.parse::<IpAddr>().map(IpNet::from));
                networks.push(parsed.map_err(|_| {
                    SettingError::new(format!(
                        "{network:?} is no network: give loopback, private, all, none, an address or a network \
                         such as 10.0.0.0/8"
                    ))
                })?);
            }
        }
        Ok(Self { text: text.to_owned(), networks })
    }
}

impl fmt::Display for TrustProxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_trusted_by_name_address_and_network() {
        let trust: TrustProxy = "loopback, 10.1.2.3,192.168.0.0/16".parse().unwrap();
        for (peer, trusted) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("10.1.2.3", true),
            ("10.1.2.4", false),
            ("192.168.7.7", true),
            ("8.8.8.8", false),
        ] {
            assert_eq!(trust.trusts(peer.parse().unwrap()), trusted, "{peer}");
        }
        assert!(!"none".parse::<TrustProxy>().unwrap().trusts("127.0.0.1".parse().unwrap()));
        assert!("all".parse::<TrustProxy>().unwrap().trusts("8.8.8.8".parse().unwrap()));
        assert!("somewhere".parse::<TrustProxy>().is_err());
    }
}
