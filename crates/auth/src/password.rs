//! Password hashes in the container of npm `scrypt-kdf` 2.0, which is what Medusa stores.
//!
//! Base64 of 96 bytes, the format of Colin Percival's `scrypt` tool:
//!
//! | bytes | what |
//! | --- | --- |
//! | 0..6 | `scrypt` |
//! | 6 | version, 0 |
//! | 7 | log2 N |
//! | 8..12 | r, big-endian |
//! | 12..16 | p, big-endian |
//! | 16..48 | salt |
//! | 48..64 | first half of SHA-256 over bytes 0..48: against damage, not against forgery |
//! | 64..96 | HMAC-SHA-256 over bytes 0..64, keyed with the second half of 64 derived bytes |
//!
//! Deriving takes a good part of a second and tens of megabytes, on purpose: call [`hash`] and [`verify`] off the
//! async threads, and only so many at a time as memory allows ([`Cost::memory_bytes`] each).

use std::hint::black_box;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Hmac;
use sha2::{Digest as _, Sha256};

use crate::crypto::{RandomError, hmac, hmac_matches, random_bytes};

const LENGTH: usize = 96;
const MAGIC_AND_VERSION: &[u8] = b"scrypt\0";
const SALT_START: usize = 16;
const CHECKSUM_START: usize = 48;
const TAG_START: usize = 64;

/// What deriving a key costs: scrypt's parameters, within bounds.
///
/// The bounds hold for containers too, so that a row somebody wrote into the database cannot take the server's memory
/// or time: at most 256 MiB and 2^22 block operations, four times OWASP's recommendation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    log_n: u8,
    r: u32,
    p: u32,
}

/// Why a stored container cannot be checked, or a cost is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// Not base64 of 96 bytes that start with `scrypt` and version 0.
    #[error("the password hash is no scrypt-kdf container")]
    NotAContainer,
    /// Parameters or salt are not those that were written.
    #[error("the password hash is damaged: its checksum does not match")]
    Damaged,
    /// Zero, or more memory or work than a server can give away.
    #[error("scrypt cost log2 N = {log_n}, r = {r}, p = {p} is out of bounds")]
    CostOutOfBounds {
        /// log2 of N.
        log_n: u8,
        /// Block size.
        r: u32,
        /// Parallelism.
        p: u32,
    },
}

/// What [`verify`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    /// It is the password.
    Match {
        /// The container costs less than it should today: [`hash`] the password again and store that.
        needs_rehash: bool,
    },
    /// It is not, or there is none.
    Mismatch,
}

impl Cost {
    /// What Medusa writes: next to nothing. To read old containers, and to keep tests fast.
    pub const MEDUSA: Self = Self { log_n: 1, r: 1, p: 1 };

    /// N = 2^15, r = 8, p = 3: 32 MiB for each derivation.
    ///
    /// One of the equally strong choices in OWASP's Password Storage Cheat Sheet. It is the one with the memory of a
    /// small server in mind: ten people who log in at once take 320 MiB, where N = 2^17, p = 1 would take 1,280.
    pub const STANDARD: Self = Self { log_n: 15, r: 8, p: 3 };

    const MAX_MEMORY_BYTES: u128 = 256 << 20;
    const MAX_WORK: u128 = 1 << 22;

    /// N = 2^`log_n`, block size `r`, parallelism `p`.
    ///
    /// # Errors
    ///
    /// Refuses what is out of bounds.
    pub fn new(log_n: u8, r: u32, p: u32) -> Result<Self, PasswordError> {
        let cost = Self { log_n, r, p };
        // OpenSSL, and so Medusa beside us, refuses N >= 2^(16 r).
        let possible = (1..32).contains(&log_n) && r > 0 && p > 0 && u32::from(log_n) / 16 < r;
        if possible && cost.memory() <= Self::MAX_MEMORY_BYTES && cost.work() <= Self::MAX_WORK {
            Ok(cost)
        } else {
            Err(PasswordError::CostOutOfBounds { log_n, r, p })
        }
    }

    /// The memory that one derivation takes.
    #[must_use]
    pub fn memory_bytes(self) -> u64 {
        // Within MAX_MEMORY_BYTES by construction.
        self.memory() as u64
    }

    /// 128 bits wide, so that nothing read from a container overflows before it is compared.
    fn memory(self) -> u128 {
        128 * u128::from(self.r) * (self.n() + u128::from(self.p))
    }

    fn work(self) -> u128 {
        self.n() * u128::from(self.r) * u128::from(self.p)
    }

    fn n(self) -> u128 {
        1 << self.log_n
    }

