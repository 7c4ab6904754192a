//! Random calls, compared with a store of a few lines that keeps everything in memory.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use stheno_store::{
    CustomerChanges, CustomerFilter, CustomerGroupChanges, CustomerGroupFilter, CustomerList, NewCustomer,
    NewCustomerGroup, StoreError, Table, Window,
};
use tokio::runtime::Handle;

use crate::database::Database;
use crate::list::sorted;
use crate::shop::{EVERYTHING, START, Shop, id, json_of, new_customer, new_group, object, rows, texts};

/// Set to try so many times as much as a usual run does.
const TIMES_VARIABLE: &str = "STHENO_MODEL_TIMES";

fn runner(usual: u32) -> TestRunner {
    let times = std::env::var(TIMES_VARIABLE).map_or(1, |times| times.parse().unwrap());
    TestRunner::new(Config { cases: usual * times, failure_persistence: None, ..Config::default() })
}

/// A call. Groups are numbered in the order in which they were made; a number that is not in use stands for a group
/// that is not there, as the customer with the highest number does.
#[derive(Debug, Clone)]
enum Call {
    Create(u8),
    Rename(usize, u8),
    Delete(usize),
    Add(usize, Vec<u8>),
    Remove(usize, Vec<u8>),
    SetGroups(u8, Vec<usize>),
}

const CUSTOMERS: u8 = 4;

fn call() -> impl Strategy<Value = Call> {
    let group = 0..5_usize;
    let name = 0..4_u8;
    let customers = vec(0..=CUSTOMERS, 0..4);
    prop_oneof![
        3 => name.clone().prop_map(Call::Create),
        1 => (group.clone(), name).prop_map(|(group, name)| Call::Rename(group, name)),
        1 => group.clone().prop_map(Call::Delete),
        3 => (group.clone(), customers.clone()).prop_map(|(group, customers)| Call::Add(group, customers)),
        2 => (group.clone(), customers).prop_map(|(group, customers)| Call::Remove(group, customers)),
        2 => (0..=CUSTOMERS, vec(group, 0..3)).prop_map(|(customer, groups)| Call::SetGroups(customer, groups)),
    ]
}

/// Groups by their ids: name and members.
#[derive(Default)]
struct Model {
    groups: BTreeMap<String, (String, BTreeSet<String>)>,
}

/// How a call ends.
#[derive(Debug, PartialEq)]
enum Outcome {
    Done,
    NotThere,
    Refused,
}

fn outcome<T>(result: Result<Option<T>, StoreError>) -> Outcome {
    match result {
        Ok(Some(_)) => Outcome::Done,
        Ok(None) => Outcome::NotThere,
        Err(
            StoreError::Duplicate(_) | StoreError::UnknownCustomers(_) | StoreError::UnknownCustomerGroup(_),
        ) => Outcome::Refused,
        Err(error) => panic!("the store failed: {error:?}"),
    }
}

fn customer(number: u8) -> String {
    format!("cus_{number}")
}

fn is_customer(id: &String) -> bool {
    (0..CUSTOMERS).any(|number| customer(number) == *id)
}

impl Model {
    fn is_taken(&self, name: &str, but_for: &str) -> bool {
        self.groups.iter().any(|(id, (taken, _))| taken == name && id != but_for)
    }

    fn rename(&mut self, group: &str, name: String) -> Outcome {
        if !self.groups.contains_key(group) {
            return Outcome::NotThere;
        }
        if self.is_taken(&name, group) {
            return Outcome::Refused;
        }
        self.groups.get_mut(group).unwrap().0 = name;
        Outcome::Done
    }

    fn add(&mut self, group: &str, customers: &[String]) -> Outcome {
        match self.groups.get_mut(group) {
            None => Outcome::NotThere,
            Some(_) if !customers.iter().all(is_customer) => Outcome::Refused,
            Some((_, members)) => {
                members.extend(customers.iter().cloned());
                Outcome::Done
            }
        }
    }

