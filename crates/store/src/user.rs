//! Users: who may sign in, and with what.

use jiff::Timestamp;
use secrecy::SecretString;

/// What a user is to the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Runs the shop.
    Admin,
    /// Works in it. Medusa's default.
    Member,
    /// Builds it.
    Developer,
}

impl Role {
    /// The role's name in the database and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Developer => "developer",
        }
    }
}

/// A user to be created.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Unique among all users; kept in lower case.
    pub email: String,
    /// A password container, see `stheno-auth`.
    pub password_hash: Option<String>,
    /// What the user is to the shop.
    pub role: Role,
    /// The hash of an API token that the user gets along.
    pub token_hash: Option<String>,
}

/// A user as it signs in.
#[derive(Debug, Clone)]
pub struct UserCredentials {
    /// `usr_…`, or whatever Medusa gave.
    pub id: String,
    /// The password container.
    pub password_hash: Option<SecretString>,
}

/// One of Stheno's API tokens, as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiTokenSummary {
    /// Its hash, which is all that is kept of it.
    pub hash: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A user as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSummary {
    /// `usr_…`, or whatever Medusa gave.
    pub id: String,
    /// The address that the user signs in with.
    pub email: String,
    /// `admin`, `member` or `developer`.
    pub role: String,
    /// How many API tokens of Stheno's the user has.
    pub tokens: u64,
    /// When the user was made.
    pub created_at: Timestamp,
}
