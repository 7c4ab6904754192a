use std::borrow::Cow;

use indexmap::IndexMap;
use indexmap::map::Entry;

use crate::tree::{Map, Node};
use crate::{DEPTH_LIMIT, FORBIDDEN_NAME, Object, PARAMETER_LIMIT, value};

/// Reads a query string: what follows the `?`, without it, still escaped.
///
/// There is no wrong query string; the crate's documentation says how the odd ones are read. The number of parameters
/// and the depth that count are bounded, whatever the query.
pub fn parse(query: &str) -> Object {
    let query = unescape_brackets(query);

    // Equal keys are brought together before any key is taken apart, so that what meets under one key follows the
    // rules of `Node::append`, and what meets under different spellings of one place those of `Node::merge`.
    let mut given: IndexMap<Cow<'_, str>, Node> = IndexMap::new();
    for parameter in query.split('&').take(PARAMETER_LIMIT) {
        let (key, value) = split_parameter(parameter);
        if key.is_empty() {
            continue;
        }
        let value = decode(value).into_owned();
        match given.entry(decode(key)) {
            Entry::Occupied(mut present) => present.get_mut().append(value),
            Entry::Vacant(vacant) => {
                vacant.insert(Node::Text(value));
            }
        }
    }
    value::sort(&mut given);

    // Without brackets every key is a name, and the keys need not be taken apart.
    if !query.contains('[') {
        let properties = given.into_iter().filter(|(name, _)| name != FORBIDDEN_NAME);
        return Object::collect(properties.map(|(name, leaf)| (name.into_owned(), leaf.into())));
    }

    let mut root = Map::default();
    for (key, leaf) in given {
        let (name, groups) = key.split_at(key.find('[').unwrap_or(key.len()));
        let branch = nest(Groups::new(groups), leaf);
        match name {
            "" => root.merge(branch.into()),
            FORBIDDEN_NAME => {}
            name => root.merge_property(name.to_owned(), branch),
        }
    }
    root.into()
}

/// Escaped brackets count as brackets, everywhere and before anything else is looked at.
fn unescape_brackets(query: &str) -> Cow<'_, str> {
    let mut pieces = query.split("%5");
    let first = pieces.next().unwrap_or_default();
    if first.len() == query.len() {
        return Cow::Borrowed(query);
    }
    let mut unescaped = String::with_capacity(query.len());
    unescaped.push_str(first);
    for piece in pieces {
        let (bracket, rest) = match piece.as_bytes() {
            [b'B' | b'b', ..] => ("[", &piece[1..]),
            [b'D' | b'd', ..] => ("]", &piece[1..]),
            _ => ("%5", piece),
        };
        unescaped.push_str(bracket);
        unescaped.push_str(rest);
    }
    Cow::Owned(unescaped)
}

/// Key and value of a parameter. A `]=` anywhere wins over a `=` before it: the key of `a[b=c]=x` is `a[b=c]`.
fn split_parameter(parameter: &str) -> (&str, &str) {
    match parameter.find("]=") {
        Some(bracket) => (&parameter[..=bracket], &parameter[bracket + 2..]),
        None => parameter.split_once('=').unwrap_or((parameter, "")),
    }
}

/// Undoes the escapes of a key or value: all of them, or, if one is wrong or they are not UTF-8 together, none.
fn decode(text: &str) -> Cow<'_, str> {
    let text = if text.contains('+') { Cow::Owned(text.replace('+', " ")) } else { Cow::Borrowed(text) };
    match text.contains('%').then(|| decode_escapes(&text)).flatten() {
        Some(decoded) => Cow::Owned(decoded),
        None => text,
    }
}

fn decode_escapes(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hexadecimal(bytes.next()?)? << 4 | hexadecimal(bytes.next()?)?,
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok()
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Builds what the bracket groups of a key make of the leaf. Recursion ends with the groups, of which there are few.
fn nest(mut groups: Groups<'_>, leaf: Node) -> Node {
    match groups.next() {
        Some(name) => nest(groups, leaf).within(name),
        None => leaf,
    }
}

/// The bracket groups of a key, each without its outer brackets: `b` and `c[d]` of `[b][c[d]]`. Text between groups
/// is skipped. What is too deep, or has no closing bracket, is the last group, opening bracket included.
struct Groups<'key> {
    rest: &'key str,
    found: usize,
}

impl<'key> Groups<'key> {
    fn new(rest: &'key str) -> Self {
        Self { rest, found: 0 }
    }
}

impl<'key> Iterator for Groups<'key> {
    type Item = &'key str;

    fn next(&mut self) -> Option<&'key str> {
        let group = &self.rest[self.rest.find('[')?..];
        let end = if self.found < DEPTH_LIMIT { closing_bracket(group) } else { None };
        let Some(end) = end else {
            self.rest = "";
            return Some(group);
        };
        self.found += 1;
        self.rest = &group[end + 1..];
        Some(&group[1..end])
    }
}

/// Where the bracket that opens the text is closed.
fn closing_bracket(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    text.bytes().position(|byte| {
        match byte {
            b'[' => open += 1,
            b']' => open -= 1,
            _ => {}
        }
        open == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_are_unescaped_once() {
        assert_eq!(unescape_brackets("a%5b%5D%255B%5%5B%5"), "a[]%255B%5[%5");
        assert!(matches!(unescape_brackets("a=%20"), Cow::Borrowed(_)));
    }

    #[test]
    fn groups_end_where_brackets_balance() {
        let groups = |text| Groups::new(text).collect::<Vec<_>>();
        assert_eq!(groups(""), Vec::<&str>::new());
        assert_eq!(groups("[b]x[c[d]][]"), ["b", "c[d]", ""]);
        assert_eq!(groups("[b][c[d]"), ["b", "[c[d]"]);
        assert_eq!(groups("[1][2][3][4][5][6][7]"), ["1", "2", "3", "4", "5", "[6][7]"]);
    }

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(decode("plain"), Cow::Borrowed("plain")));
        assert!(matches!(decode("100%"), Cow::Borrowed("100%")));
    }
}
