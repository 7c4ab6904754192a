//! The parts of JSON that every engine writes in the same way.

use serde_json::Value;

use crate::entity::Table;
use crate::metadata;

/// Writes `"name":`, with a comma before if it is not the first of its object.
pub(crate) fn write_name(text: &mut Vec<u8>, name: &str) {
    if text.last() != Some(&b'{') {
        text.push(b',');
    }
    write_text(text, name);
    text.push(b':');
}

/// Writes a text as JSON.
pub(crate) fn write_text(text: &mut Vec<u8>, value: &str) {
    if serde_json::to_writer(text, value).is_err() {
        unreachable!("writing to a vector does not fail");
    }
}

/// Writes a number as JSON.
pub(crate) fn write_integer(text: &mut Vec<u8>, number: i64) {
    if serde_json::to_writer(text, &number).is_err() {
        unreachable!("writing to a vector does not fail");
    }
}

/// Writes what every row of a table is shown with before its columns.
pub(crate) fn write_constants(text: &mut Vec<u8>, table: Table) {
    for (name, value) in table.constants() {
        write_name(text, name);
        write_text(text, value);
    }
}

/// Writes JSON that PostgreSQL has written from a `jsonb`, as JavaScript would: without the spaces between its parts, and
/// with each number as the double that it stands for, but for whole numbers that fit into 64 bits.
pub(crate) fn write_jsonb(text: &mut Vec<u8>, json: &[u8]) {
    write_parts(text, json, write_number);
}

/// Writes JSON as [`write_jsonb`] does, but keeps every digit of a number that is more exact than a double.
pub(crate) fn write_exactly(text: &mut Vec<u8>, json: &[u8]) {
    write_parts(text, json, write_number_exactly);
}

fn write_parts(text: &mut Vec<u8>, json: &[u8], write_number: fn(&mut Vec<u8>, &[u8])) {
    let mut rest = json;
    while let Some(first) = rest.first() {
        let length = match first {
            b'"' => end_of_string(rest),
            b'-' | b'0'..=b'9' => end_of_number(rest),
            _ => 1,
        };
        let (part, behind) = rest.split_at(length);
        match first {
            b' ' | b'\n' | b'\r' | b'\t' => {}
            b'-' | b'0'..=b'9' => write_number(text, part),
            _ => text.extend_from_slice(part),
        }
        rest = behind;
    }
}

/// Writes a number as JavaScript would, if that is the same number; as it is otherwise.
pub(crate) fn write_number_exactly(text: &mut Vec<u8>, number: &[u8]) {
    let start = text.len();
    write_number(text, number);
    let written = Decimal::read(&text[start..]);
    if written.is_none() || written != Decimal::read(number) {
        text.truncate(start);
        text.extend_from_slice(number);
    }
}

/// What a number in decimal notation stands for.
#[derive(PartialEq, Eq)]
struct Decimal {
    is_negative: bool,
    /// Neither beginning nor ending with a zero.
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    fn read(number: &[u8]) -> Option<Self> {
        let (is_negative, unsigned) = match number.strip_prefix(b"-") {
            Some(rest) => (true, rest),
            None => (false, number),
        };
        let is_exponent = |byte: &u8| matches!(byte, b'e' | b'E');
        let (mantissa, exponent) = match unsigned.iter().position(is_exponent) {
            Some(at) => (&unsigned[..at], std::str::from_utf8(&unsigned[at + 1..]).ok()?.parse().ok()?),
            None => (unsigned, 0_i64),
        };
        let mut digits = Vec::with_capacity(mantissa.len());
        let mut behind_point = None;
        for byte in mantissa {
            match byte {
                b'.' if behind_point.is_none() => behind_point = Some(0),
                b'0'..=b'9' => {
                    digits.push(*byte);
                    behind_point = behind_point.map(|count| count + 1);
                }
                _ => return None,
            }
        }
        let first = digits.iter().position(|digit| *digit != b'0').unwrap_or(digits.len());
        digits.drain(..first);
        let mut exponent = exponent - behind_point.unwrap_or(0);
        while digits.last() == Some(&b'0') {
            digits.pop();
            exponent += 1;
        }
        let is_zero = digits.is_empty();
        Some(Self {
            is_negative: is_negative && !is_zero,
            digits,
            exponent: if is_zero { 0 } else { exponent },
        })
    }
}

fn end_of_number(json: &[u8]) -> usize {
    let is_part = |byte: &u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
    json.iter().position(|byte| !is_part(byte)).unwrap_or(json.len())
}

fn write_number(text: &mut Vec<u8>, number: &[u8]) {
    // Whatever has so few digits is written alike.
    if number.len() <= 15 && number.iter().all(u8::is_ascii_digit) {
        return text.extend_from_slice(number);
    }
    match serde_json::from_slice::<Value>(number) {
        Ok(number) => text.extend_from_slice(metadata::json_to_text(number).as_bytes()),
        // More than a double holds, which JavaScript takes for infinite and writes as null.
        Err(_) => text.extend_from_slice(b"null"),
    }
}

/// Where the string ends that `json` begins with.
fn end_of_string(json: &[u8]) -> usize {
    let mut escaped = false;
    let inside = json.iter().skip(1).position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    inside.map_or(json.len(), |length| length + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jsonb_is_written_as_in_javascript() {
        for (stored, written) in [
            (
                r#"{"a": 1, "b c": [1.5, null, {}], "d": {"e": "f, \"g\": h"}}"#,
                r#"{"a":1,"b c":[1.5,null,{}],"d":{"e":"f, \"g\": h"}}"#,
            ),
            (r#""a \\""#, r#""a \\""#),
            (r#"["\\", " ", ""]"#, r#"["\\"," ",""]"#),
            ("[1, 2]", "[1,2]"),
            ("true", "true"),
            ("[-1, 1.50, 1.0, 0.0000001]", "[-1,1.5,1,1e-7]"),
            ("10000000000000000", "10000000000000000"),
            ("1000000000000000000000", "1e+21"),
            ("-9223372036854775808", "-9223372036854775808"),
            (&*format!("1{}", "0".repeat(400)), "null"),
        ] {
            let mut text = Vec::new();
            write_jsonb(&mut text, stored.as_bytes());
            assert_eq!(String::from_utf8(text).unwrap(), written);
        }
    }

    #[test]
    fn digits_beyond_those_of_a_double_are_kept_where_they_count() {
        for (stored, written) in [
            (r#"{"a": 1.50, "b": "1.50"}"#, r#"{"a":1.5,"b":"1.50"}"#),
            ("[0.10, -0.0, 1000000000000000000000]", "[0.1,0,1e+21]"),
            ("12345678901234567890123", "12345678901234567890123"),
            ("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
            ("18446744073709551615", "18446744073709551615"),
            (&*format!("1{}", "0".repeat(400)), &*format!("1{}", "0".repeat(400))),
        ] {
            let mut text = Vec::new();
            write_exactly(&mut text, stored.as_bytes());
            assert_eq!(String::from_utf8(text).unwrap(), written);
        }
    }
}
