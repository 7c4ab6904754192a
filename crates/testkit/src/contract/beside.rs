//! Two servers on one database, compared: what Medusa answers decides.

use serde_json::Value;

use super::compare::{Ids, compare};
use super::{body_of, check_header, for_each_object};
use crate::http::HttpResponse;

/// The headers that are compared.
const HEADERS: [&str; 3] = ["content-type", "vary", "access-control-allow-credentials"];

/// What Medusa shows and Stheno keeps to itself.
const SECRETS: [&str; 2] = ["password_hash", "api_token"];

/// How Stheno's answer differs from Medusa's about the same rows. Nothing may be missing, and nothing added.
pub fn differences(medusa: &HttpResponse, stheno: &HttpResponse) -> Vec<String> {
    differences_by(|_, _| Ids::exact(), medusa, stheno)
}

/// How Stheno's answer to a write differs from Medusa's to one of the same kind: each has its own ids and times.
pub fn differences_of_writes(medusa: &HttpResponse, stheno: &HttpResponse) -> Vec<String> {
    let learn = |one: &Value, other: &Value| {
        let mut ids = Ids::new("");
        ids.learn(one, other);
        ids
    };
    differences_by(learn, medusa, stheno)
}

fn differences_by(
    ids: impl Fn(&Value, &Value) -> Ids,
    medusa: &HttpResponse,
    stheno: &HttpResponse,
) -> Vec<String> {
    let mut expected = body_of(medusa);
    let found = body_of(stheno);
    for_each_object(&mut expected, &mut |object| object.retain(|name, _| !SECRETS.contains(&name.as_str())));
    let mut reasons = Vec::new();
    if stheno.status != medusa.status {
        reasons.push(format!("status {} instead of {}: {found}", stheno.status, medusa.status));
    }
    for name in HEADERS {
        let value = Value::from(medusa.header(name).unwrap_or_default());
        check_header(name, &value, stheno, &mut reasons);
    }
    reasons.extend(compare(&ids(&expected, &found), &expected, &found, None));
    // A comparison passes over what only the second has.
    let added = compare(&ids(&found, &expected), &found, &expected, None);
    reasons.extend(added.into_iter().map(|reason| format!("the other way round: {reason}")));
    reasons
}
