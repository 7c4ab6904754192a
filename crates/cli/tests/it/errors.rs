//! What goes wrong before anything is served: one line on standard error that says what to do.

use std::net::TcpListener;
use std::process::Command;

use crate::support::{API_TOKEN, Shop};

/// What is written when things go wrong: each command with its line and its exit code.
#[derive(Default)]
struct Failures(String);

impl Failures {
    /// Runs a command that must fail with nothing but one line on standard error.
    fn add(&mut self, mut command: Command) {
        let output = command.output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.ends_with('\n') && error.lines().count() == 1, "{error}");
        assert_eq!(output.stdout, b"");
        let words =
            command.get_args().map(|argument| shell_words::quote(argument.to_str().unwrap()).into_owned());
        let variables = command.get_envs().filter_map(|(name, value)| {
            Some(format!("{}={}", name.to_str()?, shell_words::quote(value?.to_str()?)))
        });
        let line: Vec<String> = variables.chain(["stheno".to_owned()]).chain(words).collect();
        let code = output.status.code().unwrap();
        self.0.push_str(&format!("$ {}\n{error}exit code {code}\n\n", line.join(" ")));
    }
}

#[test]
fn a_flag_that_is_not_there() {
    let mut failures = Failures::default();
    let shop = Shop::new();
    failures.add(shop.stheno(["serve", "--prot", "80"]));
    failures.add(shop.stheno(["serv"]));
    failures.add(shop.stheno(["user", "create"]));
    failures.add(shop.stheno(["user", "list", "--output", "yaml"]));
    failures.add(shop.stheno(["serve", "--jwt-secret", "x"]));
    insta::assert_snapshot!(failures.0);
}

#[test]
fn a_value_that_cannot_be() {
    let mut failures = Failures::default();
    let shop = Shop::new();
    failures.add(shop.stheno(["serve", "--port", "70000"]));
    failures.add(shop.stheno(["serve", "--cookie-secure", "maybe"]));
    failures.add(shop.stheno(["serve", "--trust-proxy", "everyone"]));
    failures.add(shop.stheno(["serve", "--admin-cors", "/(/"]));
    failures.add(shop.stheno(["serve", "--body-limit", "much"]));
    failures.add(shop.stheno(["serve", "--write-timeout", "soon"]));
    failures.add(shop.stheno(["serve", "--audit-retention", "for ever"]));
    failures.add(shop.stheno(["serve", "--log-format", "xml"]));
    failures.add(shop.stheno(["serve", "--admin-email", "ada"]));
    failures.add(shop.stheno(["user", "create", "--email", "ada@example"]));
    failures.add(shop.stheno(["serve", "--log", "a=b=c"]));
    failures.add(shop.stheno(["serve", "--medusa-url", "medusa:9000"]));
    failures.add(shop.stheno(["serve", "--medusa-url", "http://"]));
    failures.add(shop.stheno(["serve", "--medusa-url", "https://medusa.example/?x=1"]));
    let password = shop.stheno(["serve", "--medusa-url", "http://ada:s3cret@medusa"]);
    failures.add(password);
    assert_eq!(failures.0.matches("s3cret").count(), 1, "a password is repeated");
    insta::assert_snapshot!(failures.0);
}

#[test]
fn a_value_that_cannot_be_names_the_variable_that_it_comes_from() {
    let mut failures = Failures::default();
    let shop = Shop::new().with("PORT", "abc").with("STHENO_DEMO", "maybe");
    failures.add(shop.stheno(["serve"]));
    failures.add(shop.stheno(["serve", "--port", "70000"]));
    failures.add(shop.stheno(["serve", "--port=0"]));
    let shop = Shop::new().with("STHENO_COOKIE_SECURE", "maybe");
    failures.add(shop.stheno(["serve"]));
    insta::assert_snapshot!(failures.0);
}

#[test]
fn an_address_that_cannot_be_listened_on() {
    let mut failures = Failures::default();
    let shop = Shop::new();
    failures.add(shop.stheno(["serve", "--host", "not a host", "--port", "0"]));
    // A network for documentation (RFC 5737): no machine has this address.
    failures.add(shop.stheno(["serve", "--host", "192.0.2.1"]));
    // What is said of names depends on whether there is anybody to ask.
    insta::with_settings!({ filters => vec![("failed to lookup [^;]+", "[reason]")] }, {
        insta::assert_snapshot!(failures.0);
    });
}

#[test]
fn a_port_in_use() {
    let mut failures = Failures::default();
    let shop = Shop::new();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port().to_string();
    failures.add(shop.stheno(["serve", "--demo", "--port", &port]));
    assert!(!shop.path("stheno.db").exists(), "a start that fails makes no database");
    insta::assert_snapshot!(failures.0.replace(&port, "[port]"));
}

#[test]
fn a_database_url_that_is_none() {
    let mut failures = Failures::default();
    let shop = Shop::new();
    let serve = |url| {
        let mut command = shop.stheno(["serve", "--port", "0"]);
        command.env("DATABASE_URL", url);
        command
    };
    failures.add(serve("mysql://root:hunter2@localhost/shop"));
    failures.add(serve("shop.db"));
    failures.add(serve(""));
    failures.add(serve("sqlite:"));
    failures.add(serve("sqlite::memory:"));
    failures.add(serve("sqlite:shop.db?mode=ro"));
    failures.add(shop.stheno(["user", "list", "--database", "sqlite:"]));
    insta::assert_snapshot!(failures.0);
}

