//! `stheno copy`, as a user sees it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use insta_cmd::assert_cmd_snapshot;
use serde_json::Value;
use stheno_testkit::postgres::PostgresDatabase;

use crate::support::{Shop, text_of};

/// Log lines without their times.
macro_rules! without_times {
    ($test:block) => {
        insta::with_settings!({ filters => vec![(r"(?m)^\d{4}-\d\d-\d\dT[\d:.]+Z", "[time]")] }, $test)
    };
}

const TIME: &str = "'2024-11-03T08:00:00.000538Z'";

/// A folder with a database in `stheno.db` that has a few customers and a group.
fn small_shop() -> Shop {
    let shop = Shop::with_database();
    fill(&shop, 3);
    shop
}

/// Makes so many customers, all of them members of a group.
fn fill(shop: &Shop, customers: u32) {
    shop.database()
        .execute_batch(&format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {customers})
             INSERT INTO customer (id, email, metadata, created_at, updated_at)
             SELECT printf('cus_%06d', i), i || '@shop.example', '{{\"n\":' || i || '}}', {TIME}, {TIME} FROM n;
             INSERT INTO customer_group (id, name, created_at, updated_at) VALUES ('cgrp_1', 'VIP', {TIME}, {TIME});
             INSERT INTO customer_group_customers (customer_group_id, customer_id) SELECT 'cgrp_1', id FROM customer;"
        ))
        .unwrap();
}

fn copy(shop: &Shop, to: &str) -> Command {
    shop.stheno(["copy", "--from", "sqlite:stheno.db", "--to", to])
}

/// The rows of one file that the other does not have as they are.
fn differences(shop: &Shop, other: &str) -> i64 {
    let database = shop.database();
    database.execute("ATTACH ?1 AS other", [shop.path(other).to_str().unwrap()]).unwrap();
    let tables = ["customer", "customer_group", "customer_group_customers"];
    let one_way = |table: &str, one: &str, two: &str| {
        let sql =
            format!("SELECT count(*) FROM (SELECT * FROM {one}.{table} EXCEPT SELECT * FROM {two}.{table})");
        database.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    tables.iter().map(|table| one_way(table, "main", "other") + one_way(table, "other", "main")).sum()
}

#[test]
fn what_was_copied_is_shown() {
    let shop = small_shop();
    without_times!({
        assert_cmd_snapshot!("in_words", copy(&shop, "sqlite:new.db"));
    });
    assert_eq!(differences(&shop, "new.db"), 0);
    let shop = shop.with("STHENO_COPY_FROM", "sqlite:stheno.db").with("STHENO_COPY_TO", "sqlite:new.db");
    let json: Value = serde_json::from_str(&shop.run(["copy", "--merge", "--output", "json"])).unwrap();
    insta::assert_json_snapshot!("as_json", json);
}

#[test]
fn what_cannot_be_copied_is_listed() {
    let shop = small_shop();
    shop.run(["copy", "--from", "sqlite:stheno.db", "--to", "sqlite:new.db"]);
    let new = rusqlite::Connection::open(shop.path("new.db")).unwrap();
    new.execute_batch(
        "UPDATE customer SET phone = '1' WHERE id = 'cus_000002'; PRAGMA foreign_keys = OFF; UPDATE customer_group SET id = 'cgrp_2'; DELETE FROM customer_group_customers",
    )
    .unwrap();
    drop(new);
    without_times!({
        assert_cmd_snapshot!("conflicts", copy(&shop, "sqlite:new.db").arg("--merge"));
        assert_cmd_snapshot!(
            "conflicts_left_out",
            copy(&shop, "sqlite:new.db").args(["--merge", "--skip-conflicts"])
        );
    });
    let output = copy(&shop, "sqlite:new.db").args(["--merge", "--output", "json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["done"], false);
    insta::assert_json_snapshot!("conflicts_as_json", json["conflicts"]);
}

/// One line each, which says what to do.
#[test]
fn what_is_refused() {
    let shop = small_shop();
    let mut said = String::new();
    let mut refuse = |command: &mut Command| {
        let output = command.output().unwrap();
        assert!(!output.status.success() && output.stdout.is_empty(), "{}", text_of(&output));
        let words: Vec<_> = command.get_args().map(|word| word.to_str().unwrap()).collect();
        said.push_str(&format!("$ stheno {}\n{}", words.join(" "), String::from_utf8_lossy(&output.stderr)));
    };
    refuse(&mut shop.stheno(["copy", "--to", "sqlite:new.db"]));
    refuse(&mut copy(&shop, "sqlite:./stheno.db"));
    refuse(&mut shop.stheno(["copy", "--from", "sqlite:nowhere.db", "--to", "sqlite:new.db"]));
    refuse(&mut copy(&shop, "sqlite:no folder/new.db"));
    shop.run(["copy", "--from", "sqlite:stheno.db", "--to", "sqlite:new.db"]);
    refuse(&mut copy(&shop, "sqlite:new.db"));
    shop.database()
        .execute_batch("ALTER TABLE customer ADD COLUMN tier TEXT; UPDATE customer SET tier = 'gold'")
        .unwrap();
    refuse(&mut copy(&shop, "sqlite:another.db"));
    insta::assert_snapshot!(said);
}

#[test]
fn a_password_is_never_shown() {
    let url = "postgres://ada:s3cret@127.0.0.1:9/shop";
    let shop = small_shop().with("STHENO_COPY_TO", url).with("STHENO_COPY_FROM", "sqlite:stheno.db");
    let unreachable = shop.stheno(["copy"]).output().unwrap();
    assert!(!unreachable.status.success());
    let unreadable = shop.stheno(["copy", "--to", "postgres://ada:s3cret@host:port/shop"]).output().unwrap();
    assert!(!unreadable.status.success());
    let help = shop.stheno(["copy", "--help"]).output().unwrap();
    for output in [unreachable, unreadable, help] {
        let text = text_of(&output);
        assert!(!text.contains("s3cret") && !text.is_empty(), "{text}");
    }
}

/// `kill -9` in the middle, again and again: run once more, the copy goes on, and ends as the source.
#[test]
fn a_copy_that_is_killed_goes_on() {
    let shop = Shop::with_database();
    fill(&shop, 6_000);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(PostgresDatabase::empty());
    for (from, to) in [("sqlite:stheno.db", server.url()), (server.url(), "sqlite:end.db")] {
        for (name, delay) in [
            ("copying customer ", 30),
            ("comparing customer ", 0),
            ("copying customer ", 200),
            ("copying customer_group_customers ", 50),
            ("checking customer ", 0),
        ] {
            kill_at(&shop, from, to, name, Duration::from_millis(delay));
        }
        let refused = shop.stheno(["serve", "--database", to, "--port", "0"]).output().unwrap();
        assert!(text_of(&refused).contains("run the same `stheno copy` again"), "{}", text_of(&refused));
        let json = shop.run(["copy", "--from", from, "--to", to, "--output", "json"]);
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&json["continued"], &json["done"]), (&true.into(), &true.into()));
    }
    assert_eq!(differences(&shop, "end.db"), 0);
}

/// Kills a copy a while after its log has a line with a text.
fn kill_at(shop: &Shop, from: &str, to: &str, text: &str, delay: Duration) {
    let mut command = shop.stheno(["copy", "--from", from, "--to", to]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains(text) {
        line.clear();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "{text:?} did not come");
    }
    std::thread::sleep(delay);
    child.kill().unwrap();
    let status = child.wait().unwrap();
    let mut rest = String::new();
    log.read_to_string(&mut rest).unwrap();
    assert_eq!(status.code(), None, "the copy had ended already: {rest}");
}
