//! Entries of `--admin-cors` that no browser can match. They are taken as they are, as Medusa takes them, so whoever
//! wrote them hears of it only here.

/// The entries that match no page, each with what is wrong with it.
pub(crate) fn in_vain(list: &str) -> impl Iterator<Item = (&str, &'static str)> {
    let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    entries.filter_map(|entry| Some((entry, fault(entry)?)))
}

fn fault(entry: &str) -> Option<&'static str> {
    if let Some(rest) = entry.strip_prefix('/') {
        let closed = rest.contains('/');
        return (!closed).then_some("a regular expression ends with a slash too, and has no comma in it");
    }
    match entry.split_once("://") {
        // What a browser sends for a page without an origin, such as a file.
        None if entry == "null" => None,
        None => Some("an origin begins with its scheme, as in http://localhost:7000"),
        Some((_, host)) if host.ends_with('/') => Some("an origin has no slash at its end"),
        Some((_, host)) if host.contains('/') => {
            Some("an origin ends with its host and port, without a path")
        }
        Some((_, host)) if host.contains('*') => {
            Some("an origin has no wildcard: give a regular expression, as in /\\.example\\.com$/")
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::in_vain;

    #[test]
    fn what_no_browser_sends_is_found() {
        for entry in [
            "localhost:7000",
            "*",
            "http://localhost:7000/",
            "https://example.com/admin",
            "https://*.example.com",
            "/(",
            "/",
        ] {
            let list = format!("http://localhost:7000, {entry}");
            assert_eq!(in_vain(&list).map(|(entry, _)| entry).collect::<Vec<_>>(), [entry]);
        }
    }

    #[test]
    fn what_can_match_is_left_alone() {
        let list =
            r"http://localhost:7000,https://example.com, /https:\/\/.*\.example\.com$/i,null,,app://shop";
        assert_eq!(in_vain(list).next(), None);
        assert_eq!(in_vain("").next(), None);
    }
}
