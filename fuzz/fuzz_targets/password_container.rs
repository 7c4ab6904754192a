//! Containers of passwords, as somebody may have written them into the database: nothing opens them but their password, and
//! one that costs too much is refused before that is paid.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use stheno_auth::password::{Cost, PasswordError, Verified, hash, verify};

/// What may be derived here without the fuzzer coming to a halt: `Cost` itself allows much more.
const MEMORY: u64 = 64 * 1024;
const WORK: u64 = 1 << 10;

/// That of no container that the fuzzer starts from.
const PASSWORD: &str = "nobody's";

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        let named = STANDARD.decode(text).ok().filter(|bytes| bytes.len() >= 16);
        if named.and_then(|bytes| cost_of(&bytes)).is_none_or(is_cheap) {
            let opened = verify(PASSWORD, Some(text), Cost::MEDUSA);
            assert!(!matches!(opened, Ok(Verified::Match { .. })), "{text}");
        }
    }
    sealed(data);
});

/// A container whose checksum is right, so that its cost is looked at, and whose tag can be right by no accident.
fn sealed(data: &[u8]) {
    let Some((cost, rest)) = data.split_at_checked(9) else { return };
    let mut container = b"scrypt\0".to_vec();
    container.extend_from_slice(cost);
    container.extend((0..32).map(|index| rest.get(index).copied().unwrap_or_default()));
    let checksum = Sha256::digest(&container);
    container.extend_from_slice(&checksum[..16]);
    container.extend_from_slice(&[7; 32]);
    let text = STANDARD.encode(&container);
    match cost_of(&container) {
        None => assert!(
            matches!(verify(PASSWORD, Some(&text), Cost::MEDUSA), Err(PasswordError::CostOutOfBounds { .. })),
            "{text}"
        ),
        Some(cost) if is_cheap(cost) => {
            assert_eq!(verify(PASSWORD, Some(&text), Cost::MEDUSA), Ok(Verified::Mismatch), "{text}");
            let password = String::from_utf8_lossy(rest);
            let good = hash(&password, cost.0).expect("random bytes");
            let opened = verify(&password, Some(&good), cost.0);
            assert_eq!(opened, Ok(Verified::Match { needs_rehash: false }), "{password}");
            damaged(&good, &password, rest);
        }
        Some(_) => {}
    }
}

/// A good container in which one bit is another.
fn damaged(good: &str, password: &str, data: &[u8]) {
    let mut bytes = STANDARD.decode(good).expect("a container is base64");
    let [place, bit, ..] = data else { return };
    let place = usize::from(*place) % bytes.len();
    bytes[place] ^= 1 << (bit % 8);
    let text = STANDARD.encode(&bytes);
    assert!(!matches!(verify(password, Some(&text), Cost::MEDUSA), Ok(Verified::Match { .. })), "{text}");
}

/// The cost that a container names, and what it stands for; none, if it is out of bounds.
fn cost_of(container: &[u8]) -> Option<(Cost, u64)> {
    let number = |start: usize| {
        u32::from_be_bytes(container[start..start + 4].try_into().expect("four bytes are four bytes"))
    };
    let (log_n, r, p) = (container[7], number(8), number(12));
    let cost = Cost::new(log_n, r, p).ok()?;
    Some((cost, (1_u64 << log_n) * u64::from(r) * u64::from(p)))
}

fn is_cheap((cost, work): (Cost, u64)) -> bool {
    cost.memory_bytes() <= MEMORY && work <= WORK
}
