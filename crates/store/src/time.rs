//! Times as they are stored, `2024-11-03T08:00:00.000538Z`, and as they are on the wire, to the millisecond.

use jiff::Timestamp;

/// The form of a stored time.
const STORED: &[u8] = b"2024-11-03T08:00:00.000538Z";

/// The length of a stored time up to its milliseconds.
const MILLISECONDS: usize = "2024-11-03T08:00:00.000".len();

/// A time as it is stored: in UTC, with six digits of a second.
pub(crate) fn to_text(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// Reads a stored time.
pub(crate) fn from_text(stored: &str) -> Result<Timestamp, jiff::Error> {
    stored.parse()
}

/// Writes a stored time as JavaScript's `toISOString()` does. Answers false, and writes nothing, if it is not in the
/// form in which Stheno stores times, as in a column that a shop has added.
pub(crate) fn write_wire(text: &mut Vec<u8>, stored: &[u8]) -> bool {
    let alike = |(form, byte): (&u8, &u8)| form == byte || form.is_ascii_digit() && byte.is_ascii_digit();
    if stored.len() != STORED.len() || !STORED.iter().zip(stored).all(alike) {
        return false;
    }
    text.push(b'"');
    text.extend_from_slice(&stored[..MILLISECONDS]);
    text.extend_from_slice(b"Z\"");
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_stored_with_six_digits_and_answered_with_three() {
        let time: Timestamp = "2024-11-03T08:00:00.000538Z".parse().unwrap();
        assert_eq!(to_text(time), "2024-11-03T08:00:00.000538Z");
        assert_eq!(from_text(&to_text(time)).unwrap(), time);
        let mut text = Vec::new();
        assert!(write_wire(&mut text, b"2024-11-03T08:00:00.991946Z"));
        for other in
            ["2024-11-03 08:00:00.991946Z", "2024-11-03T08:00:00Z", "2024-11-03T08:00:00.99194\"Z", ""]
        {
            assert!(!write_wire(&mut text, other.as_bytes()));
        }
        assert_eq!(text, br#""2024-11-03T08:00:00.991Z""#);
    }
}
