//! The schemas against what a real Medusa answered, and the rules one by one.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use stheno_store::{AccountFilter, Bound, DateRange, IdFilter, TextComparison};

use super::definitions::{
    CREATE_CUSTOMER, CREATE_CUSTOMER_GROUP, CUSTOMER_BATCH, CUSTOMER_BATCH_REMOVAL,
    LIST_CUSTOMER_GROUPS_QUERY, LIST_CUSTOMERS_QUERY, LIST_MEMBERS_QUERY, LOGIN,
    RETRIEVE_CUSTOMER_GROUP_QUERY, RETRIEVE_QUERY, UPDATE_CUSTOMER, UPDATE_CUSTOMER_GROUP,
    UPDATE_CUSTOMER_GROUP_QUERY,
};
use super::{Schema, Valid};

const ALL: [&Schema; 13] = [
    &CREATE_CUSTOMER,
    &CREATE_CUSTOMER_GROUP,
    &CUSTOMER_BATCH,
    &CUSTOMER_BATCH_REMOVAL,
    &LIST_CUSTOMER_GROUPS_QUERY,
    &LIST_CUSTOMERS_QUERY,
    &LIST_MEMBERS_QUERY,
    &LOGIN,
    &RETRIEVE_CUSTOMER_GROUP_QUERY,
    &RETRIEVE_QUERY,
    &UPDATE_CUSTOMER,
    &UPDATE_CUSTOMER_GROUP,
    &UPDATE_CUSTOMER_GROUP_QUERY,
];

/// The schemas of a route: of its body and of its query.
fn schemas(method: &str, path: &str) -> Option<(Option<&'static Schema>, Option<&'static Schema>)> {
    let segments: Vec<&str> = path.strip_prefix("/admin/")?.trim_end_matches('/').split('/').collect();
    Some(match (method, segments.as_slice()) {
        ("POST", ["auth"] | ["auth", "token"]) => (Some(&LOGIN), None),
        ("GET", ["customer-groups"]) => (None, Some(&LIST_CUSTOMER_GROUPS_QUERY)),
        ("POST", ["customer-groups"]) => (Some(&CREATE_CUSTOMER_GROUP), None),
        ("GET", ["customer-groups", _]) => (None, Some(&RETRIEVE_CUSTOMER_GROUP_QUERY)),
        ("POST", ["customer-groups", _]) => {
            (Some(&UPDATE_CUSTOMER_GROUP), Some(&UPDATE_CUSTOMER_GROUP_QUERY))
        }
        ("GET", ["customer-groups", _, "customers"]) => (None, Some(&LIST_MEMBERS_QUERY)),
        ("POST", ["customer-groups", _, "customers", "batch"]) => (Some(&CUSTOMER_BATCH), None),
        ("DELETE", ["customer-groups", _, "customers", "batch"]) => (Some(&CUSTOMER_BATCH_REMOVAL), None),
        ("GET", ["customers"]) => (None, Some(&LIST_CUSTOMERS_QUERY)),
        ("POST", ["customers"]) => (Some(&CREATE_CUSTOMER), None),
        ("GET", ["customers", _]) => (None, Some(&RETRIEVE_QUERY)),
        ("POST", ["customers", _]) => (Some(&UPDATE_CUSTOMER), Some(&RETRIEVE_QUERY)),
        _ => return None,
    })
}

/// A route could leave out of its description what it takes, or name what another one takes.
#[test]
fn every_operation_describes_the_schemas_that_check_it() {
    let document: Value = serde_json::from_str(crate::openapi::document()).unwrap();
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let (body, query) = schemas(&method.to_uppercase(), path).unwrap_or_default();
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let parameters: Vec<&Value> =
                parameters.iter().filter(|parameter| parameter["in"] == "query").collect();
            let expected = query.map(Schema::described_parameters).unwrap_or_default();
            assert_eq!(json!(parameters), json!(expected), "{method} {path}");

            let reference = operation.pointer("/requestBody/content/application~1json/schema/$ref");
            let described = reference.and_then(Value::as_str).map(|reference| {
                document.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null).clone()
            });
            let expected = body.map(|body| json!(body.described()));
            assert_eq!(described, expected, "{method} {path}");
            operations += usize::from(body.is_some() || query.is_some());
        }
    }
    assert_eq!(operations, 13, "operations that take something");
}

