//! The bearer tokens of `POST /admin/auth/token`: HMAC JSON Web Tokens (RFC 7519) as Medusa signs and checks them.
//!
//! The rules are those of npm `jsonwebtoken` 9, which Medusa uses: no leeway, `exp` and `nbf` optional but numbers if
//! present, and any of the three HMAC algorithms. Where this module is stricter, the code says so.
//!
//! The format is written out here, on the `hmac` and `sha2` crates, because the `jsonwebtoken` crate reads the global
//! clock, keeps its cryptography in a process-wide variable, and brings RSA, elliptic curves and a second generation
//! of hash crates for algorithms that must be refused.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::Hmac;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Sha256, Sha384, Sha512};

use crate::crypto::{hmac, hmac_matches};
use crate::secret::{Secret, SigningKeys};

/// How long a token is valid, as in Medusa.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// The domain of every token here; Medusa signs those of shoppers with the same secret and domain `store`.
const DOMAIN: &str = "admin";

/// The secrets for bearer tokens: Medusa's `jwt_secret`, and those before it.
#[derive(Clone, Debug)]
pub struct JwtKeys(SigningKeys);

/// Why a token is refused. For the log: the one who sent it learns only that it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwtError {
    /// Not three parts of base64url, or header or claims are no JSON.
    #[error("the token is malformed")]
    Malformed,
    /// Not signed by HS256, HS384 or HS512, or with a header that must be understood and is not.
    #[error("the token is not signed in a way that is accepted")]
    UnsupportedHeader,
    /// No secret, current or previous, makes this signature.
    #[error("the token's signature does not match")]
    BadSignature,
    /// `exp` has come.
    #[error("the token has expired")]
    Expired,
    /// `nbf` has not come yet.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// The claim of this name is missing, of the wrong type, or has a value that is not accepted.
    #[error("the token's claim `{0}` is not acceptable")]
    InvalidClaim(&'static str),
}

impl JwtKeys {
    /// A token for the user with this id, valid from `now` for [`LIFETIME`].
    #[must_use]
    pub fn sign(&self, user_id: &str, now: Timestamp) -> String {
        let issued_at = now.as_second();
        let header = json!({ "alg": "HS256", "typ": "JWT" });
        let claims = json!({
            "user_id": user_id,
            "domain": DOMAIN,
            "iat": issued_at,
            "exp": issued_at + LIFETIME.as_secs(),
        });
        let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature = encode(hmac::<Hmac<Sha256>>(self.0.current().as_bytes(), signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// The id of the user whom the token was signed for.
    ///
    /// Whether that user exists is for the caller to find out.
    ///
    /// # Errors
    ///
    /// Says why the token is refused at `now`.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<String, JwtError> {
        let (signed, signature) = token.rsplit_once('.').ok_or(JwtError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(JwtError::Malformed)?;

        let algorithm = Algorithm::from_header(&decode_json(header)?)?;
        let signature = decode(signature)?;
        if !self.0.iter().any(|secret| algorithm.matches(secret, signed.as_bytes(), &signature)) {
            return Err(JwtError::BadSignature);
        }

        let claims = decode_json(claims)?;
        check_times(&claims, now)?;
        if claims.get("domain").and_then(Value::as_str) != Some(DOMAIN) {
            return Err(JwtError::InvalidClaim("domain"));
        }
        // Medusa takes any JavaScript truth; ids are texts.
        match claims.get("user_id").and_then(Value::as_str) {
            Some(user_id) if !user_id.is_empty() => Ok(user_id.to_owned()),
            _ => Err(JwtError::InvalidClaim("user_id")),
        }
    }
}

impl From<SigningKeys> for JwtKeys {
    fn from(keys: SigningKeys) -> Self {
        Self(keys)
    }
}

#[derive(Clone, Copy)]
enum Algorithm {
    Hs256,
    Hs384,
    Hs512,
}

impl Algorithm {
    fn from_header(header: &Value) -> Result<Self, JwtError> {
        // RFC 7515, section 4.1.11: refuse what one must understand and does not; npm `jsonwebtoken` does not look.
        if header.get("crit").is_some() {
            return Err(JwtError::UnsupportedHeader);
        }
        match header.get("alg").and_then(Value::as_str) {
            Some("HS256") => Ok(Self::Hs256),
            Some("HS384") => Ok(Self::Hs384),
            Some("HS512") => Ok(Self::Hs512),
            _ => Err(JwtError::UnsupportedHeader),
        }
    }

    fn matches(self, secret: &Secret, signed: &[u8], signature: &[u8]) -> bool {
        let key = secret.as_bytes();
        match self {
            Self::Hs256 => hmac_matches::<Hmac<Sha256>>(key, signed, signature),
            Self::Hs384 => hmac_matches::<Hmac<Sha384>>(key, signed, signature),
            Self::Hs512 => hmac_matches::<Hmac<Sha512>>(key, signed, signature),
        }
    }
}

fn check_times(claims: &Value, now: Timestamp) -> Result<(), JwtError> {
    let now = now.as_second() as f64;
    if numeric_date(claims, "nbf")?.is_some_and(|not_before| not_before > now) {
        return Err(JwtError::NotYetValid);
    }
    if numeric_date(claims, "exp")?.is_some_and(|expires| now >= expires) {
        return Err(JwtError::Expired);
    }
    Ok(())
}

/// Seconds since 1970, with a fraction if the signer likes. `null` is not the same as absent.
fn numeric_date(claims: &Value, name: &'static str) -> Result<Option<f64>, JwtError> {
    match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or(JwtError::InvalidClaim(name)),
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(part: &str) -> Result<Vec<u8>, JwtError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| JwtError::Malformed)
}

fn decode_json(part: &str) -> Result<Value, JwtError> {
    serde_json::from_slice(&decode(part)?).map_err(|_| JwtError::Malformed)
}