    fn is_weaker_than(self, other: Self) -> bool {
        self.work() < other.work() || self.memory() < other.memory()
    }

    fn derive(self, password: &str, salt: &[u8]) -> [u8; 64] {
        let parameters =
            scrypt::Params::new(self.log_n, self.r, self.p).expect("a cost within bounds suits scrypt");
        let mut derived = [0; 64];
        scrypt::scrypt(password.as_bytes(), salt, &parameters, &mut derived)
            .expect("64 bytes is a length that scrypt derives");
        derived
    }
}

impl Default for Cost {
    fn default() -> Self {
        Self::STANDARD
    }
}

/// A container for the password, with a new salt.
///
/// The empty password is a password like any other, as in Medusa.
///
/// # Errors
///
/// Fails if the operating system gives no random bytes.
pub fn hash(password: &str, cost: Cost) -> Result<String, RandomError> {
    Ok(Container::seal(password, cost, &random_bytes()?).encode())
}

/// Whether `password` is the one that `container` was made from.
///
/// `container` is `None` for a user who does not exist, or has no password. Finding a mismatch costs at least
/// `current` in every case, also with no container or a cheap one from Medusa, so that the time taken does not tell
/// which e-mail addresses have an account.
///
/// # Errors
///
/// Fails if the container is malformed, damaged or costs too much; nothing has been derived then.
pub fn verify(password: &str, container: Option<&str>, current: Cost) -> Result<Verified, PasswordError> {
    let Some(container) = container else {
        spend(password, current);
        return Ok(Verified::Mismatch);
    };
    let container = Container::parse(container)?;
    let needs_rehash = container.cost.is_weaker_than(current);
    if container.opens_with(password) {
        return Ok(Verified::Match { needs_rehash });
    }
    if needs_rehash {
        spend(password, current);
    }
    Ok(Verified::Mismatch)
}

/// Takes as long as a real check.
fn spend(password: &str, cost: Cost) {
    black_box(cost.derive(black_box(password), &[0; 32]));
}

struct Container {
    bytes: [u8; LENGTH],
    cost: Cost,
}

impl Container {
    fn seal(password: &str, cost: Cost, salt: &[u8; 32]) -> Self {
        let mut bytes = [0; LENGTH];
        bytes[..7].copy_from_slice(MAGIC_AND_VERSION);
        bytes[7] = cost.log_n;
        bytes[8..12].copy_from_slice(&cost.r.to_be_bytes());
        bytes[12..16].copy_from_slice(&cost.p.to_be_bytes());
        bytes[SALT_START..CHECKSUM_START].copy_from_slice(salt);
        let checksum = checksum(&bytes);
        bytes[CHECKSUM_START..TAG_START].copy_from_slice(&checksum);

        let mut container = Self { bytes, cost };
        let tag = hmac::<Hmac<Sha256>>(&container.tag_key(password), &container.bytes[..TAG_START]);
        container.bytes[TAG_START..].copy_from_slice(tag.as_ref());
        container
    }

    fn parse(text: &str) -> Result<Self, PasswordError> {
        let bytes = STANDARD.decode(text).map_err(|_| PasswordError::NotAContainer)?;
        let bytes: [u8; LENGTH] = bytes.try_into().map_err(|_| PasswordError::NotAContainer)?;
        if !bytes.starts_with(MAGIC_AND_VERSION) {
            return Err(PasswordError::NotAContainer);
        }
        if bytes[CHECKSUM_START..TAG_START] != checksum(&bytes) {
            return Err(PasswordError::Damaged);
        }
        let [log_n, r0, r1, r2, r3, p0, p1, p2, p3] = bytes[7..SALT_START] else {
            return Err(PasswordError::NotAContainer);
        };
        let cost =
            Cost::new(log_n, u32::from_be_bytes([r0, r1, r2, r3]), u32::from_be_bytes([p0, p1, p2, p3]))?;
        Ok(Self { bytes, cost })
    }

    fn encode(&self) -> String {
        STANDARD.encode(self.bytes)
    }

    fn opens_with(&self, password: &str) -> bool {
        let (sealed, tag) = self.bytes.split_at(TAG_START);
        hmac_matches::<Hmac<Sha256>>(&self.tag_key(password), sealed, tag)
    }

    fn tag_key(&self, password: &str) -> [u8; 32] {
        let derived = self.cost.derive(password, &self.bytes[SALT_START..CHECKSUM_START]);
        std::array::from_fn(|index| derived[32 + index])
    }
}

fn checksum(bytes: &[u8; LENGTH]) -> [u8; 16] {
    let digest = Sha256::digest(&bytes[..CHECKSUM_START]);
    std::array::from_fn(|index| digest[index])
}