fn query_value(query: &str) -> Value {
    fn convert(value: stheno_qs::Value) -> Value {
        match value {
            stheno_qs::Value::String(text) => Value::String(text),
            stheno_qs::Value::Array(elements) => elements.into_iter().map(convert).collect(),
            stheno_qs::Value::Object(object) => {
                object.into_iter().map(|(name, value)| (name, convert(value))).collect::<Map<_, _>>().into()
            }
        }
    }
    convert(stheno_qs::parse(query).into())
}

fn valid(schema: &'static Schema, value: Value) -> Valid {
    match schema.validate(value) {
        Ok(valid) => valid,
        Err(invalid) => panic!("{invalid}"),
    }
}

fn valid_query(schema: &'static Schema, query: &str) -> Valid {
    valid(schema, query_value(query))
}

/// The message for input that is not valid.
fn message(schema: &'static Schema, value: Value) -> String {
    match schema.validate(value) {
        Ok(valid) => panic!("{valid:?}"),
        Err(invalid) => invalid.to_string(),
    }
}

fn query_message(schema: &'static Schema, query: &str) -> String {
    message(schema, query_value(query))
}

// -- Recorded answers ------------------------------------------------------------------------------------------------

/// What our schemas say to a request's body, then to its query, as Medusa goes; `None` if the route has no schema.
fn outcome(method: &str, path: &str, body: Value) -> Option<Result<(), String>> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let (body_schema, query_schema) = schemas(method, path)?;
    let check = |schema: Option<&'static Schema>, value| match schema {
        Some(schema) => schema.validate(value).map(drop).map_err(|invalid| invalid.to_string()),
        None => Ok(()),
    };
    Some(check(body_schema, body).and_then(|()| check(query_schema, query_value(query))))
}

/// A body as it was sent; `None` if it is no JSON.
fn body_value(text: &str) -> Option<Value> {
    if text.is_empty() { Some(json!({})) } else { serde_json::from_str(text).ok() }
}

/// Faults that Medusa finds after validation, in its services or its database.
fn is_late(message: &str) -> bool {
    message.starts_with("Can't insert null value in field name")
        || message.starts_with("Can't insert null value in field email")
        || message.starts_with("Email cannot be changed")
}

/// Whether our outcome is what the answer calls for: the same message, or none.
fn agrees(ours: &Result<(), String>, status: u64, message: Option<&str>) -> bool {
    match (status, message) {
        (400, Some(message)) if !is_late(message) => ours.as_ref().is_err_and(|ours| ours == message),
        _ => ours.is_ok(),
    }
}

