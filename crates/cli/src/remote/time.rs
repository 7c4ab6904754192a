//! Points in time on the command line.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// A date or time in UTC, a time with its own offset, or how long ago.
pub(crate) fn parse(text: &str) -> Result<Timestamp, &'static str> {
    parse_at(text, now())
}

/// The present time.
#[expect(clippy::disallowed_methods, reason = "a command is run once, by a person, in the present")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

fn parse_at(text: &str, now: Timestamp) -> Result<Timestamp, &'static str> {
    const HINT: &str = "give a date such as 2026-01-31, a time such as 2026-01-31T08:00 (both UTC) or \
                        2026-01-31T08:00+01:00, or how long ago, such as 7d or 12h";
    let utc = |time: DateTime| TimeZone::UTC.to_timestamp(time).ok();
    let ago = || {
        let span: Span = text.parse().ok().filter(|span: &Span| !span.is_negative())?;
        Some(now.to_zoned_datetime(TimeZone::UTC).checked_sub(span).ok()?.timestamp())
    };
    let absolute = text.parse::<Timestamp>().ok().or_else(|| utc(text.parse::<DateTime>().ok()?));
    let absolute = absolute.or_else(|| utc(text.parse::<Date>().ok()?.into()));
    absolute.or_else(ago).ok_or(HINT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        for (text, time) in [
            ("2026-01-31", "2026-01-31T00:00:00Z"),
            ("2026-01-31T08:00", "2026-01-31T08:00:00Z"),
            ("2026-01-31 08:00:30", "2026-01-31T08:00:30Z"),
            ("2026-01-31T08:00:00.123Z", "2026-01-31T08:00:00.123Z"),
            ("2026-01-31T08:00+01:00", "2026-01-31T07:00:00Z"),
            ("7d", "2026-02-22T12:00:00Z"),
            ("12h", "2026-03-01T00:00:00Z"),
            ("1 month", "2026-02-01T12:00:00Z"),
        ] {
            assert_eq!(parse_at(text, now), Ok(time.parse().unwrap()), "{text}");
        }
        for text in ["", "yesterday", "2026-13-01", "-7d", "7"] {
            assert!(parse_at(text, now).is_err(), "{text}");
        }
    }
}
