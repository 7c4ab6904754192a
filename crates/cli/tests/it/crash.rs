//! `kill -9` in the middle of sixteen writers: what was acknowledged is there after the restart, and nothing is half
//! done.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{API_TOKEN, Call, Server, Shop};

const WRITERS: usize = 16;

/// How many customers are added at once.
const BATCH: usize = 20;

/// Set to run more rounds than a usual run has.
const ROUNDS_VARIABLE: &str = "STHENO_CRASH_ROUNDS";
const USUAL_ROUNDS: usize = 5;

/// What a writer knows of a value: that it is so, or that it was asked for when the server died.
#[derive(Debug, Clone)]
struct Known<T> {
    acknowledged: T,
    in_flight: Option<T>,
}

impl<T: Clone + PartialEq> Known<T> {
    fn new(acknowledged: T) -> Self {
        Self { acknowledged, in_flight: None }
    }

    fn ask_for(&mut self, value: T) {
        self.in_flight = Some(value);
    }

    fn acknowledge(&mut self) {
        if let Some(value) = self.in_flight.take() {
            self.acknowledged = value;
        }
    }

    fn allows(&self, found: &T) -> bool {
        *found == self.acknowledged || self.in_flight.as_ref() == Some(found)
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

/// A group, as the restarted server has it.
#[derive(Debug)]
struct Found {
    step: u64,
    members: BTreeSet<String>,
}

#[test]
fn an_acknowledged_write_survives_and_nothing_is_half_done() {
    let rounds = std::env::var(ROUNDS_VARIABLE).map_or(USUAL_ROUNDS, |rounds| rounds.parse().unwrap());
    let shop = Shop::with_known_credentials();
    let customers: Arc<[String]> = customers(&shop.serve(["--demo"])).into();
    let mut expected: Vec<Group> = Vec::new();
    for round in 0..rounds {
        let mut server = shop.serve([]);
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let calls = Calls { server: server.url.clone(), acknowledged: Arc::clone(&acknowledged) };
                let customers = Arc::clone(&customers);
                let name = format!("round {round} writer {writer}");
                std::thread::spawn(move || write_until_the_end(&calls, &name, &customers))
            })
            .collect();
        // Another time in each round, and never before writing has begun.
        while acknowledged.load(Ordering::Relaxed) < WRITERS {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(20 + (round as u64 * 137) % 400));
        server.kill();
        for writer in writers {
            expected.extend(writer.join().unwrap());
        }
        let found = groups(&shop.serve([]));
        compare(&expected, &found, round);
        check_database(&shop);
        forget_what_is_unknown(&mut expected, &found);
    }
}

struct Calls {
    server: String,
    acknowledged: Arc<AtomicUsize>,
}

impl Calls {
    /// The body of a success; `None` if the server died.
    fn send(&self, method: &'static str, path: &str, body: Option<Value>) -> Option<Value> {
        let call = Call::new(method, format!("{}{path}", self.server)).with_token(API_TOKEN);
        let answer = call.try_send(body).ok()?;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
        Some(answer.body)
    }
}

/// Makes groups, fills and changes them and deletes some, until the server dies. Returns what must be there, and what
/// may be.
fn write_until_the_end(calls: &Calls, name: &str, customers: &[String]) -> Vec<Group> {
    let mut groups = Vec::new();
    for number in 0.. {
        let mut group = Group::new(format!("{name} group {number}"));
        let ended = write_group(calls, &mut group, number, customers).is_none();
        groups.push(group);
        if ended {
            break;
        }
    }
    groups
}

fn write_group(calls: &Calls, group: &mut Group, number: usize, customers: &[String]) -> Option<()> {
    group.exists.ask_for(true);
    let created = calls.send(
        "POST",
        "/admin/customer-groups",
        Some(json!({ "name": group.name, "metadata": { "step": 0 } })),
    )?;
    group.exists.acknowledge();
    let path = format!("/admin/customer-groups/{}", created["customer_group"]["id"].as_str().unwrap());

    for step in 1..=3_u64 {
        let start = (number * 97 + step as usize * BATCH) % (customers.len() - BATCH);
        let batch = &customers[start..start + BATCH];
        let ids: Vec<Value> = batch.iter().map(|id| json!({ "id": id })).collect();
        let mut members = group.members.acknowledged.clone();
        members.extend(batch.iter().cloned());
        group.members.ask_for(members);
        calls.send("POST", &format!("{path}/customers/batch"), Some(json!({ "customer_ids": ids })))?;
        group.members.acknowledge();

        group.step.ask_for(step);
        calls.send("POST", &path, Some(json!({ "metadata": { "step": step } })))?;
        group.step.acknowledge();
    }

    if number % 3 == 2 {
        group.exists.ask_for(false);
        calls.send("DELETE", &path, None)?;
        group.exists.acknowledge();
    }
    Some(())
}

fn customers(server: &Server) -> Vec<String> {
    let answer = server.get("/admin/customers?limit=200").with_token(API_TOKEN).send();
    let customers = answer.body["customers"].as_array().unwrap();
    customers.iter().map(|customer| customer["id"].as_str().unwrap().to_owned()).collect()
}

/// The groups that writers have made. No name can be there twice.
fn groups(server: &Server) -> HashMap<String, Found> {
    let answer = server.get("/admin/customer-groups?limit=0&expand=customers").with_token(API_TOKEN).send();
    let mut groups = HashMap::new();
    for group in answer.body["customer_groups"].as_array().unwrap() {
        let name = group["name"].as_str().unwrap();
        let Some(step) = group["metadata"]["step"].as_u64() else { continue };
        let members = group["customers"].as_array().unwrap();
        let members = members.iter().map(|customer| customer["id"].as_str().unwrap().to_owned()).collect();
        assert!(groups.insert(name.to_owned(), Found { step, members }).is_none(), "{name} is there twice");
    }
    groups
}

fn compare(expected: &[Group], found: &HashMap<String, Found>, round: usize) {
    let names: BTreeSet<&str> = expected.iter().map(|group| group.name.as_str()).collect();
    for name in found.keys() {
        assert!(names.contains(name.as_str()), "round {round}: nobody made {name}");
    }
    let mut present = 0;
    for group in expected {
        let found = found.get(&group.name);
        assert!(group.exists.allows(&found.is_some()), "round {round}: {group:?}");
        if let Some(found) = found {
            present += 1;
            assert!(group.step.allows(&found.step), "round {round}: {found:?} for {group:?}");
            assert!(group.members.allows(&found.members), "round {round}: {found:?} for {group:?}");
        }
    }
    println!("round {round}: {present} of {} groups are there, as they were acknowledged", expected.len());
}

/// What was in flight has been done or has not, and that does not change any more.
fn forget_what_is_unknown(expected: &mut Vec<Group>, found: &HashMap<String, Found>) {
    expected.retain_mut(|group| {
        let Some(found) = found.get(&group.name) else { return false };
        group.exists = Known::new(true);
        group.step = Known::new(found.step);
        group.members = Known::new(found.members.clone());
        true
    });
}

fn check_database(shop: &Shop) {
    let database = shop.database();
    let integrity: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok");
    let mut violations = database.prepare("PRAGMA foreign_key_check").unwrap();
    assert!(!violations.exists([]).unwrap(), "a row refers to one that is not there");
}
