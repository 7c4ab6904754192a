//! Every class of failure, and its exit code.

#[cfg(unix)]
use std::process::Stdio;
#[cfg(unix)]
use std::time::Duration;

use serde_json::{Value, json};

use super::Console;
use super::stub::{self, Next};
use crate::support::Shop;

fn console_at(url: &str) -> Console {
    Console::new(Shop::new()).at(url)
}

#[test]
fn of_whom_and_where() {
    let (console, _server) = Console::at_demo_shop();
    let mut console = Console { shop: console.shop.with("STHENO_API_TOKEN", "wrong"), ..console };
    console.run("groups list");
    console.shop = console.shop.with("STHENO_BEARER_TOKEN", "wrong");
    console.run("groups list");
    console.shop = console.shop.without("STHENO_API_TOKEN");
    console.run("customers list");
    console.shop = console.shop.without("STHENO_BEARER_TOKEN");
    console.run("customers list");
    console.run("groups list --profile other");
    console.shop = console.shop.without("STHENO_URL");
    console.run("groups list");
    console.run("groups list --profile other");
    console.run("groups list --url shop.example");
    console.shop = console.shop.with("STHENO_API_TOKEN", "t");
    console.run("groups list --url shop.example");
    console.run("groups list --url http://shop.example/?a=b");
    for (token, file) in [("", None), ("t", Some("nowhere"))] {
        console.shop = console.shop.with("STHENO_API_TOKEN", token);
        if let Some(file) = file {
            console.shop = console.shop.with("STHENO_API_TOKEN_FILE", file);
        }
        console.run("groups list");
    }
    console.shop = console.shop.without("STHENO_API_TOKEN");
    console.run("groups list");
    console.shop = console.shop.without("STHENO_API_TOKEN_FILE").with("STHENO_API_TOKEN", "t");
    // A container may have no home, and needs none.
    console.shop = console.shop.without("STHENO_CONFIG_DIR");
    console.run("groups list --url http://127.0.0.1:1 --retries 0");
    insta::assert_snapshot!(console.seen());
}

#[test]
fn of_what_is_asked() {
    let (mut console, _server) = Console::at_demo_shop();
    console.run("groups list --query foo=bar");
    console.run("groups list --order nam");
    console.run("groups list --fields nam");
    console.run("groups list --created-since yesterday");
    console.run("groups list --limit 0");
    console.run("groups list --query limit=5");
    console.run("groups list --output yaml");
    console.run("groups create VIP --metadata tier");
    console.run("groups create VIP --metadata tier:=gold");
    console.run("groups create VIP --metadata-json '[1]'");
    console.run("groups create VIP --metadata-json @nope.json");
    console.run("groups show ''");
    console.run("groups show");
    insta::assert_snapshot!(console.seen());
}

#[test]
fn of_the_way() {
    // A port that nothing listens at.
    let url = std::net::TcpListener::bind("127.0.0.1:0").map(|free| free.local_addr().unwrap()).unwrap();
    let mut console = console_at(&format!("http://{url}"));
    console.run("groups list --retries 0");
    // A list that failed is no empty one.
    console.run("groups list --retries 0 --output csv");
    console.run("groups show cgrp_1 cgrp_2 --retries 0 --output csv");
    let mut seen = console.seen();

    for (next, command) in [
        (Next::Silence, "groups list --timeout 1s"),
        (Next::Silence, "groups create VIP --timeout 1s"),
        (Next::Answer(503, "text/plain", "overloaded".to_owned()), "groups list --retries 0"),
        (
            Next::Answer(
                500,
                "application/json",
                json!({"type": "unknown_error", "message": "no"}).to_string(),
            ),
            "groups list",
        ),
        (Next::Answer(404, "text/html", "<title>Not here</title>".to_owned()), "groups list"),
        (Next::Answer(200, "text/html", "<title>Welcome</title>".to_owned()), "groups list"),
        (
            Next::Answer(
                409,
                "application/json",
                json!({"type": "invalid_state", "message": "try again"}).to_string(),
            ),
            "groups list --retries 0",
        ),
    ] {
        let mut console = console_at(&stub::start(vec![next]));
        console.run(command);
        seen.push_str(&console.seen());
    }
    insta::assert_snapshot!(seen);
}

fn answer(status: u16, body: &Value) -> Next {
    Next::Answer(status, "application/json", body.to_string())
}

