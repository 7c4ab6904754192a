//! Query strings: whatever is asked is read, within bounds, and what can be written again reads the same. What a route makes
//! of it is valid or told to be not.
#![no_main]

use stheno_qs::{Value, parse, write};

/// A name and the bracket groups after it; of those, the last may hold what is too deep.
const DEPTH: usize = 7;
const PARAMETERS: usize = 1000;

libfuzzer_sys::fuzz_target!(|query: &str| {
    let object = parse(query);
    let mut texts = 0;
    let value = Value::Object(object.clone());
    assert!(depth(&value, &mut texts) <= DEPTH, "too deep: {object:?}");
    assert!(texts <= PARAMETERS, "{texts} texts");
    if let Ok(written) = write(&object) {
        assert_eq!(parse(&written), object, "{written}");
    }
    stheno_server::fuzzing::query(query);
});

fn depth(value: &Value, texts: &mut usize) -> usize {
    match value {
        Value::String(_) => {
            *texts += 1;
            0
        }
        Value::Array(elements) => elements.iter().map(|element| 1 + depth(element, texts)).max().unwrap_or(0),
        Value::Object(object) => object.iter().map(|(_, value)| 1 + depth(value, texts)).max().unwrap_or(0),
    }
}
