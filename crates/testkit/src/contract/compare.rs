//! Compares an answer with a recorded one: objects whatever the order of their properties, with further properties
//! allowed; arrays in order, but for those whose order the recording does not promise.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use regex::Regex;
use serde_json::Value;

static ID: LazyLock<Regex> = LazyLock::new(|| regex(r"\b(?:cgrp|cus|addr)_[0-9A-Z]{26}\b"));
static TIME: LazyLock<Regex> = LazyLock::new(|| regex(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"));
static SEEDED_TIME: LazyLock<Regex> = LazyLock::new(|| regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"));

/// How many elements are left of an array that was cut.
const CUT_TO: usize = 2;

/// How many differences are told.
const TOLD: usize = 5;

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap_or_else(|error| panic!("{error}"))
}

/// Which of our ids and times stand for which of the recording's.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    seeded: Arc<HashSet<String>>,
    seeded_times: Arc<HashSet<String>>,
    ours: HashMap<String, String>,
    /// Whether every id and time stands for itself.
    exact: bool,
}

impl Ids {
    /// Where both answers are about the same rows.
    pub(super) fn exact() -> Self {
        Self { exact: true, ..Self::new("") }
    }

    pub(super) fn new(seed: &str) -> Self {
        let ids: HashSet<_> = ID.find_iter(seed).map(|id| id.as_str().to_owned()).collect();
        let times: HashSet<_> =
            SEEDED_TIME.find_iter(seed).map(|time| time.as_str()[..19].to_owned()).collect();
        Self { seeded: ids.into(), seeded_times: times.into(), ours: HashMap::new(), exact: false }
    }

    /// Puts our ids in place of the recording's.
    pub(super) fn replace(&self, text: &str) -> String {
        let ours =
            |id: &regex::Captures<'_>| self.ours.get(&id[0]).cloned().unwrap_or_else(|| id[0].to_owned());
        ID.replace_all(text, ours).into_owned()
    }

    /// Learns from an answer which id was given in place of a recorded one.
    pub(super) fn learn(&mut self, recorded: &Value, found: &Value) {
        match (recorded, found) {
            (Value::Object(recorded), Value::Object(found)) => {
                for (name, value) in recorded {
                    if let Some(found) = found.get(name) {
                        self.learn(value, found);
                    }
                }
            }
            (Value::Array(recorded), Value::Array(found)) if recorded.len() == found.len() => {
                recorded.iter().zip(found).for_each(|(recorded, found)| self.learn(recorded, found));
            }
            (Value::String(recorded), Value::String(found)) if ID.is_match(recorded) => {
                for (recorded, found) in ID.find_iter(recorded).zip(ID.find_iter(found)) {
                    let (recorded, found) = (recorded.as_str(), found.as_str());
                    if !self.seeded.contains(recorded) && !self.seeded.contains(found) {
                        self.ours.entry(recorded.to_owned()).or_insert_with(|| found.to_owned());
                    }
                }
            }
            _ => {}
        }
    }

    fn is_made(&self, time: &str) -> bool {
        !self.exact && TIME.is_match(time) && !self.seeded_times.contains(&time[..19])
    }
}

/// The differences between a recorded body and an answer's. `lengths` are those of arrays that the recording cut.
pub(super) fn compare(
    ids: &Ids,
    recorded: &Value,
    found: &Value,
    lengths: Option<&HashMap<String, usize>>,
) -> Vec<String> {
    let mut comparison = Comparison { ids, lengths, differences: Vec::new() };
    comparison.value(recorded, found, "");
    comparison.differences.truncate(TOLD);
    comparison.differences
}

struct Comparison<'a> {
    ids: &'a Ids,
    lengths: Option<&'a HashMap<String, usize>>,
    differences: Vec<String>,
}

impl Comparison<'_> {
    fn value(&mut self, recorded: &Value, found: &Value, path: &str) {
        match (recorded, found) {
            (Value::Object(recorded), Value::Object(found)) => {
                for (name, value) in recorded {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    match found.get(name) {
                        Some(found) => self.value(value, found, &path),
                        None => self.differences.push(format!("{path} is missing")),
                    }
                }
            }
            (Value::Array(recorded), Value::Array(found)) => self.array(recorded, found, path),
            (Value::String(recorded), Value::String(found)) => {
                let same = self.ids.replace(recorded) == *found
                    || (self.ids.is_made(recorded) && TIME.is_match(found))
                    || (recorded.starts_with("<jwt") && found.split('.').count() == 3)
                    || (recorded == "<html>" && found.starts_with("<!DOCTYPE html>"))
                    || (recorded == "<scrypt-kdf>" && found.starts_with("c2NyeXB0"));
                if !same {
                    self.differences.push(format!("{path}: {found:?} instead of {recorded:?}"));
                }
            }
            // 1 and 1.0 are the same number.
            (Value::Number(recorded), Value::Number(found)) if recorded.as_f64() == found.as_f64() => {}
            _ if recorded == found => {}
            _ => self.differences.push(format!("{path}: {found} instead of {recorded}")),
        }
    }

    fn array(&mut self, recorded: &[Value], found: &[Value], path: &str) {
        let length = match self.lengths.map(|lengths| lengths.get(path)) {
            Some(Some(length)) => *length,
            // Of a body that was cut, not every array's length was kept.
            Some(None) if recorded.len() == CUT_TO => found.len().max(CUT_TO),
            _ => recorded.len(),
        };
        if length != found.len() {
            self.differences.push(format!("{path}: {} elements instead of {length}", found.len()));
            return;
        }
        // The rows of a relation come in any order.
        let unordered = path.contains(['.', '['])
            && ["customers", "groups", "orders", "price_lists", "shipping_addresses"]
                .iter()
                .any(|name| path.ends_with(name));
        for (index, value) in recorded.iter().enumerate() {
            let place = format!("{path}[{index}]");
            let counterpart = match value.get("id").and_then(Value::as_str).filter(|_| unordered) {
                Some(id) => {
                    let id = self.ids.replace(id);
                    found.iter().find(|row| row.get("id").and_then(Value::as_str) == Some(&id))
                }
                None => found.get(index),
            };
            match counterpart {
                Some(found) => self.value(value, found, &place),
                None => self.differences.push(format!("{place} is missing: {value}")),
            }
        }
    }
}
