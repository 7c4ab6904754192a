//! What those commands share that talk to a running shop, Stheno's or a Medusa's, through its API.
//!
//! Of Stheno's crates they know `stheno-client`, and `stheno-auth` for its `Secret`: neither the store nor the server.

pub(crate) mod ask;
pub(crate) mod choice;
pub(crate) mod connection;
pub(crate) mod customers;
pub(crate) mod ids;
pub(crate) mod interruption;
pub(crate) mod listing;
pub(crate) mod metadata;
pub(crate) mod output;
pub(crate) mod profiles;
pub(crate) mod progress;
pub(crate) mod show;
pub(crate) mod time;
pub(crate) mod undone;

use std::io::{self, Write as _};

use anyhow::{Context as _, Result};

/// Tells the person who is waiting how it went, apart from the result.
pub(crate) fn note(text: &str) -> Result<()> {
    writeln!(io::stderr(), "{}", printable(text)).context("cannot write to standard error")
}

/// A text from elsewhere without characters that a terminal would obey.
pub(crate) fn printable(text: &str) -> String {
    if !text.contains(char::is_control) {
        return text.to_owned();
    }
    let shown = |character: char| -> String {
        if character.is_control() { character.escape_default().collect() } else { character.into() }
    };
    text.chars().map(shown).collect()
}

/// A number and what it counts: `1 group`, `2,000 groups`.
pub(crate) fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", indicatif::HumanCount(number as u64))
}

/// The first of these names.
pub(crate) fn named(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    let rest = names.len().saturating_sub(SHOWN);
    if rest == 0 { shown } else { format!("{shown} and {rest} more") }
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_readable() {
        assert_eq!(super::count(1, "group"), "1 group");
        assert_eq!(super::count(0, "group"), "0 groups");
        assert_eq!(super::count(2_000, "customer"), "2,000 customers");
    }
}
