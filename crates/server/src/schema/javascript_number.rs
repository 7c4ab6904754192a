//! How JavaScript reads a number from a text, by which Medusa takes `limit`, `offset` and seconds.

/// `Number(text)`; `None` where that is `NaN`.
///
/// White space around the number does not count, and nothing at all is zero.
pub(super) fn parse(text: &str) -> Option<f64> {
    let text = text.trim_matches(is_white_space);
    if text.is_empty() {
        return Some(0.0);
    }
    match text.get(..2) {
        Some("0x" | "0X") => return parse_digits(&text[2..], 16),
        Some("0o" | "0O") => return parse_digits(&text[2..], 8),
        Some("0b" | "0B") => return parse_digits(&text[2..], 2),
        _ => {}
    }
    let (sign, unsigned) = match text.as_bytes()[0] {
        b'+' => (1.0, &text[1..]),
        b'-' => (-1.0, &text[1..]),
        _ => (1.0, text),
    };
    if unsigned == "Infinity" {
        return Some(sign * f64::INFINITY);
    }
    // Rust and JavaScript read the same decimals; all that Rust reads besides are words, such as `inf` and `nan`.
    let decimal = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    let value: Option<f64> = if decimal { unsigned.parse().ok() } else { None };
    value.map(|value| sign * value)
}

/// Digits of a base, without sign. Beyond 2^53 the last bit may differ from JavaScript's; nothing here goes so far.
fn parse_digits(digits: &str, base: u32) -> Option<f64> {
    if digits.is_empty() {
        return None;
    }
    digits
        .chars()
        .try_fold(0.0, |value, digit| Some(value * f64::from(base) + f64::from(digit.to_digit(base)?)))
}

/// White space and line ends, as JavaScript has them (also `\s` in its regular expressions).
pub(super) fn is_white_space(character: char) -> bool {
    matches!(
        character,
        '\t'..='\r' | ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}'
            | '\u{205f}' | '\u{3000}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_javascript_reads() {
        for (text, value) in [
            ("", 0.0),
            (" \u{a0}\u{feff}\n", 0.0),
            ("10", 10.0),
            ("007", 7.0),
            ("+3", 3.0),
            ("-1.5", -1.5),
            (".5", 0.5),
            ("5.", 5.0),
            ("\t3 ", 3.0),
            ("1e2", 100.0),
            ("1E-2", 0.01),
            ("0x1F", 31.0),
            ("0b11", 3.0),
            ("0O17", 15.0),
            ("1e400", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
        ] {
            assert_eq!(parse(text), Some(value), "{text:?}");
        }
    }

    #[test]
    fn refuses_what_javascript_refuses() {
        for text in [
            "abc", "1_000", "1,000", "1n", "true", "null", "NaN", "nan", "inf", "infinity", "Inf", "+-1",
            "--1", ".", "+", "e5", ".e5", "1e", "0x", "0xg", "-0x1", "0b2", "1 2", "२", "\0", "1\0", "é",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
