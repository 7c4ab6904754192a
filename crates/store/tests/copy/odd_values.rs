//! Values that engines keep, write or compare in ways of their own.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};
use stheno_store::Table;

use crate::database::{Database, Kind, open};

/// Digits that no double holds are kept by both engines.
#[tokio::test(flavor = "multi_thread")]
async fn numbers_beyond_doubles_keep_their_digits() {
    let start = Database::new(Kind::Postgres).await;
    let metadata = "{\"a\": 12345678901234567890123, \"b\": 0.1000000000000000055511151231257827, \"c\": 18446744073709551615, \"d\": 1e21, \"e\": -0.0000001}";
    start
        .execute(&format!("INSERT INTO customer (id, email, metadata) VALUES ('cus_1', '1', '{metadata}')"))
        .await;
    let (middle, end) = (Database::untouched(Kind::Sqlite).await, Database::untouched(Kind::Postgres).await);
    start.must_copy_to(&middle).await;
    assert_eq!(
        middle.ask("SELECT metadata FROM customer").await,
        r#"{"a":12345678901234567890123,"b":0.1000000000000000055511151231257827,"c":18446744073709551615,"d":1e+21,"e":-1e-7}"#
    );
    middle.must_copy_to(&end).await;
    assert_eq!(end.rows().await, start.rows().await);
}

/// Whatever a text may hold, but NUL, which PostgreSQL does not know.
fn text() -> impl Strategy<Value = String> {
    any::<String>().prop_map(|text| text.replace('\0', "0"))
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..5)
                .prop_map(|object| Value::Object(object.into_iter().collect())),
        ]
    })
}

fn time() -> impl Strategy<Value = String> {
    // From the beginning of the year 1 to the end of 9999.
    (-62_135_596_800_000_000_i64..253_402_300_800_000_000).prop_map(|microseconds| {
        let time = jiff::Timestamp::from_microsecond(microseconds).unwrap();
        time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
    })
}

fn customer() -> impl Strategy<Value = Map<String, Value>> {
    let optional = || prop::option::of(text());
    (text(), optional(), optional(), any::<bool>(), prop::option::of(json_value()), time(), time(), prop::option::of(time()))
        .prop_map(|(email, first_name, phone, has_account, metadata, created_at, updated_at, deleted_at)| {
            let row = json!({
                "email": email, "first_name": first_name, "phone": phone, "has_account": has_account,
                "metadata": metadata, "created_at": created_at, "updated_at": updated_at, "deleted_at": deleted_at,
            });
            row.as_object().cloned().unwrap()
        })
}

#[tokio::test(flavor = "multi_thread")]
async fn any_values_go_round_and_come_back_as_they_were() {
    let mut runner = TestRunner::default();
    let rows: Vec<_> = (0..2000)
        .map(|number| {
            let mut row = customer().new_tree(&mut runner).unwrap().current();
            // An id of any characters, and an address of its own.
            let id = format!("{number}{}", row["email"].as_str().unwrap());
            row.insert("id".to_owned(), id.clone().into());
            row.insert("email".to_owned(), id.into());
            row
        })
        .collect();
    let start = Database::new(Kind::Sqlite).await;
    let store = open(&start.url).await;
    store.import(vec![(Table::Customer, rows)]).await.unwrap();
    store.close().await;
    let (middle, end) = (Database::untouched(Kind::Postgres).await, Database::untouched(Kind::Sqlite).await);
    start.must_copy_to(&middle).await;
    middle.must_copy_to(&end).await;
    let (before, after) = (start.rows().await, end.rows().await);
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(after, before);
    }
    assert_eq!(after.len(), before.len());
}
