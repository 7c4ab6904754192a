//! Secrets that sign tokens and cookies, and their rotation.

use std::str::FromStr;

use secrecy::{ExposeSecret as _, SecretString};

use crate::crypto::{RandomError, random_text};

/// A secret text: redacted in `Debug`, wiped from memory when dropped.
///
/// Medusa's secrets are JavaScript strings, so the key is the UTF-8 text as it stands, never decoded.
#[derive(Clone, Debug)]
pub struct Secret(SecretString);

/// Why a text is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The text is empty, or nothing but white space.
    #[error("the secret is empty")]
    Empty,
}

impl Secret {
    /// Shorter than this, a secret can be guessed from one token by trying (RFC 7518, section 3.2).
    pub const RECOMMENDED_BYTES: usize = 32;

    /// A new secret: 256 random bits in URL-safe base64.
    ///
    /// # Errors
    ///
    /// Fails if the operating system gives no random bytes.
    pub fn generate() -> Result<Self, RandomError> {
        Ok(Self(random_text()?.into()))
    }

    /// The secret that a file holds: its whole content but for one line end at the end, which editors add.
    ///
    /// # Errors
    ///
    /// Fails if nothing is left.
    pub fn from_file_content(content: &str) -> Result<Self, SecretError> {
        let without_line_feed = content.strip_suffix('\n').unwrap_or(content);
        without_line_feed.strip_suffix('\r').unwrap_or(without_line_feed).parse()
    }

    /// Whether the secret is shorter than [`Self::RECOMMENDED_BYTES`].
    ///
    /// Such a secret works, because shops run with one (Medusa's own default is `supersecret`); it deserves a warning.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.expose().len() < Self::RECOMMENDED_BYTES
    }

    /// The text itself, to sign with, or to show once to whoever asked for a new one.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.expose().as_bytes()
    }
}

impl FromStr for Secret {
    type Err = SecretError;

    fn from_str(text: &str) -> Result<Self, SecretError> {
        if text.trim().is_empty() {
            return Err(SecretError::Empty);
        }
        Ok(Self(text.into()))
    }
}

/// The secret to sign with, and those that were signed with before and still count.
///
/// To rotate: start with the new secret as current and the old one as previous; drop the old one once everything
/// signed with it has expired.
#[derive(Clone, Debug)]
pub struct SigningKeys {
    current: Secret,
    previous: Vec<Secret>,
}

impl SigningKeys {
    /// Signs with `current`, verifies with `current` and all of `previous`.
    #[must_use]
    pub fn new(current: Secret, previous: impl IntoIterator<Item = Secret>) -> Self {
        Self { current, previous: previous.into_iter().collect() }
    }

    /// The secret to sign with.
    #[must_use]
    pub fn current(&self) -> &Secret {
        &self.current
    }

    /// Every secret to verify with, the current one first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Secret> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}

impl From<Secret> for SigningKeys {
    fn from(current: Secret) -> Self {
        Self::new(current, [])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_loses_one_line_end() {
        for (content, secret) in [
            ("supersecret", "supersecret"),
            ("supersecret\n", "supersecret"),
            ("supersecret\r\n", "supersecret"),
            ("supersecret\n\n", "supersecret\n"),
            (" two words ", " two words "),
        ] {
            assert_eq!(Secret::from_file_content(content).unwrap().expose(), secret);
        }
    }

    #[test]
    fn nothing_is_no_secret() {
        for content in ["", "\n", "\r\n", " \t\n"] {
            assert_eq!(Secret::from_file_content(content).unwrap_err(), SecretError::Empty);
        }
    }

    #[test]
    fn a_generated_secret_is_long_enough_and_new() {
        let secret = Secret::generate().unwrap();
        assert!(!secret.is_short());
        assert_ne!(secret.expose(), Secret::generate().unwrap().expose());
    }

    #[test]
    fn debug_shows_no_secret() {
        let keys = SigningKeys::new("alpha".parse().unwrap(), ["beta".parse().unwrap()]);
        let shown = format!("{keys:?}");
        assert!(!shown.contains("alpha") && !shown.contains("beta"), "{shown}");
    }
}
