//! The laws of merging metadata.

use proptest::collection::{hash_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};
use stheno_store::Metadata;
use stheno_store::metadata::merge;

/// Values among which those that mean something are frequent.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        2 => Just(json!("")),
        1 => Just(Value::Null),
        2 => any::<i8>().prop_map(Value::from),
        1 => "[a-z ]{1,3}".prop_map(Value::from),
        1 => Just(json!({"nested": "", "deep": {"a": ""}})),
        1 => vec(Just(json!("")), 0..2).prop_map(Value::from),
    ]
}

fn metadata() -> impl Strategy<Value = Metadata> {
    hash_map("[a-e]?", value(), 0..6).prop_map(|entries| entries.into_iter().collect())
}

fn is_removal(value: Option<&Value>) -> bool {
    value.is_some_and(|value| value == "")
}

proptest! {
    #[test]
    fn each_key_is_decided_by_itself(current in metadata(), changes in metadata(), key in "[a-e]?") {
        let merged = merge(Some(current.clone()), changes.clone());
        let expected = match changes.get(&key) {
            removal if is_removal(removal) => None,
            Some(value) => Some(value),
            None => current.get(&key),
        };
        prop_assert_eq!(merged.get(&key), expected);
    }

    #[test]
    fn nothing_to_change_changes_nothing(current in metadata()) {
        prop_assert_eq!(merge(Some(current.clone()), Metadata::new()), current);
    }

    #[test]
    fn no_metadata_is_as_empty_metadata(changes in metadata()) {
        prop_assert_eq!(merge(None, changes.clone()), merge(Some(Metadata::new()), changes));
    }

    #[test]
    fn the_same_changes_again_change_nothing(current in metadata(), changes in metadata()) {
        let once = merge(Some(current), changes.clone());
        prop_assert_eq!(merge(Some(once.clone()), changes), once);
    }

    #[test]
    fn two_changes_are_one(current in metadata(), first in metadata(), second in metadata()) {
        let one_by_one = merge(Some(merge(Some(current.clone()), first.clone())), second.clone());
        let mut both = first;
        both.extend(second);
        prop_assert_eq!(merge(Some(current), both), one_by_one);
    }
}
