//! Bearer tokens: none that we did not sign is taken, and of what we did sign only what says who it is for, until when.
#![no_main]

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde_json::Value;
use sha2::Sha256;
use stheno_auth::jwt::JwtKeys;
use stheno_auth::secret::{Secret, SigningKeys};

/// That of the fixtures, whose tokens the fuzzer starts from, is another one: none of theirs may be taken.
const SECRET: &str = "a secret of the fuzzer's own";
const NOW: i64 = 1_800_000_000;

static KEYS: LazyLock<JwtKeys> = LazyLock::new(|| {
    let secret = Secret::from_file_content(SECRET).expect("a text is a secret");
    JwtKeys::from(SigningKeys::new(secret, []))
});

libfuzzer_sys::fuzz_target!(|token: &str| {
    let now = Timestamp::from_second(NOW).expect("a time");
    assert!(KEYS.verify(token, now).is_err(), "{token}");

    // The same head and claims, signed by us.
    let mut parts = token.split('.');
    let (Some(head), Some(claims)) = (parts.next(), parts.next()) else { return };
    let signed = format!("{head}.{claims}");
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key of any length");
    mac.update(signed.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    let Ok(user) = KEYS.verify(&format!("{signed}.{signature}"), now) else { return };

    let json = |part: &str| -> Value {
        let bytes = URL_SAFE_NO_PAD.decode(part).expect("a part that was taken is base64url");
        serde_json::from_slice(&bytes).expect("a part that was taken is JSON")
    };
    let (head, claims) = (json(head), json(claims));
    assert_eq!(head["alg"], "HS256", "{head}");
    assert_eq!(head.get("crit"), None, "{head}");
    assert_eq!(claims["domain"], "admin", "{claims}");
    assert_eq!(claims["user_id"], *user, "{claims}");
    assert!(!user.is_empty());
    let is = |name: &str, holds: fn(f64) -> bool| {
        claims.get(name).is_none_or(|time| time.as_f64().is_some_and(holds))
    };
    assert!(is("exp", |time| time > NOW as f64) && is("nbf", |time| time <= NOW as f64), "{claims}");
});
