use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use stheno_auth::password::{Cost, PasswordError, Verified, hash, verify};

use crate::fixtures::NPM;

const MATCH: Verified = Verified::Match { needs_rehash: false };
const MATCH_TO_REHASH: Verified = Verified::Match { needs_rehash: true };

/// The admin user of the contract's seed, as Medusa wrote it.
const SEED: &str = "c2NyeXB0AAEAAAABAAAAATRQQSAIJNsgPnN/GFkJG/psX8X6lTZE9xTQ2vbI8lgMb/ljUK6FsrGfQQeYAU6QoU0qgAiC2QUtn0MVp6gq1u+2nJkWBrPIbmVKn1FHuB7+";

fn cheap() -> Cost {
    Cost::new(4, 2, 1).expect("16 small blocks are within bounds")
}

#[test]
fn opens_the_containers_of_npm() {
    for case in &NPM.passwords {
        let cost = Cost::new(case.cost.log_n, case.cost.r, case.cost.p).unwrap();
        assert_eq!(verify(&case.password, Some(&case.container), cost), Ok(MATCH), "{}", case.container);
        let wrong = format!("{}x", case.password);
        assert_eq!(verify(&wrong, Some(&case.container), cost), Ok(Verified::Mismatch), "{}", case.container);
    }
}

#[test]
fn opens_the_container_of_the_seed_and_asks_for_a_better_one() {
    assert_eq!(verify("supersecret", Some(SEED), Cost::MEDUSA), Ok(MATCH));
    assert_eq!(verify("supersecret", Some(SEED), Cost::STANDARD), Ok(MATCH_TO_REHASH));
    assert_eq!(verify("Supersecret", Some(SEED), cheap()), Ok(Verified::Mismatch));
    assert_eq!(verify("", Some(SEED), cheap()), Ok(Verified::Mismatch));
}

#[test]
fn no_container_matches_nothing() {
    assert_eq!(verify("", None, cheap()), Ok(Verified::Mismatch));
    assert_eq!(verify("supersecret", None, cheap()), Ok(Verified::Mismatch));
}

#[test]
fn the_empty_password_is_one() {
    let container = hash("", cheap()).unwrap();
    assert_eq!(verify("", Some(&container), cheap()), Ok(MATCH));
    assert_eq!(verify(" ", Some(&container), cheap()), Ok(Verified::Mismatch));
}

#[test]
fn a_rehash_is_asked_for_only_if_it_makes_the_container_stronger() {
    let stronger = hash("x", Cost::new(6, 2, 1).unwrap()).unwrap();
    assert_eq!(verify("x", Some(&stronger), cheap()), Ok(MATCH));
    let less_memory_for_the_same_work = hash("x", Cost::new(3, 2, 2).unwrap()).unwrap();
    assert_eq!(verify("x", Some(&less_memory_for_the_same_work), cheap()), Ok(MATCH_TO_REHASH));
    let more_memory_but_less_work = hash("x", Cost::new(5, 2, 1).unwrap()).unwrap();
    let current = Cost::new(4, 2, 3).unwrap();
    assert_eq!(verify("x", Some(&more_memory_but_less_work), current), Ok(MATCH_TO_REHASH));
}

#[test]
fn a_mismatch_takes_as_long_without_an_account_as_with_one() {
    let current = Cost::new(13, 8, 1).unwrap();
    let account = hash("supersecret", current).unwrap();
    let time = |container| {
        let start = Instant::now();
        assert_eq!(verify("wrong", container, current), Ok(Verified::Mismatch));
        start.elapsed()
    };
    let with_account = time(Some(&account));
    // A tenth: far below what noise on a busy machine explains, far above what a skipped derivation takes.
    assert!(time(None) > with_account / 10);
    assert!(time(Some(SEED)) > with_account / 10);
}

#[test]
fn salts_differ() {
    assert_ne!(hash("x", cheap()).unwrap(), hash("x", cheap()).unwrap());
}

#[test]
fn what_is_no_container_is_refused() {
    let cut = STANDARD.encode(&STANDARD.decode(SEED).unwrap()[..95]);
    let long = STANDARD.encode([STANDARD.decode(SEED).unwrap(), vec![0]].concat());
    for text in
        ["", "supersecret", "$2b$10$abcdefghijklmnopqrstuv", &cut, &long, &format!("{SEED} "), &SEED[1..]]
    {
        assert_eq!(verify("x", Some(text), cheap()), Err(PasswordError::NotAContainer), "{text}");
    }
}

