//! What bodies and query strings may be, declared; all faults are told at once, in Medusa's words and order.
//!
//! A [`Schema`] lists the [`Field`]s of an object in the order in which Medusa tells their faults. Its one method takes
//! the input as it came, with the order of its properties, and gives either [`Valid`] input, whose values a route takes
//! by name and type, or one [`Invalid`] message. The schemas of all routes are in [`definitions`].
//!
//! The words are those of class-validator 0.14 on class-transformer 0.5, which Medusa checks its input with:
//!
//! 1. properties that are not declared, in JavaScript's order of properties;
//! 2. then each declared property: its own faults, and those of the objects inside, depth first, without a path.
//!
//! Properties that are named as a method of every JavaScript object (`toString`, `constructor`) do not get through to
//! Medusa and count for nothing here either.
//!
//! **Faults of our own.** Where Medusa takes input and then fails on it (status 500), or where a deviation narrows what
//! is valid, the fault is ours, in similar words. Our own faults are only told where Medusa has none to tell: whatever
//! Medusa answers with 400 is answered with the same text.

pub(crate) mod definitions;
mod described;
mod email;
mod field;
mod javascript_date;
mod javascript_number;
mod javascript_object;
#[cfg(test)]
mod tests;
mod valid;

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value};

pub(crate) use self::field::Field;
pub(crate) use self::valid::Valid;

/// What Medusa says to a value that no schema is for.
const UNKNOWN_VALUE: &str = "an unknown value was passed to the validate function";

/// The declared properties of an object.
#[derive(Debug)]
pub(crate) struct Schema {
    fields: &'static [Field],
    source: Source,
}

/// Where an object comes from, which tells how it is read before it is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Body,
    Query {
        /// Whether the only element of an array is split at commas.
        splits_commas: bool,
    },
}

impl Schema {
    /// A JSON body, or an object inside of another.
    pub(crate) const fn object(fields: &'static [Field]) -> Self {
        Self { fields, source: Source::Body }
    }

    /// A query string.
    pub(crate) const fn query(fields: &'static [Field]) -> Self {
        Self { fields, source: Source::Query { splits_commas: false } }
    }

    /// A query string in which an array of one element is split at commas: `name[]=a,b` is two names.
    ///
    /// Medusa does so for some routes and not for others (`normalizeQuery`).
    pub(crate) const fn splitting_query(fields: &'static [Field]) -> Self {
        Self { fields, source: Source::Query { splits_commas: true } }
    }

    /// Checks input as it came.
    ///
    /// # Errors
    /// Tells all faults at once.
    pub(crate) fn validate(&'static self, value: Value) -> Result<Valid, Invalid> {
        let Value::Object(mut object) = value else {
            return Err(Invalid(UNKNOWN_VALUE.to_owned()));
        };
        if let Source::Query { splits_commas } = self.source {
            javascript_object::drop_inherited(&mut object);
            if splits_commas {
                object.values_mut().for_each(split_at_commas);
            }
        }
        let mut faults = Faults::default();
        self.check(&object, &mut faults);
        match faults.into_message() {
            None => Ok(Valid::new(self, object)),
            Some(message) => Err(Invalid(message)),
        }
    }

    /// Adds the faults of an object.
    fn check(&self, object: &Map<String, Value>, faults: &mut Faults) {
        let mut unknown: Vec<&str> = object
            .keys()
            .map(String::as_str)
            .filter(|name| self.field(name).is_none() && !javascript_object::is_inherited(name))
            .collect();
        unknown.sort_by_key(|name| javascript_object::rank(name));
        for name in unknown {
            faults.add(format!("property {name} should not exist"));
        }
        for field in self.fields {
            field.check(object.get(field.name()), faults);
        }
    }

    fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name() == name)
    }
}

fn split_at_commas(value: &mut Value) {
    if let Value::Array(elements) = value
        && let [Value::String(text)] = elements.as_slice()
        && text.contains(',')
    {
        *elements = text.split(',').map(Value::from).collect();
    }
}

/// Why input is not valid, on one line for the one who sent it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Invalid(String);

impl fmt::Display for Invalid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The faults that have been found.
#[derive(Debug, Default)]
struct Faults {
    medusa: Told,
    own: Told,
    only: Option<String>,
}

impl Faults {
    /// Adds a fault in Medusa's words.
    fn add(&mut self, message: impl Into<Cow<'static, str>>) {
        self.medusa.add(message.into());
    }

    /// Adds a fault that Medusa does not tell.
    fn add_own(&mut self, message: String) {
        self.own.add(message.into());
    }

    /// Sets a fault that Medusa tells instead of all others.
    fn set_only(&mut self, message: String) {
        self.only = Some(message);
    }

    /// How many faults of Medusa's there are.
    fn count(&self) -> usize {
        self.medusa.count
    }

    /// One text for all faults, if there are any.
    fn into_message(self) -> Option<String> {
        let Self { medusa, own, only } = self;
        only.or_else(|| medusa.text()).or_else(|| own.text())
    }
}

/// Faults that are told one after the other: the first of them, since a list of a million values may have as many.
#[derive(Debug, Default)]
struct Told {
    first: Vec<Cow<'static, str>>,
    count: usize,
}

impl Told {
    const MOST: usize = 100;

    fn add(&mut self, message: Cow<'static, str>) {
        self.count += 1;
        if self.first.len() < Self::MOST {
            self.first.push(message);
        }
    }

    fn text(&self) -> Option<String> {
        let told = self.first.join(", ");
        match self.count - self.first.len() {
            _ if told.is_empty() => None,
            0 => Some(told),
            more => Some(format!("{told}, and {more} more")),
        }
    }
}
