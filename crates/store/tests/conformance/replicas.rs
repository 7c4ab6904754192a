//! What is read from replicas, and what becomes of reads when they fail. Each test has a primary of its own, and a
//! standby that streams from it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use stheno_store::{
    Caller, CustomerFilter, CustomerGroupChanges, CustomerGroupList, CustomerList, NewUser, Page, Role,
    Schema, Selection, Store, StoreError, StoreOptions, Table, Window,
};
use stheno_testkit::postgres::{PostgresServer, Shutdown};
use tokio_postgres::Client;

use crate::database::Database;
use crate::shop::{Shop, id, ids, json_of, new_group, read, string_of, texts};

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// The connections, in PostgreSQL's list of them, whose last statement was a retrieve of ours.
const READS: &str = "application_name = 'stheno' AND query LIKE '%\"customer_group\" r%'";

/// A store on a primary with one standby.
struct Replicated {
    shop: Shop,
    standby: PostgresServer,
}

impl Replicated {
    async fn open() -> Self {
        Self::open_with("", |_| {}).await
    }

    async fn open_with(settings: &str, change: impl FnOnce(&mut StoreOptions)) -> Self {
        let primary = PostgresServer::start("").await;
        let standby = primary.standby(settings).await;
        let shop = Shop::open_with(Database::on_server(primary), |options| {
            options.replicas = vec![standby.url("postgres").into()];
            change(options);
        })
        .await;
        let replicated = Self { shop, standby };
        replicated.eventually("the standby answers", async || replicated.standby_answers().await).await;
        replicated
    }

    fn primary(&self) -> &PostgresServer {
        self.shop.database.server()
    }

    /// A caller who has written nothing.
    fn stranger(&self) -> Store {
        self.shop.store.for_caller(Caller::default())
    }

    async fn groups_of(&self, store: &Store) -> Vec<String> {
        ids(store.list_customer_groups(self.shop.group_list()).await.unwrap()).await
    }

    /// Whether a read of a stranger's reaches the standby.
    async fn standby_answers(&self) -> bool {
        let client = self.standby.connect().await;
        let now: String = client.query_one("SELECT clock_timestamp()::text", &[]).await.unwrap().get(0);
        let selection = self.shop.all(Table::CustomerGroup);
        self.stranger().retrieve_customer_group("cgrp_nope", &selection).await.unwrap();
        let find = format!("SELECT count(*) FROM pg_stat_activity WHERE {READS} AND query_start > '{now}'");
        client.query_one(&find, &[]).await.unwrap().get::<_, i64>(0) > 0
    }

    async fn pause(&self) -> Client {
        let client = self.standby.connect().await;
        client.batch_execute("SELECT pg_wal_replay_pause()").await.unwrap();
        client
    }

