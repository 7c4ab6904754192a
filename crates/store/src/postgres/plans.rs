//! How PostgreSQL goes about each list, in a shop that is large enough for it to matter.

use std::fmt::Write as _;

use stheno_testkit::postgres::PostgresDatabase;
use tokio_postgres::Client;

use super::customer_group;
use super::reading::{FLAT, SEARCH, SHARED};
use super::schema;
use crate::cursor::{Bookmark, Key};
use crate::customer::{AccountFilter, CustomerFilter};
use crate::customer_group::CustomerGroupFilter;
use crate::entity::{Catalog, Relation, Table};
use crate::filter::{Bound, DateRange, IdFilter};
use crate::sql::{self, DEEP, Dialect, ListSource, Parameter, Statement, Traits};
use crate::{Order, Selection, Store, StoreOptions, Window};

const CUSTOMERS: u64 = 60_000;

/// Customers, and groups of 30,000 members, of 20 each, and of 2,000.
const SHOP: &str = "
    ALTER TABLE customer SET (autovacuum_enabled = off);
    ALTER TABLE customer_group SET (autovacuum_enabled = off);
    ALTER TABLE customer_group_customers SET (autovacuum_enabled = off);
    INSERT INTO customer_group (id, name, created_at, updated_at)
        SELECT 'cgrp_' || i, 'Group ' || i, '2024-01-01'::timestamptz + i * interval '1 second',
               '2024-01-01'::timestamptz + i * interval '1 minute' FROM generate_series(10001, 13000) i;
    INSERT INTO customer (id, email, first_name, last_name, has_account, created_at, updated_at)
        SELECT 'cus_' || i, i || '@shop.example', 'First ' || i % 500, 'Last ' || i % 5000, i % 3 = 0,
               '2024-01-01'::timestamptz + i * interval '1 second', '2024-01-01'::timestamptz + i * interval '1 minute'
        FROM generate_series(1000001, 1060000) i;
    INSERT INTO customer_group_customers SELECT 'cgrp_10001', id FROM customer WHERE right(id, 1) < '5';
    INSERT INTO customer_group_customers SELECT 'cgrp_10002', id FROM customer WHERE right(id, 2) = '42' OR right(id, 3) < '024';
    INSERT INTO customer_group_customers SELECT 'cgrp_' || 10003 + right(id, 6)::integer % 2990, id FROM customer;
    DELETE FROM stheno_count WHERE kind = 'doubt'";

struct Plans {
    client: Client,
    dialect: Dialect,
    catalog: Catalog,
    text: String,
    /// What reads a large table from one end to the other.
    scanning: Vec<String>,
}

impl Plans {
    async fn add(&mut self, step: &str, settings: &str, statement: &Statement) {
        let parameters: Vec<_> = statement.parameters.iter().map(literal).collect();
        let execute = match parameters.as_slice() {
            [] => "EXECUTE planned".to_owned(),
            parameters => format!("EXECUTE planned ({})", parameters.join(", ")),
        };
        let prepare = format!("BEGIN; {settings}; PREPARE planned AS {}", statement.text);
        self.client.batch_execute(&prepare).await.unwrap();
        let rows = self
            .client
            .query(&format!("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) {execute}"), &[])
            .await
            .unwrap();
        self.client.batch_execute("ROLLBACK; DEALLOCATE planned").await.unwrap();
        let _ = writeln!(self.text, "# {step}");
        let mut passed_over = usize::MAX;
        for row in rows {
            let line: &str = row.get(0);
            let depth = line.len() - line.trim_start().len();
            if depth > passed_over {
                continue;
            }
            passed_over = if line.contains("(never executed)") { depth } else { usize::MAX };
            let kept = ["->", "Cond: ", "Filter: ", "Sort Key: ", "Presorted Key: ", "Plan "];
            let is_kept = depth == 0 || kept.iter().any(|part| line.contains(part));
            if passed_over != usize::MAX || !is_kept || line.contains("Rows Removed") {
                continue;
            }
            let line = line.split(" (actual ").next().unwrap_or_default();
            let _ = writeln!(self.text, "    {line}");
            if line.contains("Seq Scan on customer") && !self.scanning.contains(&step.to_owned()) {
                self.scanning.push(step.to_owned());
            }
        }
        self.text.push('\n');
    }

    async fn add_list(&mut self, list: &str, table: Table, source: &ListSource, order: &str, window: Window) {
        let order = self.order(table, order);
        self.add_ordered(list, table, source, &order, window).await;
    }

