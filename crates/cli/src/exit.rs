//! How the program ends: a number that scripts can go by.

use std::fmt;

/// The one table of exit codes, as `--help` shows it.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done
  1  failed, and no other code says why
  2  the command line is wrong
  3  there is no such group, customer or profile
  4  not signed in, or not any more
  5  refused: a name or address that is taken, or data that is not valid
  6  no connection, no answer in time, a server that is too busy, or another in the way: try again
  7  partly done
  8  what was to be created may be there all the same: look before you try again
  130  interrupted before anything was done";

/// Why the program ends without having done all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Failure = 1,
    Usage = 2,
    NotFound = 3,
    Unauthorized = 4,
    Refused = 5,
    Unreachable = 6,
    PartlyDone = 7,
    OutcomeUnknown = 8,
    /// As shells have it of a program that Ctrl-C ended.
    Interrupted = 130,
}

impl Exit {
    /// How the program ends after this error.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        error
            .chain()
            .find_map(|cause| {
                let failure = cause.downcast_ref::<Failure>().map(|failure| failure.exit);
                failure.or_else(|| cause.downcast_ref::<stheno_client::Error>().map(Self::from))
            })
            .unwrap_or(Self::Failure)
    }
}

impl From<&stheno_client::Error> for Exit {
    fn from(error: &stheno_client::Error) -> Self {
        match error.status().map(|status| status.as_u16()) {
            _ if error.is_invalid_request() => Self::Usage,
            _ if error.is_not_found() => Self::NotFound,
            Some(401 | 403) => Self::Unauthorized,
            None | Some(408 | 409 | 429 | 502..=504) => Self::Unreachable,
            Some(400 | 413 | 422) => Self::Refused,
            Some(_) => Self::Failure,
        }
    }
}

/// An error that says how the program ends.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
}

/// An error of this kind, with what to say of it.
pub(crate) fn failure(exit: Exit, message: impl Into<String>) -> anyhow::Error {
    Failure { exit, message: message.into() }.into()
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_has_the_table() {
        let readme = include_str!("../../../README.md");
        for line in HELP.lines().skip(1) {
            let (code, meaning) = line.trim().split_once("  ").unwrap();
            let row = format!("| {code} | {meaning} |");
            assert!(readme.contains(&row), "README.md lacks the line\n{row}");
        }
    }

    #[test]
    fn an_error_says_how_the_program_ends_wherever_it_is_in_the_chain() {
        let error = failure(Exit::PartlyDone, "2 of 3").context("groups");
        assert_eq!(Exit::of(&error), Exit::PartlyDone);
        assert_eq!(Exit::of(&anyhow::anyhow!("anything else")), Exit::Failure);
    }
}
