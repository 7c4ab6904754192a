//! Query parameters, typed.

use std::fmt::{self, Display};
use std::ops::{Range, RangeFrom, RangeInclusive, RangeTo, RangeToInclusive};

use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use stheno_api_types::timestamp::to_iso_string;
use stheno_qs::{Object, Value};

use crate::Error;

/// The parameters of one request, in the order they were set.
#[derive(Clone, Debug, Default)]
pub struct Query(Object);

impl Query {
    pub(crate) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name, value);
    }

    /// Parameters by names that may have brackets.
    pub(crate) fn named(parameters: &[(String, String)]) -> Result<Self, Error> {
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let written: Vec<String> =
            parameters.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let object = stheno_qs::parse(&written.join("&"));
        for (name, _) in parameters {
            let outer = name.split('[').next().unwrap_or(name);
            if outer.is_empty() || object.get(outer).is_none() {
                return Err(Error::invalid_request(format!("a query cannot hold the name `{name}`")));
            }
        }
        Ok(Self(object))
    }

    /// `name[0]=…&name[1]=…`
    pub(crate) fn set_array<T: Into<String>>(&mut self, name: &str, values: impl IntoIterator<Item = T>) {
        let values: Vec<Value> = values.into_iter().map(|value| Value::String(value.into())).collect();
        self.set(name, values);
    }

    /// `name=…,…`
    pub(crate) fn set_joined<T: Display>(&mut self, name: &str, values: impl IntoIterator<Item = T>) {
        let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
        self.set(name, values.join(","));
    }

    /// `name[gt]=…`, or nothing if the range has no ends.
    pub(crate) fn set_range(&mut self, name: &str, range: &DateRange) {
        let object = range.object();
        if !object.is_empty() {
            self.set(name, object);
        }
    }

    /// The number that was set, if any.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.0.get(name).and_then(Value::as_str).and_then(|text| text.parse().ok())
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.0 = self
            .0
            .iter()
            .filter(|(other, _)| *other != name)
            .map(|(name, value)| (name, value.clone()))
            .collect();
    }

    /// Adds parameters, which win over those that are there. Of `t[gt]` and `t[lt]`, both remain.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (name, value) in other.0.iter() {
            match (self.0.get(name).and_then(Value::as_object), value.as_object()) {
                (Some(ours), Some(theirs)) => {
                    let both = ours.iter().chain(theirs.iter()).map(|(key, value)| (key, value.clone()));
                    self.set(name, both.collect::<Object>());
                }
                _ => self.set(name, value.clone()),
            }
        }
    }

    pub(crate) fn write(&self) -> Result<String, Error> {
        stheno_qs::write(&self.0)
            .map_err(|error| Error::invalid_request(format!("the query cannot be written: {error}")))
    }
}

/// A range of time, to filter by. Ends are cut to milliseconds.
///
/// Rust's own ranges of [`Timestamp`]s will do in its place: `from..to`, `from..`, `..to`, `from..=to`, `..=to`.
///
/// ```
/// use stheno_client::DateRange;
///
/// let start: jiff::Timestamp = "2026-01-01T00:00:00Z".parse()?;
/// let range = DateRange::from(start..);
/// assert_eq!(range, DateRange::new().at_or_after(start));
/// # Ok::<(), jiff::Error>(())
/// ```
///
/// Medusa stores microseconds and answers milliseconds. So a record that says `08:00:00.000` may be a little younger: to
/// find it by that time, ask for `time..time + 1 ms`, not for `time..=time`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DateRange {
    gt: Option<Timestamp>,
    gte: Option<Timestamp>,
    lt: Option<Timestamp>,
    lte: Option<Timestamp>,
}

impl DateRange {
    /// All time.
    pub fn new() -> Self {
        Self::default()
    }

    /// Later than this.
    #[must_use]
    pub fn after(self, time: Timestamp) -> Self {
        Self { gt: Some(time), ..self }
    }

    /// Not before this.
    #[must_use]
    pub fn at_or_after(self, time: Timestamp) -> Self {
        Self { gte: Some(time), ..self }
    }

    /// Earlier than this.
    #[must_use]
    pub fn before(self, time: Timestamp) -> Self {
        Self { lt: Some(time), ..self }
    }

    /// Not after this.
    #[must_use]
    pub fn at_or_before(self, time: Timestamp) -> Self {
        Self { lte: Some(time), ..self }
    }

    fn object(&self) -> Object {
        [("gt", self.gt), ("gte", self.gte), ("lt", self.lt), ("lte", self.lte)]
            .into_iter()
            .filter_map(|(name, time)| time.map(|time| (name, to_iso_string(time))))
            .collect()
    }
}

impl From<Range<Timestamp>> for DateRange {
    fn from(range: Range<Timestamp>) -> Self {
        Self::new().at_or_after(range.start).before(range.end)
    }
}

impl From<RangeFrom<Timestamp>> for DateRange {
    fn from(range: RangeFrom<Timestamp>) -> Self {
        Self::new().at_or_after(range.start)
    }
}

impl From<RangeTo<Timestamp>> for DateRange {
    fn from(range: RangeTo<Timestamp>) -> Self {
        Self::new().before(range.end)
    }
}

impl From<RangeInclusive<Timestamp>> for DateRange {
    fn from(range: RangeInclusive<Timestamp>) -> Self {
        Self::new().at_or_after(*range.start()).at_or_before(*range.end())
    }
}