    /// The page of a list behind the row that has this key and id.
    async fn add_behind(
        &mut self,
        list: &str,
        source: &ListSource,
        order: &str,
        key: Option<&str>,
        id: &str,
    ) {
        let table = if id.starts_with("cus_") { Table::Customer } else { Table::CustomerGroup };
        let mut order = self.order(table, order);
        let key = key.map_or(Key::Missing, |key| Key::Text(key.to_owned()));
        order.after = Some(Bookmark(key, id.to_owned()));
        self.add_ordered(&format!("{list} behind a cursor"), table, source, &order, FIRST).await;
    }

    fn order(&self, table: Table, order: &str) -> Order {
        match order.strip_prefix('-') {
            Some(column) => Order::descending(&self.catalog, table, column),
            None => Order::ascending(&self.catalog, table, order),
        }
        .unwrap()
    }

    async fn add_ordered(
        &mut self,
        list: &str,
        table: Table,
        source: &ListSource,
        order: &Order,
        window: Window,
    ) {
        let selection = Selection::id(&self.catalog, table);
        let step =
            format!("{list} by {}{}", order.column, if order.descending { ", descending" } else { "" });
        let settings = match source.searches() {
            true => SEARCH,
            false if source.is_flat(order) => FLAT,
            false => "",
        };
        let count = source.count();
        let counting_of = format!("{list}: the count");
        if !self.text.contains(&format!("# {counting_of}\n")) {
            self.add(&counting_of, settings, &count).await;
        }
        let row = self.client.query_one(&counting(&count), &[]).await.unwrap();
        let count = row.get::<_, i64>(0).unsigned_abs();
        let walk =
            source.all_customers(order, window).and_then(|_| source.walk(count, CUSTOMERS, order, window));
        if let Some(walk) = walk {
            return self.add(&format!("{step}: the ids"), "", &walk.statement).await;
        }
        // Of members together with their group, as they are asked for.
        let group = Selection::id(&self.catalog, Table::CustomerGroup);
        let group = Some(&group).filter(|_| list.contains("members"));
        let at_once = source.page_and_count(&self.catalog, &selection, group, order, window);
        if let Some(page) = at_once.filter(|_| window.offset < DEEP) {
            return self.add(&format!("{step}: the page and the count"), SHARED, &page).await;
        }
        let Some(page) = source.page_of(count, &self.catalog, &selection, order, window) else {
            assert!(source.searches(), "{step} shows nothing");
            return;
        };
        self.add(&format!("{step}: the page"), settings, &page).await;
    }
}

/// A statement with its parameters in it.
fn counting(statement: &Statement) -> String {
    let parameters = (1..).zip(&statement.parameters);
    parameters.fold(statement.text.clone(), |text, (number, parameter)| {
        text.replace(&format!("${number}"), &literal(parameter))
    })
}

fn literal(parameter: &Parameter) -> String {
    match parameter {
        Parameter::Text(text) => format!("'{text}'"),
        Parameter::Texts(texts) => format!("'{{{}}}'", texts.join(",")),
        Parameter::Boolean(value) => value.to_string(),
        Parameter::Integer(value) => value.to_string(),
        Parameter::Real(value) => value.to_string(),
        Parameter::Time(time) => format!("'{time}'"),
    }
}

const FIRST: Window = Window { offset: 0, limit: Some(50) };

impl Plans {
    async fn of_a_shop(database: &PostgresDatabase) -> Self {
        let options = StoreOptions { serves: false, ..StoreOptions::default() };
        Store::open(database.url(), options).await.unwrap().close().await;
        let client = database.connect().await;
        client.batch_execute(SHOP).await.unwrap();
        // All rows are looked at, so that the same is found out each time. How much VACUUM would find that all may see, differs.
        client.batch_execute("SET default_statistics_target = 1000; SET jit = off").await.unwrap();
        client.batch_execute("ANALYZE").await.unwrap();
        let traits = Traits {
            counts: true,
            orders: true,
            trigrams: true,
            ..schema::read_traits(&client).await.unwrap()
        };
        let catalog = schema::read_catalog(&client).await.unwrap();
        let dialect = Dialect::Postgres(traits);
        Self { client, dialect, catalog, text: String::new(), scanning: Vec::new() }
    }
}

