//! What clients see of a database server that goes away, says nothing, or has no room.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::{Value, json};
use stheno_store::StoreOptions;
use stheno_testkit::postgres::{PostgresServer, Shutdown};
use stheno_testkit::{HttpClient, HttpResponse, TestApp, TestAppOptions};
use tokio::time::sleep;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error, NoTls};

use crate::{header, token};

/// How long anything may take on a busy machine, that is not to hang.
const BOUND: Duration = Duration::from_secs(45);

const GROUPS: &str = "/admin/customer-groups";

/// A server of ours in front of a PostgreSQL that the test has for itself.
struct Shop {
    postgres: PostgresServer,
    app: TestApp,
}

impl Shop {
    async fn start(settings: &str, change: impl FnOnce(&mut StoreOptions)) -> Self {
        let postgres = PostgresServer::start(settings).await;
        let mut options = TestAppOptions::default();
        change(&mut options.store);
        let app = TestApp::with_contract_data_at(&postgres.url("postgres"), options).await;
        Self { postgres, app }
    }

    async fn connect(&self) -> Result<Client, Error> {
        let (client, connection) = tokio_postgres::connect(&self.postgres.url("postgres"), NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    async fn get(&self, path: &str) -> HttpResponse {
        call(&mut self.app.client(), "GET", path, None).await
    }

    /// Asks until all is well again.
    async fn recovers(&self) {
        let started = Instant::now();
        loop {
            let answers = [self.get("/ready").await, self.get(GROUPS).await];
            if answers.iter().all(|answer| answer.status == 200) {
                return;
            }
            assert!(started.elapsed() < BOUND, "{answers:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// The ids of the first group, and of all customers.
    async fn ids(&self) -> (String, Vec<String>) {
        let id = |row: &Value| row["id"].as_str().unwrap().to_owned();
        let groups = self.get(&format!("{GROUPS}?limit=1")).await.json();
        let customers = self.get("/admin/customers?limit=1000").await.json();
        (
            id(&groups["customer_groups"][0]),
            customers["customers"].as_array().unwrap().iter().map(id).collect(),
        )
    }
}

async fn call(client: &mut HttpClient, method: &str, path: &str, body: Option<Value>) -> HttpResponse {
    let headers = [token(), header("content-type", "application/json")];
    let sent = client.send(method, path, &headers, body.map(|body| body.to_string().into_bytes()));
    let answer = tokio::time::timeout(BOUND, sent).await;
    answer.unwrap_or_else(|_| panic!("{method} {path} hangs"))
}

/// That a client is told to come back.
fn is_put_off(answer: &HttpResponse) -> bool {
    answer.status == 503
        && answer.header("retry-after") == Some("1")
        && answer.json()["type"] == "unavailable"
}

/// Whoever goes on writing and reading, whatever happens.
struct Load {
    address: SocketAddr,
    ends: AtomicBool,
    served: AtomicUsize,
    put_off: AtomicUsize,
}

impl Load {
    /// The names of the groups that were asked for, and of those that were acknowledged.
    async fn write(self: Arc<Self>, writer: usize) -> (BTreeSet<String>, BTreeSet<String>) {
        let mut client = HttpClient::new(self.address);
        let (mut asked, mut acknowledged) = (BTreeSet::new(), BTreeSet::new());
        for number in 0.. {
            if self.ends.load(Ordering::Relaxed) {
                break;
            }
            let name = format!("writer {writer} group {number}");
            asked.insert(name.clone());
            let created = call(&mut client, "POST", GROUPS, Some(json!({ "name": name }))).await;
            if self.note(&created).await {
                acknowledged.insert(name);
                let path = format!("{GROUPS}/{}", created.json()["customer_group"]["id"].as_str().unwrap());
                let changed = call(&mut client, "POST", &path, Some(json!({ "metadata": { "a": 1 } }))).await;
                self.note(&changed).await;
            }
            for query in ["?limit=5", "?limit=5&expand=customers"] {
                let listed = call(&mut client, "GET", &format!("{GROUPS}{query}"), None).await;
                self.note(&listed).await;
            }
        }
        (asked, acknowledged)
    }

    async fn note(&self, answer: &HttpResponse) -> bool {
        if answer.status == 200 {
            self.served.fetch_add(1, Ordering::Relaxed);
            return true;
        }
        assert!(is_put_off(answer), "{} {}", answer.status, answer.text());
        self.put_off.fetch_add(1, Ordering::Relaxed);
        sleep(Duration::from_millis(20)).await;
        false
    }

    /// Waits until so many more have been counted.
    async fn reaches(&self, counter: &AtomicUsize, more: usize) {
        let (before, started) = (counter.load(Ordering::Relaxed), Instant::now());
        while counter.load(Ordering::Relaxed) < before + more {
            assert!(started.elapsed() < BOUND, "nothing goes on");
            sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn restarts_under_load_lose_nothing_that_was_acknowledged() {
    let shop = Shop::start("", |_| {}).await;
    let load = Arc::new(Load {
        address: shop.app.address,
        ends: AtomicBool::new(false),
        served: AtomicUsize::new(0),
        put_off: AtomicUsize::new(0),
    });
    let writers: Vec<_> = (0..8).map(|writer| tokio::spawn(Arc::clone(&load).write(writer))).collect();
    for how in [Shutdown::Fast, Shutdown::Immediate] {
        load.reaches(&load.served, 100).await;
        shop.postgres.stop(how).await;
        load.reaches(&load.put_off, 20).await;
        assert!(is_put_off(&shop.get("/ready").await));
        assert_eq!(shop.get("/health").await.status, 200);
        shop.postgres.start_again().await;
        load.reaches(&load.served, 100).await;
    }
    load.ends.store(true, Ordering::Relaxed);
    let outcomes = join_all(writers).await;

    let found = shop.get(&format!("{GROUPS}?limit=0&q=writer")).await.json();
    let found: BTreeSet<&str> = found["customer_groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["name"].as_str().unwrap())
        .collect();
    let mut all = BTreeSet::new();
    for outcome in outcomes {
        let (asked, acknowledged) = outcome.unwrap();
        assert!(acknowledged.len() > 10, "{} writes were acknowledged", acknowledged.len());
        let lost: Vec<_> = acknowledged.iter().filter(|name| !found.contains(name.as_str())).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        all.extend(asked);
    }
    assert!(found.iter().all(|name| all.contains(*name)), "there are groups that nobody asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_server_is_waited_for_so_long_and_no_longer() {
    let shop = Shop::start("", |options| {
        options.connections = 4;
        options.connection_timeout = Duration::from_secs(1);
        options.statement_timeout = Duration::from_secs(1);
    })
    .await;
    let (group, customers) = shop.ids().await;
    let tasks = tokio::runtime::Handle::current().metrics();
    let before = tasks.num_alive_tasks();

    shop.postgres.freeze().await;
    for _ in 0..2 {
        let calls = (0..40).map(|number| {
            let mut client = shop.app.client();
            let (group, customers) = (&group, &customers);
            async move {
                let path = format!("{GROUPS}/{group}");
                match number % 4 {
                    0 => call(&mut client, "GET", &format!("{path}?expand=customers"), None).await,
                    1 => call(&mut client, "GET", "/admin/customers?limit=5", None).await,
                    2 => {
                        call(&mut client, "POST", &path, Some(json!({ "metadata": { "frozen": number } })))
                            .await
                    }
                    _ => {
                        let body = json!({ "customer_ids": [{ "id": customers[0] }] });
                        call(&mut client, "POST", &format!("{path}/customers/batch"), Some(body)).await
                    }
                }
            }
        });
        for answer in join_all(calls).await {
            assert!(is_put_off(&answer), "{} {}", answer.status, answer.text());
        }
        assert!(is_put_off(&shop.get("/ready").await));
    }

    shop.postgres.thaw().await;
    shop.recovers().await;
    // Nothing of ours is left, neither here nor there.
    let left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'stheno'";
    let started = Instant::now();
    loop {
        let there: i64 = shop.connect().await.unwrap().query_one(left, &[]).await.unwrap().get(0);
        let here = tasks.num_alive_tasks();
        if there <= 4 && here <= before + 20 {
            break;
        }
        assert!(started.elapsed() < BOUND, "{there} connections, {here} tasks, {before} before");
        sleep(Duration::from_millis(100)).await;
    }
    let metadata = shop.get(&format!("{GROUPS}/{group}")).await.json()["customer_group"]["metadata"].clone();
    assert_eq!(metadata["frozen"], Value::Null, "{metadata}");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_others_have_taken_are_done_without() {
    let settings = "max_connections = 12\nsuperuser_reserved_connections = 0";
    let shop = Shop::start(settings, |options| options.connections = 8).await;
    shop.recovers().await;
    let mut others = Vec::new();
    let take_all = async |others: &mut Vec<Client>| loop {
        match shop.connect().await {
            Ok(client) => others.push(client),
            Err(error) => {
                assert_eq!(error.code(), Some(&SqlState::TOO_MANY_CONNECTIONS), "{error}");
                return;
            }
        }
    };
    take_all(&mut others).await;
    let calls = (0..30).map(|number| {
        let mut client = shop.app.client();
        async move {
            let body = json!({ "name": format!("narrow {number}") });
            let created = call(&mut client, "POST", GROUPS, Some(body)).await;
            let listed = call(&mut client, "GET", &format!("{GROUPS}?expand=customers"), None).await;
            (created.status, listed.status)
        }
    });
    for statuses in join_all(calls).await {
        assert_eq!(statuses, (http::StatusCode::OK, http::StatusCode::OK));
    }

    // Now none is to be had.
    let ours =
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'stheno'";
    let started = Instant::now();
    loop {
        let ended: i64 = others[0].query_one(ours, &[]).await.unwrap().get(0);
        // One that has ended makes room a moment later.
        sleep(Duration::from_millis(200)).await;
        let before = others.len();
        take_all(&mut others).await;
        if ended == 0 && others.len() == before {
            break;
        }
        assert!(started.elapsed() < BOUND, "our connections do not end");
    }
    for path in ["/ready", GROUPS] {
        let answer = shop.get(path).await;
        assert!(is_put_off(&answer), "{path}: {} {}", answer.status, answer.text());
    }
    drop(others);
    shop.recovers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_somebody_holds_is_waited_for_so_long_and_no_longer() {
    let shop = Shop::start("", |options| options.lock_timeout = Duration::from_millis(300)).await;
    let (group, customers) = shop.ids().await;
    let path = format!("{GROUPS}/{group}");
    let rename = || Some(json!({ "metadata": { "note": "changed" } }));
    let batch = || Some(json!({ "customer_ids": [{ "id": customers[0] }] }));
    let other = shop.connect().await.unwrap();
    let mut client = shop.app.client();

    let row = format!("BEGIN; SELECT 1 FROM customer_group WHERE id = '{group}' FOR UPDATE");
    other.batch_execute(&row).await.unwrap();
    for (method, path, body) in [
        ("POST", path.clone(), rename()),
        ("POST", format!("{path}/customers/batch"), batch()),
        ("DELETE", format!("{path}/customers/batch"), batch()),
        ("DELETE", path.clone(), None),
    ] {
        let answer = call(&mut client, method, &path, body).await;
        assert!(is_put_off(&answer), "{method} {path}: {} {}", answer.status, answer.text());
    }
    assert_eq!(shop.get(&path).await.status, 200, "a read waits for nobody's row");
    other.batch_execute("ROLLBACK").await.unwrap();

    other.batch_execute("BEGIN; LOCK TABLE customer_group IN ACCESS EXCLUSIVE MODE").await.unwrap();
    for path in [&path, GROUPS] {
        assert!(is_put_off(&shop.get(path).await), "{path}");
    }
    other.batch_execute("ROLLBACK").await.unwrap();
    let changed = call(&mut client, "POST", &path, rename()).await;
    assert_eq!(
        (changed.status.as_u16(), &changed.json()["customer_group"]["metadata"]["note"]),
        (200, &json!("changed"))
    );
}

/// A probe does not wait as long as a request that has work to do.
#[tokio::test(flavor = "multi_thread")]
async fn a_probe_of_a_frozen_server_is_answered_soon() {
    let shop = Shop::start("", |options| options.statement_timeout = Duration::from_secs(300)).await;
    shop.recovers().await;
    shop.postgres.freeze().await;
    assert!(is_put_off(&shop.get("/ready").await));
    shop.postgres.thaw().await;
    shop.recovers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_has_become_a_standby_is_not_ready() {
    let shop = Shop::start("", |_| {}).await;
    shop.recovers().await;
    shop.postgres.stop(Shutdown::Fast).await;
    shop.postgres.write_file("data/standby.signal", "");
    shop.postgres.start_again().await;
    let started = Instant::now();
    while shop.get(GROUPS).await.status != 200 {
        assert!(started.elapsed() < BOUND, "nothing can be read");
        sleep(Duration::from_millis(50)).await;
    }
    assert!(is_put_off(&shop.get("/ready").await));
    let write = async || {
        let body = json!({ "name": "written to a standby" });
        call(&mut shop.app.client(), "POST", GROUPS, Some(body)).await
    };
    let refused = write().await;
    assert!(is_put_off(&refused) && !refused.text().contains("being changed"), "{}", refused.text());
    shop.postgres.promote().await;
    shop.recovers().await;
    assert_eq!(write().await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_may_not_grow_is_told_and_what_was_refused_goes_well_later() {
    let shop = Shop::start("", |_| {}).await;
    shop.recovers().await;
    let mut noise = 1_u64;
    let mut write = async |number: usize| {
        let text: String = (0..40_000)
            .map(|_| {
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                format!("{noise:016x}")
            })
            .collect();
        let body = json!({ "name": format!("large {number}"), "metadata": { "text": text } });
        call(&mut shop.app.client(), "POST", GROUPS, Some(body)).await
    };
    shop.postgres.limit_files(Some(20 << 20)).await;
    let mut number = 0;
    let refused = loop {
        let answer = write(number).await;
        if answer.status != 200 {
            break answer;
        }
        number += 1;
        assert!(number < 200, "nothing fills up");
    };
    assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (507, &json!("store_full")));
    assert_eq!(shop.get(&format!("{GROUPS}?q=large&limit=1")).await.json()["count"], json!(number));
    shop.postgres.limit_files(None).await;
    assert_eq!(write(number).await.status, 200);
}

/// Simulated, by an error as PostgreSQL raises it: a disk that is really full would be another test's too.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_nothing_is_half_done() {
    let shop = Shop::start("", |_| {}).await;
    let (group, customers) = shop.ids().await;
    let path = format!("{GROUPS}/{group}/customers");
    let members = async || shop.get(&format!("{path}?limit=1000")).await.json()["count"].clone();
    let other = shop.connect().await.unwrap();
    let last = customers.iter().max().unwrap();
    other
        .batch_execute(&format!(
            "DELETE FROM customer_group_customers;
             CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 IF NEW.customer_id = '{last}' THEN
                     RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
                 END IF;
                 RETURN NEW;
             END $$;
             CREATE TRIGGER full_disk BEFORE INSERT ON customer_group_customers
                 FOR EACH ROW EXECUTE FUNCTION full_disk()"
        ))
        .await
        .unwrap();
    let ids: Vec<Value> = customers.iter().map(|id| json!({ "id": id })).collect();
    let batch = || Some(json!({ "customer_ids": ids }));
    let mut client = shop.app.client();
    let refused = call(&mut client, "POST", &format!("{path}/batch"), batch()).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (507, &json!("store_full")));
    assert_eq!(members().await, json!(0));
    other.batch_execute("DROP TRIGGER full_disk ON customer_group_customers").await.unwrap();
    let added = call(&mut client, "POST", &format!("{path}/batch"), batch()).await;
    assert_eq!(added.status, 200, "{}", added.text());
    assert_eq!(members().await, json!(customers.len()));
}
