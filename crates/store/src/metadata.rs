//! The JSON object that a shop keeps beside a row.

use std::io;

use serde::Serialize as _;
use serde_json::ser::{Formatter, Serializer};
use serde_json::{Map, Value};

/// Data as a shop keeps it beside a row: any JSON object.
pub type Metadata = Map<String, Value>;

/// Merges `changes` into `current`, one level deep: a key that is given replaces what was there, an empty string
/// removes it, `null` is kept as a value.
pub fn merge(current: Option<Metadata>, changes: Metadata) -> Metadata {
    let mut merged = current.unwrap_or_default();
    for (key, value) in changes {
        if value == Value::String(String::new()) {
            merged.remove(&key);
        } else {
            merged.insert(key, value);
        }
    }
    merged
}

/// What is merged into where the database holds `value`, which another program may have made anything. As JavaScript's
/// `{...value}`, and so as Medusa, it makes an object of a list or a text.
pub(crate) fn spread(value: Value) -> Metadata {
    let items = match value {
        Value::Object(object) => return object,
        Value::Array(items) => items,
        Value::String(text) => text.chars().map(|character| character.to_string().into()).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    };
    items.into_iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect()
}

/// Writes metadata as it is stored.
pub(crate) fn to_text(metadata: &Metadata) -> String {
    json_to_text(Value::Object(metadata.clone()))
}

/// Writes JSON as PostgreSQL's `jsonb` keeps it: the shorter key first, keys of one length by their bytes, on every
/// level. Numbers are written as JavaScript writes them.
pub(crate) fn json_to_text(mut json: Value) -> String {
    sort_keys(&mut json);
    let mut text = Vec::with_capacity(128);
    match json.serialize(&mut Serializer::with_formatter(&mut text, JavaScriptNumbers)) {
        Ok(()) => String::from_utf8_lossy(&text).into_owned(),
        Err(never) => unreachable!("writing to a vector failed: {never}"),
    }
}

/// Without an exponent from a millionth on and below 10^21, with a signed one otherwise.
struct JavaScriptNumbers;

impl Formatter for JavaScriptNumbers {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        match value.abs() {
            0.0 => writer.write_all(b"0"),
            1e-6..1e21 => write!(writer, "{value}"),
            1e21.. => writer.write_all(format!("{value:e}").replace('e', "e+").as_bytes()),
            _ => write!(writer, "{value:e}"),
        }
    }
}

fn sort_keys(value: &mut Value) {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<_> = std::mem::take(object).into_iter().collect();
            entries.sort_unstable_by(|(left, _), (right, _)| {
                left.len().cmp(&right.len()).then_with(|| left.cmp(right))
            });
            entries.iter_mut().for_each(|(_, value)| sort_keys(value));
            object.extend(entries);
        }
        Value::Array(items) => items.iter_mut().for_each(sort_keys),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Metadata {
        match value {
            Value::Object(object) => object,
            other => panic!("{other} is no object"),
        }
    }

    #[test]
    fn merging_is_one_level_deep() {
        let current = object(json!({"keep": 1, "drop": "x", "nested": {"a": 1, "b": 2}}));
        let changes = object(json!({"drop": "", "nested": {"c": 3}, "nothing": "", "null": null}));
        let merged = merge(Some(current), changes);
        assert_eq!(Value::Object(merged), json!({"keep": 1, "nested": {"c": 3}, "null": null}));
    }

    #[test]
    fn numbers_are_written_as_in_javascript() {
        for (number, text) in [
            (1.5, "1.5"),
            (-0.0, "0"),
            (0.000_001, "0.000001"),
            (0.000_000_15, "1.5e-7"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (-1e21, "-1e+21"),
            (1.5e300, "1.5e+300"),
        ] {
            assert_eq!(json_to_text(number.into()), text);
        }
        assert_eq!(json_to_text(i64::MIN.into()), i64::MIN.to_string());
    }

    #[test]
    fn keys_are_in_the_order_of_jsonb() {
        let metadata = object(
            json!({"zebra": 1, "a": {"bb": 1, "c": 2}, "mm": 3, "bb": [{"yy": 1, "x": 1}], "10": 1, "9": 2}),
        );
        assert_eq!(
            to_text(&metadata),
            r#"{"9":2,"a":{"c":2,"bb":1},"10":1,"bb":[{"x":1,"yy":1}],"mm":3,"zebra":1}"#
        );
    }
}
