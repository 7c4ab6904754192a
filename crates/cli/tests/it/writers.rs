//! Sixteen writers, who know what was acknowledged to them, and whether all of that, and nothing else, is there.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{API_TOKEN, Answer, Call, Server};

pub(crate) const WRITERS: usize = 16;

/// How many customers are added at once.
const BATCH: usize = 20;

/// What a writer knows of a value: that it is so, or that it was asked for and nobody said that it was done.
#[derive(Debug, Clone)]
struct Known<T> {
    acknowledged: T,
    unanswered: Option<T>,
}

impl<T: Clone + PartialEq> Known<T> {
    fn new(acknowledged: T) -> Self {
        Self { acknowledged, unanswered: None }
    }

    fn ask_for(&mut self, value: T) {
        self.unanswered = Some(value);
    }

    fn acknowledge(&mut self) {
        if let Some(value) = self.unanswered.take() {
            self.acknowledged = value;
        }
    }

    fn allows(&self, found: &T) -> bool {
        *found == self.acknowledged || self.unanswered.as_ref() == Some(found)
    }
}

/// A group, as far as its writer knows.
#[derive(Debug, Clone)]
struct Group {
    name: String,
    exists: Known<bool>,
    step: Known<u64>,
    members: Known<BTreeSet<String>>,
}

impl Group {
    fn new(name: String) -> Self {
        Self { name, exists: Known::new(false), step: Known::new(0), members: Known::new(BTreeSet::new()) }
    }
}

/// A group, as the server has it.
#[derive(Debug)]
struct Found {
    id: String,
    step: u64,
    members: BTreeSet<String>,
}

/// Why a writer was not told that its call was done.
enum Unanswered {
    /// The server has said that it cannot, for now.
    PutOff,
    /// There was no answer, or not the whole of one.
    Lost,
}

/// What is sent to a server, counted.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    pub(crate) acknowledged: AtomicUsize,
    pub(crate) in_flight: AtomicUsize,
    pub(crate) put_off: AtomicUsize,
    /// Ends the writers.
    pub(crate) ends: AtomicBool,
}

impl Calls {
    /// The body of a success.
    fn send(&self, method: &'static str, url: String, body: Option<Value>) -> Result<Value, Unanswered> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        let answer = Call::new(method, url).with_token(API_TOKEN).try_send(body);
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        match answer {
            Ok(Answer { status: 200, body, .. }) => {
                self.acknowledged.fetch_add(1, Ordering::Relaxed);
                Ok(body)
            }
            Ok(answer) => {
                assert_eq!(answer.status, 503, "{:?}", answer.body);
                assert!(answer.retry_after.is_some(), "{:?}", answer.body);
                self.put_off.fetch_add(1, Ordering::Relaxed);
                Err(Unanswered::PutOff)
            }
            Err(_) => Err(Unanswered::Lost),
        }
    }
}

/// Writers at work. They end when the server does, or when they are [told to](Calls::ends).
pub(crate) struct Writers {
    pub(crate) calls: Arc<Calls>,
    threads: Vec<JoinHandle<Vec<Group>>>,
}

impl Writers {
    /// `name` tells the groups of these writers from those of others.
    pub(crate) fn start(server: &Server, name: &str, customers: &Arc<[String]>) -> Self {
        let calls = Arc::new(Calls::default());
        let writer = |number| {
            let (calls, customers, url) = (Arc::clone(&calls), Arc::clone(customers), server.url.clone());
            let name = format!("{name}writer {number}");
            std::thread::spawn(move || write_until_the_end(&calls, &url, &name, &customers))
        };
        let threads = (0..WRITERS).map(writer).collect();
        Self { calls, threads }
    }
}

/// Makes groups, fills and changes them and deletes some. Returns what must be there, and what may be.
fn write_until_the_end(calls: &Calls, url: &str, name: &str, customers: &[String]) -> Vec<Group> {
    let mut groups = Vec::new();
    for number in 0.. {
        if calls.ends.load(Ordering::Relaxed) {
            break;
        }
        let mut group = Group::new(format!("{name} group {number}"));
        let outcome = write_group(calls, url, &mut group, number, customers);
        groups.push(group);
        match outcome {
            Ok(()) => {}
            Err(Unanswered::PutOff) => std::thread::sleep(Duration::from_millis(20)),
            Err(Unanswered::Lost) => break,
        }
    }
    groups
}

