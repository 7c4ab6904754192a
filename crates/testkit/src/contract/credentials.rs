//! The credentials that the recording names in words.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::{Sha256, Sha512};

use super::RecordedRequest;
use crate::app::SECRET;
use crate::http::HttpResponse;

/// Keeps the cookie of the session that the replay has opened.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    cookie: Option<String>,
}

impl Credentials {
    /// Takes the cookie of a session that was just opened.
    pub(super) fn take_cookie(&mut self, request: &RecordedRequest, answer: &HttpResponse) {
        if request.method == "POST" && request.path == "/admin/auth" && answer.status.is_success() {
            let cookie = answer.header("set-cookie").and_then(|cookie| cookie.split(';').next());
            self.cookie = cookie.map(str::to_owned).or(self.cookie.take());
        }
    }

    /// The headers for a credential.
    pub(super) fn headers(&self, label: &str) -> Vec<(String, String)> {
        let token = |value: &str| ("x-medusa-access-token".to_owned(), value.to_owned());
        let authorization = |value: String| ("authorization".to_owned(), value);
        let bearer = |value: String| authorization(format!("Bearer {value}"));
        let good = || jwt("HS256", SECRET, &claims());
        let claims_with = |name: &str, value: Value| {
            let mut claims = claims();
            claims[name] = value;
            claims
        };
        let claims_without = |name: &str| {
            let mut claims = claims();
            claims.as_object_mut().and_then(|claims| claims.remove(name));
            claims
        };
        match label {
            "none" => vec![],
            "api_token" => vec![token("test_token")],
            "bearer" => vec![bearer(good())],
            "session_cookie" => vec![
                ("cookie".to_owned(), self.cookie.clone().unwrap_or_default()),
                ("x-forwarded-proto".to_owned(), "https".to_owned()),
            ],
            "bearer_unknown_user" | "bearer for a user that does not exist" => {
                vec![bearer(jwt("HS256", SECRET, &claims_with("user_id", json!("usr_nope"))))]
            }
            "bearer, scheme in lower case" => vec![authorization(format!("bearer {}", good()))],
            "bad api token" => vec![token("nope")],
            "empty api token" => vec![token("")],
            "api token in the wrong case" => vec![token("TEST_TOKEN")],
            "api token sent as Bearer" => vec![bearer("test_token".to_owned())],
            "jwt sent as x-medusa-access-token" => vec![token(&good())],
            "bearer garbage" => vec![bearer("not.a.jwt".to_owned())],
            "Bearer with nothing" => vec![bearer(String::new())],
            "bearer wrong secret" => vec![bearer(jwt("HS256", "other", &claims()))],
            "bearer expired" => vec![bearer(jwt("HS256", SECRET, &claims_with("exp", json!(now() - 10))))],
            "bearer nbf in future" => {
                vec![bearer(jwt("HS256", SECRET, &claims_with("nbf", json!(now() + 3600))))]
            }
            "bearer without exp" => vec![bearer(jwt("HS256", SECRET, &claims_without("exp")))],
            "bearer domain store" => {
                vec![bearer(jwt("HS256", SECRET, &claims_with("domain", json!("store"))))]
            }
            "bearer without user_id" => vec![bearer(jwt("HS256", SECRET, &claims_without("user_id")))],
            "bearer alg none" => vec![bearer(jwt("none", SECRET, &claims()))],
            "bearer alg HS512" => vec![bearer(jwt("HS512", SECRET, &claims()))],
            "bad bearer + good api token" => vec![bearer("not.a.jwt".to_owned()), token("test_token")],
            "good bearer + bad api token" => vec![bearer(good()), token("nope")],
            "Basic" => vec![authorization(format!("Basic {}", STANDARD.encode("admin:supersecret")))],
            other => panic!("the recording names a credential that is not known: {other:?}"),
        }
    }
}

fn claims() -> Value {
    json!({"user_id": "admin_user", "domain": "admin", "iat": now(), "exp": now() + 24 * 60 * 60})
}

#[expect(clippy::disallowed_methods, reason = "the tokens are checked against the clock of a running server")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}

fn jwt(algorithm: &str, secret: &str, claims: &Value) -> String {
    let header = json!({"alg": algorithm, "typ": "JWT"});
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encode(&header), encode(claims));
    let signature = match algorithm {
        "HS256" => mac::<Hmac<Sha256>>(secret, &signed),
        "HS512" => mac::<Hmac<Sha512>>(secret, &signed),
        _ => Vec::new(),
    };
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn mac<M: Mac + KeyInit>(secret: &str, text: &str) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(secret.as_bytes())
        .unwrap_or_else(|error| panic!("a key of any length will do: {error}"));
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
