//! Help texts, word for word.

use super::Console;
use crate::support::Shop;

#[test]
fn of_every_command() {
    for command in [
        "groups",
        "groups list",
        "groups show",
        "groups create",
        "groups update",
        "groups delete",
        "groups members",
        "groups add",
        "groups remove",
        "customers",
        "customers list",
        "customers show",
        "customers create",
        "customers update",
        "login",
        "logout",
        "profiles",
        "profiles list",
        "profiles use",
        "profiles remove",
        "completions",
    ] {
        let help = Shop::new().stheno([]).args(command.split(' ')).arg("--help").output().unwrap();
        assert!(help.status.success());
        insta::assert_snapshot!(command.replace(' ', "_"), String::from_utf8(help.stdout).unwrap());
    }
}

/// Help shows the values of variables, but not of those that are secrets.
#[test]
fn keeps_secrets() {
    let console =
        Console::new(Shop::new().with("STHENO_API_TOKEN", "hush").with("STHENO_BEARER_TOKEN", "hush"));
    let help = console.command("groups list --help").output().unwrap();
    assert!(!String::from_utf8(help.stdout).unwrap().contains("hush"));
}
