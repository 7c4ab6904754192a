//! How SQLite goes about each statement of the engine.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::trace::{TraceEvent, TraceEventCodes};
use serde_json::json;

use super::{connector, environment, new_group, streaming};
use crate::customer::{AccountFilter, CustomerChanges, CustomerFilter, CustomerList, NewCustomer};
use crate::customer_group::{CustomerGroupChanges, CustomerGroupFilter, CustomerGroupList};
use crate::entity::Table;
use crate::filter::{Bound, DateRange, IdFilter, TextComparison};
use crate::login::{Login, LoginFilter, LoginKind, LoginOutcome};
use crate::sqlite::Sqlite;
use crate::user::{NewUser, Role};
use crate::{Metadata, Order, Selection, Window};

/// The name of the file whose statements are recorded.
const FILE: &str = "plans.db";

static RECORDED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// A connection whose statements are taken down, if it is to the file that is looked at.
pub(in crate::sqlite) fn recorded(path: &Path, mut connection: Connection) -> Connection {
    if path.ends_with(FILE) {
        let note = |event: TraceEvent<'_>| {
            if let TraceEvent::Stmt(statement, _) = event {
                let text = statement.sql().split_whitespace().collect::<Vec<_>>().join(" ");
                RECORDED.lock().unwrap_or_else(PoisonError::into_inner).insert(text);
            }
        };
        connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(note)).unwrap();
    }
    connection
}

