use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use sha2::Sha256;
use stheno_auth::jwt::{JwtError, JwtKeys, LIFETIME};
use stheno_auth::secret::SigningKeys;

use crate::fixtures::{NPM, secret};

const SECOND: SignedDuration = SignedDuration::from_secs(1);

#[test]
fn judges_every_token_as_medusa_does() {
    let current = JwtKeys::from(NPM.current_only());
    let old = JwtKeys::from(NPM.old_only());
    for case in &NPM.tokens.cases {
        assert_eq!(current.verify(&case.token, NPM.now()).ok(), case.user, "{}", case.name);
        assert_eq!(
            old.verify(&case.token, NPM.now()).ok(),
            case.user_with_old_secret,
            "{}, old secret",
            case.name
        );
    }
}

#[test]
fn signs_the_very_bytes_that_medusa_signs() {
    assert_eq!(JwtKeys::from(NPM.current_only()).sign("admin_user", NPM.now()), NPM.tokens.medusa);
}

#[test]
fn verifies_with_previous_secrets_and_signs_with_the_current_one() {
    let rotated = JwtKeys::from(NPM.rotated());
    let before = JwtKeys::from(NPM.old_only()).sign("usr_1", NPM.now());
    assert_eq!(rotated.verify(&before, NPM.now()).as_deref(), Ok("usr_1"));

    let after = rotated.sign("usr_1", NPM.now());
    assert_eq!(JwtKeys::from(NPM.current_only()).verify(&after, NPM.now()).as_deref(), Ok("usr_1"));
    assert_eq!(JwtKeys::from(NPM.old_only()).verify(&after, NPM.now()), Err(JwtError::BadSignature));
}

#[test]
fn is_valid_for_24_hours_to_the_second() {
    let keys = JwtKeys::from(NPM.current_only());
    let signed_at = NPM.now();
    let token = keys.sign("usr_1", signed_at);
    assert_eq!(keys.verify(&token, signed_at + LIFETIME - SECOND).as_deref(), Ok("usr_1"));
    assert_eq!(keys.verify(&token, signed_at + LIFETIME), Err(JwtError::Expired));
    // The clock of another server may be behind: `iat` is not looked at.
    assert_eq!(keys.verify(&token, signed_at - LIFETIME).as_deref(), Ok("usr_1"));
}

#[test]
fn says_why_a_token_is_refused() {
    let keys = JwtKeys::from(NPM.current_only());
    for (name, reason) in [
        ("alg none", JwtError::UnsupportedHeader),
        ("alg RS256 signed with the secret", JwtError::UnsupportedHeader),
        ("alg HS512 over an HS256 signature", JwtError::BadSignature),
        ("header no JSON", JwtError::Malformed),
        ("claims no JSON", JwtError::Malformed),
        ("claims of another token", JwtError::BadSignature),
        ("wrong secret", JwtError::BadSignature),
        ("exp now", JwtError::Expired),
        ("exp null", JwtError::InvalidClaim("exp")),
        ("nbf in a second", JwtError::NotYetValid),
        ("nbf null", JwtError::InvalidClaim("nbf")),
        ("domain store", JwtError::InvalidClaim("domain")),
        ("user_id empty", JwtError::InvalidClaim("user_id")),
        ("garbage", JwtError::Malformed),
    ] {
        let case = NPM.tokens.cases.iter().find(|case| case.name == name).expect(name);
        assert_eq!(keys.verify(&case.token, NPM.now()), Err(reason), "{name}");
    }
}

#[test]
fn is_stricter_than_medusa_on_purpose() {
    let keys = JwtKeys::from(NPM.current_only());
    let header = r#"{"alg":"HS256"}"#;
    let critical = r#"{"alg":"HS256","crit":["b64"],"b64":false}"#;

    let with_a_number = sign_raw(header, r#"{"user_id":7,"domain":"admin"}"#);
    assert_eq!(keys.verify(&with_a_number, NPM.now()), Err(JwtError::InvalidClaim("user_id")));
    let with_extension = sign_raw(critical, r#"{"user_id":"usr_1","domain":"admin"}"#);
    assert_eq!(keys.verify(&with_extension, NPM.now()), Err(JwtError::UnsupportedHeader));
}

#[test]
fn debug_shows_no_secret() {
    assert!(!format!("{:?}", JwtKeys::from(NPM.current_only())).contains("supersecret"));
}

fn sign_raw(header: &str, claims: &str) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(b"supersecret").expect("HMAC takes a key of any length");
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

proptest! {
    #[test]
    fn round_trip(user_id in ".+", key in "\\S.*", at in 0_i64..253_000_000_000) {
        let keys = JwtKeys::from(SigningKeys::from(secret(&key)));
        let now = Timestamp::from_second(at).unwrap();
        prop_assert_eq!(keys.verify(&keys.sign(&user_id, now), now), Ok(user_id));
    }

    #[test]
    fn any_text_is_refused_without_a_panic(token in "\\PC*|[A-Za-z0-9_-]*(\\.[A-Za-z0-9_-]*){1,4}") {
        prop_assert!(JwtKeys::from(NPM.current_only()).verify(&token, NPM.now()).is_err());
    }

    #[test]
    fn any_signed_header_and_claims_are_judged_without_a_panic(
        header in "\\PC*|[{}\\[\\]\":,a-z0-9]*",
        claims in "\\PC*|[{}\\[\\]\":,a-z0-9]*",
    ) {
        let keys = JwtKeys::from(NPM.current_only());
        let with_any_header = sign_raw(&header, &claims);
        prop_assert!(keys.verify(&with_any_header, NPM.now()).is_err());
        let with_good_header = sign_raw(r#"{"alg":"HS256"}"#, &claims);
        prop_assert!(keys.verify(&with_good_header, NPM.now()).is_err());
    }

    #[test]
    fn any_changed_byte_is_noticed(index in any::<prop::sample::Index>(), replacement in "[A-Za-z0-9_.-]") {
        let mut token = NPM.tokens.medusa.clone();
        let at = index.index(token.len());
        prop_assume!(token[at..=at] != replacement);
        token.replace_range(at..=at, &replacement);
        prop_assert!(JwtKeys::from(NPM.current_only()).verify(&token, NPM.now()).is_err());
    }
}
