//! Input that has passed its schema.

use serde_json::{Map, Value};
use stheno_store::{AccountFilter, Bound, DateRange, IdFilter, Metadata, TextComparison};

use super::field::{Kind, parse_number};
use super::javascript_object::{drop_inherited_from_data, to_text};
use super::{Schema, javascript_date};

/// Input that has passed its schema. Each value can be taken once.
///
/// In tests and debug builds it is a panic to take what the schema does not declare so.
#[derive(Debug, Default)]
pub(crate) struct Valid {
    schema: Option<&'static Schema>,
    object: Map<String, Value>,
}

impl Valid {
    pub(super) fn new(schema: &'static Schema, object: Map<String, Value>) -> Self {
        Self { schema: Some(schema), object }
    }

    /// A text, if it is there and not null.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        self.nullable_text(name).flatten()
    }

    /// A text: `None` if it is not there, `Some(None)` if it is null.
    pub(crate) fn nullable_text(&mut self, name: &str) -> Option<Option<String>> {
        let value = self.take(name, |kind| matches!(kind, Kind::Text { .. } | Kind::Email))?;
        Some(into_text(value))
    }

    /// A whole number.
    pub(crate) fn number(&mut self, name: &str) -> Option<u64> {
        let value = self.take(name, |kind| matches!(kind, Kind::Number))?;
        parse_number(value.as_str()?)
    }

    /// A JSON object of any properties.
    pub(crate) fn object(&mut self, name: &str) -> Option<Metadata> {
        let mut value = self.take(name, |kind| matches!(kind, Kind::Object))?;
        drop_inherited_from_data(&mut value);
        match value {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Texts.
    pub(crate) fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        match self.take(name, |kind| matches!(kind, Kind::Texts | Kind::TextsOrText))? {
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(text.split(',').map(str::to_owned).collect()),
            Value::Array(elements) => Some(elements.into_iter().filter_map(into_text).collect()),
            _ => None,
        }
    }

    /// The ids of an array of objects. Arrays inside of the array count for nothing, as in Medusa.
    pub(crate) fn ids(&mut self, name: &str) -> Option<Vec<String>> {
        let id_of = |element| match element {
            Value::Object(mut object) => object.swap_remove("id").and_then(into_text),
            _ => None,
        };
        match self.take(name, |kind| matches!(kind, Kind::Objects { .. }))? {
            Value::Array(elements) => Some(elements.into_iter().filter_map(id_of).collect()),
            _ => None,
        }
    }

    /// A span of time, open at all ends that are not given.
    pub(crate) fn date_range(&mut self, name: &str) -> DateRange {
        let value = self.take(name, |kind| matches!(kind, Kind::DateRange));
        let bound = |end| -> Option<Bound> {
            let text = to_text(value.as_ref()?.get(end)?)?;
            javascript_date::parse_bound(&text)
        };
        DateRange { gt: bound("gt"), gte: bound("gte"), lt: bound("lt"), lte: bound("lte") }
    }

    /// Which ids are asked for.
    pub(crate) fn id_filter(&mut self, name: &str) -> Option<IdFilter> {
        match self.take(name, |kind| matches!(kind, Kind::IdFilter))? {
            Value::String(id) => Some(IdFilter::OneOf(vec![id])),
            Value::Array(ids) => Some(IdFilter::OneOf(ids.into_iter().filter_map(into_text).collect())),
            Value::Object(mut object) => {
                let mut text = |name| object.swap_remove(name).and_then(into_text);
                Some(IdFilter::Compare(TextComparison {
                    gt: text("gt"),
                    gte: text("gte"),
                    lt: text("lt"),
                    lte: text("lte"),
                    starts_with: text("starts_with"),
                    ends_with: text("ends_with"),
                    contains: text("contains"),
                }))
            }
            _ => None,
        }
    }

    /// Whether an account is asked for; what has no meaning asks for nothing.
    pub(crate) fn account_filter(&mut self, name: &str) -> Option<AccountFilter> {
        match self.take(name, |kind| matches!(kind, Kind::Anything))?.as_str()? {
            "true" => Some(AccountFilter::Is(true)),
            "false" => Some(AccountFilter::Is(false)),
            "null" => Some(AccountFilter::Null),
            _ => None,
        }
    }

    /// Takes a value that the schema declares to be of such a kind.
    fn take(&mut self, name: &str, is_kind: impl Fn(Kind) -> bool) -> Option<Value> {
        let declared = self.schema.and_then(|schema| schema.field(name));
        debug_assert!(declared.is_some_and(|field| is_kind(field.kind())), "{name} is not declared so");
        self.object.swap_remove(name)
    }
}

fn into_text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}