    fn remove(&mut self, group: &str, customers: &[String]) -> Outcome {
        let Some((_, members)) = self.groups.get_mut(group) else {
            return Outcome::NotThere;
        };
        members.retain(|member| !customers.contains(member));
        Outcome::Done
    }

    fn set_groups(&mut self, customer: &String, groups: &[String]) -> Outcome {
        if !is_customer(customer) {
            return Outcome::NotThere;
        }
        let is_member =
            |group: &String| self.groups.get(group).is_some_and(|(_, members)| members.contains(customer));
        let mut new = BTreeSet::new();
        let twice = groups.iter().any(|group| !is_member(group) && !new.insert(group));
        if twice || !groups.iter().all(|group| self.groups.contains_key(group)) {
            return Outcome::Refused;
        }
        for (id, (_, members)) in &mut self.groups {
            if groups.contains(id) {
                members.insert(customer.clone());
            } else {
                members.remove(customer);
            }
        }
        Outcome::Done
    }
}

async fn compare(shop: &Shop, calls: Vec<Call>) {
    let mut model = Model::default();
    let mut made: Vec<String> = Vec::new();
    let selection = shop.all(Table::CustomerGroup);
    for call in calls {
        let group = |number: &usize| made.get(*number).cloned().unwrap_or_else(|| format!("cgrp_{number}"));
        let customers = |numbers: &[u8]| numbers.iter().map(|number| customer(*number)).collect::<Vec<_>>();
        let store = &shop.store;
        let (expected, actual) = match &call {
            Call::Create(name) => {
                let name = name.to_string();
                match store.create_customer_group(new_group(&name)).await {
                    Ok(text) => {
                        let id = id(&json_of(text).await);
                        let expected =
                            if model.is_taken(&name, "") { Outcome::Refused } else { Outcome::Done };
                        model.groups.insert(id.clone(), (name, BTreeSet::new()));
                        made.push(id);
                        (expected, Outcome::Done)
                    }
                    Err(error) => {
                        assert!(model.is_taken(&name, ""), "{error:?}");
                        (Outcome::Refused, outcome::<()>(Err(error)))
                    }
                }
            }
            Call::Rename(number, name) => {
                let changes = CustomerGroupChanges { name: Some(Some(name.to_string())), metadata: None };
                let id = group(number);
                let actual = store.update_customer_group(&id, changes, &selection).await;
                (model.rename(&id, name.to_string()), outcome(actual))
            }
            Call::Delete(number) => {
                let id = group(number);
                let there = store.delete_customer_group(&id).await.map(|there| there.then_some(()));
                let expected = match model.groups.remove(&id) {
                    Some(_) => Outcome::Done,
                    None => Outcome::NotThere,
                };
                (expected, outcome(there))
            }
            Call::Add(number, numbers) => {
                let (id, customers) = (group(number), customers(numbers));
                let actual = store.add_customers_to_group(&id, customers.clone()).await;
                (model.add(&id, &customers), outcome(actual))
            }
            Call::Remove(number, numbers) => {
                let (id, customers) = (group(number), customers(numbers));
                let actual = store.remove_customers_from_group(&id, customers.clone()).await;
                (model.remove(&id, &customers), outcome(actual))
            }
            Call::SetGroups(number, numbers) => {
                let groups: Vec<_> = numbers.iter().map(group).collect();
                let changes = CustomerChanges { groups: Some(groups.clone()), ..CustomerChanges::default() };
                let selection = shop.all(Table::Customer);
                let customer = customer(*number);
                let actual = store.update_customer(&customer, changes, &selection).await;
                (model.set_groups(&customer, &groups), outcome(actual))
            }
        };
        assert_eq!(actual, expected, "{call:?}");
    }
    let groups = shop.groups(CustomerGroupFilter::default()).await;
    let expected: Vec<_> = model.groups.keys().cloned().collect();
    assert_eq!(groups, expected);
    for (id, (name, members)) in &model.groups {
        assert_eq!(shop.group(id).await.unwrap()["name"], **name);
        assert_eq!(shop.members(id).await, members.iter().cloned().collect::<Vec<_>>());
    }
    let in_any = model.groups.values().flat_map(|(_, members)| members);
    let in_any: BTreeSet<_> = in_any.cloned().collect();
    let filter = CustomerFilter { groups: Some(expected), ..CustomerFilter::default() };
    let listed = shop.customers(filter).await;
    assert_eq!(listed, in_any.into_iter().collect::<Vec<_>>());
}