#[test]
fn the_contract_is_kept() {
    let read = |name| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../testkit/contract/");
        std::fs::read_to_string(format!("{folder}{name}")).unwrap()
    };
    let deviations: Value = serde_json::from_str(&read("deviations.json")).unwrap();
    let (mut same, mut deviating, mut left_to_routes) = (0, 0, 0);
    for line in read("exchanges.jsonl").lines() {
        let exchange: Value = serde_json::from_str(line).unwrap();
        let (request, response) = (&exchange["request"], &exchange["response"]);
        let status = response["status"].as_u64().unwrap();
        // Neither what is refused before validation, nor what the JSON reader refuses.
        if matches!(status, 401 | 413 | 415) || (response["body"] == "<html>" && status != 200) {
            continue;
        }
        let content_type =
            request["headers"]["content-type"].as_str().unwrap_or_default().to_ascii_lowercase();
        let body = match &request["body"] {
            Value::Null => Some(json!({})),
            _ if !content_type.starts_with("application/json") => Some(json!({})),
            Value::String(text) if request["raw"] == true => body_value(text),
            body => Some(body.clone()),
        };
        let Some(body) = body else { continue };
        let (method, path) = (request["method"].as_str().unwrap(), request["path"].as_str().unwrap());
        let Some(ours) = outcome(method, path, body) else { continue };

        let name = exchange["name"].as_str().unwrap();
        let expect = &deviations["exchanges"][name]["expect"];
        let mentioned = expect["mentions"].as_str();
        if expect["status"].is_null() || expect["same_as"].is_string() {
            same += 1;
            let message = response["body"]["message"].as_str();
            let status = if expect["same_as"].is_string() { 200 } else { status };
            assert!(agrees(&ours, status, message), "{name}: {message:?}, ours: {ours:?}");
        } else if expect["status"] != 400 {
            deviating += 1;
            assert_eq!(ours, Ok(()), "{name}");
        } else if matches!(mentioned, Some("order" | "expand" | "fields") | None)
            && expect["message"].is_null()
        {
            // What a text may name is the route's to check, and so is the path.
            left_to_routes += 1;
            assert_eq!(ours, Ok(()), "{name}");
        } else {
            deviating += 1;
            let ours = ours.expect_err(name);
            assert!(mentioned.is_none_or(|word| ours.contains(word)), "{name}: {ours}");
            assert!(expect["message"].as_str().is_none_or(|message| ours == message), "{name}: {ours}");
        }
    }
    println!("{same} as recorded, {deviating} as the deviations say, {left_to_routes} left to routes");
    assert!(same >= 400 && deviating >= 50, "{same} {deviating}");
}

#[test]
fn medusas_messages_are_told() {
    let (mut same, mut deviating, mut refused, mut left_to_routes) = (0, 0, 0, 0);
    for (index, line) in include_str!("fixtures/messages.jsonl").lines().enumerate() {
        let (method, path, body, status, message): (String, String, Option<String>, u64, Option<String>) =
            serde_json::from_str(line).unwrap();
        let message = message.as_deref();
        let Some(body) = body_value(body.as_deref().unwrap_or_default()) else { continue };
        let Some(ours) = outcome(&method, &path, body) else { continue };
        if status == 500 {
            *(if ours.is_err() { &mut refused } else { &mut left_to_routes }) += 1;
        } else if agrees(&ours, status, message) {
            same += 1;
        } else {
            deviating += 1;
            // The filter by id is honoured.
            let id_filter = message.is_some_and(|message| {
                message.contains("nested property id must be")
                    || (message.contains("an unknown value was passed") && path.contains("id["))
            });
            // What Medusa takes, and we refuse: numbers that are not whole, a property `__proto__`, and null for the
            // metadata of a group, whether there is such a group or not.
            let refusal = ours.as_ref().is_err_and(|ours| {
                ours.ends_with("must be a whole number between 0 and 9223372036854775807")
                    || ours.contains("property __proto__ should not exist")
                    || (status == 404 && ours == "metadata must not be null")
            });
            let case =
                format!("line {}: {method} {path}, Medusa: {status} {message:?}, ours: {ours:?}", index + 1);
            assert!(id_filter || refusal, "{case}");
        }
    }
    println!(
        "{same} as recorded, {deviating} deviate, of 500s {refused} refused, {left_to_routes} left to routes"
    );
    assert!(same >= 950 && refused >= 35, "{same} {refused}");
}

// -- Messages --------------------------------------------------------------------------------------------------------