fn write_group(
    calls: &Calls,
    url: &str,
    group: &mut Group,
    number: usize,
    customers: &[String],
) -> Result<(), Unanswered> {
    let groups = format!("{url}/admin/customer-groups");
    group.exists.ask_for(true);
    let body = json!({ "name": group.name, "metadata": { "step": 0 } });
    let created = calls.send("POST", groups.clone(), Some(body))?;
    group.exists.acknowledge();
    let url = format!("{groups}/{}", created["customer_group"]["id"].as_str().unwrap());

    for step in 1..=3_u64 {
        let start = (number * 97 + step as usize * BATCH) % (customers.len() - BATCH);
        let batch = &customers[start..start + BATCH];
        let ids: Vec<Value> = batch.iter().map(|id| json!({ "id": id })).collect();
        let mut members = group.members.acknowledged.clone();
        members.extend(batch.iter().cloned());
        group.members.ask_for(members);
        calls.send("POST", format!("{url}/customers/batch"), Some(json!({ "customer_ids": ids })))?;
        group.members.acknowledge();

        group.step.ask_for(step);
        calls.send("POST", url.clone(), Some(json!({ "metadata": { "step": step } })))?;
        group.step.acknowledge();
    }

    if number % 3 == 2 {
        group.exists.ask_for(false);
        calls.send("DELETE", url, None)?;
        group.exists.acknowledge();
    }
    Ok(())
}

pub(crate) fn customers(server: &Server) -> Arc<[String]> {
    let answer = server.get("/admin/customers?limit=200").with_token(API_TOKEN).send();
    let customers = answer.body["customers"].as_array().unwrap();
    customers.iter().map(|customer| customer["id"].as_str().unwrap().to_owned()).collect()
}

/// What all writers so far know.
#[derive(Default)]
pub(crate) struct Ledger {
    groups: Vec<Group>,
}

/// What has become of calls that nobody acknowledged.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Unknown {
    pub(crate) calls: usize,
    pub(crate) done: usize,
}

impl Ledger {
    /// Waits until the writers have ended, and takes what they know.
    pub(crate) fn add(&mut self, writers: Writers) {
        for thread in writers.threads {
            self.groups.extend(thread.join().unwrap());
        }
    }

    /// That the server has what was acknowledged, and nothing else but what it was asked for, whole. From then on that is
    /// what must be there.
    pub(crate) fn settle(&mut self, server: &Server) -> Unknown {
        let mut found = found(server);
        let mut unknown = Unknown::default();
        self.groups.retain_mut(|group| {
            let there = found.remove(&group.name);
            assert!(group.exists.allows(&there.is_some()), "{there:?} for {group:?}");
            let mut note = |is_unknown: bool, done: bool| {
                unknown.calls += usize::from(is_unknown);
                unknown.done += usize::from(is_unknown && done);
            };
            note(group.exists.unanswered.is_some(), group.exists.acknowledged != there.is_some());
            let Some(there) = there else { return false };
            assert!(group.step.allows(&there.step), "{there:?} for {group:?}");
            assert!(group.members.allows(&there.members), "{there:?} for {group:?}");
            note(group.step.unanswered.is_some(), group.step.acknowledged != there.step);
            note(group.members.unanswered.is_some(), group.members.acknowledged != there.members);
            group.exists = Known::new(true);
            group.step = Known::new(there.step);
            group.members = Known::new(there.members);
            true
        });
        assert!(found.is_empty(), "nobody made {found:?}");
        unknown
    }

    /// Deletes the groups but those whose name begins so; from then on they must not be there.
    pub(crate) fn keep(&mut self, server: &Server, prefix: &str) {
        for (name, found) in found(server) {
            if !name.starts_with(prefix) {
                let path = format!("/admin/customer-groups/{}", found.id);
                assert_eq!(server.delete(&path).with_token(API_TOKEN).send().status, 200);
            }
        }
        self.groups.retain(|group| group.name.starts_with(prefix));
    }

    /// That the numbers of members that the database keeps, of those groups whose name begins so, are those of the members.
    pub(crate) fn check_counts(&self, server: &Server, prefix: &str) {
        let of_prefix = |group: &&Group| group.name.starts_with(prefix);
        let expected: HashMap<&str, usize> = self
            .groups
            .iter()
            .filter(of_prefix)
            .map(|group| (group.name.as_str(), group.members.acknowledged.len()))
            .collect();
        assert!(!expected.is_empty(), "no group begins with {prefix}");
        for (name, found) in found(server) {
            if let Some(members) = expected.get(name.as_str()) {
                let path = format!("/admin/customer-groups/{}/customers?limit=1", found.id);
                let page = server.get(&path).with_token(API_TOKEN).send();
                assert_eq!(page.body["count"], *members, "{name}");
            }
        }
    }
}

/// The groups that writers have made. No name can be there twice, and the count that the database keeps is that of the rows.
fn found(server: &Server) -> HashMap<String, Found> {
    let answer = server.get("/admin/customer-groups?limit=0&expand=customers").with_token(API_TOKEN).send();
    let rows = answer.body["customer_groups"].as_array().unwrap_or_else(|| panic!("{answer:?}"));
    assert_eq!(answer.body["count"], rows.len());
    let mut groups = HashMap::new();
    for group in rows {
        let text = |name: &str| group[name].as_str().unwrap().to_owned();
        let Some(step) = group["metadata"]["step"].as_u64() else { continue };
        let members = group["customers"].as_array().unwrap();
        let members = members.iter().map(|customer| customer["id"].as_str().unwrap().to_owned()).collect();
        let found = Found { id: text("id"), step, members };
        assert!(groups.insert(text("name"), found).is_none(), "{} is there twice", group["name"]);
    }
    groups
}