#[test]
fn a_folder_that_is_not_there() {
    let mut failures = Failures::default();
    let shop = Shop::new();
    std::fs::write(shop.path("file"), "").unwrap();
    let serve = |path| shop.stheno(["serve", "--port", "0", "--database", path]);
    failures.add(serve("sqlite:nowhere/stheno.db"));
    failures.add(serve("sqlite:file/stheno.db"));
    failures.add(serve("sqlite:."));
    failures.add(serve("sqlite:nothing/"));
    insta::assert_snapshot!(failures.0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_may_not_be_written() {
    let mut failures = Failures::default();
    // Not even root makes files there; in a container it is mounted so that nobody can.
    failures.add(Shop::new().stheno(["serve", "--port", "0", "--database", "sqlite:/sys/stheno.db"]));
    let reasons = r"Permission denied \(os error 13\)|Read-only file system \(os error 30\)";
    insta::with_settings!({ filters => vec![(reasons, "[reason]")] }, {
        insta::assert_snapshot!(failures.0);
    });
}

#[test]
fn a_file_that_is_no_database() {
    let mut failures = Failures::default();
    let shop = Shop::new();
    std::fs::write(shop.path("notes.txt"), "Buy milk. ".repeat(100)).unwrap();
    failures.add(shop.stheno(["serve", "--port", "0", "--database", "sqlite:notes.txt"]));
    insta::assert_snapshot!(failures.0);
}

#[test]
fn a_database_of_a_newer_version() {
    let mut failures = Failures::default();
    let shop = Shop::with_database();
    shop.run(["user", "create", "--email", "ada@example.com"]);
    shop.database()
        .execute("INSERT INTO stheno_migration (version, name, applied_at) VALUES (999, 'later', '')", [])
        .unwrap();
    failures.add(shop.stheno(["serve", "--port", "0"]));
    failures.add(shop.stheno(["user", "list"]));
    insta::assert_snapshot!(failures.0);
}

/// What an error says to run is run on the database that was given.
#[test]
fn advice_names_the_database_that_was_given() {
    let mut failures = Failures::default();
    let shop = Shop::with_database();
    std::fs::rename(shop.path("stheno.db"), shop.path("my shop.db")).unwrap();
    let database = ["--database", "sqlite:my shop.db"];
    let mut add = |words: &[&str]| {
        let mut command = shop.stheno([]);
        command.args(words).args(database);
        failures.add(command);
    };
    add(&["user", "token", "--email", "nobody@example.com"]);
    std::fs::write(shop.path("my shop.db"), "").unwrap();
    add(&["serve", "--port", "0", "--no-migrate"]);
    std::fs::remove_file(shop.path("my shop.db")).unwrap();
    add(&["user", "list"]);
    insta::assert_snapshot!(failures.0);
}

#[test]
fn a_secret_that_cannot_be_used() {
    let mut failures = Failures::default();
    let shop = Shop::new();
    std::fs::write(shop.path("empty"), "\n").unwrap();
    let serve = |variables: &[(&str, &str)]| {
        let mut command = shop.stheno(["serve", "--port", "0"]);
        command.envs(variables.iter().copied());
        command
    };
    failures.add(serve(&[("JWT_SECRET_FILE", "nowhere")]));
    failures.add(serve(&[("COOKIE_SECRET_PREVIOUS_FILE", "empty")]));
    failures.add(serve(&[("JWT_SECRET", "")]));
    failures.add(serve(&[("COOKIE_SECRET", "one"), ("COOKIE_SECRET_FILE", "other")]));
    failures.add(serve(&[("STHENO_ADMIN_PASSWORD_FILE", "nowhere")]));
    failures.add(serve(&[("STHENO_ADMIN_API_TOKEN", "no header")]));
    failures.add(serve(&[("STHENO_ADMIN_API_TOKEN", "stheno_read_chosen-by-ada")]));
    failures.add(serve(&[("STHENO_ADMIN_EMAIL_FILE", "empty")]));
    failures.add(serve(&[("STHENO_ADMIN_EMAIL", "a@example.com"), ("STHENO_ADMIN_EMAIL_FILE", "empty")]));
    assert!(!shop.path("stheno.db").exists(), "a start that fails makes no database");
    insta::assert_snapshot!(failures.0);
}

#[test]
fn users_that_are_not_there() {
    let mut failures = Failures::default();
    let shop = Shop::new();
    failures.add(shop.stheno(["user", "list"]));
    failures.add(shop.stheno(["user", "token", "--email", "ada@example.com"]));
    failures.add(shop.stheno(["user", "password", "--email", "ada@example.com"]));
    failures.add(shop.stheno(["user", "create", "--email", "ada@example.com"]));
    assert!(!shop.path("stheno.db").exists(), "only a server makes a database");
    let shop = Shop::with_database();
    shop.run(["user", "create", "--email", "ada@example.com"]);
    failures.add(shop.stheno(["user", "token", "--email", "eve@example.com"]));
    failures.add(shop.stheno(["user", "password", "--email", "eve@example.com"]));
    failures.add(shop.stheno(["user", "create", "--email", "Ada@example.com"]));
    failures.add(shop.stheno(["user", "create", "--email", "eve@example.com", "--password-stdin"]));
    insta::assert_snapshot!(failures.0);
}

#[test]
fn demo_data_beside_other_data() {
    let mut failures = Failures::default();
    let shop = Shop::with_known_credentials();
    let server = shop.serve([]);
    let created = server.post("/admin/customer-groups").with_token(API_TOKEN);
    assert_eq!(created.send_json(serde_json::json!({ "name": "Ours" })).status, 200);
    drop(server);
    failures.add(shop.stheno(["serve", "--demo", "--port", "0"]));
    insta::assert_snapshot!(failures.0);
}