/// All of Medusa's messages for one input, in its order (asked of the running server).
#[test]
fn faults_are_told_all_at_once_and_in_order() {
    assert_eq!(
        query_message(
            &LIST_CUSTOMER_GROUPS_QUERY,
            "updated_at[gt]=x&created_at[bar]=1&created_at[lt]=y&q[]=1&name[a]=z&b=1&1=1&0=1&limit=a&order[]=x"
        ),
        "property 0 should not exist, property 1 should not exist, property b should not exist, \
         order must be a string, limit must be a number conforming to the specified constraints, \
         q must be a string, each value in name must be a string, name must be an array, \
         gt must be a Date instance, property bar should not exist, lt must be a Date instance"
    );
    assert_eq!(
        message(
            &UPDATE_CUSTOMER,
            json!({"groups": [{"name": "x"}, {"id": 1}, "z", [[7]]], "foo": 1, "email": 1})
        ),
        "property foo should not exist, email must be an email, property name should not exist, \
         id must be a string, id must be a string, each value in nested property groups must be either object or \
         array, each value in nested property groups must be either object or array"
    );
    assert_eq!(
        message(&LOGIN, json!({"email": ""})),
        "email should not be empty, email must be an email, password should not be empty, \
         password must be a string"
    );
    assert_eq!(message(&LOGIN, json!([])), "an unknown value was passed to the validate function");
}

#[test]
fn of_very_many_faults_the_first_are_told() {
    let told = message(&UPDATE_CUSTOMER, json!({"groups": vec![1; 100_000]}));
    let (first, more) = told.rsplit_once(", and ").unwrap();
    assert_eq!(first.matches("each value in nested property groups").count(), 100);
    assert_eq!(more, "99900 more");
    let ids = vec![json!({"id": "\0"}); 1000];
    assert!(message(&UPDATE_CUSTOMER, json!({"groups": ids})).ends_with(", and 900 more"));
}

#[test]
fn our_own_faults_are_told_together() {
    assert_eq!(
        query_message(&LIST_CUSTOMER_GROUPS_QUERY, "limit=-1&offset=1.5&q=%00&discount_condition_id="),
        "offset must be a whole number between 0 and 9223372036854775807, \
         limit must be a whole number between 0 and 9223372036854775807, \
         q must not contain the character U+0000, discount_condition_id should not be empty"
    );
}

/// Where Medusa answers 400, the answer is Medusa's to the letter (asked of the running server).
#[test]
fn our_own_faults_give_way_to_medusas() {
    for query in ["limit=-1&foo=1", "foo=1&q=%00", "discount_condition_id=&foo=1", "id[]=%00&id[]=a&foo=1"] {
        assert_eq!(
            query_message(&LIST_CUSTOMER_GROUPS_QUERY, query),
            "property foo should not exist",
            "{query}"
        );
    }
    assert_eq!(message(&CUSTOMER_BATCH, json!({"foo": 1})), "property foo should not exist");
    let body = json!({"customer_ids": [{"id": "x"}, []], "foo": 1});
    assert_eq!(message(&CUSTOMER_BATCH, body), "property foo should not exist");
}

#[test]
fn properties_named_as_methods_count_for_nothing() {
    valid(&CREATE_CUSTOMER_GROUP, json!({"name": "x", "toString": 1, "constructor": {"a": 1}}));
    valid(&CUSTOMER_BATCH, json!({"customer_ids": [{"id": "x", "valueOf": 1}]}));
    let mut query =
        valid_query(&LIST_CUSTOMER_GROUPS_QUERY, "hasOwnProperty=1&q[toString]=1&created_at[valueOf]=1");
    assert_eq!((query.text("q"), query.date_range("created_at")), (None, DateRange::default()));
    let body = json!({"name": "x", "__proto__": {"a": 1}});
    assert_eq!(message(&CREATE_CUSTOMER_GROUP, body), "property __proto__ should not exist");
}

// -- Rules -----------------------------------------------------------------------------------------------------------

