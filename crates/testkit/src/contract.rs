//! The recorded contract: 655 exchanges with a real Medusa, replayed against a server and compared. How a recording is
//! read and what is compared is said in `contract/README.md`.

mod beside;
mod compare;
mod credentials;
mod further;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::net::SocketAddr;
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value};
use stheno_store::Table;

pub use self::beside::{differences, differences_of_writes};
use self::compare::{Ids, compare};
use self::credentials::Credentials;
pub use self::further::replay as replay_further;
use crate::http::{HttpClient, HttpResponse};

pub(crate) const SEED: &str = include_str!("../contract/seed.json");
const EXCHANGES: &str = include_str!("../contract/exchanges.jsonl");
const DEVIATIONS: &str = include_str!("../contract/deviations.json");

/// The rows that the recording started from.
pub fn seed() -> Vec<(Table, Vec<Map<String, Value>>)> {
    let tables: HashMap<String, Vec<Map<String, Value>>> =
        serde_json::from_str(SEED).unwrap_or_else(|error| panic!("seed.json: {error}"));
    let mut tables: Vec<_> = tables
        .into_iter()
        .map(|(name, rows)| {
            let table =
                Table::by_name(&name).unwrap_or_else(|| panic!("seed.json has an unknown table {name}"));
            (table, rows)
        })
        .collect();
    tables.sort_by_key(|(table, _)| Table::ALL.iter().position(|candidate| candidate == table));
    tables
}

/// A recorded exchange.
#[derive(Debug, Clone, Deserialize)]
pub struct Exchange {
    /// Its number, in the order of recording.
    pub n: u32,
    /// What it shows.
    pub name: String,
    /// Whether it needs the data of [`seed`] as it was, because it writes or follows something that does.
    #[serde(default)]
    pub fresh: bool,
    /// What was sent before, on the same data.
    #[serde(default)]
    pub before: Vec<RecordedRequest>,
    /// What was sent.
    pub request: RecordedRequest,
    /// What came back.
    pub response: RecordedResponse,
}

/// A recorded request.
#[derive(Debug, Clone, Deserialize)]
pub struct RecordedRequest {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Which credential was sent, in words.
    pub auth: String,
    /// Further headers.
    #[serde(default)]
    pub headers: HashMap<String, String>,
    /// The body: JSON, or with `raw` a text that is sent as it is.
    #[serde(default)]
    pub body: Value,
    /// Whether the body is sent as it is.
    #[serde(default)]
    pub raw: bool,
}

/// A recorded response.
#[derive(Debug, Clone, Deserialize)]
pub struct RecordedResponse {
    /// The status.
    pub status: u16,
    /// The headers worth comparing; a value is a text or a list of texts.
    #[serde(default)]
    pub headers: HashMap<String, Value>,
    /// The body, as JSON or text.
    #[serde(default)]
    pub body: Value,
    /// The body's text, where `body` does not reproduce it.
    #[serde(default)]
    pub body_raw: Option<String>,
    /// Where arrays of the body were cut: their lengths, by path.
    #[serde(default)]
    pub body_cut: Option<BodyCut>,
}

/// What was cut from a recorded body.
#[derive(Debug, Clone, Deserialize)]
pub struct BodyCut {
    /// The lengths of all arrays, by path.
    pub array_lengths: HashMap<String, usize>,
}

impl RecordedResponse {
    fn lengths(&self) -> Option<&HashMap<String, usize>> {
        self.body_cut.as_ref().map(|cut| &cut.array_lengths)
    }
}

/// All recorded exchanges, in order.
pub fn exchanges() -> Vec<Exchange> {
    read_exchanges(EXCHANGES)
}

fn read_exchanges(lines: &str) -> Vec<Exchange> {
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("exchanges.jsonl: {error}")))
        .collect()
}

#[derive(Debug, Default, Deserialize)]
struct Deviations {
    /// What the rules say, by their names.
    rules: BTreeMap<String, String>,
    exchanges: HashMap<String, Deviation>,
}

impl Deviations {
    fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("deviations.json: {error}"))
    }

    /// Expects what was recorded where nothing but this rule says otherwise.
    fn drop_rule(&mut self, rule: &str) {
        for deviation in self.exchanges.values_mut() {
            deviation.rules.retain(|present| present != rule);
        }
        self.exchanges.retain(|_, Deviation { rules, .. }| !rules.is_empty());
    }

    /// Panics unless every deviation is one from an exchange, by rules that are known.
    fn check(&self, exchanges: &[Exchange]) {
        let names: HashSet<&str> = exchanges.iter().map(|exchange| exchange.name.as_str()).collect();
        for (name, Deviation { rules, .. }) in &self.exchanges {
            assert!(names.contains(name.as_str()), "there is no exchange {name:?} to deviate from");
            let unknown = rules.iter().find(|rule| !self.rules.contains_key(*rule));
            assert!(unknown.is_none() && !rules.is_empty(), "{name:?} deviates without a known rule");
        }
    }
}

