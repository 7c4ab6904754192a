//! Passwords: made, judged and hashed.

use anyhow::{Context as _, Result};
use stheno_auth::password::{self, Cost};
use stheno_auth::secret::Secret;

/// Shorter than this, a password is guessed soon (NIST SP 800-63B).
const SHORT: usize = 8;

/// Digits and letters without those that are mistaken for others (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A new password: 100 random bits, in a form that can be read out and typed.
pub(crate) fn generate() -> Result<Secret> {
    let mut random = [0; 20];
    getrandom::fill(&mut random).context("no random bytes from the operating system")?;
    let groups: Vec<String> = random
        .chunks(5)
        .map(|group| group.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
        .collect();
    Ok(groups.join("-").parse()?)
}

/// Whether a chosen password is so short that whoever chose it should hear of it.
pub(crate) fn is_short(password: &Secret) -> bool {
    password.expose().chars().count() < SHORT
}

/// The container to store. Takes a good part of a second, on purpose.
pub(crate) async fn hash(password: Secret) -> Result<String> {
    let hash = tokio::task::spawn_blocking(move || password::hash(password.expose(), Cost::STANDARD));
    Ok(hash.await??)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_password_is_new_and_can_be_typed() {
        let password = generate().unwrap();
        assert_ne!(password.expose(), generate().unwrap().expose());
        assert!(!is_short(&password));
        let groups: Vec<&str> = password.expose().split('-').collect();
        assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [5; 4]);
        assert!(groups.concat().bytes().all(|character| ALPHABET.contains(&character)));
    }
}
