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

/// Whether a text has the form in which Stheno stores times.
pub(crate) fn is_stored_form(text: &[u8]) -> bool {
    let alike = |(form, byte): (&u8, &u8)| form == byte || form.is_ascii_digit() && byte.is_ascii_digit();
    text.len() == STORED.len() && STORED.iter().zip(text).all(alike)
}

/// Writes a stored time as JavaScript's `toISOString()` does. Answers false, and writes nothing, if it is not in the
/// form in which Stheno stores times, as in a column that a shop has added.
pub(crate) fn write_wire(text: &mut Vec<u8>, stored: &[u8]) -> bool {
    if !is_stored_form(stored) {
        return false;
    }
    text.push(b'"');
    text.extend_from_slice(&stored[..MILLISECONDS]);
    text.extend_from_slice(b"Z\"");
    true
}

/// Writes a time, given in microseconds from the beginning of 1970, as JavaScript's `toISOString()` does.
pub(crate) fn write_microseconds(text: &mut Vec<u8>, microseconds: i64) {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    let milliseconds = microseconds.div_euclid(1000);
    let (year, month, day) = date(milliseconds.div_euclid(DAY));
    let of_day = milliseconds.rem_euclid(DAY);
    let mut buffer = *b"\"+000000-00-00T00:00:00.000Z\"";
    write_digits(&mut buffer[2..8], year.abs());
    write_digits(&mut buffer[9..11], month);
    write_digits(&mut buffer[12..14], day);
    write_digits(&mut buffer[15..17], of_day / 3_600_000);
    write_digits(&mut buffer[18..20], of_day / 60_000 % 60);
    write_digits(&mut buffer[21..23], of_day / 1000 % 60);
    write_digits(&mut buffer[24..27], of_day % 1000);
    if (0..=9999).contains(&year) {
        // Neither a sign nor more than four digits.
        buffer[3] = b'"';
        text.extend_from_slice(&buffer[3..4]);
        text.extend_from_slice(&buffer[4..]);
    } else {
        buffer[1] = if year < 0 { b'-' } else { b'+' };
        text.extend_from_slice(&buffer);
    }
}

fn write_digits(digits: &mut [u8], mut number: i64) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
    }
}

/// The year, month and day of a day, counted from the beginning of 1970; by Howard Hinnant's `civil_from_days`.
fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
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

    #[test]
    fn counted_times_are_answered_as_javascript_does() {
        for (microseconds, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (1_730_620_800_000_538, "2024-11-03T08:00:00.000Z"),
            (951_782_400_999_999, "2000-02-29T00:00:00.999Z"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999Z"),
            (253_402_300_800_000_000, "+010000-01-01T00:00:00.000Z"),
            (-62_135_596_800_000_000, "0001-01-01T00:00:00.000Z"),
            (-62_167_219_200_000_000, "0000-01-01T00:00:00.000Z"),
            (-62_167_219_200_000_001, "-000001-12-31T23:59:59.999Z"),
        ] {
            let mut text = Vec::new();
            write_microseconds(&mut text, microseconds);
            assert_eq!(String::from_utf8(text).unwrap(), format!("\"{expected}\""));
        }
    }
}
