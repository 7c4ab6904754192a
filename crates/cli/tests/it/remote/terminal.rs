//! What somebody at a terminal sees of commands that talk to a running shop.

use super::{Console, id_in};
use crate::support::{API_TOKEN, EMAIL, PASSWORD, Shop};
use crate::terminal::Terminal;

#[test]
fn a_bar_tells_how_far_it_is() {
    let (console, _server) = Console::at_demo_shop();
    let customers = console.command("customers list --all --output csv").output().unwrap().stdout;
    std::fs::write(console.shop.path("everyone.csv"), customers).unwrap();
    let created = console.command("groups create Everyone").output().unwrap();
    let group = id_in(&String::from_utf8(created.stdout).unwrap(), "cgrp");

    let add = format!("groups add {group} --ids-file everyone.csv --batch-size 50");
    let mut command = console.command(&add);
    command.env("TERM", "xterm");
    let seen = Terminal::start(command).end();
    assert!(seen.contains("adding") && seen.contains("of 1,000"), "{seen}");
    assert!(seen.contains("1,000 customers are in Everyone now"), "{seen}");

    // Where standard error is no terminal there is none.
    let output = console.command(&add).output().unwrap();
    assert_eq!(output.stderr, b"1,000 customers are in Everyone now\n");
}

#[test]
fn what_cannot_be_undone_is_asked() {
    let (console, server) = Console::at_demo_shop();
    let created = console.command("groups create VIP").output().unwrap();
    let group = id_in(&String::from_utf8(created.stdout).unwrap(), "cgrp");
    let delete = format!("groups delete {group}");
    let question = format!("Delete the group VIP ({group}) at {}? [y/N]", server.url);

    let mut terminal = Terminal::start(console.command(&delete));
    terminal.answer_openly(&question, "");
    let (seen, code) = terminal.end_with_code();
    assert!(seen.contains("nothing was done"), "{seen}");
    assert_eq!(code, Some(1));

    let mut terminal = Terminal::start(console.command(&delete));
    terminal.answer_openly(&question, "y");
    let seen = terminal.end();
    assert!(seen.contains("Deleted the group VIP"), "{seen}");

    let (seen, code) = Terminal::start(console.command(&delete)).end_with_code();
    assert!(seen.contains("there is no group"), "{seen}");
    assert_eq!(code, Some(3));
}

#[test]
fn removing_many_is_asked() {
    const HOTELS: &str = "cgrp_01J0V0V8MWPSXW6FZAJ261C2K9";

    let (console, _server) = Console::at_demo_shop();
    let members = console.command(&format!("groups members {HOTELS} --all --output csv")).output().unwrap();
    std::fs::write(console.shop.path("members.csv"), members.stdout).unwrap();
    let mut terminal =
        Terminal::start(console.command(&format!("groups remove {HOTELS} --ids-file members.csv")));
    terminal.answer_openly("Remove 30 customers from Hotels", "yes");
    let seen = terminal.end();
    assert!(seen.contains("30 customers are not in Hotels now"), "{seen}");
}

#[test]
fn signing_in_is_a_conversation() {
    let shop = Shop::with_known_credentials();
    let server = shop.serve([]);
    let console = Console::new(shop);
    let mut terminal = Terminal::start_with_its_own(&console.command("login"));
    terminal.answer_openly("Server [http://127.0.0.1:9000]:", &server.url);
    terminal.answer_openly("E-mail address", EMAIL);
    terminal.answer("Password:", PASSWORD);
    let seen = terminal.end();
    assert!(seen.contains(&format!("Signed in at {} as {EMAIL}", server.url)), "{seen}");
    assert!(!seen.contains(PASSWORD), "{seen}");

    // Now the server is known; an API token in place of a password.
    let mut terminal = Terminal::start_with_its_own(&console.command("login"));
    terminal.answer_openly(&format!("Server [{}]:", server.url), "");
    terminal.answer_openly("E-mail address", "");
    terminal.answer("API token:", API_TOKEN);
    let seen = terminal.end();
    assert!(!seen.contains(API_TOKEN), "{seen}");
    let profiles = console.command("profiles list --output csv").output().unwrap();
    assert!(String::from_utf8(profiles.stdout).unwrap().contains(",api_token,"));
}

/// Colours are for terminals, and for those who want them.
#[test]
fn colours_can_be_left_out() {
    let shop = Shop::new();
    let raw = |variable: Option<&'static str>| {
        let mut command = shop.stheno(["groups", "list"]);
        command.env("STHENO_CONFIG_DIR", shop.path("config")).env("TERM", "xterm");
        if let Some(variable) = variable {
            command.env(variable, "1");
        }
        Terminal::start(command).end_raw()
    };
    assert!(raw(None).contains("\u{1b}[1m"));
    assert!(!raw(Some("NO_COLOR")).contains('\u{1b}'));
}