#[test]
fn another_magic_or_version_is_refused() {
    for at in 0..7 {
        let container = changed(|bytes| bytes[at] ^= 1);
        assert_eq!(
            verify("supersecret", Some(&container), cheap()),
            Err(PasswordError::NotAContainer),
            "{at}"
        );
    }
}

#[test]
fn damage_is_noticed_in_parameters_salt_and_checksum() {
    let mut bytes = STANDARD.decode(SEED).unwrap();
    for at in 7..64 {
        bytes[at] ^= 1;
        let container = STANDARD.encode(&bytes);
        bytes[at] ^= 1;
        assert_eq!(verify("supersecret", Some(&container), cheap()), Err(PasswordError::Damaged), "{at}");
    }
}

#[test]
fn damage_to_the_tag_is_a_mismatch() {
    let container = changed(|bytes| bytes[95] ^= 1);
    assert_eq!(verify("supersecret", Some(&container), Cost::MEDUSA), Ok(Verified::Mismatch));
}

#[test]
fn a_container_that_costs_too_much_is_refused_before_deriving() {
    for (log_n, r, p) in [
        (0, 8, 1),
        (1, 0, 1),
        (1, 1, 0),
        (16, 1, 1),
        (18, 8, 1),
        (30, 8, 1),
        (32, 8, 1),
        (64, 8, 1),
        (255, u32::MAX, u32::MAX),
        (1, u32::MAX, 1),
        (1, 1, u32::MAX),
        (1, 1 << 16, 1 << 16),
        (14, 8, 33),
    ] {
        let container = changed(|bytes| {
            bytes[7] = log_n;
            bytes[8..12].copy_from_slice(&r.to_be_bytes());
            bytes[12..16].copy_from_slice(&p.to_be_bytes());
        });
        let refused = PasswordError::CostOutOfBounds { log_n, r, p };
        assert_eq!(verify("supersecret", Some(&container), cheap()), Err(refused));
        assert_eq!(Cost::new(log_n, r, p), Err(refused));
    }
}

#[test]
fn every_cost_that_owasp_recommends_is_within_bounds() {
    for (log_n, p) in [(17, 1), (16, 2), (15, 3), (14, 5), (13, 10)] {
        let cost = Cost::new(log_n, 8, p).unwrap();
        assert!(cost.memory_bytes() >= 1024 << log_n);
    }
    assert_eq!(Cost::new(15, 8, 3), Ok(Cost::STANDARD));
    assert_eq!(Cost::new(1, 1, 1), Ok(Cost::MEDUSA));
}

/// The seed's container, changed, with its checksum made right again.
fn changed(change: impl FnOnce(&mut [u8])) -> String {
    let mut bytes = STANDARD.decode(SEED).expect("the seed holds base64");
    change(&mut bytes);
    let checksum = Sha256::digest(&bytes[..48]);
    bytes[48..64].copy_from_slice(&checksum[..16]);
    STANDARD.encode(bytes)
}

proptest! {
    #[test]
    fn round_trip(password in ".*", other in ".*", log_n in 1_u8..6, r in 1_u32..4, p in 1_u32..4) {
        let cost = Cost::new(log_n, r, p).unwrap();
        let container = hash(&password, cost).unwrap();
        prop_assert_eq!(verify(&password, Some(&container), cost), Ok(MATCH));
        prop_assume!(password != other);
        prop_assert_eq!(verify(&other, Some(&container), cost), Ok(Verified::Mismatch));
    }

    #[test]
    fn any_text_is_refused_without_a_panic(text in "\\PC*|[A-Za-z0-9+/]{128}") {
        prop_assert!(verify("x", Some(&text), Cost::MEDUSA).is_err());
    }

    #[test]
    fn any_parameters_are_judged_without_a_panic(log_n: u8, r: u32, p: u32) {
        if let Ok(cost) = Cost::new(log_n, r, p) {
            prop_assert!(cost.memory_bytes() <= 256 << 20);
        }
    }

    #[test]
    fn any_96_bytes_are_judged_without_a_panic(noise in prop::collection::vec(any::<u8>(), 80)) {
        // Cheap parameters, then noise; the checksum is right, so that the whole path runs.
        let container = changed(|bytes| bytes[16..].copy_from_slice(&noise));
        prop_assert_eq!(verify("supersecret", Some(&container), Cost::MEDUSA), Ok(Verified::Mismatch));
    }
}
