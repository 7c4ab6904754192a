//! What somebody signs in with.

use anyhow::Result;
use stheno_auth::secret::Secret;

/// A password or an API token.
#[derive(Debug)]
pub(crate) enum Credential {
    /// Known to whoever chose it, so it is shown to nobody.
    Chosen(Secret),
    /// Made here, so somebody must be told.
    Made(Secret),
}

impl Credential {
    /// The one that was chosen, or else one that is made.
    pub(crate) fn chosen_or(chosen: Option<Secret>, make: impl FnOnce() -> Result<Secret>) -> Result<Self> {
        chosen.map_or_else(|| make().map(Self::Made), |secret| Ok(Self::Chosen(secret)))
    }

    /// The text, to be hashed.
    pub(crate) fn secret(&self) -> &Secret {
        match self {
            Self::Chosen(secret) | Self::Made(secret) => secret,
        }
    }

    /// The text, if somebody must be told.
    pub(crate) fn to_tell(&self) -> Option<&str> {
        match self {
            Self::Chosen(_) => None,
            Self::Made(secret) => Some(secret.expose()),
        }
    }
}
