//! What holds for any query string and any object.

use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use stheno_qs::{Object, Value, WriteError, parse, write};

/// Objects of all kinds, also those that no query string can hold.
fn any_object() -> impl Strategy<Value = Object> {
    let name = prop_oneof![
        "[a-c]",
        "[0-9]{1,2}",
        "100[0-9]",
        "\\PC{0,4}",
        "[a\\[\\]=&+%.]{0,3}",
        Just("__proto__".to_owned())
    ];
    objects(&name.boxed(), 0..4, 7)
}

/// Objects that a query string can hold.
fn storable_object() -> impl Strategy<Value = Object> {
    let name = any::<String>().prop_map(|name| format!("x{}", name.replace(['[', ']'], "")));
    objects(&name.boxed(), 1..4, 5)
}

fn objects(name: &BoxedStrategy<String>, sizes: Range<usize>, depth: u32) -> BoxedStrategy<Object> {
    let text = prop_oneof![any::<String>(), "[a\\[\\]=&+% ]{0,4}"].prop_map(Value::from);
    let object =
        |value: BoxedStrategy<Value>| vec((name.clone(), value), sizes.clone()).prop_map(Object::from_iter);
    let container = |inner: BoxedStrategy<Value>| {
        prop_oneof![
            vec(inner.clone(), sizes.clone()).prop_map(Value::from),
            object(inner).prop_map(Value::from)
        ]
    };
    let value =
        (0..depth).fold(text.boxed(), |inner, _| prop_oneof![inner.clone(), container(inner)].boxed());
    object(value).boxed()
}

proptest! {
    #[test]
    fn parse_takes_any_text(query in any::<String>()) {
        parse(&query);
    }

    #[test]
    fn parse_takes_any_bytes(query in vec(any::<u8>(), 0..200)) {
        parse(&String::from_utf8_lossy(&query));
    }

    #[test]
    fn parse_takes_any_syntax(query in "([ab0é]|1|999|1000|\\[|\\]|\\[\\]|=|\\+|&|%|%5B|%5d|%C3|__proto__){0,60}") {
        parse(&query);
    }

    #[test]
    fn what_is_written_reads_the_same(object in any_object()) {
        if let Ok(query) = write(&object) {
            prop_assert_eq!(parse(&query), object, "{}", query);
        }
    }

    #[test]
    fn what_a_query_string_can_hold_is_written(object in storable_object()) {
        let query = write(&object).unwrap();
        prop_assert!(query.bytes().all(|byte| byte.is_ascii_graphic()));
        prop_assert_eq!(parse(&query), object, "{}", query);
    }
}

fn object<V: Into<Value>>(name: &str, value: V) -> Object {
    Object::from_iter([(name, value)])
}

fn deep(levels: usize) -> Object {
    let wrap = |inner: Value, _| object("b", inner).into();
    object("a", (0..levels).fold(Value::from("x"), wrap))
}

#[test]
fn what_would_vanish_is_refused() {
    let empty = |path: &str| Err(WriteError::Empty { path: path.to_owned() });
    assert_eq!(write(&Object::new()), Ok(String::new()));
    assert_eq!(write(&object("a", vec![])), empty("a"));
    assert_eq!(write(&object("a", Object::new())), empty("a"));
    assert_eq!(write(&object("a", vec![Object::new().into()])), empty("a[0]"));
}

#[test]
fn names_that_would_change_are_refused() {
    let name = |path: &str| Err(WriteError::Name { path: path.to_owned() });
    for odd in ["", "__proto__", "[", "]", "b[c]"] {
        assert_eq!(write(&object(odd, "x")), name(odd));
        assert_eq!(write(&object("a", object(odd, "x"))), name(&format!("a[{odd}]")));
    }
    assert_eq!(write(&object("a", object("999", "x"))), name("a[999]"));
    assert_eq!(write(&object("a", object("1000", "x"))).unwrap(), "a%5B1000%5D=x");
    assert_eq!(write(&object("0", "x")).unwrap(), "0=x");
}

#[test]
fn what_is_too_deep_is_refused() {
    assert_eq!(parse(&write(&deep(5)).unwrap()), deep(5));
    assert_eq!(write(&deep(6)), Err(WriteError::Depth { path: "a[b][b][b][b][b][b]".to_owned() }));
}

#[test]
fn what_is_too_long_is_refused() {
    let texts = |count| object("a", vec![Value::from("x"); count]);
    assert_eq!(parse(&write(&texts(1000)).unwrap()), texts(1000));
    assert_eq!(write(&texts(1001)), Err(WriteError::Length));
}
