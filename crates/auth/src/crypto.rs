//! The few primitives that the modules share.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{KeyInit, Mac};
use sha2::{Digest as _, Sha256};

/// The operating system gave no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no random bytes from the operating system")]
pub struct RandomError(#[from] getrandom::Error);

pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// 256 random bits in URL-safe base64: 43 characters.
pub(crate) fn random_text() -> Result<String, RandomError> {
    Ok(URL_SAFE_NO_PAD.encode(random_bytes::<32>()?))
}

pub(crate) fn sha256_hex(text: &str) -> String {
    base16ct::lower::encode_string(&Sha256::digest(text))
}

pub(crate) fn hmac<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> impl AsRef<[u8]> + use<M> {
    keyed::<M>(key, message).finalize().into_bytes()
}

/// Compares in constant time.
pub(crate) fn hmac_matches<M: Mac + KeyInit>(key: &[u8], message: &[u8], tag: &[u8]) -> bool {
    keyed::<M>(key, message).verify_slice(tag).is_ok()
}

fn keyed<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> M {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac
}
