//! What only a database behind a server can suffer, or be.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;
use stheno_store::{
    CustomerChanges, CustomerGroupChanges, CustomerGroupFilter, CustomerGroupList, NewUser, Order, Role,
    Store, StoreError, StoreOptions, Table,
};
use stheno_testkit::postgres::PostgresDatabase;

use crate::database::Database;
use crate::shop::{SHOWN_START, Shop, ids, json_of, new_group, object, read, texts};

async fn refused(url: &str) -> StoreError {
    Store::open(url, StoreOptions::default()).await.unwrap_err()
}

/// A shop with the group `cgrp_a`.
async fn shop(change: impl FnOnce(&mut StoreOptions)) -> Shop {
    let shop = Shop::open_with(Database::postgres().await, change).await;
    shop.add_groups(&["cgrp_a"]).await;
    shop
}

fn set(key: &str) -> CustomerGroupChanges {
    CustomerGroupChanges { name: None, metadata: Some(object(json!({ key: true }))) }
}

impl Shop {
    async fn update(&self, changes: CustomerGroupChanges) -> Result<(), StoreError> {
        let selection = self.all(Table::CustomerGroup);
        self.store.update_customer_group("cgrp_a", changes, &selection).await.map(drop)
    }

    /// The first value of the first row, on a connection of its own.
    async fn ask(&self, sql: &str) -> String {
        ask(self.database.postgres_database(), sql).await
    }
}

async fn ask(database: &PostgresDatabase, sql: &str) -> String {
    let rows = database.connect().await.query(sql, &[]).await.unwrap();
    rows.first().and_then(|row| row.get(0)).unwrap_or_default()
}

