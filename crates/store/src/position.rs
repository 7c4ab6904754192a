//! How far a database has been written, and what each caller has written, so that a read that a replica answers shows a
//! caller no less than its own writes.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio_postgres::types::PgLsn;

/// How far a database had been written at some moment. As text it is PostgreSQL's position in the write-ahead log, such
/// as `16/B374D848`; who keeps one need not know that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(u64);

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        PgLsn::from(self.0).fmt(formatter)
    }
}

/// A text that is no [`Position`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no position, such as 16/B374D848")]
pub struct NoPosition;

impl FromStr for Position {
    type Err = NoPosition;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let position = Self::from(text.parse::<PgLsn>().map_err(|_| NoPosition)?);
        // The parser takes signs, zeros in front and parts that are too large.
        if position.to_string() == text { Ok(position) } else { Err(NoPosition) }
    }
}

impl From<PgLsn> for Position {
    fn from(position: PgLsn) -> Self {
        Self(position.into())
    }
}

/// One who reads what it has written, whichever replica answers: see [`Store::for_caller`](crate::Store::for_caller).
/// Cheap to clone: the clones are one caller.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    written: Arc<Written>,
    seen: Position,
}

#[derive(Debug, Default)]
struct Written {
    position: AtomicU64,
    /// Writes that are at work, or whose position could not be found out yet.
    unsettled: AtomicUsize,
}

impl Caller {
    /// The same caller, who also knows of what was written up to this position, by whomever.
    #[must_use]
    pub fn having_seen(self, position: Position) -> Self {
        Self { seen: self.seen.max(position), ..self }
    }

    /// How far the database was written when the last write of this caller was done; none, if it has not written, or the
    /// database has no replicas.
    pub fn written(&self) -> Option<Position> {
        let position = self.written.position.load(Ordering::Acquire);
        (position > 0).then_some(Position(position))
    }

    /// What a replica must have replayed to answer this caller; none, if no replica may.
    pub(crate) fn needs(&self) -> Option<Position> {
        if self.written.unsettled.load(Ordering::Acquire) > 0 {
            return None;
        }
        Some(self.written().unwrap_or_default().max(self.seen))
    }

    /// Begins a write. Until its position is known, no replica may answer this caller.
    pub(crate) fn write(&self) -> Write {
        self.written.unsettled.fetch_add(1, Ordering::AcqRel);
        Write(Arc::clone(&self.written))
    }
}

/// A write of a caller's, until its position is known or it has come to nothing.
#[derive(Debug)]
pub(crate) struct Write(Arc<Written>);

impl Write {
    /// Notes how far the database has been written with it.
    pub(crate) fn done(self, position: Position) {
        self.0.position.fetch_max(position.0, Ordering::AcqRel);
    }
}

impl Drop for Write {
    fn drop(&mut self) {
        self.0.unsettled.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(text: &str) -> Position {
        text.parse().unwrap()
    }

    #[test]
    fn a_position_is_read_as_it_is_written() {
        assert_eq!(position("16/B374D848").to_string(), "16/B374D848");
        assert!(position("16/B374D848") > position("15/FFFFFFFF"));
        for text in ["", "16", "16/", "/16", "g/0", "1/2/3", "100000000/0", "+16/B374D848", " 16/B374D848"] {
            assert_eq!(text.parse::<Position>(), Err(NoPosition), "{text:?}");
        }
    }

    #[test]
    fn a_caller_needs_what_it_has_written_and_seen() {
        let caller = Caller::default();
        assert_eq!((caller.written(), caller.needs()), (None, Some(Position(0))));
        caller.write().done(position("0/20"));
        caller.clone().write().done(position("0/10"));
        assert_eq!(caller.written(), Some(position("0/20")));
        assert_eq!(caller.clone().having_seen(position("0/30")).needs(), Some(position("0/30")));
        assert_eq!(caller.clone().having_seen(position("0/5")).needs(), Some(position("0/20")));
        assert_eq!(caller.needs(), Some(position("0/20")), "what one has seen in one call is not kept");
    }

    #[test]
    fn no_replica_answers_a_caller_whose_write_is_at_work() {
        let caller = Caller::default();
        let write = caller.write();
        assert_eq!(caller.needs(), None);
        drop(write);
        assert_eq!(caller.needs(), Some(Position(0)));
    }
}
