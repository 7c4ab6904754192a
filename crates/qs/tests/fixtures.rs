//! What the npm package `qs` answers, recorded by `fixtures/generate.mjs`.

use serde_json::Value as Json;
use stheno_qs::{Object, Value, parse, write};

type Cases = Vec<(Json, Json)>;

// `serde_json` keeps the order of properties here, and its text shows it, unlike its equality.

fn to_json(value: Value) -> Json {
    match value {
        Value::String(text) => text.into(),
        Value::Array(elements) => elements.into_iter().map(to_json).collect(),
        Value::Object(object) => object_to_json(object),
    }
}

fn object_to_json(object: Object) -> Json {
    Json::Object(object.into_iter().map(|(name, value)| (name, to_json(value))).collect())
}

fn from_json(json: Json) -> Value {
    match json {
        Json::String(text) => text.into(),
        Json::Array(elements) => Value::Array(elements.into_iter().map(from_json).collect()),
        Json::Object(properties) => object_from_json(properties).into(),
        other => panic!("not in a query string: {other}"),
    }
}

fn object_from_json(properties: serde_json::Map<String, Json>) -> Object {
    properties.into_iter().map(|(name, json)| (name, from_json(json))).collect()
}

#[test]
fn parse_reads_as_qs_does() {
    let cases: Cases = serde_json::from_str(include_str!("fixtures/parse.json")).unwrap();
    for (query, expected) in cases {
        let query = query.as_str().unwrap();
        assert_eq!(object_to_json(parse(query)).to_string(), expected.to_string(), "{query}");
    }
}

#[test]
fn write_writes_as_qs_does() {
    let cases: Cases = serde_json::from_str(include_str!("fixtures/write.json")).unwrap();
    for (object, expected) in cases {
        let Value::Object(object) = from_json(object) else { panic!("not an object") };
        let query = write(&object).unwrap();
        assert_eq!(query, expected.as_str().unwrap());
        assert_eq!(parse(&query), object, "{query}");
    }
}
