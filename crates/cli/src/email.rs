//! E-mail addresses on the command line.

/// The address in `text`, in lower case, as users are kept.
///
/// No more than a look at the form, so that a slip is noticed: signing in judges again, as Medusa does.
pub(crate) fn parse(text: &str) -> Result<String, &'static str> {
    let has_form = text.rsplit_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !local
                .contains(|character: char| character.is_whitespace() || "@,;:<>()\"".contains(character))
            && domain.contains('.')
            && domain.split('.').all(|label| {
                !label.is_empty()
                    && label.chars().all(|character| character.is_alphanumeric() || character == '-')
            })
    });
    if has_form { Ok(text.to_lowercase()) } else { Err("give an address such as ada@example.com") }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn an_address_is_known_by_its_form() {
        assert_eq!(parse("Ada@Example.com"), Ok("ada@example.com".to_owned()));
        assert!(parse("søren+test@müller.example").is_ok());
        for text in [
            "",
            "ada",
            "ada@",
            "@example.com",
            "ada@localhost",
            "ada@example..com",
            "a da@example.com",
            "a@b@example.com",
            "Ada <ada@example.com>",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
