//! `stheno migrate` as a person at a terminal sees it, and what a server without it does.

use std::process::Command;

use insta_cmd::assert_cmd_snapshot;
use stheno_testkit::postgres::PostgresDatabase;
use tokio::runtime::Runtime;

use crate::support::{Shop, text_of};

const MEDUSAS_TABLES: &str = include_str!("../../../store/migrations/postgres/0001_medusa_tables.sql");

/// A throw-away database, and a folder to run the program in.
struct Server {
    runtime: Runtime,
    database: PostgresDatabase,
    shop: Shop,
}

impl Server {
    fn empty() -> Self {
        let runtime = Runtime::new().unwrap();
        let database = runtime.block_on(PostgresDatabase::empty());
        let shop = Shop::new().with("DATABASE_URL", database.url());
        Self { runtime, database, shop }
    }

    /// With the tables of a Medusa v1.
    fn medusa() -> Self {
        let server = Self::empty();
        server.execute(MEDUSAS_TABLES);
        server.execute("CREATE TABLE migrations (id serial PRIMARY KEY, timestamp bigint, name varchar)");
        server
    }

    fn execute(&self, sql: &str) {
        self.runtime.block_on(self.database.execute(sql));
    }

    fn migrate<const N: usize>(&self, flags: [&str; N]) -> Command {
        let mut command = self.shop.stheno(["migrate"]);
        command.args(flags);
        command
    }

    /// Runs a command, and shows what it wrote and how it ended, without the names that are others each time.
    fn show<const N: usize>(&self, flags: [&str; N]) -> String {
        let output = self.migrate(flags).output().unwrap();
        let text = text_of(&output).replace(&self.database.user(), "[user]");
        format!("$ stheno migrate {}\n{text}exit code {}\n\n", flags.join(" "), output.status.code().unwrap())
    }
}

#[test]
fn on_an_empty_database() {
    let server = Server::empty();
    assert_cmd_snapshot!(server.migrate(["--dry-run"]));
    assert_cmd_snapshot!(server.migrate([]));
    assert_cmd_snapshot!(server.migrate([]));
}

#[test]
fn on_a_medusas_database() {
    let server = Server::medusa();
    let mut shown = server.show(["--dry-run"]);
    shown += &server.show(["--verify"]);
    shown += &server.show([]);
    shown += &server.show(["--verify"]);
    server.execute(
        "DROP INDEX stheno_customer_created_at; DROP TABLE stheno_secret;
         UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'stheno_user_api_token'::regclass",
    );
    shown += &server.show(["--verify"]);
    shown += &server.show(["--repair"]);
    shown += &server.show(["--remove"]);
    shown += &server.show(["--remove", "--yes"]);
    shown += &server.show(["--remove", "--yes"]);
    insta::with_settings!({ filters => vec![("test_[0-9a-f]+\\S*", "[database]")] }, {
        insta::assert_snapshot!(shown);
    });
}

#[test]
fn on_a_database_of_ones_own_what_is_removed_is_made_again() {
    let server = Server::empty();
    server.show([]);
    server.execute("INSERT INTO customer_group (id, name) VALUES ('cgrp_a', 'A')");
    let removed = server.show(["--remove", "--yes"]);
    assert!(removed.contains("are still there, in Medusa's tables"), "{removed}");
    insta::assert_snapshot!(server.show([]));
}

#[test]
fn as_a_user_who_may_not() {
    let server = Server::medusa();
    let grants = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user}";
    let url = server.runtime.block_on(server.database.url_for_user(grants));
    let Server { runtime, database, shop } = server;
    let server = Server { runtime, shop: shop.with("DATABASE_URL", url), database };
    let mut shown = server.show(["--dry-run"]);
    shown += &server.show([]);
    for arguments in [&["user", "token", "--email", "a@b.co"][..], &["serve", "--port", "0"]] {
        server.execute("INSERT INTO \"user\" (id, email) VALUES ('usr_1', 'a@b.co') ON CONFLICT DO NOTHING");
        let output = server.shop.stheno([]).args(arguments).output().unwrap();
        let text = text_of(&output).replace(&server.database.user(), "[user]");
        // The log is another test's.
        let error = text.lines().filter(|line| line.starts_with("error")).collect::<String>();
        shown += &format!("$ stheno {}\n{error}\n\n", arguments.join(" "));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn a_server_of_few_rights_serves_and_says_what_it_goes_without() {
    let server = Server::medusa();
    server.execute("INSERT INTO \"user\" (id, email, api_token, password_hash) VALUES ('usr_1', 'a@b.co', 'a-plain-token', NULL)");
    let grants = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user}";
    let url = server.runtime.block_on(server.database.url_for_user(grants));
    let secret = "a secret that is long enough for anybody";
    let shop = Shop::new().with("DATABASE_URL", url).with("JWT_SECRET", secret).with("COOKIE_SECRET", secret);
    let process = shop.serve(["--cookie-secure", "never"]);
    let created = process.post("/admin/customer-groups").with_token("a-plain-token");
    assert_eq!(created.send_json(serde_json::json!({ "name": "A" })).status, 200);
    assert_eq!(process.get("/ready").send().status, 200);
    // A password as `stheno user password` makes it.
    let password =
        shop.stheno(["user", "password", "--email", "a@b.co", "--generate-password"]).output().unwrap();
    let password = String::from_utf8(password.stdout).unwrap();
    let login = serde_json::json!({ "email": "a@b.co", "password": password.trim() });
    let refused = process.post("/admin/auth").send_json(login.clone());
    assert_eq!(refused.status, 501, "{refused:?}");
    let message = refused.body["message"].as_str().unwrap();
    assert!(message.contains("no table for sessions") && message.contains("bearer token"), "{message}");
    let token = process.post("/admin/auth/token").send_json(login);
    let bearer = format!("Bearer {}", token.body["access_token"].as_str().unwrap());
    assert_eq!(process.get("/admin/auth").with("authorization", bearer).send().status, 200);
    let log = process.stop();
    assert!(log.contains("Stheno works without tables of its own"), "{log}");
    assert!(log.contains("stheno_customer_created_at"), "{log}");
}