impl From<RangeToInclusive<Timestamp>> for DateRange {
    fn from(range: RangeToInclusive<Timestamp>) -> Self {
        Self::new().at_or_before(range.end)
    }
}

/// A column to sort by, and which way. A column alone means ascending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order<C> {
    column: C,
    descending: bool,
}

impl<C> Order<C> {
    /// Smallest, or earliest, first.
    pub fn ascending(column: C) -> Self {
        Self { column, descending: false }
    }

    /// Largest, or latest, first.
    pub fn descending(column: C) -> Self {
        Self { column, descending: true }
    }
}

impl<C> From<C> for Order<C> {
    fn from(column: C) -> Self {
        Self::ascending(column)
    }
}

/// As the parameter is written: `name`, or `-name` for descending.
impl<C: Display> Display for Order<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.descending { "-" } else { "" };
        write!(formatter, "{sign}{}", self.column)
    }
}

/// Which ids to list: one, several, or those that compare so to a text.
///
/// A text will do in its place, or an array or vector of texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdFilter(Value);

impl IdFilter {
    /// This id.
    pub fn is(id: impl Into<String>) -> Self {
        Self(Value::String(id.into()))
    }

    /// Any of these ids.
    pub fn any_of<T: Into<String>>(ids: impl IntoIterator<Item = T>) -> Self {
        Self(Value::Array(ids.into_iter().map(|id| Value::String(id.into())).collect()))
    }

    /// Ids that come after this text. Ids made by Medusa sort by the time they were made.
    pub fn after(text: impl Into<String>) -> Self {
        Self::comparison("gt", text.into())
    }

    /// Ids that are this text or come after it.
    pub fn at_or_after(text: impl Into<String>) -> Self {
        Self::comparison("gte", text.into())
    }

    /// Ids that come before this text.
    pub fn before(text: impl Into<String>) -> Self {
        Self::comparison("lt", text.into())
    }

    /// Ids that are this text or come before it.
    pub fn at_or_before(text: impl Into<String>) -> Self {
        Self::comparison("lte", text.into())
    }

    /// Ids that begin with this text.
    pub fn starts_with(text: impl Into<String>) -> Self {
        Self::comparison("starts_with", text.into())
    }

    /// Ids that end with this text.
    pub fn ends_with(text: impl Into<String>) -> Self {
        Self::comparison("ends_with", text.into())
    }

    /// Ids that hold this text.
    pub fn contains(text: impl Into<String>) -> Self {
        Self::comparison("contains", text.into())
    }

    /// Ids that pass both comparisons. Of two of the same kind, and of anything but comparisons, the latter remains.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Value::Object(mut object), Value::Object(other)) => {
                for (name, value) in other {
                    object.insert(name, value);
                }
                Self(Value::Object(object))
            }
            (_, other) => Self(other),
        }
    }

    fn comparison(name: &str, text: String) -> Self {
        Self(Value::Object([(name, text)].into_iter().collect()))
    }
}

impl From<IdFilter> for Value {
    fn from(filter: IdFilter) -> Self {
        filter.0
    }
}

impl From<&str> for IdFilter {
    fn from(id: &str) -> Self {
        Self::is(id)
    }
}

impl From<String> for IdFilter {
    fn from(id: String) -> Self {
        Self::is(id)
    }
}

impl<T: Into<String>, const N: usize> From<[T; N]> for IdFilter {
    fn from(ids: [T; N]) -> Self {
        Self::any_of(ids)
    }
}

impl<T: Into<String>> From<Vec<T>> for IdFilter {
    fn from(ids: Vec<T>) -> Self {
        Self::any_of(ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(set: impl FnOnce(&mut Query)) -> String {
        let mut query = Query::default();
        set(&mut query);
        percent_encoding::percent_decode_str(&query.write().unwrap()).decode_utf8().unwrap().into_owned()
    }

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn ranges() {
        let (start, end) = (time("2026-01-01T00:00:00Z"), time("2026-02-01T00:00:00.1239Z"));
        let range = |range: DateRange| written(|query| query.set_range("t", &range));
        let (from, to) = ("2026-01-01T00:00:00.000Z", "2026-02-01T00:00:00.123Z");
        assert_eq!(range((start..end).into()), format!("t[gte]={from}&t[lt]={to}"));
        assert_eq!(range((start..).into()), format!("t[gte]={from}"));
        assert_eq!(range((..end).into()), format!("t[lt]={to}"));
        assert_eq!(range((start..=end).into()), format!("t[gte]={from}&t[lte]={to}"));
        assert_eq!(range((..=end).into()), format!("t[lte]={to}"));
        assert_eq!(range(DateRange::new().after(start)), format!("t[gt]={from}"));
        assert_eq!(range(DateRange::new()), "");
    }

    #[test]
    fn id_filters() {
        let filter = |filter: IdFilter| written(|query| query.set("id", filter));
        assert_eq!(filter("cgrp_1".into()), "id=cgrp_1");
        assert_eq!(filter(["cgrp_1", "cgrp_2"].into()), "id[0]=cgrp_1&id[1]=cgrp_2");
        assert_eq!(
            filter(IdFilter::starts_with("a").and(IdFilter::before("b"))),
            "id[starts_with]=a&id[lt]=b"
        );
    }

    #[test]
    fn what_a_query_cannot_say_is_refused() {
        let mut query = Query::default();
        query.set_array("name", [""; 0]);
        assert!(query.write().unwrap_err().is_invalid_request());
    }
}