/// Where we answer otherwise on purpose.
#[derive(Debug, Clone, Deserialize)]
struct Deviation {
    rules: Vec<String>,
    expect: Option<Expectation>,
}

/// What is expected instead of the recording.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expectation {
    status: Option<u16>,
    r#type: Option<String>,
    message: Option<String>,
    mentions: Option<String>,
    ids: Option<Vec<String>>,
    count: Option<u64>,
    without: Option<String>,
    same_as: Option<String>,
    body: Option<Value>,
    body_cut: Option<BodyCut>,
}

/// What came of a replay.
#[derive(Debug, Default)]
pub struct Report {
    /// How many answers were as recorded.
    pub equal: usize,
    /// How many were as the deviations say.
    pub deviating: usize,
    /// How many of these each rule is for.
    pub by_rule: BTreeMap<String, usize>,
    /// What was wrong with all others.
    pub failures: Vec<Failure>,
}

/// An answer that is neither as recorded nor as the deviations say.
#[derive(Debug)]
pub struct Failure {
    /// The exchange.
    pub exchange: String,
    /// What is wrong.
    pub reasons: Vec<String>,
}

impl Report {
    fn add(&mut self, exchange: &Exchange, deviation: Option<&Deviation>, reasons: Vec<String>) {
        match (reasons.is_empty(), deviation) {
            (true, None) => self.equal += 1,
            (true, Some(Deviation { rules, .. })) => {
                self.deviating += 1;
                for rule in rules {
                    *self.by_rule.entry(rule.clone()).or_default() += 1;
                }
            }
            (false, _) => {
                let RecordedRequest { method, path, .. } = &exchange.request;
                let path: String = path.chars().take(160).collect();
                let exchange = format!("{} {}: {method} {path}", exchange.n, exchange.name);
                self.failures.push(Failure { exchange, reasons });
            }
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { equal, deviating, by_rule, failures } = self;
        let compared = equal + deviating + failures.len();
        writeln!(
            formatter,
            "{compared} exchanges compared: {equal} as recorded, {deviating} as the deviations say, {} neither",
            failures.len()
        )?;
        for (rule, count) in by_rule {
            writeln!(formatter, "    {rule}: {count}")?;
        }
        for Failure { exchange, reasons } in failures {
            writeln!(formatter, "{exchange}")?;
            reasons.iter().try_for_each(|reason| writeln!(formatter, "    {reason}"))?;
        }
        Ok(())
    }
}

/// Replays all exchanges, in order, against the Stheno at `address`, which must hold the data of [`seed`] and sign with
/// the secret `supersecret`.
pub async fn replay(address: SocketAddr) -> Report {
    replay_with(address, Deviations::read(DEVIATIONS)).await
}

/// As [`replay`], against a Stheno on a Medusa's database, which shows the orders there.
pub async fn replay_on_a_medusas_database(address: SocketAddr) -> Report {
    let mut deviations = Deviations::read(DEVIATIONS);
    deviations.drop_rule("no-orders");
    replay_with(address, deviations).await
}

/// As [`replay`], against a real Medusa, which answers as recorded.
pub async fn replay_against_medusa(address: SocketAddr) -> Report {
    replay_with(address, Deviations::default()).await
}

async fn replay_with(address: SocketAddr, deviations: Deviations) -> Report {
    let exchanges = exchanges();
    deviations.check(&exchanges);
    let mut replay = Replay::new(address, &exchanges, Ids::new(SEED));
    let mut report = Report::default();
    for exchange in &exchanges {
        let deviation = deviations.exchanges.get(&exchange.name);
        let reasons = replay.exchange(exchange, deviation).await;
        report.add(exchange, deviation, reasons);
    }
    report
}

struct Replay<'a> {
    client: HttpClient,
    credentials: Credentials,
    ids: Ids,
    etag: Option<String>,
    exchanges: &'a [Exchange],
}

impl<'a> Replay<'a> {
    fn new(address: SocketAddr, exchanges: &'a [Exchange], ids: Ids) -> Self {
        Self {
            client: HttpClient::new(address),
            credentials: Credentials::default(),
            ids,
            etag: None,
            exchanges,
        }
    }

