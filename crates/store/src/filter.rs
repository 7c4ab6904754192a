//! The parts that filters of all lists are made of.

use jiff::Timestamp;

/// An open or half-open span of time. Bounds may lie outside of what [`Timestamp`] can hold, as a year 10000 does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DateRange {
    /// Later than.
    pub gt: Option<Bound>,
    /// At or later than.
    pub gte: Option<Bound>,
    /// Earlier than.
    pub lt: Option<Bound>,
    /// At or earlier than.
    pub lte: Option<Bound>,
}

/// An end of a [`DateRange`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Before all times.
    Past,
    /// A time.
    At(Timestamp),
    /// After all times.
    Future,
}

/// Which ids a list shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdFilter {
    /// One of these.
    OneOf(Vec<String>),
    /// All that compare so.
    Compare(TextComparison),
}

/// Comparisons of a text by code points; all that are given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextComparison {
    /// After.
    pub gt: Option<String>,
    /// At or after.
    pub gte: Option<String>,
    /// Before.
    pub lt: Option<String>,
    /// At or before.
    pub lte: Option<String>,
    /// Begins with, in any case.
    pub starts_with: Option<String>,
    /// Ends with, in any case.
    pub ends_with: Option<String>,
    /// Has it somewhere, in any case.
    pub contains: Option<String>,
}