#[tokio::test]
async fn a_url_is_one_that_postgresql_knows() {
    let database = Database::postgres().await;
    let other = database.url().replace("postgres://", "postgresql://");
    for url in [database.url(), &*other] {
        Store::open(url, StoreOptions::default()).await.unwrap().close().await;
    }
    for (url, word) in [
        ("postgres://ada:s3cret@host:port/shop", "postgres://USER"),
        ("postgres://ada:s3cret@host/shop?sslmode=sometimes", "verify-full"),
        ("postgres://ada:s3cret@host/shop?nonsense=1", "postgres://USER"),
        ("postgres://ada:s3cret@one,two/shop?port=1,2,3", "number of ports"),
        (
            "postgres://ada:s3cret@host/shop?options=-c%20statement_timeout=120s",
            "--database-statement-timeout",
        ),
        ("postgres://ada:s3cret@host/shop?options=--lock-timeout=1", "--database-lock-timeout"),
        (&*database.url().replace("/test_", "/nowhere_"), "nowhere_"),
    ] {
        let error = refused(url).await;
        assert_matches!(error, StoreError::Url(_), "{url}");
        let text = error.to_string();
        assert!(text.contains(word) && !text.contains("s3cret"), "{text}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_may_be_there_later() {
    let error = refused("postgres://ada:s3cret@127.0.0.1:9/shop").await;
    assert_matches!(error, StoreError::Unavailable { .. });
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_servers_make_the_tables_of_an_empty_database_once() {
    let database = Database::empty_postgres().await;
    let opens = (0..8).map(|_| {
        let url = database.url().to_owned();
        tokio::spawn(async move { Store::open(&url, StoreOptions::default()).await })
    });
    for store in join_all(opens).await {
        store.unwrap().unwrap().close().await;
    }
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a"]).await;
    let steps = shop.ask("SELECT string_agg(name, ' ' ORDER BY version) FROM stheno_migration").await;
    assert_eq!(steps, "0001_medusa_tables 0002_stheno_tables 0003_stheno_counts 0004_stheno_logins");
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_alone() {
    let database = Database::empty_postgres().await;
    database.execute("CREATE TABLE customer_group (id text)").await;
    let error = refused(database.url()).await;
    assert_matches!(error, StoreError::Schema(_));
    let tables = "SELECT string_agg(tablename, ' ') FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(ask(database.postgres_database(), tables).await, "customer_group");
}

/// Databases that order texts by a language, or know upper and lower case of ASCII alone, answer like all others.
#[tokio::test(flavor = "multi_thread")]
async fn the_locale_of_a_database_changes_nothing() {
    for locale in ["LOCALE 'C'", "LOCALE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'tr'"] {
        let database = async || {
            let database = Database::in_postgres(PostgresDatabase::with(locale).await);
            Store::open(database.url(), StoreOptions::default()).await.unwrap().close().await;
            database
        };
        crate::filter::q_folds_case_character_by_character(database().await).await;
        crate::filter::q_finds_customers_by_address_and_names(database().await).await;
        crate::filter::ids_compare_by_code_points(database().await).await;
        crate::list::customers_come_in_every_order(database().await).await;
        crate::list::groups_come_in_every_order(database().await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_up_that_waits_for_a_lock_holds_up_no_other() {
    let shop = shop(|options| options.lock_timeout = Duration::from_secs(20)).await;
    let other = shop.database.postgres_database().connect().await;
    other.batch_execute("BEGIN; LOCK TABLE customer_group IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let store = &shop.store;
    let waiting = join_all((0..4).map(|_| shop.group("cgrp_a")));
    let others = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        for _ in 0..8 {
            let answer = tokio::time::timeout(Duration::from_secs(5), store.user_exists("usr_nope"));
            assert!(!answer.await.unwrap().unwrap());
        }
        other.batch_execute("COMMIT").await.unwrap();
    };
    let (groups, ()) = tokio::join!(waiting, others);
    assert!(groups.iter().all(Option::is_some));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_waited_for_and_not_for_long() {
    let shop = shop(|options| options.lock_timeout = Duration::from_millis(300)).await;
    let other = shop.database.postgres_database().connect().await;
    other.batch_execute("BEGIN; SELECT 1 FROM customer_group FOR UPDATE").await.unwrap();
    let started = Instant::now();
    let (updated, deleted) = tokio::join!(shop.update(set("a")), shop.store.delete_customer_group("cgrp_a"));
    assert_matches!(updated, Err(StoreError::Unavailable { .. }));
    assert_matches!(deleted, Err(StoreError::Unavailable { .. }));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    // Reading goes on meanwhile.
    assert_eq!(shop.groups(CustomerGroupFilter::default()).await, ["cgrp_a"]);
    assert_eq!(shop.group("cgrp_a").await.unwrap()["metadata"], json!(null));

    let release = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        other.batch_execute("COMMIT").await.unwrap();
    };
    let (updated, ()) = tokio::join!(shop.update(set("a")), release);
    updated.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_were_cut_are_replaced() {
    let shop = shop(|_| {}).await;
    shop.add_customers(&["cus_1"]).await;
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    // Nobody hears of it, whatever comes first.
    for round in 0..5 {
        shop.database.execute(cut).await;
        shop.store.create_customer_group(new_group(&format!("Group {round}"))).await.unwrap();
        shop.database.execute(cut).await;
        assert!(shop.group("cgrp_a").await.is_some());
        shop.database.execute(cut).await;
        assert_eq!(shop.groups(CustomerGroupFilter::default()).await.len(), round + 2);
        shop.database.execute(cut).await;
        let selection = shop.with(Table::CustomerGroup, &["customers"]);
        assert!(shop.store.retrieve_customer_group("cgrp_a", &selection).await.unwrap().is_some());
        shop.database.execute(cut).await;
        let calls = (0..8).map(|_| async {
            shop.add_members("cgrp_a", &["cus_1"]).await;
            assert_eq!(shop.store.user_by_token("", "nobody").await.unwrap(), None);
        });
        join_all(calls).await;
    }
    assert_eq!(shop.groups(CustomerGroupFilter::default()).await.len(), 6);
}

/// Nothing of it can have been saved, so nobody hears of that either.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_connection_is_cut_before_it_is_saved_is_done_again() {
    let shop = shop(|options| options.lock_timeout = Duration::from_secs(60)).await;
    shop.add_customers(&["cus_1"]).await;
    let other = shop.database.postgres_database().connect().await;
    other.batch_execute("BEGIN; SELECT 1 FROM customer_group FOR UPDATE").await.unwrap();
    let adding = tokio::spawn({
        let store = shop.store.clone();
        async move { store.add_customers_to_group("cgrp_a", texts(&["cus_1"])).await }
    });
    let cut = "SELECT count(pg_terminate_backend(pid))::text FROM pg_stat_activity
               WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while shop.ask(cut).await != "1" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let waits = "SELECT count(*)::text FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while shop.ask(waits).await != "1" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    other.batch_execute("COMMIT").await.unwrap();
    assert!(adding.await.unwrap().unwrap().is_some());
    assert_eq!(shop.members("cgrp_a").await, ["cus_1"]);
}

/// Nobody between the first and the last is a member when it is looked, and then one of them is.
#[tokio::test(flavor = "multi_thread")]
async fn members_that_another_adds_meanwhile_are_added_beside() {
    let shop = shop(|_| {}).await;
    let customers = ["cus_1", "cus_2", "cus_3"];
    shop.add_customers(&customers).await;
    let other = shop.database.postgres_database().connect().await;
    other
        .batch_execute("BEGIN; INSERT INTO customer_group_customers VALUES ('cgrp_a', 'cus_2')")
        .await
        .unwrap();
    let release = async {
        let waiting = "SELECT count(*)::text FROM pg_stat_activity
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while shop.ask(waiting).await == "0" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        other.batch_execute("COMMIT").await.unwrap();
    };
    let (added, ()) = tokio::join!(shop.store.add_customers_to_group("cgrp_a", texts(&customers)), release);
    assert_matches!(added, Ok(Some(_)));
    assert_eq!(shop.members("cgrp_a").await, customers);
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_that_no_row_could_refer_to_are_unknown() {
    let shop = shop(|_| {}).await;
    shop.add_customers(&["cus_1"]).await;
    // Longer than an index takes, however it is compressed.
    let digits =
        |number: u32| format!("{:08x}", number.wrapping_mul(2_654_435_761).rotate_left(number % 32) ^ number);
    let long: String = (0..4000).map(digits).collect();
    let refused = shop.store.add_customers_to_group("cgrp_a", texts(&["cus_1", &long])).await;
    let Err(StoreError::UnknownCustomers(unknown)) = refused else { panic!("{refused:?}") };
    assert_eq!(unknown, [long.as_str()]);
    assert_eq!(shop.members("cgrp_a").await, [""; 0]);
    // What is wrong with the table is no fault of the call.
    shop.database.execute("ALTER TABLE customer_group_customers ADD COLUMN extra text NOT NULL").await;
    let failed = shop.store.add_customers_to_group("cgrp_a", texts(&["cus_1"])).await;
    assert_matches!(failed, Err(StoreError::Internal(_)));
}

/// A database that was restored in part, or whose keys somebody has dropped.
#[tokio::test(flavor = "multi_thread")]
async fn unknown_customers_are_refused_also_where_no_key_refers_to_them() {
    let shop = shop(|_| {}).await;
    shop.add_customers(&["cus_1"]).await;
    shop.database
        .execute(
            "DO $$ BEGIN EXECUTE (SELECT string_agg('ALTER TABLE customer_group_customers DROP CONSTRAINT \"' || conname || '\"', ';')
                                  FROM pg_constraint WHERE conrelid = 'customer_group_customers'::regclass AND contype = 'f');
             END $$",
        )
        .await;
    let shop = shop.reopen_after("").await;
    let refused = shop.store.add_customers_to_group("cgrp_a", texts(&["cus_nope", "cus_1", "\0"])).await;
    let Err(StoreError::UnknownCustomers(unknown)) = refused else { panic!("{refused:?}") };
    assert_eq!(unknown, ["cus_nope", "\0"]);
    assert_matches!(shop.store.add_customers_to_group("cgrp_nope", texts(&["cus_nope"])).await, Ok(None));
    let memberships = "SELECT count(*)::text FROM customer_group_customers";
    assert_eq!(shop.ask(memberships).await, "0");
    shop.add_members("cgrp_a", &["cus_1"]).await;
    assert_eq!(shop.members("cgrp_a").await, ["cus_1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_changes_nothing_leaves_no_transaction_open() {
    let shop = shop(|options| options.connections = 1).await;
    shop.add_customers(&["cus_1"]).await;
    shop.add_members("cgrp_a", &["cus_1"]).await;
    shop.database
        .execute(
            "INSERT INTO customer_group (id, name, deleted_at) VALUES ('cgrp_gone', 'gone', now());
             INSERT INTO customer_group_customers VALUES ('cgrp_gone', 'cus_1');
             CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'simulated'; END $$;
             CREATE TRIGGER fail BEFORE INSERT ON customer_group FOR EACH ROW WHEN (NEW.name = 'bad')
                 EXECUTE FUNCTION fail()",
        )
        .await;
    let (store, selection) = (&shop.store, shop.all(Table::CustomerGroup));
    let rename =
        |name: Option<&str>| CustomerGroupChanges { name: Some(name.map(str::to_owned)), metadata: None };
    for round in 0..3 {
        store.create_customer_group(new_group(&format!("Group {round}"))).await.unwrap();
        let refused = store.create_customer_group(new_group(&format!("Group {round}"))).await;
        assert_matches!(refused, Err(StoreError::Duplicate(_)));
        assert_matches!(store.create_customer_group(new_group("bad")).await, Err(StoreError::Internal(_)));
        let refused = store.update_customer_group("cgrp_a", rename(Some("Group 0")), &selection).await;
        assert_matches!(refused, Err(StoreError::Duplicate(_)));
        let refused = store.update_customer_group("cgrp_a", rename(None), &selection).await;
        assert_matches!(refused, Err(StoreError::Null { .. }));
        let refused = store.add_customers_to_group("cgrp_a", texts(&["cus_1", "cus_nope", "\0"])).await;
        let Err(StoreError::UnknownCustomers(unknown)) = refused else { panic!("{refused:?}") };
        assert_eq!(unknown, ["cus_nope", "\0"]);
        for group in ["cgrp_gone", "cgrp_nope", "\0"] {
            for name in [Some("new"), Some("Group 0"), None] {
                let updated = store.update_customer_group(group, rename(name), &selection).await;
                assert_matches!(updated, Ok(None), "{group:?}");
            }
            for customers in [&["cus_1"], &["cus_nope"]] {
                let added = store.add_customers_to_group(group, texts(customers)).await;
                assert_matches!(added, Ok(None), "{group:?}");
            }
            let removed = store.remove_customers_from_group(group, texts(&["cus_1"])).await;
            assert_matches!(removed, Ok(None), "{group:?}");
            assert!(!store.delete_customer_group(group).await.unwrap(), "{group:?}");
        }
        let open = "SELECT count(*)::text FROM pg_stat_activity
                    WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
        assert_eq!(shop.ask(open).await, "0");
    }
    let gone = "SELECT concat_ws(' ', name, customer_id) FROM customer_group
                JOIN customer_group_customers ON customer_group_id = id WHERE id = 'cgrp_gone'";
    assert_eq!(shop.ask(gone).await, "gone cus_1");
    assert_eq!(shop.groups(CustomerGroupFilter::default()).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_says_is_told_apart() {
    let shop = shop(|_| {}).await;
    shop.database
        .execute(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'simulated' USING ERRCODE = NEW.name; END $$;
             CREATE TRIGGER fail BEFORE INSERT ON customer_group FOR EACH ROW EXECUTE FUNCTION fail()",
        )
        .await;
    for code in [
        "08000", "08003", "08006", "25006", "40001", "40P01", "53000", "53200", "53300", "53400", "55P03",
        "57014", "57P03", "42P01",
    ] {
        let outcome = shop.store.create_customer_group(new_group(code)).await;
        assert_matches!(outcome, Err(StoreError::Unavailable { .. }), "{code}");
    }
    let outcome = shop.store.create_customer_group(new_group("53100")).await;
    assert_matches!(outcome, Err(StoreError::Full));
    for code in ["22012", "0A000", "XX000"] {
        let outcome = shop.store.create_customer_group(new_group(code)).await;
        assert_matches!(outcome, Err(StoreError::Internal(_)), "{code}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_whose_connection_is_cut_ends_with_a_fault() {
    let shop = shop(|options| options.whole_up_to = 1000).await;
    shop.database.make_customers(20_000, 1000).await;
    // Between two pieces, or just reading one.
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND state IN ('idle in transaction', 'active')
                 AND pid <> pg_backend_pid()";
    // The database may be quicker with all rows than the cut is.
    let mut fault = None;
    for _ in 0..20 {
        let page = shop.store.list_customers(shop.customer_list()).await.unwrap();
        shop.database.execute(cut).await;
        fault = read(page.rows).await.err();
        if fault.is_some() {
            break;
        }
    }
    assert_matches!(fault, Some(StoreError::Unavailable { .. }));
    shop.update(set("a")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_does_not_wait_for_a_slow_reader_who_gets_all_of_it() {
    let shop = shop(|options| options.whole_up_to = 1000).await;
    shop.database.make_customers(2000, 1000).await;
    let slow = shop.store.list_customers(shop.customer_list()).await.unwrap().rows;
    // Between two pieces, or just reading one.
    let in_use = "SELECT count(*)::text FROM pg_stat_activity
                  WHERE datname = current_database() AND state IN ('idle in transaction', 'active')
                    AND pid <> pg_backend_pid()";
    assert_eq!(shop.ask(in_use).await, "1");
    let started = Instant::now();
    while shop.ask(in_use).await != "0" {
        assert!(started.elapsed() < Duration::from_secs(10), "the snapshot is still in use");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // The reader, who has not moved all the while, gets what the snapshot held.
    let again = shop.store.list_customers(shop.customer_list()).await.unwrap().rows;
    assert_eq!(read(slow).await.unwrap(), read(again).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_leave_connections_to_others() {
    let shop = shop(|options| {
        options.connections = 2;
        options.whole_up_to = 1000;
        options.reader_timeout = Duration::from_secs(20);
    })
    .await;
    shop.database.make_customers(2000, 1000).await;
    let stream = shop.store.list_customers(shop.customer_list()).await.unwrap();
    let second = shop.store.list_customers(shop.customer_list()).await;
    assert_matches!(second.map(|page| page.count), Err(StoreError::Unavailable { .. }));
    shop.update(set("a")).await.unwrap();
    drop(stream);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_at_once_are_all_kept() {
    let shop = shop(|_| {}).await;
    shop.add_customers(&["cus_1"]).await;
    let (other, _) = Shop::another(&shop.database, |_| {}).await;
    let updates = (0..32).map(|number| {
        let store = if number % 2 == 0 { &shop.store } else { &other };
        let metadata = Some(object(json!({ number.to_string(): true })));
        let (groups, customers) = (shop.all(Table::CustomerGroup), shop.all(Table::Customer));
        async move {
            let changes = CustomerGroupChanges { name: None, metadata: metadata.clone() };
            store.update_customer_group("cgrp_a", changes, &groups).await.unwrap();
            let changes = CustomerChanges { metadata, ..CustomerChanges::default() };
            store.update_customer("cus_1", changes, &customers).await.unwrap();
        }
    });
    join_all(updates).await;
    for row in [shop.group("cgrp_a").await, shop.customer("cus_1").await] {
        assert_eq!(row.unwrap()["metadata"].as_object().unwrap().len(), 32);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_added_and_removed_at_once_do_not_deadlock() {
    let shop = shop(|_| {}).await;
    shop.database.make_customers(200, 1).await;
    let ids: Vec<String> = (0..200).map(|number| format!("cus_{}", 1_000_001 + number)).collect();
    let backwards: Vec<String> = ids.iter().rev().cloned().collect();
    let calls = (0..16).map(|number| {
        let customers = if number % 2 == 0 { ids.clone() } else { backwards.clone() };
        let store = &shop.store;
        async move {
            if number % 4 < 2 {
                store.add_customers_to_group("cgrp_a", customers).await
            } else {
                store.remove_customers_from_group("cgrp_a", customers).await
            }
        }
    });
    for outcome in join_all(calls).await {
        assert!(outcome.unwrap().is_some());
    }
    let members = shop.members("cgrp_a").await;
    assert!(members.is_empty() || members == ids, "{} members", members.len());
}

/// As Medusa does it, which adds members in the order in which they come.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_is_given_up_for_another_is_done_again() {
    let database = Database::postgres().await;
    // The store is the one that finds the deadlock, and so is given up.
    let patient = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = ''3s''', current_database()); END $$";
    database.execute(patient).await;
    let shop = Shop::open_with(database, |options| {
        options.lock_timeout = Duration::from_secs(60);
        options.statement_timeout = Duration::from_secs(60);
    })
    .await;
    shop.add_groups(&["cgrp_a"]).await;
    shop.add_customers(&["cus_1", "cus_2"]).await;
    let other = shop.database.postgres_database().connect().await;
    let add = |customer: &str| {
        let values = format!("('cgrp_a', '{customer}')");
        format!("INSERT INTO customer_group_customers (customer_group_id, customer_id) VALUES {values}")
    };
    let begin = format!("SET deadlock_timeout = '120s'; BEGIN; {}", add("cus_2"));
    other.batch_execute(&begin).await.unwrap();
    let adding = tokio::spawn({
        let store = shop.store.clone();
        async move { store.add_customers_to_group("cgrp_a", texts(&["cus_1", "cus_2"])).await }
    });
    let waits = "SELECT count(*)::text FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while shop.ask(waits).await != "1" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    other.batch_execute(&add("cus_1")).await.unwrap();
    assert!(!adding.is_finished(), "the write was given up for good");
    other.batch_execute("COMMIT").await.unwrap();
    adding.await.unwrap().unwrap();
    assert_eq!(shop.members("cgrp_a").await, ["cus_1", "cus_2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_any_column_holds_never_breaks_the_answer() {
    let shop = shop(|_| {})
        .await
        .reopen_after(
            r#"CREATE TYPE timestamp_kind AS ENUM ('bool', 'json');
               ALTER TABLE customer_group ADD COLUMN kind timestamp_kind DEFAULT 'bool';
               ALTER TABLE customer_group ADD COLUMN flags boolean[] DEFAULT '{t,f}';
               ALTER TABLE customer_group ADD COLUMN picture bytea DEFAULT '\x00ff';
               ALTER TABLE customer_group ADD COLUMN price numeric DEFAULT 12.50;
               ALTER TABLE customer_group ADD COLUMN rate double precision DEFAULT 'NaN';
               ALTER TABLE customer_group ADD COLUMN old json DEFAULT '{"b" : [1,  "x  y"]}';
               ALTER TABLE customer_group ADD COLUMN since timestamp DEFAULT '2024-11-03T08:00:00.000538';
               ALTER TABLE customer_group ADD COLUMN until timestamp(0) with time zone DEFAULT 'infinity';
               ALTER TABLE customer_group ADD COLUMN day date DEFAULT '2024-11-03';
               ALTER TABLE customer_group ADD COLUMN far timestamptz DEFAULT '0044-03-15T12:00:00Z BC'"#,
        )
        .await;
    let group = shop.group("cgrp_a").await.unwrap();
    let expected = json!({
        "kind": "bool", "flags": [true, false], "picture": "\\x00ff", "price": 12.50, "rate": "NaN",
        "old": {"b": [1, "x  y"]}, "since": SHOWN_START, "until": null, "day": "2024-11-03",
        "far": "-000043-03-15T12:00:00.000Z",
    });
    for (column, value) in expected.as_object().unwrap() {
        assert_eq!(group[column], *value, "{column}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_stheno_that_are_lost_meanwhile_take_their_rows_with_them_and_nothing_else() {
    let shop = shop(|_| {}).await;
    let user = NewUser {
        email: "ada@shop.example".to_owned(),
        password_hash: None,
        role: Role::Admin,
        token_hash: Some("hash".to_owned()),
    };
    let id = shop.store.create_user(user).await.unwrap();
    shop.database.execute("UPDATE \"user\" SET api_token = 'plain'").await;
    let end = crate::shop::time("2030-01-01T00:00:00Z");
    shop.store.create_session("session".to_owned(), &id, end).await.unwrap();
    assert_eq!(shop.store.user_by_token("", "hash").await.unwrap().as_ref(), Some(&id));

    shop.database.execute("DROP TABLE stheno_api_token, stheno_session, stheno_login").await;
    assert_eq!(shop.store.user_by_token("plain", "").await.unwrap().as_ref(), Some(&id));
    assert_eq!(shop.store.user_by_token("", "hash").await.unwrap(), None);
    assert_eq!(shop.store.session_user("session").await.unwrap(), None);
    let opened = shop.store.create_session("session".to_owned(), &id, end).await;
    assert_matches!(opened, Err(StoreError::Unavailable { .. }));
    assert_matches!(shop.store.record_logins(Vec::new()).await, Err(StoreError::Limited { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_has_an_order_can_be_ordered_by() {
    let shop = shop(|_| {})
        .await
        .reopen_after(
            "CREATE DOMAIN mail AS text;
             CREATE TYPE size AS ENUM ('small', 'large');
             ALTER TABLE customer_group
                 ADD COLUMN place point, ADD COLUMN places point[], ADD COLUMN page xml, ADD COLUMN old json,
                 ADD COLUMN contact mail, ADD COLUMN size size, ADD COLUMN sizes size[], ADD COLUMN code char(3),
                 ADD COLUMN price numeric, ADD COLUMN span int4range, ADD COLUMN flags boolean[],
                 ADD COLUMN net cidr, ADD COLUMN names varchar[]",
        )
        .await;
    let order = |column: &str| Order::ascending(shop.store.catalog(), Table::CustomerGroup, column);
    for column in ["place", "places", "page", "old"] {
        assert!(order(column).is_err(), "{column}");
    }
    for column in ["name", "contact", "size", "sizes", "code", "price", "span", "flags", "net", "names"] {
        let list = CustomerGroupList { order: order(column).unwrap(), ..shop.group_list() };
        assert_eq!(shop.store.list_customer_groups(list).await.unwrap().count, 1, "{column}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rows_of_many_parents_are_read_in_pieces() {
    let shop = shop(|_| {}).await;
    let groups: Vec<String> = (0..300).map(|number| format!("cgrp_{number:03}")).collect();
    shop.add_groups(&groups.iter().map(String::as_str).collect::<Vec<_>>()).await;
    shop.database.make_customers(600, 1).await;
    // From none to all of them, over more than one piece of parents as of children.
    shop.database
        .execute(
            "INSERT INTO customer_group_customers (customer_group_id, customer_id)
             SELECT g.id, c.id FROM customer_group g JOIN customer c
                 ON g.id IN ('cgrp_000', 'cgrp_255', 'cgrp_256', 'cgrp_299') OR c.id < 'cus_1000003' AND g.id > 'cgrp_100'",
        )
        .await;
    let mut list = shop.group_list();
    list.selection = shop.with(Table::CustomerGroup, &["customers.groups", "price_lists"]);
    let page = shop.store.list_customer_groups(list).await.unwrap();
    let listed = crate::shop::rows(page).await;
    assert_eq!(listed.len(), 301);
    for group in &listed {
        let id = group["id"].as_str().unwrap();
        let members = crate::shop::ids_in(group, "customers");
        assert_eq!(members, shop.members(id).await, "{id}");
        assert_eq!(group["price_lists"], json!([]));
        for customer in group["customers"].as_array().unwrap() {
            let groups = crate::shop::ids_in(customer, "groups");
            let expected = if *customer["id"].as_str().unwrap() < *"cus_1000003" { 200 } else { 4 };
            assert!(groups.is_sorted() && groups.len() >= expected, "{id} {customer}");
        }
    }
    let selection = shop.with(Table::CustomerGroup, &["customers"]);
    let one = shop.store.retrieve_customer_group("cgrp_a", &selection).await;
    assert_eq!(json_of(one.unwrap().unwrap()).await["customers"].as_array().unwrap().len(), 2);
    let all = ids(shop.store.list_customer_groups(shop.group_list()).await.unwrap()).await;
    assert_eq!(all.len(), 301);
    assert_eq!(texts(&["cgrp_000", "cgrp_001"]), all[..2]);
}
