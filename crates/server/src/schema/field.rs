//! A declared property, and its faults.

use serde_json::{Value, json};

use super::javascript_object::{has_constructor, has_nul, to_text};
use super::{Faults, Schema, definitions, email, javascript_date, javascript_number};

/// A declared property. It must be there unless it is [optional](Self::optional).
#[derive(Debug)]
pub(crate) struct Field {
    name: &'static str,
    kind: Kind,
    optional: bool,
    /// Must not be empty, in Medusa's eyes or in ours.
    filled: Option<By>,
    /// Must not be null, although it is optional.
    refuses_null: bool,
    /// Null passes here, and is refused by the column.
    fills_column: bool,
    /// The longest text, in bytes of UTF-8.
    max_bytes: usize,
    described: Described,
}

/// What the API's description says of a property.
#[derive(Debug, Clone, Copy)]
pub(super) struct Described {
    /// What it means.
    pub(super) about: &'static str,
    /// A regular expression of what is accepted, where that depends on names that the database has.
    pub(super) pattern: Option<&'static str>,
    pub(super) example: Option<&'static str>,
}

/// Who has a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Medusa,
    Us,
}

/// What a property is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// A text. What gets to the database must be free of NUL, which PostgreSQL cannot hold.
    Text {
        stored: bool,
    },
    Email,
    Number,
    Object,
    Texts,
    TextsOrText,
    Date,
    DateRange,
    IdFilter,
    Anything,
    Objects {
        schema: &'static Schema,
        shape: Shape,
    },
}

/// How strict Medusa is about arrays of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// It must be an array.
    Array,
    /// Medusa checks the elements only, fails on a single object, and passes over arrays inside of the array.
    Elements,
    /// The same, but an array inside of the array is refused with this text.
    FlatElements(&'static str),
}

impl Field {
    const fn new(name: &'static str, kind: Kind) -> Self {
        let described = Described { about: "", pattern: None, example: None };
        let max_bytes = usize::MAX;
        Self {
            name,
            kind,
            optional: false,
            filled: None,
            refuses_null: false,
            fills_column: false,
            max_bytes,
            described,
        }
    }

    /// A text that is stored or looked for.
    pub(crate) const fn text(name: &'static str) -> Self {
        Self::new(name, Kind::Text { stored: true })
    }

    /// A text that does not get to the database as it is.
    pub(crate) const fn plain_text(name: &'static str) -> Self {
        Self::new(name, Kind::Text { stored: false })
    }

    /// An e-mail address.
    pub(crate) const fn email(name: &'static str) -> Self {
        Self::new(name, Kind::Email)
    }

    /// A whole number that `int8` can hold, from 0 on, in decimal digits.
    pub(crate) const fn number(name: &'static str) -> Self {
        Self::new(name, Kind::Number)
    }

    /// A JSON object of any properties.
    pub(crate) const fn object(name: &'static str) -> Self {
        Self::new(name, Kind::Object)
    }

    /// An array of texts.
    pub(crate) const fn texts(name: &'static str) -> Self {
        Self::new(name, Kind::Texts)
    }

    /// An array of texts, or a single one, which is split at commas as that of an array would be; an empty one is as
    /// good as none.
    pub(crate) const fn texts_or_text(name: &'static str) -> Self {
        Self::new(name, Kind::TextsOrText)
    }

    /// An end of a span of time.
    pub(crate) const fn date(name: &'static str) -> Self {
        Self::new(name, Kind::Date)
    }

    /// A span of time: an object of `lt`, `gt`, `gte` and `lte`.
    pub(crate) const fn date_range(name: &'static str) -> Self {
        Self::new(name, Kind::DateRange)
    }

    /// An id, several, or a comparison of text.
    pub(crate) const fn id_filter(name: &'static str) -> Self {
        Self::new(name, Kind::IdFilter)
    }

    /// Anything at all; what has no meaning is passed over.
    pub(crate) const fn anything(name: &'static str) -> Self {
        Self::new(name, Kind::Anything)
    }

    /// An array of objects.
    pub(crate) const fn objects(name: &'static str, schema: &'static Schema, shape: Shape) -> Self {
        Self::new(name, Kind::Objects { schema, shape })
    }

    /// It need not be there, and may be null.
    pub(crate) const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// It must not be empty (`IsNotEmpty`).
    pub(crate) const fn not_empty(mut self) -> Self {
        self.filled = Some(By::Medusa);
        self
    }

    /// It must not be empty: Medusa fails on that.
    pub(crate) const fn refusing_empty(mut self) -> Self {
        self.filled = Some(By::Us);
        self
    }

