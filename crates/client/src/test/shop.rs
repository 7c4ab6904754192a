//! The records of a shop in memory, and what its API answers.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, SET_COOKIE};
use http::{HeaderValue, Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use stheno_api_types::timestamp::to_iso_string;
use stheno_qs::Object;

type Record = Map<String, Value>;

/// A refusal: status, type and message.
pub(super) struct Refusal(StatusCode, &'static str, String);

type Answer = Result<Value, Refusal>;

#[derive(Default)]
pub(super) struct Shop {
    groups: Vec<Record>,
    customers: Vec<Record>,
    /// Group and customer, by their ids.
    members: BTreeSet<(String, String)>,
    /// How many times something happened: the source of ids and times.
    events: u32,
}

impl Shop {
    pub(super) fn answer(&mut self, request: &http::Request<Bytes>) -> http::Response<Bytes> {
        let path: Vec<String> = request
            .uri()
            .path()
            .split('/')
            .skip(1)
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let query = stheno_qs::parse(request.uri().query().unwrap_or_default());
        let body = serde_json::from_slice(request.body()).unwrap_or(Value::Null);
        let answer = match unknown_parameters(request.method(), &path, &query) {
            Some(refusal) => Some(Err(refusal)),
            None => self.route(request.method(), &path, &query, &body),
        };
        match answer {
            Some(Ok(Value::String(text))) => respond(StatusCode::OK, "text/plain; charset=utf-8", text),
            Some(Ok(value)) => {
                let made = request.method() == Method::POST && path == ["admin", "customers"];
                let status = if made { StatusCode::CREATED } else { StatusCode::OK };
                let mut answer = respond(status, "application/json; charset=utf-8", value.to_string());
                if request.method() == Method::POST && path == ["admin", "auth"] {
                    answer
                        .headers_mut()
                        .insert(SET_COOKIE, HeaderValue::from_static("connect.sid=fake; Path=/"));
                }
                answer
            }
            Some(Err(Refusal(status, kind, message))) => {
                let body = json!({"type": kind, "message": message});
                respond(status, "application/json; charset=utf-8", body.to_string())
            }
            None => {
                let page = format!("<pre>Cannot {} {}</pre>", request.method(), request.uri().path());
                respond(StatusCode::NOT_FOUND, "text/html; charset=utf-8", page)
            }
        }
    }

    fn route(&mut self, method: &Method, path: &[&str], query: &Object, body: &Value) -> Option<Answer> {
        Some(match (method.as_str(), path) {
            ("POST", ["admin", "auth", "token"]) => Ok(json!({"access_token": "fake"})),
            ("GET" | "POST", ["admin", "auth"]) => Ok(json!({"user": user()})),
            ("DELETE", ["admin", "auth"]) => Ok(json!("OK")),
            ("GET", ["admin", "customer-groups"]) => Ok(self.list_groups(query)),
            ("POST", ["admin", "customer-groups"]) => self.create_group(body),
            ("GET", ["admin", "customer-groups", id]) => self
                .group(id)
                .map(|group| json!({"customer_group": select(self.expand_group(group, query), query)})),
            ("POST", ["admin", "customer-groups", id]) => self.update_group(id, query, body),
            ("DELETE", ["admin", "customer-groups", id]) => Ok(self.delete_group(id)),
            ("GET", ["admin", "customer-groups", id, "customers"]) => Ok(self.list_members(id, query)),
            ("POST", ["admin", "customer-groups", id, "customers", "batch"]) => self.add_members(id, body),
            ("DELETE", ["admin", "customer-groups", id, "customers", "batch"]) => {
                self.remove_members(id, body)
            }
            ("GET", ["admin", "customers"]) => Ok(self.list_customers(query)),
            ("POST", ["admin", "customers"]) => self.create_customer(body),
            ("GET", ["admin", "customers", id]) => {
                self.customer(id).map(|customer| json!({"customer": self.expand_customer(customer, query)}))
            }
            ("POST", ["admin", "customers", id]) => self.update_customer(id, query, body),
            _ => return None,
        })
    }

    fn create_group(&mut self, body: &Value) -> Answer {
        let Some(name) = body["name"].as_str() else {
            return Err(invalid("name must be a string"));
        };
        if self.groups.iter().any(|group| group["name"] == name) {
            return Err(duplicate(format!("Key (name)=({name}) already exists.")));
        }
        let mut group = self.record("cgrp");
        group.insert("name".to_owned(), name.into());
        group.insert("metadata".to_owned(), body["metadata"].clone());
        self.groups.push(group.clone());
        Ok(json!({"customer_group": group}))
    }

    fn update_group(&mut self, id: &str, query: &Object, body: &Value) -> Answer {
        self.group(id)?;
        if let Some(name) = body["name"].as_str()
            && self.groups.iter().any(|group| group["name"] == name && group["id"] != id)
        {
            return Err(duplicate(format!("Customer_group with name {name} already exists.")));
        }
        let now = self.now();
        if let Some(group) = self.groups.iter_mut().find(|group| group["id"] == id) {
            change(group, body, &["name"], now);
        }
        Ok(json!({"customer_group": self.expand_group(self.group(id)?, query)}))
    }

    fn delete_group(&mut self, id: &str) -> Value {
        self.groups.retain(|group| group["id"] != id);
        self.members.retain(|(group, _)| group != id);
        json!({"id": id, "object": "customer_group", "deleted": true})
    }

    fn list_groups(&self, query: &Object) -> Value {
        let names = texts(query, "name");
        let groups = self.groups.iter().rev().filter(|group| {
            // There is no discount condition here that could name one.
            query.get("discount_condition_id").is_none()
                && query.get("id").is_none_or(|ids| passes(&group["id"], ids))
                && (names.is_empty()
                    || query.get("q").is_some()
                    || names.iter().any(|name| group["name"] == **name))
        });
        let (mut page, found) = page(groups, query, &["name"], 10);
        page.iter_mut().for_each(|group| *group = select(self.expand_group(group, query), query));
        json!({"count": found.count, "customer_groups": page, "offset": found.offset, "limit": found.limit})
    }

    fn add_members(&mut self, id: &str, body: &Value) -> Answer {
        let group = self.group(id)?.clone();
        let ids = ids(&body["customer_ids"]);
        let unknown: Vec<&str> = ids.iter().copied().filter(|id| self.customer(id).is_err()).collect();
        if !unknown.is_empty() {
            let unknown = json!(unknown.join(", "));
            return Err(not_found(format!("The following customer ids do not exist: {unknown}")));
        }
        self.members.extend(ids.into_iter().map(|customer| (id.to_owned(), customer.to_owned())));
        Ok(json!({"customer_group": group}))
    }

    fn remove_members(&mut self, id: &str, body: &Value) -> Answer {
        let group = self.group(id)?.clone();
        for customer in ids(&body["customer_ids"]) {
            self.members.remove(&(id.to_owned(), customer.to_owned()));
        }
        Ok(json!({"customer_group": group}))
    }

    fn list_members(&self, id: &str, query: &Object) -> Value {
        let group = self.group(id).ok();
        let mut list = self.list_where(query, |customer| self.is_member(id, customer));
        for customer in list["customers"].as_array_mut().into_iter().flatten() {
            customer["groups"] = json!([group]);
        }
        list
    }

    pub(super) fn create_customer(&mut self, body: &Value) -> Answer {
        let Some(email) = body["email"].as_str().filter(|email| email.contains('@')) else {
            return Err(invalid("email must be an email"));
        };
        let email = email.to_lowercase();
        let has_account = !body["password"].is_null();
        let taken = |customer: &Record| customer["email"] == email && customer["has_account"] == has_account;
        if self.customers.iter().any(taken) {
            return Err(duplicate(
                "A customer with the given email already has an account. Log in instead".to_owned(),
            ));
        }
        let mut customer = self.record("cus");
        customer.insert("email".to_owned(), email.into());
        customer.insert("has_account".to_owned(), has_account.into());
        customer.insert("billing_address_id".to_owned(), Value::Null);
        for column in ["first_name", "last_name", "phone", "metadata"] {
            customer.insert(column.to_owned(), body[column].clone());
        }
        self.customers.push(customer.clone());
        Ok(json!({"customer": customer}))
    }

    fn update_customer(&mut self, id: &str, query: &Object, body: &Value) -> Answer {
        let customer = self.customer(id)?;
        if customer["has_account"] == true && body.get("email").is_some() {
            return Err(invalid("Email cannot be changed when the user has registered their account"));
        }
        let groups = ids(&body["groups"]);
        if let Some(unknown) = groups.iter().find(|group| self.group(group).is_err()) {
            let message = format!("Customer_group with customer_group_id {unknown} does not exist.");
            return Err(not_found(message));
        }
        if body.get("groups").is_some() {
            self.members.retain(|(_, customer)| customer != id);
            self.members.extend(groups.into_iter().map(|group| (group.to_owned(), id.to_owned())));
        }
        let now = self.now();
        if let Some(customer) = self.customers.iter_mut().find(|customer| customer["id"] == id) {
            change(customer, body, &["email", "first_name", "last_name", "phone"], now);
        }
        Ok(json!({"customer": self.expand_customer(self.customer(id)?, query)}))
    }

    fn list_customers(&self, query: &Object) -> Value {
        let groups = texts(query, "groups");
        self.list_where(query, |customer| {
            groups.is_empty() || groups.iter().any(|group| self.is_member(group, customer))
        })
    }

    fn list_where(&self, query: &Object, filter: impl Fn(&Record) -> bool) -> Value {
        let has_account = text(query, "has_account");
        let customers = self.customers.iter().filter(|customer| {
            filter(customer) && has_account.is_none_or(|wanted| customer["has_account"] == (wanted == "true"))
        });
        let (mut page, found) = page(customers, query, &["email", "first_name", "last_name"], 50);
        page.iter_mut().for_each(|customer| *customer = self.expand_customer(customer, query));
        json!({"customers": page, "count": found.count, "offset": found.offset, "limit": found.limit})
    }

    fn group(&self, id: &str) -> Result<&Record, Refusal> {
        let group = self.groups.iter().find(|group| group["id"] == id);
        group.ok_or_else(|| not_found(format!("CustomerGroup with id {id} was not found")))
    }

    fn customer(&self, id: &str) -> Result<&Record, Refusal> {
        let customer = self.customers.iter().find(|customer| customer["id"] == id);
        customer.ok_or_else(|| not_found(format!("Customer with id: {id} was not found")))
    }

    fn is_member(&self, group: &str, customer: &Record) -> bool {
        let customer = customer["id"].as_str().unwrap_or_default();
        self.members.contains(&(group.to_owned(), customer.to_owned()))
    }

    fn expand_group(&self, group: &Record, query: &Object) -> Record {
        let mut group = group.clone();
        for relation in text(query, "expand").unwrap_or_default().split(',') {
            let id = group["id"].as_str().unwrap_or_default();
            match relation.split('.').next().unwrap_or_default() {
                "customers" => {
                    let members: Vec<_> =
                        self.customers.iter().filter(|customer| self.is_member(id, customer)).collect();
                    group.insert("customers".to_owned(), json!(members));
                }
                "price_lists" => drop(group.insert("price_lists".to_owned(), json!([]))),
                _ => {}
            }
        }
        // As Stheno has it, only where it is named.
        if text(query, "fields")
            .is_some_and(|fields| fields.split(',').any(|field| field == "customer_count"))
        {
            let is_counted =
                |customer: &&Record| self.is_member(group["id"].as_str().unwrap_or_default(), customer);
            let count = self.customers.iter().filter(is_counted).count();
            group.insert("customer_count".to_owned(), json!(count));
        }
        group
    }

    fn expand_customer(&self, customer: &Record, query: &Object) -> Record {
        let mut customer = customer.clone();
        for relation in text(query, "expand").unwrap_or_default().split(',') {
            let value = match relation.split('.').next().unwrap_or_default() {
                "groups" => {
                    let id = |group: &&Record| group["id"].as_str().unwrap_or_default().to_owned();
                    let groups = self.groups.iter().filter(|group| self.is_member(&id(group), &customer));
                    json!(groups.collect::<Vec<_>>())
                }
                "orders" | "shipping_addresses" => json!([]),
                "billing_address" => Value::Null,
                _ => continue,
            };
            customer.insert(relation.split('.').next().unwrap_or_default().to_owned(), value);
        }
        customer
    }

    /// A record with what all records have.
    fn record(&mut self, prefix: &str) -> Record {
        let now = self.now();
        let mut record = Record::new();
        record.insert("id".to_owned(), format!("{prefix}_{:026}", self.events).into());
        record.insert("created_at".to_owned(), now.clone());
        record.insert("updated_at".to_owned(), now);
        record.insert("deleted_at".to_owned(), Value::Null);
        record
    }

    /// A time of its own for everything that happens, the same in every test.
    fn now(&mut self) -> Value {
        const BEGINNING: Timestamp = Timestamp::constant(1_767_225_600, 0);
        self.events += 1;
        let now = BEGINNING + SignedDuration::from_secs(self.events.into());
        to_iso_string(now).into()
    }
}

struct Found {
    count: usize,
    offset: usize,
    limit: usize,
}

/// Searches, filters by time, sorts and cuts.
fn page<'a>(
    records: impl Iterator<Item = &'a Record>,
    query: &Object,
    searched: &[&str],
    limit: usize,
) -> (Vec<Record>, Found) {
    let q = text(query, "q").unwrap_or_default().to_lowercase();
    let matches = |record: &Record| {
        let holds =
            |column: &&str| record[*column].as_str().is_some_and(|text| text.to_lowercase().contains(&q));
        (q.is_empty() || searched.iter().any(holds))
            && ["created_at", "updated_at"].iter().all(|column| in_range(&record[*column], query, column))
    };
    let mut records: Vec<Record> = records.filter(|record| matches(record)).cloned().collect();
    if let Some(order) = text(query, "order") {
        let (column, descending) = order.strip_prefix('-').map_or((order, false), |column| (column, true));
        records.sort_by(|one, other| {
            let ordering = compare(&one[column], &other[column]);
            if descending { ordering.reverse() } else { ordering }
        });
    }
    let number = |name, default| text(query, name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let found = Found { count: records.len(), offset: number("offset", 0), limit: number("limit", limit) };
    let size = if found.limit == 0 { usize::MAX } else { found.limit };
    (records.into_iter().skip(found.offset).take(size).collect(), found)
}

fn in_range(time: &Value, query: &Object, column: &str) -> bool {
    query.get(column).is_none_or(|range| range.as_object().is_none() || passes(time, range))
}

/// Whether an id or a time, which are texts that sort as they should, is what is asked for: this, one of these, or what
/// compares so.
fn passes(found: &Value, wanted: &stheno_qs::Value) -> bool {
    let found = found.as_str().unwrap_or_default();
    let text = |value: &stheno_qs::Value| value.as_str().unwrap_or_default().to_owned();
    if let Some(any_of) = wanted.as_array() {
        return any_of.iter().any(|one| text(one) == found);
    }
    let Some(comparisons) = wanted.as_object() else { return text(wanted) == found };
    comparisons.iter().all(|(operator, end)| {
        let end = text(end);
        match operator {
            "gt" => found > end.as_str(),
            "gte" => found >= end.as_str(),
            "lt" => found < end.as_str(),
            "lte" => found <= end.as_str(),
            "starts_with" => found.starts_with(&end),
            "ends_with" => found.ends_with(&end),
            "contains" => found.contains(&end),
            _ => true,
        }
    })
}

/// Says, as Medusa does, which parameters an operation that takes some does not have.
fn unknown_parameters(method: &Method, path: &[&str], query: &Object) -> Option<Refusal> {
    const SELECTION: &[&str] = &["expand", "fields"];
    const LIST: &[&str] = &["q", "order", "limit", "offset", "created_at", "updated_at"];
    let own: [&[&str]; 3] = match (method.as_str(), path) {
        ("GET", ["admin", "customer-groups"]) => [SELECTION, LIST, &["id", "name", "discount_condition_id"]],
        ("GET", ["admin", "customers"] | ["admin", "customer-groups", _, "customers"]) => {
            [SELECTION, LIST, &["has_account", "groups"]]
        }
        ("GET" | "POST", ["admin", "customers" | "customer-groups", _]) => [SELECTION, &[], &[]],
        _ => return None,
    };
    let unknown = query.iter().map(|(name, _)| name).filter(|name| !own.concat().contains(name));
    let faults: Vec<String> = unknown.map(|name| format!("property {name} should not exist")).collect();
    (!faults.is_empty()).then(|| invalid(&faults.join(", ")))
}

fn compare(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::String(one), Value::String(other)) => one.cmp(other),
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        // As PostgreSQL has it: null comes last.
        (one, other) => one.is_null().cmp(&other.is_null()),
    }
}