/// The statements that were taken down since the last call.
fn take() -> BTreeSet<String> {
    std::mem::take(&mut *RECORDED.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Writes down how the statements of each step are done.
struct Report {
    text: String,
    connection: Connection,
    /// The steps that read a whole table without an index.
    scanning: Vec<String>,
}

impl Report {
    /// Adds the statements of a step that has been done.
    fn add(&mut self, step: &str) {
        let _ = writeln!(self.text, "# {step}");
        let mut scans = false;
        for statement in take() {
            let verb = statement.split(' ').next().unwrap_or_default();
            if !["SELECT", "INSERT", "UPDATE", "DELETE"].contains(&verb) {
                continue;
            }
            let _ = writeln!(self.text, "{statement}");
            let mut explain = self.connection.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
            let parameters = vec![rusqlite::types::Null; explain.parameter_count()];
            let steps = explain
                .query_map(rusqlite::params_from_iter(parameters), |row| row.get::<_, String>(3))
                .unwrap();
            for detail in steps.map(Result::unwrap) {
                let _ = writeln!(self.text, "    {detail}");
                // A table is read whole, rather than in the order of an index. A list of parameters is no table.
                scans |= detail.starts_with("SCAN ")
                    && ![" USING ", " VIRTUAL TABLE ", "CONSTANT ROW"]
                        .iter()
                        .any(|part| detail.contains(part))
                    // What comes out of the parts of a page behind a cursor.
                    && !["SCAN p", "SCAN p0", "SCAN p1", "SCAN p2"].contains(&&*detail);
            }
        }
        if scans {
            self.scanning.push(step.to_owned());
        }
        self.text.push('\n');
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn metadata() -> Option<Metadata> {
    new_group("", 1).metadata
}

fn within() -> DateRange {
    let at = |time: &str| Some(Bound::At(time.parse().unwrap()));
    DateRange { gte: at("2024-11-03T08:00:00Z"), lt: at("2024-11-03T08:00:01Z"), ..DateRange::default() }
}

/// Adds what every list that is asked for finds: a page is not read where nothing matches.
async fn fill(engine: &Sqlite) {
    let times = |row: serde_json::Value| {
        let mut row: serde_json::Map<_, _> = serde_json::from_value(row).unwrap();
        for column in ["created_at", "updated_at"] {
            row.insert(column.to_owned(), "2024-11-03T08:00:00.000538Z".into());
        }
        row
    };
    let member = json!({"customer_group_id": "a", "customer_id": "a"});
    let rows = vec![
        (Table::CustomerGroup, vec![times(json!({"id": "a", "name": "a"}))]),
        (
            Table::Customer,
            vec![
                times(json!({"id": "a", "email": "a"})),
                times(json!({"id": "b", "email": "b", "has_account": true})),
            ],
        ),
        (Table::CustomerGroupCustomers, vec![serde_json::from_value(member).unwrap()]),
        (
            Table::DiscountConditionCustomerGroup,
            vec![times(json!({"condition_id": "a", "customer_group_id": "a"}))],
        ),
    ];
    engine.import(rows).await.unwrap();
}

async fn group_statements(engine: &Sqlite, report: &mut Report) {
    let catalog = engine.catalog();
    let all = Selection::all(catalog, Table::CustomerGroup);
    engine.create_customer_group(new_group("A", 1)).await.unwrap();
    report.add("create_customer_group");
    let changes = CustomerGroupChanges { name: Some(Some("B".to_owned())), metadata: metadata() };
    let group: serde_json::Value =
        serde_json::from_slice(&engine.create_customer_group(new_group("C", 1)).await.unwrap().start)
            .unwrap();
    let id = group["id"].as_str().unwrap();
    take();
    engine.update_customer_group(id, changes, &all).await.unwrap().unwrap();
    report.add("update_customer_group");
    engine.retrieve_customer_group(id, &all).await.unwrap().unwrap();
    report.add("retrieve_customer_group");
    let customer = engine.create_customer(new_customer("1")).await.unwrap();
    let customer: serde_json::Value = serde_json::from_slice(&customer.start).unwrap();
    let members = vec![customer["id"].as_str().unwrap().to_owned()];
    take();
    engine.add_customers_to_group(id, members.clone()).await.unwrap().unwrap();
    report.add("add_customers_to_group");
    engine.remove_customers_from_group(id, members.clone()).await.unwrap().unwrap();
    report.add("remove_customers_from_group");
    engine.add_customers_to_group(id, members).await.unwrap().unwrap();
    let list = json!([{"id": "pl_1", "name": "Sale", "description": "", "created_at": "2024-11-03T08:00:00Z",
                       "updated_at": "2024-11-03T08:00:00Z"}]);
    let link = json!([{"price_list_id": "pl_1", "customer_group_id": id}]);
    let rows = [(Table::PriceList, list), (Table::PriceListCustomerGroups, link)];
    let rows = rows.map(|(table, rows)| (table, serde_json::from_value(rows).unwrap()));
    engine.import(rows.into()).await.unwrap();
    take();
    let mut expanded = all.clone();
    for path in ["customers.groups", "price_lists.customer_groups"] {
        expanded.add_relation(catalog, path).unwrap();
    }
    engine.retrieve_customer_group(id, &expanded).await.unwrap().unwrap();
    report.add("retrieve_customer_group with its relations");
    engine.delete_customer_group(id).await.unwrap();
    report.add("delete_customer_group");
}

fn new_customer(email: &str) -> NewCustomer {
    NewCustomer {
        email: email.to_owned(),
        first_name: None,
        last_name: None,
        phone: None,
        password_hash: None,
        metadata: metadata(),
    }
}

async fn customer_statements(engine: &Sqlite, report: &mut Report) {
    let catalog = engine.catalog();
    let all = Selection::all(catalog, Table::Customer);
    let customer = engine.create_customer(new_customer("2")).await.unwrap();
    report.add("create_customer");
    let customer: serde_json::Value = serde_json::from_slice(&customer.start).unwrap();
    let id = customer["id"].as_str().unwrap();
    let group = engine.create_customer_group(new_group("D", 1)).await.unwrap();
    let group: serde_json::Value = serde_json::from_slice(&group.start).unwrap();
    take();
    let changes = CustomerChanges {
        phone: Some(Some("1".to_owned())),
        groups: Some(texts(&[group["id"].as_str().unwrap()])),
        ..CustomerChanges::default()
    };
    engine.update_customer(id, changes, &all).await.unwrap().unwrap();
    report.add("update_customer");
    engine.retrieve_customer(id, &all).await.unwrap().unwrap();
    report.add("retrieve_customer");
    let address = json!([{"id": "addr_1", "customer_id": id, "created_at": "2024-11-03T08:00:00Z",
                          "updated_at": "2024-11-03T08:00:00Z"}]);
    engine.import(vec![(Table::Address, serde_json::from_value(address).unwrap())]).await.unwrap();
    take();
    let mut expanded = all.clone();
    for path in ["groups", "shipping_addresses.customer", "billing_address", "orders"] {
        expanded.add_relation(catalog, path).unwrap();
    }
    engine.retrieve_customer(id, &expanded).await.unwrap().unwrap();
    report.add("retrieve_customer with its relations");
}

async fn group_lists(engine: &Sqlite, report: &mut Report) {
    let catalog = engine.catalog();
    let order = |column: &str, descending: bool| {
        let order = if descending { Order::descending } else { Order::ascending };
        order(catalog, Table::CustomerGroup, column).unwrap()
    };
    let none = CustomerGroupFilter::default;
    let text = || Some("a".to_owned());
    let comparison = TextComparison {
        gt: Some(String::new()),
        lte: text(),
        starts_with: text(),
        ends_with: text(),
        contains: text(),
        ..TextComparison::default()
    };
    let lists = [
        ("the newest groups", none(), order("created_at", true)),
        ("the oldest groups", none(), order("created_at", false)),
        ("the groups changed last", none(), order("updated_at", true)),
        ("groups by id", none(), order("id", false)),
        ("groups by name", none(), order("name", false)),
        ("groups by name, descending", none(), order("name", true)),
        ("groups with q", CustomerGroupFilter { q: text(), ..none() }, order("created_at", true)),
        (
            "groups of some names",
            CustomerGroupFilter { names: Some(texts(&["a"])), ..none() },
            order("created_at", true),
        ),
        (
            "groups of some ids",
            CustomerGroupFilter { id: Some(IdFilter::OneOf(texts(&["a"]))), ..none() },
            order("created_at", true),
        ),
        (
            "groups whose ids compare",
            CustomerGroupFilter { id: Some(IdFilter::Compare(comparison)), ..none() },
            order("created_at", true),
        ),
        (
            "groups created within a time",
            CustomerGroupFilter { created_at: within(), ..none() },
            order("created_at", true),
        ),
        (
            "groups changed within a time",
            CustomerGroupFilter { updated_at: within(), ..none() },
            order("updated_at", true),
        ),
        (
            "groups of a discount condition",
            CustomerGroupFilter { discount_condition_id: text(), ..none() },
            order("created_at", true),
        ),
    ];
    for (step, filter, order) in lists {
        let selection = Selection::id(catalog, Table::CustomerGroup);
        let window = Window { offset: 0, limit: Some(10) };
        engine.list_customer_groups(CustomerGroupList { filter, order, window, selection }).await.unwrap();
        report.add(step);
    }
}

async fn customer_lists(engine: &Sqlite, report: &mut Report) {
    let catalog = engine.catalog();
    let order = |column: &str, descending: bool| {
        let order = if descending { Order::descending } else { Order::ascending };
        order(catalog, Table::Customer, column).unwrap()
    };
    let none = CustomerFilter::default;
    let member = |groups: &[&str]| CustomerFilter { groups: Some(texts(groups)), ..none() };
    let account = |account| CustomerFilter { has_account: Some(account), ..none() };
    let lists = [
        ("customers by id", none(), order("id", false)),
        ("the newest customers", none(), order("created_at", true)),
        ("the oldest customers", none(), order("created_at", false)),
        ("the customers changed last", none(), order("updated_at", true)),
        ("customers by e-mail address", none(), order("email", false)),
        ("customers by family name", none(), order("last_name", true)),
        ("customers with q", CustomerFilter { q: Some("a".to_owned()), ..none() }, order("id", false)),
        ("customers with an account", account(AccountFilter::Is(true)), order("id", false)),
        ("customers with neither", account(AccountFilter::Null), order("id", false)),
        (
            "customers created within a time",
            CustomerFilter { created_at: within(), ..none() },
            order("created_at", true),
        ),
        ("members of a group", member(&["a"]), order("id", false)),
        ("members of a group, the newest first", member(&["a"]), order("created_at", true)),
        (
            "members of a group with everything",
            CustomerFilter {
                q: Some("a".to_owned()),
                has_account: Some(AccountFilter::Is(false)),
                created_at: within(),
                updated_at: within(),
                ..member(&["a"])
            },
            order("id", false),
        ),
        ("members of several groups", member(&["a", "b"]), order("id", false)),
        ("members of several groups, the newest first", member(&["a", "b"]), order("created_at", true)),
    ];
    for (step, filter, order) in lists {
        let selection = Selection::id(catalog, Table::Customer);
        let window = Window { offset: 0, limit: Some(10) };
        engine.list_customers(CustomerList { filter, order, window, selection }).await.unwrap();
        report.add(step);
    }
}

/// What is read to go on behind the first row of a list.
async fn lists_behind_a_cursor(engine: &Sqlite, report: &mut Report) {
    let catalog = engine.catalog();
    for (column, descending) in
        [("id", true), ("created_at", true), ("email", false), ("last_name", false), ("has_account", false)]
    {
        let order = if descending { Order::descending } else { Order::ascending };
        let list = CustomerList {
            filter: CustomerFilter::default(),
            order: order(catalog, Table::Customer, column).unwrap(),
            window: Window { offset: 0, limit: Some(1) },
            selection: Selection::id(catalog, Table::Customer),
        };
        let next = engine.list_customers(list.clone()).await.unwrap().next.unwrap();
        take();
        engine.list_customers(list.after(&next).unwrap()).await.unwrap();
        report.add(&format!("customers by {column} behind a cursor"));
    }
}

async fn user_statements(engine: &Sqlite, report: &mut Report) {
    let user = NewUser {
        email: "a".to_owned(),
        password_hash: None,
        role: Role::Admin,
        token_hash: Some("hash".to_owned()),
    };
    let id = engine.create_first_user(user.clone()).await.unwrap().unwrap();
    report.add("create_first_user");
    engine.create_user(NewUser { email: "b".to_owned(), token_hash: None, ..user }).await.unwrap();
    report.add("create_user");
    engine.list_users().await.unwrap();
    report.add("list_users");
    engine.retrieve_user(&id).await.unwrap().unwrap();
    report.add("retrieve_user");
    engine.user_by_email("a").await.unwrap().unwrap();
    report.add("user_by_email");
    assert!(engine.user_exists(&id).await.unwrap());
    report.add("user_exists");
    engine.user_by_token("", "hash").await.unwrap().unwrap();
    report.add("user_by_token");
    assert!(engine.set_password_hash(&id, "new".to_owned()).await.unwrap());
    report.add("set_password_hash");
    assert!(engine.create_api_token(&id, "hash 2".to_owned()).await.unwrap());
    report.add("create_api_token");
    let end = "2030-01-01T00:00:00Z".parse().unwrap();
    engine.create_session("session".to_owned(), &id, end).await.unwrap();
    report.add("create_session");
    engine.session_user("session").await.unwrap().unwrap();
    report.add("session_user");
    assert!(engine.delete_session("session").await.unwrap());
    report.add("delete_session");
    let login = Login {
        at: end,
        user_id: Some(id.clone()),
        kind: LoginKind::Token,
        outcome: LoginOutcome::Accepted,
        address: None,
        attempts: 1,
    };
    engine.record_logins(vec![login]).await.unwrap();
    report.add("record_logins");
    engine.logins(LoginFilter::default(), 10).await.unwrap();
    report.add("logins");
    engine.logins(LoginFilter { user_id: Some(id.clone()), since: None }, 10).await.unwrap();
    report.add("logins, of a user");
    engine.forget_logins(end, 10).await.unwrap();
    report.add("forget_logins");
    engine.secret("jwt", "fresh".to_owned()).await.unwrap();
    report.add("secret");
    engine.ping().await.unwrap();
    report.add("ping");
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_find_rows_by_indexes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let engine = Sqlite::open(connector(&path), true, 4, streaming(), environment()).unwrap();
    fill(&engine).await;
    take();
    let mut report = Report {
        text: String::new(),
        connection: connector(&path).open_reader().unwrap(),
        scanning: Vec::new(),
    };
    group_statements(&engine, &mut report).await;
    customer_statements(&engine, &mut report).await;
    group_lists(&engine, &mut report).await;
    customer_lists(&engine, &mut report).await;
    lists_behind_a_cursor(&engine, &mut report).await;
    user_statements(&engine, &mut report).await;

    // The list of migrations is two rows.
    assert_eq!(report.scanning, ["ping"]);
    insta::assert_snapshot!(report.text);
}
