use super::{Console, hide_now, id_in};

const WHOLESALE: &str = "cgrp_01HS8JJQEY98WXZDDEJZ115YSC";

#[test]
fn lists() {
    let (mut console, _server) = Console::at_demo_shop();
    console.run("groups list --limit 3");
    console.run("groups list --limit 3 --offset 18 --output json");
    console.run("groups list -q wholesale --order -name --output csv");
    console.run("groups list --all --order name --fields name");
    console.run("groups list --name 'Hotels' --name Employees --expand price_lists,customers");
    console.run(&format!("groups list --id {WHOLESALE} --output json"));
    console.run("groups list --query 'id[starts_with]=cgrp_01K' --fields name,metadata");
    console.run("groups list --created-since 2026-01-01 --created-before '2026-08-24 12:55:00'");
    console.run("groups list --updated-after 2026-10-31T01:59:59Z --updated-until 2026-10-31T03:00+01:00");
    console.run("groups list --offset 100");
    console.run("groups list --discount-condition discon_none");
    insta::assert_snapshot!(console.seen());
}

#[test]
fn empty_lists() {
    let (mut console, _server) = Console::at_demo_shop();
    for format in ["table", "json", "csv"] {
        console.run(&format!("groups list -q nothing --output {format}"));
        console.run(&format!("groups list -q nothing --all --output {format}"));
    }
    insta::assert_snapshot!(console.seen());
}

#[test]
fn are_shown() {
    let (mut console, _server) = Console::at_demo_shop();
    console.run(&format!("groups show {WHOLESALE}"));
    console.run(&format!("groups show {WHOLESALE} --expand price_lists,customers --fields name"));
    console.run(&format!("groups show {WHOLESALE} --output json"));
    console.run(&format!("groups show {WHOLESALE} --output csv"));
    console.run_with("groups show - --output json", &format!("{WHOLESALE}\ncgrp_nope\n"));
    console.run("groups show cgrp_nope");
    console.run("groups show cgrp_nope cgrp_neither");
    insta::assert_snapshot!(console.seen());
}

#[test]
fn are_created_changed_and_deleted() {
    let (mut console, _server) = Console::at_demo_shop();
    let created = console.run("groups create VIP --metadata tier=gold --metadata 'limits:={\"day\": 3}'");
    let id = id_in(&created, "cgrp");
    console.hide(&id, "[id]");
    console.run("groups create VIP");
    console
        .run(&format!("groups update {id} --metadata since:=2026 --metadata limits= --remove-metadata tier"));
    console.run(&format!("groups update {id} --name Hotels"));
    console.run(&format!("groups update {id} --metadata a=b --remove-metadata a"));
    console.run(&format!("groups update {id}"));
    console.run("groups update cgrp_nope --name Gold");
    console.run(&format!("groups delete {id}"));
    console.run(&format!("groups delete {id} cgrp_nope --dry-run"));
    console.run(&format!("groups delete {id} cgrp_nope --yes --output csv"));
    console.run(&format!("groups delete {id} --yes"));
    insta::assert_snapshot!(hide_now(&console.seen()));
}
