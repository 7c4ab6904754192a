//! Spans of time on the command line.

use std::time::Duration;

use jiff::{Span, SpanRelativeTo};

/// A time such as `30s`, `2m` or `90d`; a bare number is in seconds.
pub(crate) fn parse(text: &str) -> Result<Duration, &'static str> {
    let duration = match text.parse() {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => text
            .parse::<Span>()
            .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()))
            .and_then(Duration::try_from),
    };
    duration.map_err(|_| "give a time such as 30s or 2m")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit_or_is_in_seconds() {
        assert_eq!(parse("45"), Ok(Duration::from_secs(45)));
        assert_eq!(parse("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(parse("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("1d 1h"), Ok(Duration::from_secs(25 * 60 * 60)));
        for text in ["", "soon", "-5s", "-5", "1 month"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
