//! The session cookie `connect.sid`, as npm `express-session` 1.18 writes and reads it.
//!
//! The cookie holds `s:<session id>.<signature>`; the signature is HMAC-SHA-256 of the id in base64 without padding
//! (npm `cookie-signature` 1.0). In the headers the value is percent-encoded as by `encodeURIComponent`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hmac::Hmac;
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

use crate::crypto::{RandomError, hmac, hmac_matches, random_text, sha256_hex};
use crate::secret::SigningKeys;

/// The name of the cookie, which is Medusa's default.
pub const COOKIE_NAME: &str = "connect.sid";

/// How long a session lasts, as in Medusa.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(10);

const SIGNED_MARK: &str = "s:";

/// What `encodeURIComponent` encodes.
const URI_COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// The id of a session: redacted in `Debug`, wiped from memory when dropped.
///
/// Whoever knows it and the secret is logged in, so it is never stored as it is: see [`Self::storage_hash`].
#[derive(Clone, Debug)]
pub struct SessionId(SecretString);

impl SessionId {
    /// A new id: 256 random bits in URL-safe base64.
    ///
    /// # Errors
    ///
    /// Fails if the operating system gives no random bytes.
    pub fn generate() -> Result<Self, RandomError> {
        Ok(Self(random_text()?.into()))
    }

    /// What to store and to look up: SHA-256 of the id, in lower-case hexadecimal.
    ///
    /// A copy of the database then opens no session. The id is random, so a fast hash is enough.
    #[must_use]
    pub fn storage_hash(&self) -> String {
        sha256_hex(self.0.expose_secret())
    }
}

/// The secrets for session cookies: Medusa's `cookie_secret`, and those before it.
#[derive(Clone, Debug)]
pub struct CookieKeys(SigningKeys);

impl CookieKeys {
    /// The cookie's value, not yet percent-encoded: `s:<session id>.<signature>`.
    #[must_use]
    pub fn sign(&self, id: &SessionId) -> String {
        let id = id.0.expose_secret();
        let signature = hmac::<Hmac<Sha256>>(self.0.current().as_bytes(), id.as_bytes());
        format!("{SIGNED_MARK}{id}.{}", STANDARD_NO_PAD.encode(signature))
    }

    /// The session id in a cookie's value, or `None` if it is not signed with one of the secrets.
    #[must_use]
    pub fn unsign(&self, value: &str) -> Option<SessionId> {
        let (id, signature) = value.strip_prefix(SIGNED_MARK)?.rsplit_once('.')?;
        let signature = STANDARD_NO_PAD.decode(signature).ok()?;
        self.0
            .iter()
            .any(|secret| hmac_matches::<Hmac<Sha256>>(secret.as_bytes(), id.as_bytes(), &signature))
            .then(|| SessionId(id.into()))
    }

    /// The session id that the `Cookie` header of a request brings, if it is signed with one of the secrets.
    ///
    /// Takes bytes, because another site's cookie beside ours may hold anything.
    #[must_use]
    pub fn session_id(&self, cookie_header: &[u8]) -> Option<SessionId> {
        self.unsign(&cookie_value(cookie_header)?)
    }
}

impl From<SigningKeys> for CookieKeys {
    fn from(keys: SigningKeys) -> Self {
        Self(keys)
    }
}

/// The longest value of a cookie that may be another server's; express-session's have about 90 characters.
const LONGEST_FOREIGN: usize = 1024;

/// A session cookie that another server may know, and may be asked about: redacted in `Debug`, wiped from memory when
/// dropped.
#[derive(Clone, Debug)]
pub struct ForeignCookie(SecretString);

impl ForeignCookie {
    /// The session cookie that the `Cookie` header of a request brings, signed with whatever secret, if it can be one of
    /// express-session's.
    #[must_use]
    pub fn of(cookie_header: &[u8]) -> Option<Self> {
        let value = str::from_utf8(raw_value(cookie_header)?).ok()?;
        let is_signed = ["s:", "s%3A", "s%3a"].iter().any(|mark| value.starts_with(mark));
        let is_part = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b'\\');
        let can_be = is_signed && value.len() <= LONGEST_FOREIGN && value.bytes().all(is_part);
        can_be.then(|| Self(format!("{COOKIE_NAME}={value}").into()))
    }

    /// The `Cookie` header that brings it, and nothing else, to the server that may know it.
    #[must_use]
    pub fn header(&self) -> &str {
        self.0.expose_secret()
    }

    /// What to remember it by: SHA-256, in lower-case hexadecimal.
    #[must_use]
    pub fn storage_hash(&self) -> String {
        sha256_hex(self.header())
    }
}

/// The `Set-Cookie` header that gives a client the signed value.
///
/// `secure` is for a client that came over https, and makes the header byte for byte Medusa's in production, which a
/// back office on another site needs (`SameSite=None`). Without it the header is for development over plain http:
/// browsers refuse `SameSite=None` there, and `Lax` is what most of them take for no word at all, as Medusa sends then.
#[must_use]
pub fn set_cookie(signed: &str, expires: Timestamp, secure: bool) -> String {
    let value = utf8_percent_encode(signed, URI_COMPONENT);
    let expires = expires.strftime("%a, %d %b %Y %H:%M:%S GMT");
    let transport = if secure { "Secure; SameSite=None" } else { "SameSite=Lax" };
    format!("{COOKIE_NAME}={value}; Path=/; Expires={expires}; HttpOnly; {transport}")
}

/// The value of the first cookie of our name, as it came.
fn raw_value(header: &[u8]) -> Option<&[u8]> {
    header.split(|&byte| byte == b';').find_map(|pair| {
        let equals = pair.iter().position(|&byte| byte == b'=')?;
        let (name, value) = (&pair[..equals], &pair[equals + 1..]);
        (name.trim_ascii() == COOKIE_NAME.as_bytes()).then(|| value.trim_ascii())
    })
}

/// The decoded value of the first cookie of our name. The first counts, as in npm `cookie`: browsers send the most
/// specific one first.
///
/// By hand, because the `cookie` crate would bring the `time` crate for these lines, and writes attributes in another
/// order than express.
fn cookie_value(header: &[u8]) -> Option<String> {
    let value = raw_value(header)?;
    let unquoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
    Some(percent_decode(unquoted).decode_utf8().ok()?.into_owned())
}