#[test]
fn whole_numbers() {
    let limit = |text: &str| {
        LIST_MEMBERS_QUERY.validate(json!({"limit": text})).map(|mut valid| valid.number("limit"))
    };
    for (text, number) in [
        ("", 0),
        ("0", 0),
        ("007", 7),
        ("+3", 3),
        ("-0", 0),
        ("9223372036854775807", 9_223_372_036_854_775_807),
    ] {
        assert_eq!(limit(text), Ok(Some(number)), "{text:?}");
    }
    let all_digits = "9".repeat(300);
    for text in [
        "1.5",
        "3.0",
        ".5",
        "5.",
        "0x2",
        "1e1",
        "0b1",
        " 3",
        "3\t",
        " ",
        "\u{a0}3",
        "-1",
        "1e21",
        "9223372036854775808",
        &all_digits,
    ] {
        let message = limit(text).unwrap_err().to_string();
        assert_eq!(message, "limit must be a whole number between 0 and 9223372036854775807", "{text:?}");
    }
    let beyond_doubles = "9".repeat(400);
    for text in
        ["abc", "1_000", "1,000", "NaN", "Infinity", "-Infinity", "null", "true", "1e400", &beyond_doubles]
    {
        let message = limit(text).unwrap_err().to_string();
        assert_eq!(message, "limit must be a number conforming to the specified constraints", "{text:?}");
    }
}

#[test]
fn texts_that_are_stored_are_free_of_nul() {
    let group = json!({"name": "a\0b", "metadata": {"a": [{"\0": 1}]}});
    let expected =
        "name must not contain the character U+0000, metadata must not contain the character U+0000";
    assert_eq!(message(&CREATE_CUSTOMER_GROUP, group), expected);
    let batch = json!({"customer_ids": [{"id": "a\0b"}]});
    assert_eq!(message(&CUSTOMER_BATCH, batch), "id must not contain the character U+0000");
    for (schema, query, name) in [
        (&LIST_CUSTOMER_GROUPS_QUERY, "q=%00", "q"),
        (&LIST_CUSTOMER_GROUPS_QUERY, "name[]=%00", "each value in name"),
        (&LIST_CUSTOMER_GROUPS_QUERY, "id=%00", "each value in id"),
        (&LIST_CUSTOMER_GROUPS_QUERY, "id[contains]=%00", "id"),
        (&LIST_CUSTOMERS_QUERY, "groups[]=a%00b", "each value in groups"),
    ] {
        assert_eq!(query_message(schema, query), format!("{name} must not contain the character U+0000"));
    }
    // It is the end of a date, and Medusa does not look at these.
    valid_query(&LIST_MEMBERS_QUERY, "created_at[gt]=2026%00&fields=%00&groups=%00&has_account=%00");
    valid(&LOGIN, json!({"email": "a@b.co", "password": "\0"}));
}

#[test]
fn names_of_groups_are_bounded() {
    for schema in [&CREATE_CUSTOMER_GROUP, &UPDATE_CUSTOMER_GROUP] {
        valid(schema, json!({"name": "é".repeat(1300)}));
        let text = message(schema, json!({"name": format!("{}x", "é".repeat(1300))}));
        assert_eq!(text, "name must be at most 2600 bytes of UTF-8");
    }
}

#[test]
fn null_is_told_from_absence() {
    let mut group = valid(&UPDATE_CUSTOMER_GROUP, json!({"name": null}));
    assert_eq!((group.nullable_text("name"), group.object("metadata")), (Some(None), None));
    assert_eq!(message(&UPDATE_CUSTOMER_GROUP, json!({"metadata": null})), "metadata must not be null");
    let body = json!({"email": null, "phone": "1", "metadata": null, "groups": null, "password": null});
    let mut customer = valid(&UPDATE_CUSTOMER, body);
    assert_eq!(customer.nullable_text("email"), Some(None));
    assert_eq!(customer.nullable_text("phone"), Some(Some("1".to_owned())));
    assert_eq!(customer.nullable_text("first_name"), None);
    assert_eq!(
        (customer.object("metadata"), customer.ids("groups"), customer.text("password")),
        (None, None, None)
    );
    assert_eq!(
        valid(&CREATE_CUSTOMER_GROUP, json!({"name": "x", "metadata": null})).object("metadata"),
        None
    );
}