fn group(id: &str) -> Value {
    json!({
        "id": id, "name": "VIP", "metadata": null,
        "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z", "deleted_at": null,
    })
}

fn group_of(id: &str) -> Next {
    answer(200, &json!({ "customer_group": group(id) }))
}

fn found() -> Next {
    group_of("cgrp_1")
}

fn deleted() -> Next {
    answer(200, &json!({ "id": "cgrp_1", "object": "customer_group", "deleted": true }))
}

fn failed() -> Next {
    answer(500, &json!({"type": "unknown_error", "message": "An unknown error occurred."}))
}

/// What went through stays, and what did not can be sent again.
#[test]
fn on_the_way_through_many() {
    let page =
        || answer(200, &json!({ "customer_groups": [group("cgrp_1")], "count": 2, "offset": 0, "limit": 1 }));
    let mut seen = String::new();
    for (nexts, command) in [
        (vec![found(), found(), failed()], "groups add cgrp_1 cus_1 cus_2 cus_3 --batch-size 1"),
        (vec![found(), failed()], "groups remove cgrp_1 cus_1 cus_2 --yes --output json"),
        (
            vec![found(), group_of("cgrp_2"), group_of("cgrp_3"), deleted(), failed()],
            "groups delete cgrp_1 cgrp_2 cgrp_3 --yes --output csv",
        ),
        (vec![page(), failed()], "groups list --all --limit 1 --fields name --output csv --retries 0"),
        (vec![page(), failed()], "groups list --all --limit 1 --retries 0"),
    ] {
        let mut console = console_at(&stub::start(nexts));
        console.run(command);
        seen.push_str(&console.seen());
    }
    insta::assert_snapshot!(seen);
}

/// Ctrl-C leaves nobody to guess what went through.
#[cfg(unix)]
#[test]
fn on_the_way_when_it_is_broken_off() {
    use rustix::process::{Pid, Signal, kill_process};

    let mut seen = String::new();
    for (nexts, command) in [
        (vec![found(), found()], "groups add cgrp_1 cus_1 cus_2 cus_3 --batch-size 1"),
        (vec![found()], "groups remove cgrp_1 cus_1 cus_2 --yes --output csv"),
        (
            vec![found(), group_of("cgrp_2"), group_of("cgrp_3"), deleted()],
            "groups delete cgrp_1 cgrp_2 cgrp_3 --yes",
        ),
    ] {
        let (sender, receiver) = std::sync::mpsc::channel();
        let nexts = nexts.into_iter().chain([Next::Notice(sender)]).collect();
        let mut console = console_at(&stub::start(nexts));
        let mut program = console.command(command);
        let program = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        receiver.recv_timeout(Duration::from_secs(60)).unwrap();
        kill_process(Pid::from_child(&program), Signal::INT).unwrap();
        let output = program.wait_with_output().unwrap();
        assert!(output.status.code().is_some(), "{command}: {}", output.status);
        console.note(command, output);
        seen.push_str(&console.seen());
    }
    insta::assert_snapshot!(seen);
}

/// `stheno customers list --all --output csv | head -1`
#[cfg(unix)]
#[test]
fn a_reader_that_has_enough_is_none() {
    let (console, _server) = Console::at_demo_shop();
    for command in [
        "customers list --all --output csv",
        "customers list --all --output json",
        "customers list --all",
        "groups list",
        "completions bash",
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output =
            console.command(command).stdout(writer).stderr(std::process::Stdio::piped()).output().unwrap();
        assert!(output.status.success(), "{command}");
        assert_eq!(output.stderr, b"", "{command}");
    }
}

/// What was not done stays an error, also if nobody reads which it is.
#[cfg(unix)]
#[test]
fn nobody_reads_what_was_not_done() {
    let (console, _server) = Console::at_demo_shop();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = console.command("groups delete cgrp_nope --yes").stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
}

/// A name is data, also where a terminal would take it for a command.
#[test]
fn of_names_that_are_none() {
    let (mut console, _server) = Console::at_demo_shop();
    let created = console.run("groups create \"$(printf 'x')\" --output csv");
    assert!(created.starts_with("id,name"), "{created}");
    let red = "groups create '\u{1b}[31mred\u{7}'";
    let output = console.command(red).output().unwrap();
    for text in [output.stdout, output.stderr] {
        let text = String::from_utf8(text).unwrap();
        assert!(!text.contains(['\u{1b}', '\u{7}']) && text.contains(r"\u{1b}[31mred\u{7}"), "{text}");
    }
}
