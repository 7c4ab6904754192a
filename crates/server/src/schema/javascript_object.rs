//! What is peculiar to the properties of a JavaScript object.

use serde_json::{Map, Value};

/// Whether every JavaScript object has a method of this name. class-transformer leaves such properties out.
pub(super) fn is_inherited(name: &str) -> bool {
    matches!(
        name,
        "constructor"
            | "hasOwnProperty"
            | "isPrototypeOf"
            | "propertyIsEnumerable"
            | "toLocaleString"
            | "toString"
            | "valueOf"
            | "__defineGetter__"
            | "__defineSetter__"
            | "__lookupGetter__"
            | "__lookupSetter__"
    )
}

/// What JavaScript sorts properties by, before the order in which they were added: array indices first, ascending.
pub(super) fn rank(name: &str) -> u32 {
    match name.as_bytes() {
        [b'0'] => 0,
        [b'1'..=b'9', ..] => name.parse().unwrap_or(u32::MAX),
        _ => u32::MAX,
    }
}

/// Drops inherited names from a query, and what is empty for want of them: Medusa's parser of query strings drops
/// such parameters whole.
pub(super) fn drop_inherited(object: &mut Map<String, Value>) {
    object.retain(|name, value| !is_inherited(name) && !is_emptied(value));
}

fn is_emptied(value: &mut Value) -> bool {
    match value {
        Value::Array(elements) if !elements.is_empty() => {
            elements.retain_mut(|element| !is_emptied(element));
            elements.is_empty()
        }
        Value::Object(object) if !object.is_empty() => {
            drop_inherited(object);
            object.is_empty()
        }
        _ => false,
    }
}

/// Drops inherited names from data, at every depth (`cg.create`: `{"metadata": {"toString": 1}}` is stored as `{}`).
pub(super) fn drop_inherited_from_data(value: &mut Value) {
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(drop_inherited_from_data),
        Value::Object(object) => {
            object.retain(|name, _| !is_inherited(name));
            object.values_mut().for_each(drop_inherited_from_data);
        }
        _ => {}
    }
}

/// Whether data would be stored with the character NUL, which PostgreSQL's `jsonb` cannot hold.
pub(super) fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(elements) => elements.iter().any(has_nul),
        Value::Object(object) => {
            object.iter().any(|(name, value)| !is_inherited(name) && (name.contains('\0') || has_nul(value)))
        }
        _ => false,
    }
}

/// Whether data has a property `constructor` that is true in JavaScript, on which class-transformer fails: it calls it.
pub(super) fn has_constructor(value: &Value) -> bool {
    match value {
        Value::Array(elements) => elements.iter().any(has_constructor),
        Value::Object(object) => {
            object.get("constructor").is_some_and(is_true)
                || object.iter().any(|(name, value)| !is_inherited(name) && has_constructor(value))
        }
        _ => false,
    }
}

/// Whether JavaScript takes a value for true.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// `String(value)` of an array or a text, as JavaScript joins arrays; `None` of what no date can be.
pub(super) fn to_text(value: &Value) -> Option<std::borrow::Cow<'_, str>> {
    match value {
        Value::String(text) => Some(text.as_str().into()),
        Value::Array(elements) => {
            let texts: Option<Vec<_>> = elements.iter().map(to_text).collect();
            Some(texts?.join(",").into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn queries_lose_parameters_with_inherited_names() {
        let mut query = json!({"toString": "1", "q": {"valueOf": "1"}, "name": [{"constructor": {"a": "1"}}], "id": {"toString": "1", "gt": "2"}});
        if let Value::Object(object) = &mut query {
            drop_inherited(object);
        }
        assert_eq!(query, json!({"id": {"gt": "2"}}));
    }

    #[test]
    fn data_loses_only_inherited_names() {
        let mut data = json!({"toString": 1, "a": [{"valueOf": {}}, {}], "__proto__": {"hasOwnProperty": 1}});
        drop_inherited_from_data(&mut data);
        assert_eq!(data, json!({"a": [{}, {}], "__proto__": {}}));
    }

    #[test]
    fn nul_is_found_in_what_is_stored() {
        for data in [json!({"a": "\0"}), json!({"\0": 1}), json!({"a": [{"b": ["x\0y"]}]})] {
            assert!(has_nul(&data), "{data}");
        }
        for data in [json!({"a": "0"}), json!({"toString": "\0"}), json!({"valueOf": {"\0": 1}})] {
            assert!(!has_nul(&data), "{data}");
        }
    }

    #[test]
    fn a_constructor_counts_if_it_is_true() {
        for data in
            [json!({"constructor": 1}), json!({"a": [{"constructor": {}}]}), json!({"constructor": "x"})]
        {
            assert!(has_constructor(&data), "{data}");
        }
        for data in
            [json!({"constructor": ""}), json!({"constructor": null}), json!({"constructor": 0.0}), json!([])]
        {
            assert!(!has_constructor(&data), "{data}");
        }
    }
}