/// A database whose locale is not that of code points has indexes in their order.
#[tokio::test(flavor = "multi_thread")]
async fn lists_are_read_by_indexes_in_any_locale() {
    let words = "LOCALE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'en-US'";
    let database = PostgresDatabase::with(words).await;
    let mut plans = Plans::of_a_shop(&database).await;
    let customers = ListSource::customers(plans.dialect, &CustomerFilter::default());
    for order in ["id", "-id", "-created_at", "email", "first_name"] {
        plans.add_list("customers", Table::Customer, &customers, order, FIRST).await;
    }
    let groups = Some(vec!["cgrp_10001".to_owned()]);
    let members =
        ListSource::customers(plans.dialect, &CustomerFilter { groups, ..CustomerFilter::default() });
    for order in ["id", "-id", "-created_at", "email", "last_name"] {
        plans.add_list("members", Table::Customer, &members, order, FIRST).await;
    }
    let groups = ListSource::customer_groups(plans.dialect, &CustomerGroupFilter::default());
    for order in ["id", "-created_at", "name"] {
        plans.add_list("groups", Table::CustomerGroup, &groups, order, FIRST).await;
    }
    assert_eq!(plans.scanning, [""; 0]);
    assert!(!plans.text.contains("Sort"), "{}", plans.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_read_by_indexes() {
    let database = PostgresDatabase::empty().await;
    let mut plans = Plans::of_a_shop(&database).await;
    let dialect = plans.dialect;

    let groups = |filter: &CustomerGroupFilter| ListSource::customer_groups(dialect, filter);
    let all_groups = CustomerGroupFilter::default();
    for order in ["-created_at", "created_at", "-updated_at", "id", "-id", "name", "-name"] {
        plans.add_list("groups", Table::CustomerGroup, &groups(&all_groups), order, FIRST).await;
    }
    let last = Window { offset: 2_960, limit: Some(50) };
    plans.add_list("the last groups", Table::CustomerGroup, &groups(&all_groups), "-created_at", last).await;
    let names = Some(vec!["Group 10001".to_owned()]);
    let named = CustomerGroupFilter { names, ..all_groups.clone() };
    plans.add_list("groups of a name", Table::CustomerGroup, &groups(&named), "id", FIRST).await;
    let id = Some(IdFilter::OneOf(vec!["cgrp_10001".to_owned()]));
    let of_ids = CustomerGroupFilter { id, ..all_groups.clone() };
    plans.add_list("groups of ids", Table::CustomerGroup, &groups(&of_ids), "-created_at", FIRST).await;
    let at = |time: &str| Some(Bound::At(time.parse().unwrap()));
    let within = |from: &str, to: &str| DateRange { gte: at(from), lt: at(to), ..DateRange::default() };
    let created_at = within("2024-01-01T02:50:00Z", "2024-01-01T02:51:00Z");
    let dated = CustomerGroupFilter { created_at, ..all_groups.clone() };
    plans.add_list("groups of a time", Table::CustomerGroup, &groups(&dated), "-created_at", FIRST).await;

    let customers = |filter: &CustomerFilter| ListSource::customers(dialect, filter);
    let everybody = CustomerFilter::default();
    let orders = [
        "id",
        "-id",
        "-created_at",
        "created_at",
        "-updated_at",
        "email",
        "-email",
        "first_name",
        "-first_name",
    ];
    for order in orders.into_iter().chain(["last_name", "-last_name", "has_account", "-has_account"]) {
        plans.add_list("customers", Table::Customer, &customers(&everybody), order, FIRST).await;
    }
    let last = Window { offset: CUSTOMERS - 30, limit: Some(50) };
    for order in ["id", "-created_at", "first_name"] {
        plans.add_list("the last customers", Table::Customer, &customers(&everybody), order, last).await;
    }
    let accounts = CustomerFilter { has_account: Some(AccountFilter::Is(true)), ..everybody.clone() };
    for order in ["id", "-created_at"] {
        plans
            .add_list("customers with an account", Table::Customer, &customers(&accounts), order, FIRST)
            .await;
    }
    let created_at = within("2024-01-12T22:00:00Z", "2024-01-12T22:01:00Z");
    let dated = CustomerFilter { created_at, ..everybody.clone() };
    plans.add_list("customers of a time", Table::Customer, &customers(&dated), "-created_at", FIRST).await;

    let of = |groups: &[&str]| CustomerFilter {
        groups: Some(groups.iter().map(|group| (*group).to_owned()).collect()),
        ..everybody.clone()
    };
    for (size, group, last) in
        [("30,000", "cgrp_10001", 29_970), ("2,000", "cgrp_10002", 2_000), ("20", "cgrp_10020", 0)]
    {
        let members = customers(&of(&[group]));
        for order in ["id", "-id", "-created_at", "updated_at", "email", "first_name", "-last_name"] {
            plans.add_list(&format!("{size} members"), Table::Customer, &members, order, FIRST).await;
        }
        if last > 0 {
            let last = Window { offset: last, limit: Some(50) };
            for order in ["id", "-created_at"] {
                plans
                    .add_list(&format!("the last of {size} members"), Table::Customer, &members, order, last)
                    .await;
            }
        }
        let accounts = CustomerFilter { has_account: Some(AccountFilter::Is(false)), ..of(&[group]) };
        for order in ["id", "-created_at"] {
            let step = format!("{size} members without an account");
            plans.add_list(&step, Table::Customer, &customers(&accounts), order, FIRST).await;
        }
    }
    let union = of(&["cgrp_10020", "cgrp_10030"]);
    plans.add_list("members of two groups", Table::Customer, &customers(&union), "id", FIRST).await;

    let time = Some("2024-01-05 12:00:00+00");
    for (order, key) in [("-created_at", time), ("name", Some("Group 11000")), ("id", None)] {
        plans.add_behind("groups", &groups(&all_groups), order, key, "cgrp_11000").await;
    }
    for (order, key) in [
        ("id", None),
        ("-created_at", time),
        ("updated_at", time),
        ("email", Some("5@shop.example")),
        ("first_name", Some("First 7")),
        ("-last_name", None),
        ("-last_name", Some("Last 7")),
        ("has_account", Some("true")),
    ] {
        plans.add_behind("customers", &customers(&everybody), order, key, "cus_1030000").await;
    }
    for (size, group) in [("30,000", "cgrp_10001"), ("20", "cgrp_10020")] {
        for (order, key) in [("-id", None), ("-created_at", time), ("first_name", Some("First 7"))] {
            let members = customers(&of(&[group]));
            plans.add_behind(&format!("{size} members"), &members, order, key, "cus_1030000").await;
        }
    }

    let search = |q: &str, filter: CustomerFilter| CustomerFilter { q: Some(q.to_owned()), ..filter };
    for (kind, term) in [("a rare term", "first 77"), ("a full name", "first 7 last 1007")] {
        let step = format!("customers with {kind}");
        let found = customers(&search(term, everybody.clone()));
        plans.add_list(&step, Table::Customer, &found, "-created_at", FIRST).await;
        for (size, group) in [("30,000", "cgrp_10001"), ("2,000", "cgrp_10002"), ("20", "cgrp_10020")] {
            let step = format!("{kind} among {size} members");
            let found = customers(&search(term, of(&[group])));
            plans.add_list(&step, Table::Customer, &found, "id", FIRST).await;
        }
    }
    for (kind, term) in [("a rare term", "10077"), ("a rare word at the end", "group 10077")] {
        let found = groups(&CustomerGroupFilter { q: Some(term.to_owned()), ..all_groups.clone() });
        let step = format!("groups with {kind}");
        plans.add_list(&step, Table::CustomerGroup, &found, "-created_at", FIRST).await;
    }
    assert_eq!(plans.scanning, [""; 0]);
    // What almost all have, and what no index finds, is looked for in the order of the page; it is counted in all.
    for (kind, term) in [("a frequent term", "shop"), ("two letters", "t ")] {
        let found = customers(&search(term, everybody.clone()));
        let step = format!("customers with {kind}");
        plans.add_list(&step, Table::Customer, &found, "-created_at", FIRST).await;
        let found = customers(&search(term, of(&["cgrp_10020"])));
        plans.add_list(&format!("{kind} among 20 members"), Table::Customer, &found, "id", FIRST).await;
    }
    assert_eq!(
        plans.scanning,
        ["customers with a frequent term: the count", "customers with two letters: the count"]
    );
    plans.scanning.clear();

    let mut selection = Selection::id(&plans.catalog, Table::CustomerGroup);
    selection.add_column(&plans.catalog, "customer_count").unwrap();
    let retrieve = sql::retrieve(plans.dialect, &plans.catalog, &selection, "cgrp_10001");
    plans.add("a group with its number of members", "", &retrieve).await;
    let relation = (Relation::Customers, Selection::id(&plans.catalog, Table::Customer));
    for (members, group) in [("30,000", "cgrp_10001"), ("20", "cgrp_10020")] {
        let selection = Selection::id(&plans.catalog, Table::CustomerGroup);
        let retrieve = sql::retrieve_with(plans.dialect, &plans.catalog, &selection, &relation, group, 256);
        plans.add(&format!("a group with the first of {members} members"), SHARED, &retrieve).await;
    }

    let key = Parameter::Text("cgrp_10001".to_owned());
    for (kind, list, members) in [
        ("one member", "ARRAY[$2::text]", Parameter::Text("cus_1000002".to_owned())),
        ("members", "$2::text[]", Parameter::Texts(vec!["cus_1000002".to_owned(), "cus_1000003".to_owned()])),
    ] {
        let mut removal = Statement::new(plans.dialect);
        removal.text = customer_group::removal(list);
        removal.parameters = vec![key.clone(), members];
        let step = format!("{kind} removed");
        plans.add(&step, "SET LOCAL plan_cache_mode = force_generic_plan", &removal).await;
    }

    assert_eq!(plans.scanning, [""; 0]);
    insta::assert_snapshot!(plans.text);
}