/// Only the columns that `fields` names, and what always comes.
fn select(record: Record, query: &Object) -> Record {
    let Some(fields) = text(query, "fields") else { return record };
    let wanted = |name: &str| {
        matches!(name, "id" | "created_at" | "customers" | "price_lists")
            || fields.split(',').any(|field| field == name)
    };
    record.into_iter().filter(|(name, _)| wanted(name)).collect()
}

/// Sets columns, and merges metadata.
fn change(record: &mut Record, body: &Value, columns: &[&str], now: Value) {
    for column in columns {
        if let Some(value) = body.get(column) {
            record.insert((*column).to_owned(), value.clone());
        }
    }
    if let Some(changes) = body["metadata"].as_object() {
        let mut metadata = record["metadata"].as_object().cloned().unwrap_or_default();
        for (key, value) in changes {
            if value == "" {
                metadata.shift_remove(key);
            } else {
                metadata.insert(key.clone(), value.clone());
            }
        }
        record.insert("metadata".to_owned(), metadata.into());
    }
    record.insert("updated_at".to_owned(), now);
}

fn text<'a>(query: &'a Object, name: &str) -> Option<&'a str> {
    query.get(name).and_then(stheno_qs::Value::as_str)
}

fn texts<'a>(query: &'a Object, name: &str) -> Vec<&'a str> {
    let elements = query.get(name).and_then(stheno_qs::Value::as_array).unwrap_or_default();
    elements.iter().filter_map(stheno_qs::Value::as_str).collect()
}

fn ids(references: &Value) -> Vec<&str> {
    references.as_array().into_iter().flatten().filter_map(|reference| reference["id"].as_str()).collect()
}

fn user() -> Value {
    json!({
        "id": "usr_fake", "email": "admin@medusa.test", "first_name": null, "last_name": null, "role": "admin",
        "metadata": null, "api_token": null, "deleted_at": null,
        "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z",
    })
}

fn invalid(message: &str) -> Refusal {
    Refusal(StatusCode::BAD_REQUEST, "invalid_data", message.to_owned())
}

fn not_found(message: String) -> Refusal {
    Refusal(StatusCode::NOT_FOUND, "not_found", message)
}

fn duplicate(message: String) -> Refusal {
    Refusal(StatusCode::UNPROCESSABLE_ENTITY, "duplicate_error", message)
}

fn respond(status: StatusCode, content_type: &'static str, body: String) -> http::Response<Bytes> {
    let mut answer = http::Response::new(Bytes::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}
