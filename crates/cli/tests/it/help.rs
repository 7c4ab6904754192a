//! Help texts, word for word: they are what people read first.

use insta_cmd::assert_cmd_snapshot;

use crate::support::Shop;

#[test]
fn without_a_command() {
    assert_cmd_snapshot!(Shop::new().stheno([]));
}

/// `stheno help` is what many type first.
#[test]
fn as_a_command() {
    let shop = Shop::new();
    assert!(shop.run(["help"]).contains("Usage: stheno <COMMAND>"));
    assert_eq!(shop.run(["help", "serve"]), shop.run(["serve", "--help"]));
    assert_eq!(shop.run(["help", "user", "create"]), shop.run(["user", "create", "--help"]));
}

#[test]
fn version() {
    let shop = Shop::new();
    assert_eq!(shop.run(["--version"]), format!("stheno {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn serve() {
    assert_cmd_snapshot!(Shop::new().stheno(["serve", "--help"]));
}

#[test]
fn migrate() {
    assert_cmd_snapshot!(Shop::new().stheno(["migrate", "--help"]));
}

#[test]
fn copy() {
    assert_cmd_snapshot!(Shop::new().stheno(["copy", "--help"]));
}

#[test]
fn user() {
    assert_cmd_snapshot!(Shop::new().stheno(["user", "--help"]));
}

#[test]
fn user_create() {
    assert_cmd_snapshot!(Shop::new().stheno(["user", "create", "--help"]));
}

#[test]
fn user_token() {
    assert_cmd_snapshot!(Shop::new().stheno(["user", "token", "--help"]));
}

#[test]
fn user_logins() {
    assert_cmd_snapshot!(Shop::new().stheno(["user", "logins", "--help"]));
}

#[test]
fn user_password() {
    assert_cmd_snapshot!(Shop::new().stheno(["user", "password", "--help"]));
}

#[test]
fn user_list() {
    assert_cmd_snapshot!(Shop::new().stheno(["user", "list", "--help"]));
}

#[test]
fn user_tokens() {
    assert_cmd_snapshot!(Shop::new().stheno(["user", "tokens", "--help"]));
}

#[test]
fn user_revoke() {
    assert_cmd_snapshot!(Shop::new().stheno(["user", "revoke", "--help"]));
}

#[test]
fn user_delete() {
    assert_cmd_snapshot!(Shop::new().stheno(["user", "delete", "--help"]));
}

/// Help shows the values of variables, but a database's URL may hold a password.
#[test]
fn help_keeps_the_url_of_the_database_to_itself() {
    let shop = Shop::new().with("DATABASE_URL", "sqlite:not-to-be-shown.db");
    assert!(!shop.run(["serve", "--help"]).contains("not-to-be-shown"));
    let shop = Shop::new().with("STHENO_REPLICA", "postgres://ada:not-to-be-shown@one/shop");
    assert!(!shop.run(["serve", "--help"]).contains("not-to-be-shown"));
}

#[test]
fn backup() {
    assert_cmd_snapshot!(Shop::new().stheno(["backup", "--help"]));
}