#[test]
fn metadata_is_any_object() {
    let metadata =
        json!({"b": [1, {"c": null}], "a": "", "__proto__": {"x": 1}, "toString": 1, "constructor": ""});
    let mut group = valid(&CREATE_CUSTOMER_GROUP, json!({"name": "", "metadata": metadata}));
    let stored = group.object("metadata").map(Value::Object);
    assert_eq!(stored, Some(json!({"b": [1, {"c": null}], "a": "", "__proto__": {"x": 1}})));
    for metadata in [json!({"constructor": 1}), json!({"a": [{"constructor": {}}]})] {
        let text = message(&CREATE_CUSTOMER_GROUP, json!({"name": "x", "metadata": metadata}));
        assert_eq!(text, "metadata must not contain a property named constructor");
    }
}

#[test]
fn one_element_is_split_at_commas_where_medusa_does_so() {
    let texts = |texts: &[&str]| Some(texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>());
    let names = |query| valid_query(&LIST_CUSTOMER_GROUPS_QUERY, query).texts("name");
    assert_eq!(names("name[]=a,b"), texts(&["a", "b"]));
    assert_eq!(names("name[]=a,b&name[]=c"), texts(&["a,b", "c"]));
    assert_eq!(names("name[]="), texts(&[""]));
    assert_eq!(
        query_message(&LIST_CUSTOMER_GROUPS_QUERY, "name[][a]=b"),
        "each value in name must be a string"
    );
    let groups = |query| valid_query(&LIST_CUSTOMERS_QUERY, query).texts("groups");
    assert_eq!(groups("groups[]=a,b"), texts(&["a", "b"]));
    assert_eq!(groups("groups=a,b"), texts(&["a", "b"]));
    assert_eq!(groups("groups=a"), texts(&["a"]));
    assert_eq!((groups("groups"), groups("groups=")), (None, None));
    assert_eq!(groups("groups[]="), texts(&[""]));
    let at = |text: &str| Some(Bound::At(text.parse().unwrap()));
    // A date is not split, but an array of texts is one text to it.
    let mut query = valid_query(&LIST_CUSTOMER_GROUPS_QUERY, "created_at[gt][]=Jan 1,2026");
    assert_eq!(query.date_range("created_at").gt, at("2026-01-01T00:00:00Z"));
}

#[test]
fn spans_of_time() {
    let at = |text: &str| Some(Bound::At(text.parse().unwrap()));
    let query = "created_at[gt]=2026&created_at[lte]=1767225600&created_at[lt]=275760&created_at[gte]=";
    let mut query = valid_query(&LIST_MEMBERS_QUERY, query);
    let expected = DateRange {
        gt: at("2026-01-01T00:00:00Z"),
        gte: at("1970-01-01T00:00:00Z"),
        lt: Some(Bound::Future),
        lte: at("2026-01-01T00:00:00Z"),
    };
    assert_eq!(
        (query.date_range("created_at"), query.date_range("updated_at")),
        (expected, DateRange::default())
    );
    for schema in [&LIST_MEMBERS_QUERY, &LIST_CUSTOMERS_QUERY, &LIST_CUSTOMER_GROUPS_QUERY] {
        for query in ["created_at[][gt]=2026", "created_at[0][gt]=2026&created_at[1][lt]=2026"] {
            assert_eq!(query_message(schema, query), "created_at must be an object");
        }
    }
}

