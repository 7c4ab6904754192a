//! Stheno's own API tokens.
//!
//! A token is `stheno_` and 256 random bits in URL-safe base64. The prefix lets a scanner for leaked secrets find one,
//! and lets a reader tell it from Medusa's plain `user.api_token`, which comes in the same header. One that may only read
//! says so itself, `stheno_read_` and the bits, and so does its hash: whoever leaves that out has another token, which
//! nobody has given out.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};

use crate::crypto::{RandomError, random_text, sha256_hex};

/// What every token starts with.
pub const PREFIX: &str = "stheno_";

/// What the tokens start with that may only read.
pub const READ_PREFIX: &str = "stheno_read_";

/// What the stored hashes of these start with.
const READ_HASH: &str = "read:";

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// All that its user may do.
    Full,
    /// What changes nothing.
    Read,
}

impl Access {
    /// What a token, presented by whomever, is good for if it is one.
    #[must_use]
    pub fn of(presented: &str) -> Self {
        if presented.starts_with(READ_PREFIX) { Self::Read } else { Self::Full }
    }

    /// What the token with this stored hash is good for.
    #[must_use]
    pub fn of_hash(hash: &str) -> Self {
        if hash.starts_with(READ_HASH) { Self::Read } else { Self::Full }
    }
}

/// An API token: redacted in `Debug`, wiped from memory when dropped.
#[derive(Clone, Debug)]
pub struct ApiToken(SecretString);

impl ApiToken {
    /// A new token.
    ///
    /// # Errors
    ///
    /// Fails if the operating system gives no random bytes.
    pub fn generate(access: Access) -> Result<Self, RandomError> {
        let prefix = match access {
            Access::Full => PREFIX,
            Access::Read => READ_PREFIX,
        };
        Ok(Self(format!("{prefix}{}", random_text()?).into()))
    }

    /// The token in `text`, or `None` if it does not have the form of one.
    ///
    /// Any well-formed token passes; only looking up its [hash](Self::hash) tells whether it was ever given out.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let random = text.strip_prefix(READ_PREFIX).or_else(|| text.strip_prefix(PREFIX))?;
        let random = URL_SAFE_NO_PAD.decode(random).ok()?;
        (random.len() == 32).then(|| Self(text.into()))
    }

    /// What to store and to look up: SHA-256 of the whole token, in lower-case hexadecimal, behind `read:` if it may only read.
    ///
    /// A slow, salted hash protects passwords because people choose guessable ones. Nobody guesses 256 random bits,
    /// so a fast hash is as safe, can be indexed, and costs nothing per request. A look-up by hash also leaks nothing
    /// about the token through its timing.
    #[must_use]
    pub fn hash(&self) -> String {
        hash(self.expose())
    }

    /// The token itself, to show once to whoever asked for it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// The hash of any text that is presented as a token, also of one that an operator chose and that is no [`ApiToken`]
/// by its form: SHA-256 in lower-case hexadecimal, behind `read:` if it may only read.
#[must_use]
pub fn hash(presented: &str) -> String {
    match Access::of(presented) {
        Access::Full => sha256_hex(presented),
        Access::Read => format!("{READ_HASH}{}", sha256_hex(presented)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_token_parses_and_keeps_its_hash() {
        let token = ApiToken::generate(Access::Full).unwrap();
        assert_eq!(token.expose().len(), PREFIX.len() + 43);
        assert_eq!(ApiToken::parse(token.expose()).unwrap().hash(), token.hash());
        assert_ne!(ApiToken::generate(Access::Full).unwrap().hash(), token.hash());
    }

    #[test]
    fn a_token_that_may_only_read_says_so_and_cannot_hide_it() {
        let token = ApiToken::generate(Access::Read).unwrap();
        assert_eq!(ApiToken::parse(token.expose()).unwrap().hash(), token.hash());
        assert_eq!(
            (Access::of(token.expose()), Access::of_hash(&token.hash())),
            (Access::Read, Access::Read)
        );
        let full = ApiToken::generate(Access::Full).unwrap();
        assert_eq!((Access::of(full.expose()), Access::of_hash(&full.hash())), (Access::Full, Access::Full));
        let changed = token.expose().replacen(READ_PREFIX, PREFIX, 1);
        assert!(!token.hash().ends_with(&hash(&changed)));
    }

    #[test]
    fn the_stored_hash_does_not_change_between_releases() {
        let token = ApiToken::parse("stheno_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap();
        assert_eq!(token.hash(), "da4858233431c339d2fdaf2229c51ec18fbb546b8285d8894f733548f1631041");
        assert_eq!(hash(token.expose()), token.hash());
        assert_eq!(
            hash("a-chosen-api-token"),
            "de62d71f13529af4f48c43d6b69c9a6bab9adce36b2131c51097647eaed8f5f2"
        );
    }

    #[test]
    fn other_texts_are_no_tokens() {
        let zeros = "A".repeat(43);
        for text in [
            "",
            "test_token",
            "stheno_",
            &zeros,
            &format!("stheno_{}", "A".repeat(42)),
            &format!("stheno_{}", "A".repeat(44)),
            &format!("stheno_{zeros}="),
            &format!("Stheno_{zeros}"),
            &format!(" stheno_{zeros}"),
            &format!("stheno_{}B", "A".repeat(42)),
        ] {
            assert!(ApiToken::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn debug_shows_no_token() {
        let token = ApiToken::generate(Access::Full).unwrap();
        assert!(!format!("{token:?}").contains(&token.expose()[PREFIX.len()..]));
    }
}
