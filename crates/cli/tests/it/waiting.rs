//! A database server that is away when the shop is to be served.
#![cfg(unix)]

use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use serde_json::json;
use stheno_testkit::postgres::{PostgresDatabase, PostgresServer, Shutdown};

use crate::support::{API_TOKEN, Call, Server, Shop, text_of};

/// A port that nobody listens on.
fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Asks until the answer has this status.
fn wait_for(server: &Server, path: &str, status: u16) {
    let start = Instant::now();
    loop {
        let answer = server.get(path).with_token(API_TOKEN).try_send(None);
        if answer.as_ref().is_ok_and(|answer| answer.status == status) {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{path}: {answer:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_comes_later_is_waited_for() {
    let database = PostgresServer::start("").await;
    database.stop(Shutdown::Fast).await;
    let url = database.url("postgres").replace("postgres@", "postgres:s3cret@");
    let shop = Shop::with_known_credentials().with("DATABASE_URL", url);
    let metrics_address = format!("127.0.0.1:{}", free_port());
    let server = shop.serve_on(free_port(), ["--demo", "--metrics-listen", &metrics_address]);
    let metrics = || Call::new("GET", format!("http://{metrics_address}/metrics")).send();
    wait_for(&server, "/health", 200);
    let answer = metrics();
    assert_eq!((answer.status, answer.retry_after.as_deref()), (503, Some("1")));
    for path in ["/ready", "/admin/customer-groups", "/nowhere"] {
        let answer = server.get(path).send();
        assert_eq!((answer.status, answer.retry_after.as_deref()), (503, Some("1")), "{path}");
        assert_eq!(answer.body["type"], json!("unavailable"), "{path}");
    }

    database.start_again().await;
    wait_for(&server, "/ready", 200);
    let groups = server.get("/admin/customer-groups").with_token(API_TOKEN).send();
    assert_eq!((groups.status, &groups.body["count"]), (200, &json!(20)));
    assert_eq!(metrics().status, 200);
    let log = server.stop();
    assert!(
        log.contains("cannot reach the database") && log.contains("tries=1 again_in_seconds=0."),
        "{log}"
    );
    assert!(log.contains("Connection refused") && log.contains("the database is there"), "{log}");
    assert!(log.contains(&format!("database=127.0.0.1:{}/postgres", database.port())), "{log}");
    assert!(!log.contains("answers again") && !log.contains("s3cret"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_and_comes_back_is_said_once_each() {
    let database = PostgresServer::start("").await;
    let shop = Shop::with_known_credentials().with("DATABASE_URL", database.url("postgres"));
    let server = shop.serve_on(free_port(), []);
    wait_for(&server, "/ready", 200);
    database.stop(Shutdown::Fast).await;
    wait_for(&server, "/ready", 503);
    database.start_again().await;
    wait_for(&server, "/ready", 200);
    wait_for(&server, "/ready", 200);
    let log = server.stop();
    let lines = |text: &str| log.lines().filter(|line| line.contains(text)).count();
    assert_eq!(
        (lines("the request could not be served"), lines("the database answers again")),
        (1, 1),
        "{log}"
    );
}

/// What the start has to do once it is connected may fail for a moment too.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_fails_after_it_was_opened_is_waited_for() {
    let database = PostgresServer::start("").await;
    let shop = Shop::with_known_credentials().with("DATABASE_URL", database.url("postgres"));
    let made = shop.stheno(["migrate"]).output().unwrap();
    assert!(made.status.success(), "{}", text_of(&made));
    let other = database.connect().await;
    other.batch_execute("BEGIN; LOCK TABLE stheno_secret IN EXCLUSIVE MODE").await.unwrap();
    let server = shop.serve_on(free_port(), ["--database-lock-timeout", "200ms"]);
    wait_for(&server, "/ready", 503);
    let watch = database.connect().await;
    let waits =
        "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%stheno_secret%'";
    let start = Instant::now();
    // Until it waits, and then until it does not any more: the first try has failed.
    for is_waiting in [true, false] {
        while watch.query(waits, &[]).await.unwrap().is_empty() == is_waiting {
            assert!(start.elapsed() < Duration::from_secs(60), "it does not come so far");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    other.batch_execute("COMMIT").await.unwrap();
    wait_for(&server, "/ready", 200);
    let log = server.stop();
    assert!(log.contains("cannot reach the database") && log.contains("it took too long"), "{log}");
}

/// Medusa and Stheno are started at once, on a database that Medusa is to make.
#[tokio::test(flavor = "multi_thread")]
async fn a_medusa_that_has_yet_to_make_its_tables_is_waited_for() {
    let database = PostgresDatabase::empty().await;
    let shop = Shop::with_known_credentials()
        .with("DATABASE_URL", database.url())
        .with("STHENO_MEDUSA_URL", "http://127.0.0.1:9")
        .with("JWT_SECRET", "a secret that is long enough for anybody");
    let server = shop.serve_on(free_port(), []);
    for sql in [
        "SELECT 1",
        // As Medusa's migrations begin.
        "CREATE TABLE migrations (id serial PRIMARY KEY, timestamp bigint NOT NULL, name varchar NOT NULL)",
    ] {
        database.execute(sql).await;
        wait_for(&server, "/health", 200);
        std::thread::sleep(Duration::from_secs(1));
        wait_for(&server, "/ready", 503);
    }
    let count = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
    let tables: i64 = database.connect().await.query_one(count, &[]).await.unwrap().get(0);
    assert_eq!(tables, 1, "nothing is made that Medusa makes");
    database.execute(include_str!("../../../store/migrations/postgres/0001_medusa_tables.sql")).await;
    wait_for(&server, "/ready", 200);
    let log = server.stop();
    assert!(log.contains("the Medusa that is expected on the database has not made its tables yet"), "{log}");
    assert_eq!(
        database
            .connect()
            .await
            .query_one("SELECT to_regclass('customer')::text", &[])
            .await
            .unwrap()
            .get::<_, &str>(0),
        "customer"
    );
}

#[test]
fn a_server_that_waits_can_be_stopped() {
    let url = format!("postgres://ada:s3cret@127.0.0.1:{}/shop", free_port());
    let server = Shop::new().with("DATABASE_URL", url).serve_on(free_port(), []);
    wait_for(&server, "/health", 200);
    let log = server.stop();
    assert!(!log.contains("s3cret"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waiting_cannot_mend_ends_the_start() {
    let database = PostgresServer::start("password_encryption = 'scram-sha-256'").await;
    let (client, connection) =
        tokio_postgres::connect(&database.url("postgres"), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("CREATE ROLE ada LOGIN SUPERUSER PASSWORD 's3cret'").await.unwrap();
    std::fs::write(
        database.data().join("pg_hba.conf"),
        "host all ada 127.0.0.1/32 scram-sha-256\nhost all postgres 127.0.0.1/32 trust\n",
    )
    .unwrap();
    database.reload().await;
    let start = Instant::now();
    while tokio_postgres::connect(
        &database.url("postgres").replace("postgres@", "ada:no@"),
        tokio_postgres::NoTls,
    )
    .await
    .is_ok()
    {
        assert!(start.elapsed() < Duration::from_secs(30), "the server still trusts everybody");
    }
    let address = format!("127.0.0.1:{}", database.port());
    let shop = Shop::new();
    std::fs::write(shop.path("password"), "s3cret\n").unwrap();
    for (url, variable, value, word) in [
        ("ada:wrong-s3cret@/postgres", "NOTHING", "", "password authentication failed for user \"ada\""),
        ("ada@/postgres", "NOTHING", "", "DATABASE_PASSWORD"),
        ("ada@/postgres", "DATABASE_PASSWORD_FILE", "nowhere", "nowhere"),
        ("ada@/nowhere", "DATABASE_PASSWORD", "s3cret", "database \"nowhere\" does not exist"),
        ("ada@/nowhere", "DATABASE_PASSWORD_FILE", "password", "database \"nowhere\" does not exist"),
        ("eve:s3cret@/postgres", "NOTHING", "", "eve"),
        ("ada:s3cret@/postgres?sslmode=require", "NOTHING", "", "does not speak TLS"),
        ("ada:s3cret@/postgres?sslmode=s3cret", "NOTHING", "", "verify-full"),
    ] {
        let url = format!("postgres://{}", url.replace("@/", &format!("@{address}/")));
        for arguments in [["serve", "--port", "0"], ["user", "list", "--output=json"]] {
            let output =
                shop.stheno(arguments).env("DATABASE_URL", &url).env(variable, value).output().unwrap();
            let text = text_of(&output);
            assert_eq!(output.status.code(), Some(1), "{url}: {text}");
            assert!(text.contains(word) && text.lines().count() == 1, "{url}: {text}");
            assert!(!text.contains("s3cret"), "{url}: {text}");
        }
    }

    // A command that does its work once does not wait.
    database.stop(Shutdown::Fast).await;
    let url = format!("postgres://ada:s3cret@{address}/postgres");
    let output = shop.stheno(["user", "list"]).env("DATABASE_URL", url).output().unwrap();
    let text = text_of(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("cannot be reached") && text.contains("refused") && !text.contains("s3cret"),
        "{text}"
    );
}
