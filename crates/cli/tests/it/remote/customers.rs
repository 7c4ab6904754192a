use super::{Console, hide_now, id_in};

const WHOLESALE: &str = "cgrp_01HS8JJQEY98WXZDDEJZ115YSC";
const MIKKEL: &str = "cus_01HR8R7EFN6X23EWFAPWDA5PZ1";
const BRAM: &str = "cus_01HR6FQV4A9D3ZEN6WVESGDTR3";

#[test]
fn are_listed_and_shown() {
    let (mut console, _server) = Console::at_demo_shop();
    console.run("customers list --limit 2");
    console.run("customers list --limit 2 --has-account false --order -created_at --output csv");
    console.run(&format!("customers list --groups {WHOLESALE} --limit 1 --expand groups --output json"));
    console.run("customers list -q 'Ava MacLeod' --fields email,last_name");
    console.run(&format!("customers show {BRAM}"));
    console.run("customers show Bram.vanLeeuwen@example.net --output json --expand groups");
    console.run(&format!("customers show {MIKKEL} bram.vanleeuwen@example.net cus_nope nobody@example.com"));
    console.run("customers show nobody@example.com");
    insta::assert_snapshot!(console.seen());
}

#[test]
fn are_created_and_changed() {
    let (mut console, _server) = Console::at_demo_shop();
    let ida = "customers create --email Ida@example.com --first-name Ida --last-name Simon";
    let created = console.run(&format!("{ida} --phone '+45 12 34 56 78' --metadata club=yes"));
    let id = id_in(&created, "cus");
    console.hide(&id, "[id]");
    console.run_with(&format!("{ida} --password-stdin"), "correct horse\n");
    console.run(&format!("customers update {id} --last-name Lund --clear phone --groups {WHOLESALE}"));
    console.run(&format!("customers update {id} --no-groups --remove-metadata club --output json"));
    console.run_with(&format!("customers update {id} --password-stdin"), "new horse, new battery\n");
    // Without a terminal, nobody can be asked, and no password is made up.
    console.run(&format!("customers update {id} --ask-password"));
    console.run(&format!("customers update {id} --email ida@example.net"));
    console.run(&format!("customers update {id} --groups cgrp_nope"));
    console.run("customers update cus_nope --first-name Ida");
    console.run(&format!("customers update {id}"));
    console.run("customers create --email ida --first-name Ida --last-name Simon");
    let seen = regex::Regex::new(r#""updated_at": "2[^"]+"|"created_at": "2[^"]+""#).unwrap();
    insta::assert_snapshot!(hide_now(&seen.replace_all(&console.seen(), r#""…_at": "[now]""#)));
}
