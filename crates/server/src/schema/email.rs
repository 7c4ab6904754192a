//! What counts as an e-mail address: `isEmail` of the npm package `validator` 13.15, as Medusa calls it.
//!
//! Lengths are in UTF-16 units where JavaScript counts them so. Agreement is tested on addresses that the package has
//! judged, see `fixtures/emails.js`.

use super::javascript_number::is_white_space;

pub(super) fn is_email(text: &str) -> bool {
    let Some((user, domain)) = text.rsplit_once('@') else {
        return false;
    };
    utf16_length(text) <= 254 && user.len() <= 64 && domain.len() <= 254 && is_domain(domain) && is_user(user)
}

fn utf16_length(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// What is allowed beyond ASCII in a user and in a top-level domain: neither private use, nor anything that takes two
/// UTF-16 units.
fn is_letter_beyond_ascii(character: char) -> bool {
    matches!(character, '\u{a1}'..='\u{d7ff}' | '\u{f900}'..='\u{ffef}')
}

fn is_user(user: &str) -> bool {
    if user == "\"" {
        return true;
    }
    match user.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => is_quoted_user(quoted),
        None => user.split('.').all(|atom| {
            !atom.is_empty()
                && atom.chars().all(|character| {
                    character.is_ascii_alphanumeric()
                        || "!#$%&'*+-/=?^_`{|}~".contains(character)
                        || is_letter_beyond_ascii(character)
                })
        }),
    }
}

fn is_quoted_user(quoted: &str) -> bool {
    let allowed = |character: char| {
        matches!(character, '\u{1}'..='\u{7f}') || character == '\u{a0}' || is_letter_beyond_ascii(character)
    };
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        let valid = match character {
            '\\' => characters.next().is_some_and(|escaped| allowed(escaped) && escaped != '\n'),
            '"' => false,
            _ => allowed(character),
        };
        if !valid {
            return false;
        }
    }
    true
}

fn is_domain(domain: &str) -> bool {
    let Some((_, top_level)) = domain.rsplit_once('.') else {
        return false;
    };
    is_top_level_domain(top_level) && domain.split('.').all(is_domain_label)
}

fn is_top_level_domain(label: &str) -> bool {
    let letters = label.chars().count() >= 2
        && label.chars().all(|character| {
            character.is_ascii_alphabetic()
                || (is_letter_beyond_ascii(character) && character != '\u{a9}' && !is_white_space(character))
        });
    let is_punycode =
        |rest: &str| rest.len() >= 2 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    letters
        || label.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("xn") && is_punycode(&label[2..]))
}

fn is_domain_label(label: &str) -> bool {
    let full_width = |character| matches!(character, '\u{ff01}'..='\u{ff5e}');
    !label.is_empty()
        && utf16_length(label) <= 63
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|character| {
            character.is_ascii_alphanumeric()
                || character == '-'
                || (character >= '\u{a1}' && !full_width(character))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_npm_package() {
        let fixtures: Vec<(String, bool)> =
            serde_json::from_str(include_str!("fixtures/emails.json")).unwrap();
        for (address, expected) in &fixtures {
            assert_eq!(is_email(address), *expected, "{address:?}");
        }
        assert!(fixtures.len() >= 300, "{} addresses", fixtures.len());
    }
}