#[test]
fn many_processes_at_once_make_each_thing_once() {
    let server = Server::medusa();
    let start = |arguments: &[&str]| {
        let mut command = server.shop.stheno([]);
        command.args(arguments).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        command.spawn().unwrap()
    };
    // Users are managed while servers and others migrate.
    let others: Vec<_> = (0..4).map(|_| start(&["user", "list"])).collect();
    let migrations: Vec<_> = (0..8).map(|_| start(&["migrate"])).collect();
    let mut made = Vec::new();
    for process in migrations {
        let output = process.wait_with_output().unwrap();
        let text = text_of(&output);
        assert!(output.status.success(), "{text}");
        made.extend(text.lines().filter(|line| line.starts_with("made ")).map(str::to_owned));
    }
    for process in others {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", text_of(&output));
    }
    let count = made.len();
    made.sort();
    made.dedup();
    assert_eq!(made.len(), count, "something was made twice");
    assert!(server.show(["--verify"]).contains("Everything is as Stheno makes it"));
}

/// What takes long is made by servers and by `stheno migrate`, and what only reads makes nothing.
#[test]
fn commands_for_users_make_no_more_than_they_need() {
    let server = Server::medusa();
    server.execute("INSERT INTO \"user\" (id, email) VALUES ('usr_1', 'a@b.co')");
    let missing = || server.show(["--verify"]).matches("missing: ").count();
    let all = missing();
    for command in [&["user", "list"][..], &["user", "tokens", "--email", "a@b.co"]] {
        let output = server.shop.stheno([]).args(command).output().unwrap();
        assert!(output.status.success(), "{}", text_of(&output));
        assert_eq!(missing(), all, "{command:?}");
    }
    server.shop.run(["user", "token", "--email", "a@b.co"]);
    let shown = server.show(["--verify"]);
    assert!(
        !shown.contains("missing: table") && shown.contains("missing: index stheno_user_api_token"),
        "{shown}"
    );
    server.show([]);
    assert!(server.shop.run(["user", "list"]).contains("member  1"));
}

#[test]
fn a_server_may_be_told_not_to_migrate() {
    let server = Server::medusa();
    let refused = |flags: &[&str]| {
        let mut command = server.shop.stheno(["serve", "--port", "0"]);
        let output = command.args(flags).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        text_of(&output)
    };
    let text = refused(&["--no-migrate"]);
    assert!(text.contains("not up to date") && text.contains("`stheno migrate --database"), "{text}");
    assert_eq!(server.show(["--verify"]).matches("missing: ").count(), 42);
    server.show([]);
    let user = serde_json::json!({});
    let process = server.shop.serve(["--no-migrate"]);
    assert_eq!(process.post("/admin/auth").send_json(user).status, 400);

    let shop = Shop::new().with("STHENO_NO_MIGRATE", "yes");
    let output = shop.stheno(["serve", "--port", "0"]).output().unwrap();
    assert!(text_of(&output).contains("`stheno migrate` makes it"), "{}", text_of(&output));
    assert!(!shop.path("stheno.db").exists());
    assert!(shop.run(["migrate"]).ends_with("Everything is as Stheno makes it now\n"));
    drop(shop.serve([]));
}

#[test]
fn on_sqlite() {
    let shop = Shop::new();
    assert_cmd_snapshot!(shop.stheno(["migrate", "--dry-run"]));
    assert!(!shop.path("stheno.db").exists(), "it was only asked what would be made");
    shop.run(["migrate"]);
    shop.run(["migrate", "--verify"]);
    shop.database().execute_batch("DROP TABLE stheno_session").unwrap();
    assert_cmd_snapshot!(shop.stheno(["migrate", "--verify"]));
    assert_cmd_snapshot!(shop.stheno(["migrate", "--repair"]));
    assert_cmd_snapshot!(shop.stheno(["migrate", "--remove", "--yes"]));
}

#[test]
fn flags_that_do_not_go_together() {
    let shop = Shop::new();
    assert_cmd_snapshot!(shop.stheno(["migrate", "--verify", "--repair"]));
    assert_cmd_snapshot!(shop.stheno(["migrate", "--yes"]));
}