    /// It need not be there, but must not be null: Medusa fails on that.
    pub(crate) const fn refusing_null(mut self) -> Self {
        self.refuses_null = true;
        self
    }

    /// It need not be there; that it must not be null is for the database to say, as with Medusa
    /// (`cg.update.name_null`).
    pub(crate) const fn of_filled_column(mut self) -> Self {
        self.optional = true;
        self.fills_column = true;
        self
    }

    /// It is at most so long, in bytes of UTF-8.
    pub(crate) const fn at_most(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// What it means, for the API's description.
    pub(crate) const fn about(mut self, about: &'static str) -> Self {
        self.described.about = about;
        self
    }

    /// An example, for the API's description.
    pub(crate) const fn example(mut self, example: &'static str) -> Self {
        self.described.example = Some(example);
        self
    }

    /// A regular expression of what is accepted, for the API's description: here everything passes, and the names that
    /// the database has decide.
    pub(crate) const fn pattern(mut self, pattern: &'static str) -> Self {
        self.described.pattern = Some(pattern);
        self
    }

    pub(super) fn described(&self) -> Described {
        self.described
    }

    /// Whether it must be there.
    pub(super) fn is_required(&self) -> bool {
        !self.optional && !matches!(self.kind, Kind::Anything)
    }

    /// Whether null is as good as nothing.
    pub(super) fn may_be_null(&self) -> bool {
        self.optional && !self.refuses_null && !self.fills_column
    }

    /// How long a text may be, in characters as far as that can be said of bytes.
    pub(super) fn length(&self) -> (Option<usize>, Option<usize>) {
        (self.filled.map(|_| 1), (self.max_bytes < usize::MAX).then_some(self.max_bytes))
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Adds the faults of a value, `None` if it is not there.
    pub(super) fn check(&self, value: Option<&Value>, faults: &mut Faults) {
        let name = self.name;
        let is_null = matches!(value, None | Some(Value::Null));
        if self.optional && is_null {
            if self.refuses_null && value.is_some() {
                faults.add_own(format!("{name} must not be null"));
            }
            return;
        }
        let is_empty = is_null || value == Some(&Value::String(String::new()));
        match self.filled {
            Some(By::Medusa) if is_empty => faults.add(format!("{name} should not be empty")),
            Some(By::Us) if is_empty => faults.add_own(format!("{name} should not be empty")),
            _ => {}
        }
        match self.kind {
            Kind::Text { stored } => match value {
                Some(Value::String(text)) => self.check_text(text, stored, faults),
                _ => faults.add(format!("{name} must be a string")),
            },
            Kind::Email => match value {
                Some(Value::String(text)) if email::is_email(text) => {}
                _ => faults.add(format!("{name} must be an email")),
            },
            Kind::Number => self.check_number(value, faults),
            Kind::Object => match value {
                Some(object @ Value::Object(_)) => self.check_data(object, faults),
                _ => faults.add(format!("{name} must be an object")),
            },
            Kind::Texts => {
                self.check_texts(value, faults);
                if !matches!(value, Some(Value::Array(_))) {
                    faults.add(format!("{name} must be an array"));
                }
            }
            Kind::TextsOrText => self.check_texts(value, faults),
            Kind::Date => match value.and_then(to_text) {
                Some(text) if javascript_date::parse_bound(&text).is_some() => {}
                _ => faults.add(format!("{name} must be a Date instance")),
            },
            Kind::DateRange => {
                let before = faults.count();
                self.check_nested(value, &definitions::DATE_COMPARISON, "", faults);
                // Medusa lets spans in an array pass and then fails.
                if faults.count() == before && matches!(value, Some(Value::Array(_))) {
                    faults.add_own(format!("{name} must be an object"));
                }
            }
            Kind::IdFilter => self.check_id_filter(value, faults),
            Kind::Anything => {}
            Kind::Objects { schema, shape } => self.check_objects(value, schema, shape, faults),
        }
    }

    fn check_text(&self, text: &str, stored: bool, faults: &mut Faults) {
        let Self { name, max_bytes, .. } = self;
        if stored && text.contains('\0') {
            faults.add_own(format!("{name} must not contain the character U+0000"));
        }
        if text.len() > *max_bytes {
            faults.add_own(format!("{name} must be at most {max_bytes} bytes of UTF-8"));
        }
    }

    fn check_number(&self, value: Option<&Value>, faults: &mut Faults) {
        let name = self.name;
        let Some(Value::String(text)) = value else {
            return faults.add(format!("{name} must be a number conforming to the specified constraints"));
        };
        if parse_number(text).is_some() {
            return;
        }
        // What Medusa takes for a number: it goes on with fractions and fails on what its database cannot hold.
        if javascript_number::parse(text).is_some_and(f64::is_finite) {
            faults.add_own(format!("{name} must be a whole number between 0 and {}", i64::MAX));
        } else {
            faults.add(format!("{name} must be a number conforming to the specified constraints"));
        }
    }

    fn check_data(&self, object: &Value, faults: &mut Faults) {
        let name = self.name;
        if has_constructor(object) {
            faults.add_own(format!("{name} must not contain a property named constructor"));
        }
        if has_nul(object) {
            faults.add_own(format!("{name} must not contain the character U+0000"));
        }
    }

    fn check_texts(&self, value: Option<&Value>, faults: &mut Faults) {
        let name = self.name;
        let elements = match value {
            Some(Value::Array(elements)) => elements.as_slice(),
            Some(text @ Value::String(_)) => std::slice::from_ref(text),
            _ => &[Value::Null],
        };
        if !elements.iter().all(Value::is_string) {
            faults.add(format!("each value in {name} must be a string"));
        } else if elements.iter().any(has_nul) {
            faults.add_own(format!("each value in {name} must not contain the character U+0000"));
        }
    }

    /// Adds the faults of an object, or of every element of an array at any depth; `prefix` stands before the name.
    fn check_nested(
        &self,
        value: Option<&Value>,
        schema: &'static Schema,
        prefix: &str,
        faults: &mut Faults,
    ) {
        match value {
            Some(Value::Object(object)) => schema.check(object, faults),
            Some(Value::Array(elements)) => {
                for element in elements {
                    self.check_nested(Some(element), schema, prefix, faults);
                }
            }
            Some(_) => {
                let name = self.name;
                faults.add(format!("{prefix}nested property {name} must be either object or array"));
            }
            None => {}
        }
    }

    fn check_objects(
        &self,
        value: Option<&Value>,
        schema: &'static Schema,
        shape: Shape,
        faults: &mut Faults,
    ) {
        let name = self.name;
        let is_array = matches!(value, Some(Value::Array(_)));
        if !is_array && shape == Shape::Array {
            faults.add(format!("{name} must be an array"));
        }
        let before = faults.count();
        self.check_nested(value, schema, "each value in ", faults);
        if faults.count() > before || shape == Shape::Array {
            return;
        }
        if !is_array {
            faults.add_own(format!("{name} must be an array"));
        }
        if let Shape::FlatElements(message) = shape
            && let Some(Value::Array(elements)) = value
            && elements.iter().any(Value::is_array)
        {
            faults.add_own(message.to_owned());
        }
    }

    fn check_id_filter(&self, value: Option<&Value>, faults: &mut Faults) {
        match value {
            Some(Value::Object(object)) => {
                let mut inner = Faults::default();
                definitions::TEXT_COMPARISON.check(object, &mut inner);
                if let Some(told) = inner.medusa.text() {
                    faults.set_only(self.no_such_type(&told));
                } else if inner.own.count > 0 {
                    faults.add_own(format!("{} must not contain the character U+0000", self.name));
                }
            }
            // Medusa refuses the forms that are honoured here, so that it has no words for faults within.
            _ => {
                let mut inner = Faults::default();
                self.check_texts(value, &mut inner);
                inner.medusa.first.into_iter().for_each(|message| faults.add_own(message.into_owned()));
                inner.own.first.into_iter().for_each(|message| faults.add_own(message.into_owned()));
            }
        }
    }

    /// Medusa's message for an object that is no comparison of text, a JSON text (`cg.list.id_bogus_op`).
    fn no_such_type(&self, comparison_faults: &str) -> String {
        let comparison_faults: Vec<_> =
            comparison_faults.split(',').filter(|fault| !fault.is_empty()).collect();
        json!({
            "message": format!("{} must be one of: String,String,StringComparisonOperator", self.name),
            "details": {
                "String": ["String validation failed: [object Object] is not a string"],
                "undefined": ["Cannot read properties of undefined (reading 'constructor')"],
                "StringComparisonOperator": comparison_faults,
            },
        })
        .to_string()
    }
}

/// A whole number from 0 to the largest of `int8`, in decimal digits with or without a sign. Nothing at all is 0, as
/// JavaScript has it.
pub(super) fn parse_number(text: &str) -> Option<u64> {
    if text.is_empty() {
        return Some(0);
    }
    let number = text.parse::<i64>().ok()?;
    u64::try_from(number).ok()
}