#[test]
fn ids_are_one_or_several_or_compared() {
    let filter = |query| valid_query(&LIST_CUSTOMER_GROUPS_QUERY, query).id_filter("id");
    let one_of = |ids: &[&str]| Some(IdFilter::OneOf(ids.iter().map(|&id| id.to_owned()).collect()));
    assert_eq!(filter("id=a,b"), one_of(&["a,b"]));
    assert_eq!(filter("id="), one_of(&[""]));
    assert_eq!(filter("id[]=a,b"), one_of(&["a", "b"]));
    assert_eq!(filter("id=a&id=b"), one_of(&["a", "b"]));
    assert_eq!(filter("limit=1"), None);
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        filter("id[gt]=1&id[gte]=2&id[lt]=3&id[lte]=4&id[starts_with]=5&id[ends_with]=6&id[contains]=7"),
        Some(IdFilter::Compare(TextComparison {
            gt: text("1"),
            gte: text("2"),
            lt: text("3"),
            lte: text("4"),
            starts_with: text("5"),
            ends_with: text("6"),
            contains: text("7"),
        }))
    );
    for query in ["id[][a]=b", "id[]=a&id[][b]=c", "id[0][]=a&id[1]=b"] {
        assert_eq!(query_message(&LIST_CUSTOMER_GROUPS_QUERY, query), "each value in id must be a string");
    }
    // Medusa's message is a JSON text of messages, torn apart at their commas.
    let text = query_message(&LIST_CUSTOMER_GROUPS_QUERY, "id[a,b]=x&id[c]=y&id[gt][]=1&foo=1");
    let text: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        text["details"]["StringComparisonOperator"],
        json!(["property a", "b should not exist", " property c should not exist", " gt must be a string"])
    );
}

#[test]
fn has_account_is_never_refused() {
    for (query, expected) in [
        ("has_account=true", Some(AccountFilter::Is(true))),
        ("has_account=false", Some(AccountFilter::Is(false))),
        ("has_account=null", Some(AccountFilter::Null)),
        ("has_account=TRUE", None),
        ("has_account=", None),
        ("has_account[]=true&has_account[]=false", None),
        ("has_account[a]=true", None),
        ("limit=1", None),
    ] {
        for schema in [&LIST_CUSTOMERS_QUERY, &LIST_MEMBERS_QUERY] {
            assert_eq!(valid_query(schema, query).account_filter("has_account"), expected, "{query}");
        }
    }
}

#[test]
fn batches_are_arrays_of_objects() {
    for schema in [&CUSTOMER_BATCH, &CUSTOMER_BATCH_REMOVAL] {
        let mut batch = valid(schema, json!({"customer_ids": [{"id": "a"}, {"id": "b"}]}));
        assert_eq!(batch.ids("customer_ids"), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(valid(schema, json!({"customer_ids": []})).ids("customer_ids"), Some(vec![]));
        for body in [json!({}), json!({"customer_ids": {"id": "a"}})] {
            assert_eq!(message(schema, body), "customer_ids must be an array");
        }
        assert_eq!(message(schema, json!({"customer_ids": {}})), "id must be a string");
    }
    let nested = json!({"customer_ids": [[{"id": "a"}], {"id": "b"}]});
    assert_eq!(
        valid(&CUSTOMER_BATCH_REMOVAL, nested.clone()).ids("customer_ids"),
        Some(vec!["b".to_owned()])
    );
    assert_eq!(
        message(&CUSTOMER_BATCH, nested),
        "Can't insert null value in field customer_id on insert in table customer_group_customers"
    );
}

// -- Properties ------------------------------------------------------------------------------------------------------

/// Values of all kinds, with the names that the schemas know among others.
fn any_value() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        prop::sample::select(vec![
            "name",
            "metadata",
            "id",
            "customer_ids",
            "groups",
            "email",
            "password",
            "limit",
            "q",
            "created_at",
            "gt",
            "has_account",
            "order",
            "constructor",
            "toString",
            "__proto__",
            "0",
            "17",
            "discount_condition_id",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[0-9 .,+-]{0,5}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6)
                .prop_map(|properties| Value::Object(properties.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_value_panics(value in any_value()) {
        for schema in ALL {
            let _ = schema.validate(value.clone());
        }
    }

    #[test]
    fn no_query_panics(query in "([a-z_]{1,12}|limit|id|created_at|groups|name)(\\[[a-z0]{0,3}\\]){0,2}=[^&]{0,6}(&q\\[\\]=a)?") {
        for schema in ALL {
            let _ = schema.validate(query_value(&query));
        }
    }
}