    async fn exchange(&mut self, exchange: &Exchange, deviation: Option<&Deviation>) -> Vec<String> {
        for request in &exchange.before {
            self.send(request).await;
        }
        let answer = self.send(&exchange.request).await;
        self.credentials.take_cookie(&exchange.request, &answer);
        let body = body_of(&answer);
        let mut reasons = Vec::new();
        match deviation {
            Some(Deviation { expect: Some(expect), rules }) => {
                self.check_expectation(exchange, expect, rules, &answer, &body, &mut reasons);
            }
            other => {
                let rules = other.map_or(&[][..], |deviation| &deviation.rules);
                self.check_recording(&exchange.response, rules, &answer, &body, &mut reasons);
            }
        }
        reasons
    }

    async fn send(&mut self, request: &RecordedRequest) -> HttpResponse {
        let mut headers = self.credentials.headers(&request.auth);
        for (name, value) in &request.headers {
            headers.push((name.clone(), self.with_etag(name, value)));
        }
        let body = match (&request.body, request.raw) {
            (Value::Null, false) => None,
            (Value::String(text), true) => Some(self.ids.replace(text).into_bytes()),
            (json, _) => Some(self.ids.replace(&json.to_string()).into_bytes()),
        };
        let path = self.ids.replace(&request.path);
        let answer = self.client.send(&request.method, &path, &headers, body).await;
        self.etag = answer.header("etag").map(str::to_owned).or(self.etag.take());
        answer
    }

    /// A header's value with the tag just received in place of the recorded one, or of `{etag}` and `{strong-etag}`.
    fn with_etag(&self, name: &str, value: &str) -> String {
        match &self.etag {
            Some(etag) if value.contains("etag}") => {
                value.replace("{etag}", etag).replace("{strong-etag}", etag.trim_start_matches("W/"))
            }
            Some(etag) if name == "if-none-match" => etag.clone(),
            _ => value.to_owned(),
        }
    }

    /// Compares an answer with its recording, but for what the rules change.
    fn check_recording(
        &mut self,
        recorded: &RecordedResponse,
        rules: &[String],
        answer: &HttpResponse,
        body: &Value,
        reasons: &mut Vec<String>,
    ) {
        if answer.status.as_u16() != recorded.status {
            reasons.push(format!("status {} instead of {}: {body}", answer.status.as_u16(), recorded.status));
            return;
        }
        for (name, value) in &recorded.headers {
            match name.as_str() {
                "set-cookie" if rules.iter().any(|rule| rule == "no-idle-cookie") => {
                    if answer.header(name).is_some() {
                        reasons.push("a cookie is set".to_owned());
                    }
                }
                _ => check_header(name, value, answer, reasons),
            }
        }
        let mut expected = match &recorded.body_raw {
            Some(raw) => json_or_text(raw),
            None => recorded.body.clone(),
        };
        for rule in rules {
            apply_rule(rule, &mut expected, body, reasons);
        }
        self.ids.learn(&expected, body);
        reasons.extend(compare(&self.ids, &expected, body, recorded.lengths()));
    }

    /// Compares an answer with what is expected in place of its recording.
    fn check_expectation(
        &mut self,
        exchange: &Exchange,
        expect: &Expectation,
        rules: &[String],
        answer: &HttpResponse,
        body: &Value,
        reasons: &mut Vec<String>,
    ) {
        let Expectation {
            status,
            r#type,
            message,
            mentions,
            ids,
            count,
            without,
            same_as,
            body: whole,
            body_cut,
        } = expect;
        if status.is_some_and(|status| answer.status.as_u16() != status) {
            reasons.push(format!("status {} instead of {status:?}: {body}", answer.status.as_u16()));
            return;
        }
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        if answer.status.as_u16() >= 400
            && exchange.request.method != "HEAD"
            && rules.iter().any(|rule| rule != "auth-first" && rule != "real-user")
        {
            for name in ["type", "message"] {
                if text(name).is_empty() {
                    reasons.push(format!("an error without {name}: {body}"));
                }
            }
        }
        if let Some(expected) = r#type
            && text("type") != *expected
        {
            reasons.push(format!("type {:?} instead of {expected:?}", text("type")));
        }
        if let Some(expected) = message
            && text("message") != *expected
        {
            reasons.push(format!("message {:?} instead of {expected:?}", text("message")));
        }
        if let Some(word) = mentions
            && !text("message").contains(word.as_str())
        {
            reasons.push(format!("the message {:?} does not mention {word:?}", text("message")));
        }
        if let Some(expected) = ids {
            let page =
                body.get("customer_groups").or_else(|| body.get("customers")).and_then(Value::as_array);
            let found: Vec<_> =
                page.into_iter().flatten().filter_map(|row| row.get("id")?.as_str()).collect();
            if found != *expected {
                reasons.push(format!("ids {found:?} instead of {expected:?}"));
            }
        }
        if let Some(expected) = count
            && body.get("count").and_then(Value::as_u64) != Some(*expected)
        {
            reasons.push(format!("count {:?} instead of {expected}", body.get("count")));
        }
        if let Some(other) = same_as {
            let recorded = self.exchanges.iter().find(|exchange| exchange.name == *other);
            let recorded = recorded.unwrap_or_else(|| panic!("there is no exchange {other:?}"));
            reasons.extend(compare(&self.ids, &recorded.response.body, body, recorded.response.lengths()));
        }
        if let Some(expected) = whole {
            let lengths = body_cut.as_ref().map(|cut| &cut.array_lengths);
            reasons.extend(compare(&self.ids, expected, body, lengths));
        }
        if let Some(path) = without {
            let mut expected = exchange.response.body.clone();
            let pointer = format!("/{}", path.replace('.', "/"));
            if let Some((parent, key)) = pointer.rsplit_once('/')
                && let Some(Value::Object(parent)) = expected.pointer_mut(parent)
            {
                parent.remove(key);
            }
            if body.pointer(&pointer).is_some() {
                reasons.push(format!("{path} is there"));
            }
            reasons.extend(compare(&self.ids, &expected, body, None));
        }
        // What was made is known by another id from now on.
        self.ids.learn(&exchange.response.body, body);
    }
}