pub(crate) async fn random_calls_end_as_in_a_model(database: Database) {
    let shop = Shop::open(database).await;
    let ids: Vec<_> = (0..CUSTOMERS).map(customer).collect();
    shop.add_customers(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut runner = runner(48);
    let outcome = tokio::task::block_in_place(|| {
        runner.run(&vec(call(), 1..16), |calls| {
            Handle::current().block_on(async {
                shop.database
                    .execute("DELETE FROM customer_group_customers; DELETE FROM customer_group")
                    .await;
                compare(&shop, calls).await;
            });
            Ok(())
        })
    });
    outcome.unwrap();
}

/// What happens to customers, who are numbered as they come. A number that is not in use stands for nobody.
#[derive(Debug, Clone)]
enum Change {
    Create {
        email: u8,
        name: Option<&'static str>,
    },
    Rename(usize, Option<&'static str>),
    Move(usize, u8),
    /// As Medusa does it: the row stays.
    Delete(usize),
    Restore(usize),
    Join(usize),
    Leave(usize),
}

/// A way to look at them.
#[derive(Debug, Clone)]
struct View {
    column: &'static str,
    descending: bool,
    window: Window,
    q: Option<&'static str>,
    members: bool,
}

const NAMES: [&str; 6] = ["Ada", "ADA", "École", "éCOLE 2", "Straße", "50%_off"];
const TERMS: [&str; 9] = ["é", "COLE", "SSE", "ße", "a", "%", "_O", "M1@", "nobody"];

/// The group that they join and leave.
const CLUB: &str = "cgrp_club";

fn change() -> impl Strategy<Value = Change> {
    let (customer, email) = (0..8_usize, 0..6_u8);
    let name = prop::option::weighted(0.8, prop::sample::select(NAMES.to_vec()));
    prop_oneof![
        4 => (email.clone(), name.clone()).prop_map(|(email, name)| Change::Create { email, name }),
        1 => (customer.clone(), name).prop_map(|(customer, name)| Change::Rename(customer, name)),
        1 => (customer.clone(), email).prop_map(|(customer, email)| Change::Move(customer, email)),
        2 => customer.clone().prop_map(Change::Delete),
        2 => customer.clone().prop_map(Change::Restore),
        2 => customer.clone().prop_map(Change::Join),
        1 => customer.prop_map(Change::Leave),
    ]
}

fn view() -> impl Strategy<Value = View> {
    let columns = ["id", "email", "first_name", "created_at"];
    let window = (0..4_u64, prop::option::weighted(0.8, 1..4_u64));
    (
        prop::sample::select(columns.to_vec()),
        any::<bool>(),
        window,
        prop::option::of(prop::sample::select(TERMS.to_vec())),
        any::<bool>(),
    )
        .prop_map(|(column, descending, (offset, limit), q, members)| View {
            column,
            descending,
            window: Window { offset, limit },
            q,
            members,
        })
}

/// A customer, as the model has it.
#[derive(Debug)]
struct Customer {
    id: String,
    email: String,
    name: Option<String>,
    is_deleted: bool,
    is_member: bool,
}

impl Customer {
    /// A term is found wherever it is, character by character whatever their case.
    fn matches(&self, term: &str) -> bool {
        let fold = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<String>();
        [Some(&self.email), self.name.as_ref()]
            .into_iter()
            .flatten()
            .any(|text| fold(text).contains(&fold(term)))
    }
}

fn email(number: u8) -> String {
    format!("m{number}@shop.example")
}

#[derive(Default)]
struct Customers(Vec<Customer>);

impl Customers {
    /// Whether a customer who is not deleted has the address.
    fn is_taken(&self, email: &str, but_for: Option<usize>) -> bool {
        let mut others = self.0.iter().enumerate().filter(|(number, _)| Some(*number) != but_for);
        others.any(|(_, customer)| !customer.is_deleted && customer.email == email)
    }

    async fn apply(&mut self, change: &Change, shop: &Shop) {
        let selection = shop.all(Table::Customer);
        match *change {
            Change::Create { email: address, name } => {
                let new =
                    NewCustomer { first_name: name.map(str::to_owned), ..new_customer(&email(address)) };
                let taken = self.is_taken(&email(address), None);
                match shop.store.create_customer(new).await {
                    Ok(text) => {
                        assert!(!taken, "{change:?}");
                        let id = id(&json_of(text).await);
                        let (email, name) = (email(address), name.map(str::to_owned));
                        self.0.push(Customer { id, email, name, is_deleted: false, is_member: false });
                    }
                    Err(error) => {
                        assert_matches!(error, StoreError::Duplicate(_));
                        assert!(taken, "{change:?}");
                    }
                }
            }
            Change::Rename(number, name) => {
                let name = name.map(str::to_owned);
                let changes =
                    CustomerChanges { first_name: Some(name.clone()), ..CustomerChanges::default() };
                let id = self.id(number);
                let actual = outcome(shop.store.update_customer(&id, changes, &selection).await);
                let Some(customer) = self.there(number) else { return assert_eq!(actual, Outcome::NotThere) };
                assert_eq!(actual, Outcome::Done);
                customer.name = name;
            }
            Change::Move(number, address) => {
                let changes =
                    CustomerChanges { email: Some(Some(email(address))), ..CustomerChanges::default() };
                let id = self.id(number);
                let actual = outcome(shop.store.update_customer(&id, changes, &selection).await);
                let taken = self.is_taken(&email(address), Some(number));
                match self.there(number) {
                    None => assert_eq!(actual, Outcome::NotThere),
                    Some(_) if taken => assert_eq!(actual, Outcome::Refused),
                    Some(customer) => {
                        assert_eq!(actual, Outcome::Done);
                        customer.email = email(address);
                    }
                }
            }
            Change::Delete(number) => {
                let id = self.id(number);
                shop.database
                    .execute(&format!("UPDATE customer SET deleted_at = '{START}' WHERE id = '{id}'"))
                    .await;
                if let Some(customer) = self.there(number) {
                    customer.is_deleted = true;
                }
            }
            Change::Restore(number) => {
                let Some(customer) = self.0.get(number) else { return };
                // Medusa's own tables would not have it.
                if !self.is_taken(&customer.email, Some(number)) {
                    let restore =
                        format!("UPDATE customer SET deleted_at = NULL WHERE id = '{}'", customer.id);
                    shop.database.execute(&restore).await;
                    self.0[number].is_deleted = false;
                }
            }
            Change::Join(number) => {
                if let Some(customer) = self.there(number) {
                    customer.is_member = true;
                    shop.add_members(CLUB, &[&*customer.id]).await;
                }
            }
            Change::Leave(number) => {
                let id = self.id(number);
                let left = shop.store.remove_customers_from_group(CLUB, vec![id]).await;
                assert_eq!(outcome(left), Outcome::Done);
                if let Some(customer) = self.0.get_mut(number) {
                    customer.is_member = false;
                }
            }
        }
    }

    fn id(&self, number: usize) -> String {
        self.0.get(number).map_or_else(|| format!("cus_{number}"), |customer| customer.id.clone())
    }

    /// A customer who is not deleted.
    fn there(&mut self, number: usize) -> Option<&mut Customer> {
        self.0.get_mut(number).filter(|customer| !customer.is_deleted)
    }

    /// The ids that a view shows when nothing is left out.
    fn seen(&self, view: &View) -> Vec<String> {
        let seen = self.0.iter().filter(|customer| {
            !customer.is_deleted
                && (customer.is_member || !view.members)
                && view.q.is_none_or(|term| customer.matches(term))
        });
        let rows = seen.map(|customer| {
            json!({"id": customer.id, "email": customer.email, "first_name": customer.name, "created_at": START})
        });
        sorted(&rows.collect(), view.column, view.descending)
    }
}

/// What a view shows is what the model has, its count that of all, and page by page it is the same.
async fn compare_view(shop: &Shop, customers: &Customers, view: &View) {
    let expected = customers.seen(view);
    let list = CustomerList {
        filter: CustomerFilter {
            q: view.q.map(str::to_owned),
            groups: view.members.then(|| texts(&[CLUB])),
            ..CustomerFilter::default()
        },
        order: shop.order(Table::Customer, view.column, view.descending),
        window: view.window,
        selection: shop.all(Table::Customer),
    };
    let page = shop.store.list_customers(list.clone()).await.unwrap();
    assert_eq!(page.count, expected.len() as u64, "{view:?}");
    let shown: Vec<_> = rows(page).await.iter().map(id).collect();
    let limit = view.window.limit.map_or(usize::MAX, |limit| limit as usize);
    let part: Vec<_> = expected.iter().skip(view.window.offset as usize).take(limit).cloned().collect();
    assert_eq!(shown, part, "{view:?}");
    let window = Window { offset: 0, ..view.window };
    let followed = shop.followed(CustomerList { window, ..list.clone() }).await;
    assert_eq!(followed, expected, "behind cursors: {view:?}");
    let whole = shop.followed(CustomerList { window: EVERYTHING, ..list }).await;
    assert_eq!(whole, expected, "{view:?}");
}

pub(crate) async fn customers_are_listed_as_in_a_model(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&[CLUB]).await;
    let outcome = tokio::task::block_in_place(|| {
        runner(40).run(&vec((change(), view()), 1..24), |steps| {
            Handle::current().block_on(async {
                shop.database.execute("DELETE FROM customer_group_customers; DELETE FROM customer").await;
                let mut customers = Customers::default();
                for (change, view) in steps {
                    customers.apply(&change, &shop).await;
                    compare_view(&shop, &customers, &view).await;
                }
            });
            Ok(())
        })
    });
    outcome.unwrap();
}

/// Any text that PostgreSQL holds.
fn any_text() -> impl Strategy<Value = String> {
    any::<String>().prop_map(|text| text.replace('\0', ""))
}

/// Any JSON that JavaScript may send, with numbers that a double holds.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (proptest::num::f64::NORMAL | proptest::num::f64::ZERO).prop_map(Value::from),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((any_text(), inner), 0..4).prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// The same JSON with every number as a double, which is what JavaScript takes it for: `1.0` is 1.
fn doubles(json: &Value) -> Value {
    match json {
        Value::Number(number) => number.as_f64().into(),
        Value::Array(items) => items.iter().map(doubles).collect(),
        Value::Object(object) => object.iter().map(|(name, value)| (name, doubles(value))).collect(),
        other => other.clone(),
    }
}

pub(crate) async fn any_metadata_is_answered_as_it_came(database: Database) {
    let shop = Shop::open(database).await;
    let selection = shop.all(Table::CustomerGroup);
    let mut runner = runner(64);
    let metadata = vec(("\\PC{1,3}", any_json()), 0..5);
    let number = std::cell::Cell::new(0);
    let outcome = tokio::task::block_in_place(|| {
        runner.run(&metadata, |entries| {
            let metadata = Value::Object(entries.into_iter().collect());
            number.set(number.get() + 1);
            Handle::current().block_on(async {
                let group = NewCustomerGroup {
                    name: number.get().to_string(),
                    metadata: Some(object(metadata.clone())),
                };
                let created = json_of(shop.store.create_customer_group(group).await.unwrap()).await;
                assert_eq!(doubles(&created["metadata"]), doubles(&metadata));
                // The time of the last change does not move where nothing changes.
                shop.clock.advance(jiff::SignedDuration::from_secs(1));
                let changes =
                    CustomerGroupChanges { name: None, metadata: Some(object(json!({"absent": ""}))) };
                let same = shop.store.update_customer_group(&id(&created), changes, &selection).await;
                assert_eq!(json_of(same.unwrap().unwrap()).await, created);
            });
            Ok(())
        })
    });
    outcome.unwrap();
}
