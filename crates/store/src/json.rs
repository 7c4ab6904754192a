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
    let mut rest = json;
    while let Some(first) = rest.first() {
        let length = match first {
            b'"' => end_of_string(rest),
            b'-' | b'0'..=b'9' => end_of_number(rest),
            _ => 1,
        };
        let (part, behind) = rest.split_at(length);
        match first {
            b' ' => {}
            b'-' | b'0'..=b'9' => write_number(text, part),
            _ => text.extend_from_slice(part),
        }
        rest = behind;
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
}
