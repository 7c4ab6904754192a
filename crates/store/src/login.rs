//! The audit trail: who has signed in, who was refused, and who has signed out.

use std::net::IpAddr;

use jiff::Timestamp;

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LoginKind {
    /// A session, with a password.
    Session,
    /// A bearer token, with a password.
    Token,
    /// The end of a session.
    Logout,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LoginOutcome {
    /// It was given.
    Accepted,
    /// The password was another, or the account has none.
    WrongPassword,
    /// There was no such account.
    UnknownUser,
    /// Too many had failed, so it was not looked at.
    Limited,
    /// The server could not answer: it had too much to do, or its database failed.
    Failed,
}

/// A login or a logout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// When it was; the first time, where it was tried more often.
    pub at: Timestamp,
    /// The user whose account it was; none, if it was nobody's.
    pub user_id: Option<String>,
    /// What was asked for.
    pub kind: LoginKind,
    /// What came of it.
    pub outcome: LoginOutcome,
    /// Where it came from, as far as that is known.
    pub address: Option<IpAddr>,
    /// How often the same was tried.
    pub attempts: u32,
}

/// An entry of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginEntry {
    /// Ascends, and is never given again.
    pub id: i64,
    /// What was written down.
    pub login: Login,
}

/// Which entries of the audit trail are asked for.
#[derive(Debug, Clone, Default)]
pub struct LoginFilter {
    /// Those of this user.
    pub user_id: Option<String>,
    /// Those from this time on.
    pub since: Option<Timestamp>,
}

impl LoginKind {
    const ALL: [Self; 3] = [Self::Session, Self::Token, Self::Logout];

    /// The kind's name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Token => "token",
            Self::Logout => "logout",
        }
    }

    pub(crate) fn named(name: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or_else(|| UnknownWord(name.to_owned()))
    }
}

impl LoginOutcome {
    const ALL: [Self; 5] =
        [Self::Accepted, Self::WrongPassword, Self::UnknownUser, Self::Limited, Self::Failed];

    /// The outcome's name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::WrongPassword => "wrong_password",
            Self::UnknownUser => "unknown_user",
            Self::Limited => "limited",
            Self::Failed => "failed",
        }
    }

    pub(crate) fn named(name: &str) -> Result<Self, UnknownWord> {
        let outcome = Self::ALL.into_iter().find(|outcome| outcome.as_str() == name);
        outcome.ok_or_else(|| UnknownWord(name.to_owned()))
    }
}

/// A word in the audit trail that this Stheno does not know.
#[derive(Debug, thiserror::Error)]
#[error("the audit trail has the word {0:?}, which is none of Stheno's")]
pub(crate) struct UnknownWord(String);
