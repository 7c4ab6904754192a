//! Ids as Medusa writes them: a prefix that tells the kind, and a ULID in capitals.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use ulid::Ulid;

/// The kinds of rows that get an id of Stheno's making.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdKind {
    /// `cgrp_…`
    CustomerGroup,
    /// `cus_…`
    Customer,
    /// `usr_…`
    User,
    /// `copy_…`: a run that copies a shop.
    Copy,
}

impl IdKind {
    fn prefix(self) -> &'static str {
        match self {
            Self::CustomerGroup => "cgrp_",
            Self::Customer => "cus_",
            Self::User => "usr_",
            Self::Copy => "copy_",
        }
    }
}

/// A source of ids, passed in so that tests have stable ones.
///
/// Ids made in the same millisecond still sort in the order they were made.
#[derive(Clone)]
pub struct IdGenerator(Arc<Mutex<State>>);

struct State {
    last: Ulid,
    random: Box<dyn FnMut() -> u128 + Send>,
}

impl IdGenerator {
    /// Ids with 80 bits from the operating system's random source.
    pub fn random() -> Self {
        Self::with_random(rand::random::<u128>)
    }

    /// Ids whose random part is taken from `random` (the lower 80 bits).
    pub fn with_random(random: impl FnMut() -> u128 + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(State { last: Ulid::nil(), random: Box::new(random) })))
    }

    /// The next id.
    pub fn next(&self, kind: IdKind, now: Timestamp) -> String {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let milliseconds = u64::try_from(now.as_millisecond()).unwrap_or(0);
        let fresh = Ulid::from_parts(milliseconds, (state.random)());
        let id = if milliseconds > state.last.timestamp_ms() {
            fresh
        } else {
            state.last.increment().unwrap_or(fresh)
        };
        state.last = id;
        format!("{}{id}", kind.prefix())
    }
}

impl fmt::Debug for IdGenerator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("IdGenerator")
    }
}
