//! What "in any case" means: each character by itself is taken in lower case, as PostgreSQL's `ILIKE` does in the
//! locale `C.UTF-8`.

/// Takes every character in lower case by itself. The only one that would become several, `İ`, becomes `i`.
pub(crate) fn fold(text: &str) -> String {
    text.chars().map(fold_character).collect()
}

fn fold_character(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_lowercase();
    }
    character.to_lowercase().next().unwrap_or(character)
}

/// Whether `text` has the folded `term` somewhere.
pub(crate) fn contains(text: &str, term: &str) -> bool {
    if text.is_ascii() {
        return contains_ascii(text.as_bytes(), term.as_bytes());
    }
    fold(text).contains(term)
}

fn contains_ascii(text: &[u8], term: &[u8]) -> bool {
    term.is_empty() || text.windows(term.len()).any(|window| window.eq_ignore_ascii_case(term))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_folded_one_by_one() {
        assert_eq!(fold("SØREN Ünïcødé ΑΣ"), "søren ünïcødé ας".replace('ς', "σ"));
        assert_eq!(fold("İ"), "i");
        assert!(contains("Søren", &fold("SØR")));
        assert!(contains("Chloé Moreau", &fold("É m")));
        assert!(contains("VIP EU 0018", &fold("vip eu")));
        assert!(!contains("VIP", &fold("vip_")));
        assert!(contains("", ""));
    }
}