/// Changes what is expected as a rule without an expectation of its own says.
fn apply_rule(rule: &str, expected: &mut Value, body: &Value, reasons: &mut Vec<String>) {
    match rule {
        "no-orders" => for_each_object(expected, &mut |object| {
            if let Some(orders) = object.get_mut("orders") {
                *orders = Value::Array(Vec::new());
            }
        }),
        "no-api-token" => for_each_object(expected, &mut |object| {
            if let Some(token) = object.get_mut("api_token") {
                *token = Value::Null;
            }
            // Leaving it out is as good as null.
            if body.pointer("/user/api_token").is_none() {
                object.remove("api_token");
            }
        }),
        "no-password-hash" => {
            for_each_object(expected, &mut |object| {
                object.remove("password_hash");
            });
            if body.pointer("/customer/password_hash").is_some() {
                reasons.push("password_hash is there".to_owned());
            }
        }
        // The tag that is sent is our own, just received; cookies are looked for among the headers.
        "etag" | "no-idle-cookie" => {}
        other => reasons.push(format!("the rule {other:?} has no expectation")),
    }
}

fn for_each_object(value: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            change(object);
            object.values_mut().for_each(|value| for_each_object(value, change));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| for_each_object(value, change)),
        _ => {}
    }
}

/// A body as JSON, or as a text.
fn body_of(answer: &HttpResponse) -> Value {
    match answer.header("content-type") {
        Some(content_type) if content_type.starts_with("application/json") && !answer.body.is_empty() => {
            json_or_text(&answer.text())
        }
        _ => Value::String(answer.text()),
    }
}

/// A text as JSON, if it is. Lone surrogates, which only Medusa writes, are U+FFFD then.
fn json_or_text(text: &str) -> Value {
    static SURROGATE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\\ud[89ab][0-9a-f]{2}").unwrap_or_else(|error| panic!("{error}")));
    let read = || {
        serde_json::from_str(text).or_else(|_| serde_json::from_str(&SURROGATE.replace_all(text, r"\ufffd")))
    };
    read().unwrap_or_else(|_| Value::String(text.to_owned()))
}

fn check_header(name: &str, recorded: &Value, answer: &HttpResponse, reasons: &mut Vec<String>) {
    let recorded = match recorded {
        Value::Array(values) => values.first().and_then(Value::as_str).unwrap_or_default(),
        value => value.as_str().unwrap_or_default(),
    };
    let found = answer.header(name).unwrap_or_default();
    let same = match name {
        // The session's id and the time differ; the attributes do not.
        "set-cookie" => attributes(found) == attributes(recorded),
        "etag" | "content-length" => true,
        _ => found == recorded,
    };
    if !same {
        reasons.push(format!("header {name}: {found:?} instead of {recorded:?}"));
    }
}

/// The names of a cookie and its attributes, with the values that do not change from one cookie to the next.
fn attributes(cookie: &str) -> Vec<&str> {
    cookie
        .split(';')
        .map(str::trim)
        .map(|attribute| match attribute.split_once('=') {
            Some((name @ ("connect.sid" | "Expires"), _)) => name,
            _ => attribute,
        })
        .collect()
}
