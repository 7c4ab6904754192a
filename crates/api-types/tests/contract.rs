//! Every recorded answer of a real Medusa reads into its type, and comes back out as it was.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use stheno_api_types::{
    AccessToken, CustomerEnvelope, CustomerGroup, CustomerGroupEnvelope, CustomerGroupList, CustomerList,
    Deleted, ErrorBody, ErrorType, PartialCustomerGroup, UserEnvelope,
};

const EXCHANGES: [&str; 2] = [
    include_str!("../../testkit/contract/exchanges.jsonl"),
    include_str!("../../testkit/contract/further/exchanges.jsonl"),
];

fn exchanges() -> impl Iterator<Item = Value> {
    EXCHANGES.into_iter().flat_map(str::lines).map(|line| serde_json::from_str(line).unwrap())
}

/// Reads a body as `T`; gives back what `T` writes.
fn round_trip<T: DeserializeOwned + Serialize>(body: &Value) -> Value {
    // From text and not from the value, as a client does it.
    let read: T = serde_json::from_str(&body.to_string()).unwrap_or_else(|error| panic!("{error}: {body}"));
    serde_json::to_value(read).unwrap()
}

/// Takes out what the types leave out on purpose, and the fraction that Medusa echoes.
fn expected(mut body: Value) -> Value {
    if let Some(customer) = body.get_mut("customer").and_then(Value::as_object_mut) {
        customer.remove("password_hash");
    }
    if let Some(user) = body.get_mut("user") {
        user["api_token"] = Value::Null;
    }
    for name in ["limit", "offset"] {
        if let Some(number) = body.get_mut(name) {
            *number = Value::from(number.as_f64().unwrap() as u64);
        }
    }
    body
}

#[test]
fn every_successful_answer_survives_the_types() {
    let mut seen = 0;
    for exchange in exchanges() {
        let (request, response) = (&exchange["request"], &exchange["response"]);
        let status = response["status"].as_u64().unwrap();
        let body = &response["body"];
        if status >= 300 || !body.is_object() {
            continue;
        }
        let method = request["method"].as_str().unwrap();
        let (path, query) = request["path"]
            .as_str()
            .unwrap()
            .split_once('?')
            .unwrap_or((request["path"].as_str().unwrap(), ""));
        let partial = method == "GET" && query.contains("fields");
        let path = path.to_lowercase().replace("//", "/");
        let segments: Vec<&str> = path.trim_end_matches('/').split('/').skip(2).collect();

        let written = match (method, segments.as_slice()) {
            ("POST", ["auth", "token"]) => round_trip::<AccessToken>(body),
            (_, ["auth"]) => round_trip::<UserEnvelope>(body),
            ("GET", ["customer-groups"]) if partial => {
                round_trip::<CustomerGroupList<PartialCustomerGroup>>(body)
            }
            ("GET", ["customer-groups"]) => round_trip::<CustomerGroupList>(body),
            ("DELETE", ["customer-groups", _]) => round_trip::<Deleted>(body),
            ("GET", ["customer-groups", _]) if partial => {
                round_trip::<CustomerGroupEnvelope<PartialCustomerGroup>>(body)
            }
            ("GET", ["customer-groups", _, "customers"] | ["customers"]) => round_trip::<CustomerList>(body),
            (_, ["customer-groups", _, "customers", "batch"]) => {
                round_trip::<CustomerGroupEnvelope<Option<CustomerGroup>>>(body)
            }
            (_, ["customer-groups", ..]) => round_trip::<CustomerGroupEnvelope>(body),
            (_, ["customers", ..]) => round_trip::<CustomerEnvelope>(body),
            other => panic!("no type for {other:?}"),
        };
        assert_eq!(written, expected(body.clone()), "{}", exchange["name"]);
        seen += 1;
    }
    assert!(seen > 300, "only {seen} answers were checked");
}

#[test]
fn every_error_body_survives_the_types() {
    let mut seen = 0;
    for exchange in exchanges() {
        let (status, body) = (&exchange["response"]["status"], &exchange["response"]["body"]);
        if status.as_u64().unwrap() < 400 || !body.is_object() {
            continue;
        }
        assert_eq!(round_trip::<ErrorBody>(body), *body, "{}", exchange["name"]);
        let error: ErrorBody = serde_json::from_value(body.clone()).unwrap();
        assert!(!matches!(error.r#type, ErrorType::Other(_)), "{} has a type of its own", exchange["name"]);
        seen += 1;
    }
    assert!(seen > 150, "only {seen} errors were checked");
}