    async fn eventually(&self, what: &str, condition: impl AsyncFn() -> bool) {
        let started = Instant::now();
        while !condition().await {
            assert!(started.elapsed() < PATIENCE, "it does not come to pass: {what}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn replayed(client: &Client, position: &str) -> bool {
    let find = "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn";
    client.query_one(find, &[&position]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_written_reads_it_at_once_while_a_replica_is_behind() {
    // Nothing is too late here.
    let shop = Replicated::open_with("", |options| options.replica_max_lag = Duration::from_secs(600)).await;
    let (writer, other) = (Caller::default(), Caller::default());
    let (writing, reading) =
        (shop.shop.store.for_caller(writer.clone()), shop.shop.store.for_caller(other.clone()));
    let paused = shop.pause().await;
    let created = json_of(writing.create_customer_group(new_group("A")).await.unwrap()).await;
    let created = id(&created);
    let position = writer.written().unwrap();

    // The same caller sees it, in every way there is to read.
    let plain = shop.shop.all(Table::CustomerGroup);
    let expanded = shop.shop.with(Table::CustomerGroup, &["customers"]);
    for selection in [&plain, &expanded] {
        assert!(writing.retrieve_customer_group(&created, selection).await.unwrap().is_some());
    }
    assert_eq!(shop.groups_of(&writing).await, [&*created]);
    // An answer that shows relations is read back where it was written.
    let changes = CustomerGroupChanges { name: Some(Some("B".to_owned())), metadata: None };
    let shown = reading.update_customer_group(&created, changes, &expanded).await.unwrap().unwrap();
    let shown = json_of(shown).await;
    assert_eq!((&shown["name"], &shown["customers"]), (&json!("B"), &json!([])));

    // Others read from the replica, which does not have it; unless they know how far the database was written.
    let stranger = shop.stranger();
    assert_eq!(shop.groups_of(&stranger).await, Vec::<String>::new());
    assert!(stranger.retrieve_customer_group(&created, &plain).await.unwrap().is_none());
    let told = shop.shop.store.for_caller(Caller::default().having_seen(position));
    assert_eq!(shop.groups_of(&told).await, [&*created]);
    assert_matches!(
        told.for_caller(Caller::default()).retrieve_customer_group(&created, &plain).await,
        Ok(None)
    );

    paused.batch_execute("SELECT pg_wal_replay_resume()").await.unwrap();
    shop.eventually("others see it", async || shop.groups_of(&stranger).await == [&*created]).await;
    assert!(replayed(&paused, &position.to_string()).await);
    // From then on the replica answers the writer as well.
    let paused = shop.pause().await;
    shop.shop.database.execute("DELETE FROM customer_group").await;
    shop.eventually("the replica answers the writer", async || shop.groups_of(&writing).await.len() == 1)
        .await;
    paused.batch_execute("SELECT pg_wal_replay_resume()").await.unwrap();
}

/// Nobody knows whether it was saved, so whoever looks must not be shown what was there before.
#[tokio::test(flavor = "multi_thread")]
async fn who_may_have_written_is_not_answered_by_a_replica_that_is_behind() {
    let shop = Replicated::open_with("", |options| options.replica_max_lag = Duration::from_secs(600)).await;
    shop.shop
        .database
        .execute(
            "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
             CREATE CONSTRAINT TRIGGER lose AFTER INSERT ON customer_group DEFERRABLE INITIALLY DEFERRED
                 FOR EACH ROW WHEN (NEW.name = 'lost') EXECUTE FUNCTION lose()",
        )
        .await;
    let paused = shop.pause().await;
    let (caller, stranger) = (Caller::default(), shop.stranger());
    let writing = shop.shop.store.for_caller(caller.clone());
    let lost = writing.create_customer_group(new_group("lost")).await.unwrap_err();
    assert!(lost.to_string().contains("may be saved or not"), "{lost}");
    shop.shop.database.execute("INSERT INTO customer_group (id, name) VALUES ('cgrp_a', 'A')").await;
    assert_eq!(shop.groups_of(&writing).await, ["cgrp_a"]);
    assert_eq!(shop.groups_of(&stranger).await, Vec::<String>::new());
    shop.eventually("its position is known", async || caller.written().is_some()).await;
    assert_eq!(shop.groups_of(&writing).await, ["cgrp_a"]);
    paused.batch_execute("SELECT pg_wal_replay_resume()").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_is_saved_is_answered_also_if_its_position_is_long_in_coming() {
    const LONG: Duration = Duration::from_secs(300);
    let shop = Replicated::open_with("", |options| {
        options.connections = 1;
        (options.connection_timeout, options.lock_timeout, options.statement_timeout) = (LONG, LONG, LONG);
    })
    .await;
    shop.shop.add_groups(&["cgrp_a", "cgrp_b"]).await;
    let locks = [shop.primary().connect().await, shop.primary().connect().await];
    for (lock, group) in locks.iter().zip(["cgrp_a", "cgrp_b"]) {
        let take = format!("BEGIN; SELECT 1 FROM customer_group WHERE id = '{group}' FOR UPDATE");
        lock.batch_execute(&take).await.unwrap();
    }
    let watch = shop.primary().connect().await;
    let waits = async || {
        let find = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
        watch.query_one(find, &[]).await.unwrap().get::<_, i64>(0) == 1
    };
    let delete = |group: &'static str| {
        let store = shop.stranger();
        tokio::spawn(async move { store.delete_customer_group(group).await })
    };
    let first = delete("cgrp_a");
    shop.eventually("the first waits for its row", &waits).await;
    // The only connection is its as soon as the first has been saved, and for long.
    let second = delete("cgrp_b");
    tokio::time::sleep(Duration::from_millis(200)).await;
    locks[0].batch_execute("COMMIT").await.unwrap();
    assert!(tokio::time::timeout(PATIENCE, first).await.expect("it is saved").unwrap().unwrap());
    assert!(waits().await && !second.is_finished());
    locks[1].batch_execute("COMMIT").await.unwrap();
    assert!(second.await.unwrap().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_is_told_from_a_database_whose_tables_change() {
    let shop = Replicated::open().await;
    for migrate in [true, false] {
        let options = StoreOptions { migrate, ..StoreOptions::default() };
        let error = Store::open(&shop.standby.url("postgres"), options).await.unwrap_err();
        assert_matches!(error, StoreError::Unavailable { .. });
        assert!(error.to_string().contains("is a standby"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_in_is_never_read_from_a_replica() {
    let shop = Replicated::open_with("", |options| options.replica_max_lag = Duration::from_secs(600)).await;
    let paused = shop.pause().await;
    let user = NewUser {
        email: "ada@shop.example".to_owned(),
        password_hash: Some("container".to_owned()),
        role: Role::Admin,
        token_hash: Some("hash".to_owned()),
    };
    let id = shop.shop.store.create_user(user).await.unwrap();
    let end = crate::shop::time("2030-01-01T00:00:00Z");
    shop.shop.store.create_session("session".to_owned(), &id, end).await.unwrap();
    let stranger = shop.stranger();
    assert!(stranger.user_exists(&id).await.unwrap());
    assert!(stranger.user_by_email("ada@shop.example").await.unwrap().is_some());
    assert!(stranger.retrieve_user(&id).await.unwrap().is_some());
    assert_eq!(stranger.user_by_token("", "hash").await.unwrap().as_ref(), Some(&id));
    assert_eq!(stranger.session_user("session").await.unwrap().as_ref(), Some(&id));
    assert_eq!(stranger.list_users().await.unwrap().len(), 1);
    shop.shop.store.delete_session("session").await.unwrap();
    assert_eq!(stranger.session_user("session").await.unwrap(), None);
    paused.batch_execute("SELECT pg_wal_replay_resume()").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_replica_is_left_out_until_it_has_caught_up() {
    let shop = Replicated::open_with("", |options| options.replica_max_lag = Duration::from_secs(1)).await;
    // One that has replayed all is not late, however long nothing is written.
    tokio::time::sleep(Duration::from_secs(3)).await;
    shop.eventually("an idle replica answers", async || shop.standby_answers().await).await;

    let paused = shop.pause().await;
    shop.shop.database.execute("INSERT INTO customer_group (id, name) VALUES ('cgrp_a', 'A')").await;
    let stranger = shop.stranger();
    shop.eventually("it is seen", async || shop.groups_of(&stranger).await == ["cgrp_a"]).await;
    for _ in 0..20 {
        assert_eq!(shop.groups_of(&stranger).await, ["cgrp_a"]);
        assert!(!shop.standby_answers().await, "a late replica answers");
    }
    paused.batch_execute("SELECT pg_wal_replay_resume()").await.unwrap();
    shop.eventually("it answers again", async || shop.standby_answers().await).await;
    assert_eq!(shop.groups_of(&stranger).await, ["cgrp_a"]);
}

/// Callers of all kinds, who are never to see an error, nor less than they have written.
struct Callers {
    stopping: Arc<AtomicBool>,
    reads: Arc<AtomicUsize>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Callers {
    fn start(shop: &Shop) -> Self {
        let stopping = Arc::new(AtomicBool::new(false));
        let reads = Arc::new(AtomicUsize::new(0));
        let spawn = |number: usize| {
            let (stopping, reads) = (Arc::clone(&stopping), Arc::clone(&reads));
            let store = shop.store.for_caller(Caller::default());
            let (list, plain) = (shop.group_list(), shop.all(Table::CustomerGroup));
            let expanded = shop.with(Table::CustomerGroup, &["customers"]);
            tokio::spawn(async move {
                for round in 0_usize.. {
                    if stopping.load(Ordering::Relaxed) {
                        break;
                    }
                    let mut list = list.clone();
                    if round % 2 == 0 {
                        list.selection = expanded.clone();
                    }
                    let page = store.list_customer_groups(list).await.unwrap();
                    read(page.rows).await.unwrap();
                    retrieve(&store, "cgrp_a", if round % 3 == 0 { &expanded } else { &plain }).await;
                    if number == 0 {
                        let name = round.to_string();
                        let created = store.create_customer_group(new_group(&name)).await.unwrap();
                        let created = id(&json_of(created).await);
                        retrieve(&store, &created, &plain).await;
                        assert!(store.delete_customer_group(&created).await.unwrap());
                        let gone = store.retrieve_customer_group(&created, &plain).await.unwrap();
                        assert!(gone.is_none());
                    }
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            })
        };
        let tasks = (0..4).map(spawn).collect();
        Self { stopping, reads, tasks }
    }

    /// Waits until each of them has read some more.
    async fn go_on(&self) {
        let before = self.reads.load(Ordering::Relaxed);
        let started = Instant::now();
        while self.reads.load(Ordering::Relaxed) < before + 40 {
            assert!(started.elapsed() < PATIENCE, "nothing is read any more");
            assert!(self.tasks.iter().all(|task| !task.is_finished()), "a caller has seen an error");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn stop(self) {
        self.stopping.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.unwrap();
        }
    }
}

async fn retrieve(store: &Store, id: &str, selection: &Selection) {
    let group = store.retrieve_customer_group(id, selection).await.unwrap();
    read(group.unwrap_or_else(|| panic!("{id} is gone"))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_read_fails_while_a_replica_is_stopped_frozen_and_promoted() {
    let shop = Replicated::open().await;
    shop.shop.add_groups(&["cgrp_a"]).await;
    let written = json!([{"id": "cus_1", "email": "ada@shop.example"}]);
    shop.shop.import(Table::Customer, written).await;
    shop.shop.store.add_customers_to_group("cgrp_a", texts(&["cus_1"])).await.unwrap();
    let known = shop.stranger();
    shop.eventually("the group is there", async || shop.groups_of(&known).await.len() == 1).await;
    let answers = async |what: &str| shop.eventually(what, async || shop.standby_answers().await).await;
    answers("the replica answers").await;

    let callers = Callers::start(&shop.shop);
    callers.go_on().await;
    for how in [Shutdown::Fast, Shutdown::Immediate] {
        shop.standby.stop(how).await;
        callers.go_on().await;
        shop.standby.start_again().await;
        answers("it answers after a restart").await;
        callers.go_on().await;
    }

    shop.standby.freeze().await;
    callers.go_on().await;
    shop.standby.thaw().await;
    answers("it answers after a thaw").await;
    callers.go_on().await;

    shop.standby.promote().await;
    callers.go_on().await;
    callers.stop().await;
    shop.eventually("one that was promoted is left out", async || !shop.standby_answers().await).await;
    shop.standby.connect().await.batch_execute("DELETE FROM customer_group").await.unwrap();
    for _ in 0..20 {
        assert_eq!(shop.groups_of(&shop.stranger()).await, ["cgrp_a"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_recovery_breaks_off_is_done_on_the_primary() {
    let shop =
        Replicated::open_with("max_standby_streaming_delay = 0\nhot_standby_feedback = off", |options| {
            options.whole_up_to = usize::MAX;
        })
        .await;
    shop.shop.add_groups(&["cgrp_a"]).await;
    shop.shop.database.make_customers(5_000, 10).await;
    shop.shop.database.make_members("cgrp_a").await;
    let mut list = shop.shop.customer_list();
    list.selection = shop.shop.with(Table::Customer, &["groups"]);
    let standby = shop.standby.connect().await;
    let conflicts = async || {
        let find =
            "SELECT coalesce(sum(confl_snapshot + confl_lock), 0)::bigint FROM pg_stat_database_conflicts";
        standby.query_one(find, &[]).await.unwrap().get::<_, i64>(0)
    };
    let vacuum = tokio::spawn({
        let client = shop.primary().connect().await;
        async move {
            loop {
                let touch = "UPDATE customer SET phone = '1' WHERE id LIKE 'cus_10000%'";
                client.batch_execute(touch).await.unwrap();
                client.batch_execute("VACUUM customer").await.unwrap();
            }
        }
    });
    let started = Instant::now();
    while conflicts().await < 1 {
        assert!(started.elapsed() < PATIENCE, "recovery broke off nothing");
        let reads = (0..2).map(|_| shop.stranger()).map(|store| {
            let list = list.clone();
            async move { store.list_customers(list).await.unwrap() }
        });
        for page in futures::future::join_all(reads).await {
            assert_eq!(ids(page).await.len(), 5_000);
        }
    }
    vacuum.abort();
}

/// What all kinds of reads answer: whole or streamed, with relations and without.
async fn answers(shop: &Shop, store: &Store) -> Vec<String> {
    let mut answers = Vec::new();
    for relations in [&[][..], &["customers"]] {
        let selection = shop.with(Table::CustomerGroup, relations);
        let group = store.retrieve_customer_group("cgrp_a", &selection).await.unwrap().unwrap();
        answers.push(string_of(group).await);
        let list = CustomerGroupList { selection, ..shop.group_list() };
        answers.push(string_of(store.list_customer_groups(list).await.unwrap().rows).await);
    }
    for (relations, limit) in [(&[][..], Some(10)), (&["groups"], Some(10)), (&["groups"], None)] {
        let selection = shop.with(Table::Customer, relations);
        let customer = store.retrieve_customer("cus_1000007", &selection).await.unwrap().unwrap();
        answers.push(string_of(customer).await);
        let filter = CustomerFilter { q: Some("1@shop".to_owned()), ..CustomerFilter::default() };
        let list =
            CustomerList { filter, selection, window: Window { offset: 3, limit }, ..shop.customer_list() };
        let Page { count, rows, .. } = store.list_customers(list).await.unwrap();
        answers.push(format!("{count} {}", string_of(rows).await));
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_are_spread_over_replicas_and_go_on_without_the_primary() {
    let primary = PostgresServer::start("").await;
    let standbys = [primary.standby("").await, primary.standby("").await];
    let shop = Shop::open_with(Database::on_server(primary), |options| {
        options.replicas = standbys.iter().map(|standby| standby.url("postgres").into()).collect();
        options.whole_up_to = 1000;
    })
    .await;
    shop.add_groups(&["cgrp_a"]).await;
    shop.database.make_customers(500, 100).await;
    shop.database.make_members("cgrp_a").await;
    let stranger = shop.store.for_caller(Caller::default());
    let plain = shop.all(Table::CustomerGroup);
    let asked = async || {
        for _ in 0..20 {
            retrieve(&stranger, "cgrp_a", &plain).await;
        }
        let find = format!("SELECT count(*) FROM pg_stat_activity WHERE {READS}");
        let mut asked = 0;
        for standby in &standbys {
            let found = standby.connect().await.query_one(&find, &[]).await.unwrap();
            asked += i64::from(found.get::<_, i64>(0) > 0);
        }
        asked
    };
    let started = Instant::now();
    while asked().await < 2 {
        assert!(started.elapsed() < PATIENCE, "a replica is never asked");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    let of_the_primary = answers(&shop, &shop.store).await;
    let started = Instant::now();
    while answers(&shop, &stranger).await != of_the_primary {
        assert!(started.elapsed() < PATIENCE, "the replicas answer otherwise");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    shop.database.server().stop(Shutdown::Fast).await;
    for _ in 0..20 {
        assert!(answers(&shop, &stranger).await == of_the_primary);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_matches!(shop.store.ping().await, Err(StoreError::Unavailable { .. }));
    assert_matches!(stranger.user_exists("usr_a").await, Err(StoreError::Unavailable { .. }));
    assert_matches!(
        stranger.create_customer_group(new_group("B")).await,
        Err(StoreError::Unavailable { .. })
    );
    shop.database.server().start_again().await;
    let started = Instant::now();
    while stranger.create_customer_group(new_group("B")).await.is_err() {
        assert!(started.elapsed() < PATIENCE, "nothing is written any more");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(stranger.list_customer_groups(shop.group_list()).await.unwrap().count, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_not_there_at_the_start_comes_in_later() {
    let primary = PostgresServer::start("").await;
    let standby = primary.standby("").await;
    standby.stop(Shutdown::Fast).await;
    let shop = Shop::open_with(Database::on_server(primary), |options| {
        options.replicas = vec![standby.url("postgres").into()];
    })
    .await;
    // It does not have the tables yet, and is not asked before it has.
    let replicated = Replicated { shop, standby };
    replicated.shop.add_groups(&["cgrp_a"]).await;
    assert_eq!(replicated.groups_of(&replicated.stranger()).await, ["cgrp_a"]);
    replicated.standby.start_again().await;
    replicated
        .eventually("the replica answers", async || {
            assert_eq!(replicated.groups_of(&replicated.stranger()).await, ["cgrp_a"]);
            replicated.standby_answers().await
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_of_another_database_is_refused() {
    let (primary, other) = tokio::join!(PostgresServer::start(""), PostgresServer::start(""));
    let url = primary.url("postgres");
    let refused = async |database: &str, replica: String| {
        let options = StoreOptions { replicas: vec![replica.into()], ..StoreOptions::default() };
        let error = Store::open(database, options).await.unwrap_err();
        assert_matches!(error, StoreError::Url(_));
        let text = error.to_string();
        assert!(text.contains("replica") && !text.contains("s3cret"), "{text}");
    };
    refused(&url, other.url("postgres")).await;
    refused(&url, primary.url("template1")).await;
    refused(&url, "postgres://ada:s3cret@host:port/shop".to_owned()).await;
    refused(&url, "postgres://ada:s3cret@one,two/shop".to_owned()).await;
    let file = Database::sqlite().await;
    refused(file.url(), url.clone()).await;

    // The database itself is none of its replicas: it answers anyway, as what it is.
    let options = StoreOptions { replicas: vec![url.clone().into()], ..StoreOptions::default() };
    Store::open(&url, options).await.unwrap().close().await;
}

/// A replica that does not know yet that counts are right again may show wrong ones without a doubt.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_has_not_replayed_from_when_counts_are_kept_does_not_count() {
    let shop = Replicated::open_with("", |options| options.replica_max_lag = Duration::from_secs(600)).await;
    let primary = shop.primary().connect().await;
    let standby = shop.standby.connect().await;
    // What a stranger's number of members was counted by last, on this server.
    let is_counted_by = async |client: &Client, how: &str| {
        let mut selection = Selection::id(shop.shop.store.catalog(), Table::CustomerGroup);
        selection.add_column(shop.shop.store.catalog(), "customer_count").unwrap();
        let now: String = client.query_one("SELECT clock_timestamp()::text", &[]).await.unwrap().get(0);
        shop.stranger().retrieve_customer_group("cgrp_nope", &selection).await.unwrap();
        let find = format!(
            "SELECT count(*) FROM pg_stat_activity
             WHERE application_name = 'stheno' AND {how} AND query_start > '{now}'"
        );
        client.query_one(&find, &[]).await.unwrap().get::<_, i64>(0) > 0
    };
    let rows = "query LIKE '%customer_group_customers h%' AND query NOT LIKE '%stheno_count%'";
    let kept = "query LIKE '%stheno_count k%'";
    primary.batch_execute("DROP TRIGGER stheno_groups_added ON customer_group").await.unwrap();
    shop.eventually("rows are counted", async || is_counted_by(&standby, rows).await).await;
    let add = "INSERT INTO customer_group (id, name) VALUES ('cgrp_x', 'X')";
    primary.batch_execute(add).await.unwrap();
    let position = "SELECT pg_current_wal_lsn()::text";
    let position: String = primary.query_one(position, &[]).await.unwrap().get(0);
    shop.eventually("the standby has the group", async || replayed(&standby, &position).await).await;
    let paused = shop.pause().await;

    let schema = Schema::connect(shop.shop.database.url(), StoreOptions::default()).await.unwrap();
    schema.migrate(&|_| {}).await.unwrap();
    schema.close().await;
    // From when the store knows, and so counts by what is kept, the standby must not answer.
    shop.eventually("counts are kept again", async || {
        assert_eq!(shop.groups_of(&shop.stranger()).await, ["cgrp_x"]);
        is_counted_by(&primary, kept).await
    })
    .await;
    assert_eq!(shop.groups_of(&shop.stranger()).await, ["cgrp_x"]);
    paused.batch_execute("SELECT pg_wal_replay_resume()").await.unwrap();
    shop.eventually("the standby answers again", async || shop.standby_answers().await).await;
    assert_eq!(shop.groups_of(&shop.stranger()).await, ["cgrp_x"]);
}
