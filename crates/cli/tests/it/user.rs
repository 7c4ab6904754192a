//! `stheno user`, beside a running server.

use std::io::Write as _;
use std::process::Stdio;

use insta_cmd::assert_cmd_snapshot;
use serde_json::{Value, json};

use crate::support::{API_TOKEN, EMAIL, PASSWORD, Server, Shop, refused_soon, text_of};

fn sign_in(server: &Server, email: &str, password: &str) -> u16 {
    server.post("/admin/auth/token").send_json(json!({ "email": email, "password": password })).status
}

/// Runs the program with a text on standard input.
fn run_with<const N: usize>(shop: &Shop, arguments: [&str; N], input: &str) -> String {
    let mut command = shop.stheno(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn users_are_made_while_the_server_runs() {
    let shop = Shop::with_known_credentials();
    let server = shop.serve([]);
    let create =
        ["user", "create", "--email", "Grace@Example.com", "--role", "developer", "--password-stdin"];
    assert_eq!(run_with(&shop, create, "correct horse battery staple\n"), "");
    assert_eq!(sign_in(&server, "grace@example.com", "correct horse battery staple"), 200);

    let token = shop.run(["user", "token", "--email", "grace@example.com"]);
    let answer = server.get("/admin/auth").with_token(token.trim()).send();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["user"]["email"], "grace@example.com");
    assert_eq!(answer.body["user"]["role"], "developer");

    let password = shop.run(["user", "password", "--email", "grace@example.com", "--generate-password"]);
    assert_eq!(sign_in(&server, "grace@example.com", "correct horse battery staple"), 401);
    assert_eq!(sign_in(&server, "grace@example.com", password.trim()), 200);

    let password = shop.run(["user", "create", "--email", "linus@example.com"]);
    assert_eq!(sign_in(&server, "linus@example.com", password.trim()), 200);
}

#[test]
fn results_are_readable_for_programs() {
    let shop = Shop::with_database();
    let create = ["user", "create", "--email", "ada@example.com", "--output", "json"];
    let created: Value = serde_json::from_str(&shop.run(create)).unwrap();
    let token = ["user", "token", "--email", "ada@example.com", "--output", "json"];
    let token: Value = serde_json::from_str(&shop.run(token)).unwrap();
    let list: Value = serde_json::from_str(&shop.run(["user", "list", "--output", "json"])).unwrap();

    let id = created["id"].as_str().unwrap();
    assert!(id.starts_with("usr_"), "{id}");
    let password = created["password"].as_str().unwrap();
    assert_eq!(
        created,
        json!({ "id": id, "email": "ada@example.com", "role": "member", "password": password })
    );
    let api_token = token["api_token"].as_str().unwrap();
    assert!(api_token.starts_with("stheno_"), "{api_token}");
    assert_eq!(
        token,
        json!({ "id": id, "email": "ada@example.com", "api_token": api_token, "access": "full" })
    );
    let created_at = list[0]["created_at"].as_str().unwrap();
    assert_eq!(
        list,
        json!([{
            "id": id,
            "email": "ada@example.com",
            "role": "member",
            "api_tokens": 1,
            "created_at": created_at,
        }])
    );
}

#[test]
fn results_are_readable_for_people() {
    let shop = Shop::with_database();
    let changing = vec![
        (r"usr_[0-9A-Z]{26}", "[id]"),
        (r"stheno_(read_)?[\w-]{43}", "[token]"),
        (r"\b[0-9a-f]{12}\b", "[token id]"),
        (r"[0-9a-z]{5}(-[0-9a-z]{5}){3}", "[password]"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d", "[time]"),
    ];
    insta::with_settings!({ filters => changing }, {
        assert_cmd_snapshot!(shop.stheno(["user", "create", "--email", "ada@example.com", "--role", "admin"]));
        assert_cmd_snapshot!(shop.stheno(["user", "create", "--email", "grace.hopper@example.com"]));
        assert_cmd_snapshot!(shop.stheno(["user", "token", "--email", "ada@example.com"]));
        assert_cmd_snapshot!(shop.stheno(["user", "token", "--read-only", "--email", "ada@example.com"]));
        assert_cmd_snapshot!(shop.stheno(["user", "password", "--email", "ada@example.com"]));
        assert_cmd_snapshot!(shop.stheno(["user", "list"]));
        assert_cmd_snapshot!(shop.stheno(["user", "tokens", "--email", "ada@example.com"]));
        assert_cmd_snapshot!(shop.stheno(["user", "revoke", "--email", "ada@example.com", "--all"]));
        assert_cmd_snapshot!(shop.stheno(["user", "delete", "--email", "ada@example.com"]));
        // The last one.
        assert_cmd_snapshot!(shop.stheno(["user", "delete", "--email", "grace.hopper@example.com"]));
        assert_cmd_snapshot!(shop.stheno(["user", "delete", "--email", "grace.hopper@example.com", "--yes"]));
    });
}

#[test]
fn tokens_are_revoked_and_users_deleted_while_the_server_runs() {
    let shop = Shop::with_known_credentials();
    let server = shop.serve([]);
    let create = ["user", "create", "--email", "grace@example.com", "--password-stdin"];
    run_with(&shop, create, "correct horse battery staple\n");
    let token = || shop.run(["user", "token", "--email", "grace@example.com"]).trim().to_owned();
    let (one, two, three) = (token(), token(), token());
    let status = |token: &str| server.get("/admin/auth").with_token(token).send().status;
    let is_refused = |token: &str| refused_soon(|| status(token));
    assert_eq!([&one, &two, &three].map(|token| status(token)), [200; 3]);

    let list = ["user", "tokens", "--email", "grace@example.com", "--output", "json"];
    let listed: Value = serde_json::from_str(&shop.run(list)).unwrap();
    let ids: Vec<&str> =
        listed.as_array().unwrap().iter().map(|token| token["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 3);
    let hash = stheno_auth::api_token::hash(&two);
    let id = ids.iter().find(|id| hash.starts_with(**id)).unwrap();
    shop.run(["user", "revoke", "--email", "grace@example.com", "--token", id]);
    is_refused(&two);
    assert_eq!([&one, &three].map(|token| status(token)), [200; 2]);
    let again =
        shop.stheno(["user", "revoke", "--email", "grace@example.com", "--token", id]).output().unwrap();
    assert_eq!(again.status.code(), Some(1));

    let revoke = ["user", "revoke", "--email", "grace@example.com", "--all", "--output", "json"];
    let revoked: Value = serde_json::from_str(&shop.run(revoke)).unwrap();
    assert_eq!(revoked["revoked"], 2);
    is_refused(&one);
    is_refused(&three);

    assert_eq!(sign_in(&server, "grace@example.com", "correct horse battery staple"), 200);
    shop.run(["user", "delete", "--email", "grace@example.com"]);
    assert_eq!(sign_in(&server, "grace@example.com", "correct horse battery staple"), 401);
    let again = shop.stheno(["user", "delete", "--email", "grace@example.com"]).output().unwrap();
    assert_eq!(again.status.code(), Some(1));
}

/// `stheno user list | head -1`
#[cfg(unix)]
#[test]
fn a_reader_that_has_enough_is_no_error() {
    let shop = Shop::with_database();
    shop.run(["user", "create", "--email", "ada@example.com"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = shop.stheno(["user", "list"]).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success());
    assert_eq!(output.stderr, b"");
}

#[test]
fn a_shop_with_users_but_no_administrator_gets_none_and_says_so() {
    let shop = Shop::with_database();
    shop.run(["user", "create", "--email", "grace@example.com"]);
    let advice = "make one with `stheno user create --email EMAIL --role admin`";
    assert!(shop.serve([]).stop().contains(advice));
    assert!(!shop.path("stheno.db.credentials").exists());
    shop.run(["user", "create", "--email", "ada@example.com", "--role", "admin"]);
    assert!(!shop.serve([]).stop().contains(advice));
}

#[test]
fn logins_are_listed() {
    let shop = Shop::with_known_credentials();
    let server = shop.serve(["--cookie-secure", "never"]);
    let id = server.get("/admin/auth").with_token(API_TOKEN).send().body["user"]["id"].clone();
    let typed = json!({ "email": EMAIL, "password": PASSWORD });
    assert_eq!(server.post("/admin/auth").send_json(typed).status, 200);
    assert_eq!(sign_in(&server, EMAIL, "guess"), 401);
    assert_eq!(sign_in(&server, "nobody@example.com", PASSWORD), 401);
    // What is not written yet is written when the server stops.
    server.stop();

    let logins = |arguments: &[&str]| -> Vec<Value> {
        let mut command = shop.stheno(["user", "logins", "--output", "json"]);
        let output = command.args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", text_of(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let all = logins(&[]);
    let at = all[1]["at"].as_str().unwrap();
    assert_eq!(
        all[1],
        json!({
            "id": 2, "at": at, "user_id": id, "email": EMAIL, "kind": "token", "outcome": "wrong_password",
            "attempts": 1, "address": "127.0.0.1",
        })
    );
    let outcomes = |logins: &[Value]| -> Vec<String> {
        logins.iter().map(|login| login["outcome"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(outcomes(&all), ["unknown_user", "wrong_password", "accepted"]);
    assert_eq!(outcomes(&logins(&["--user", &EMAIL.to_uppercase()])), ["wrong_password", "accepted"]);
    assert_eq!(outcomes(&logins(&["--user", id.as_str().unwrap(), "--limit", "1"])), ["wrong_password"]);
    assert_eq!(outcomes(&logins(&["--since", at])), ["unknown_user", "wrong_password"]);
    assert_eq!(outcomes(&logins(&["--since", "1h"])).len(), 3);

    let changing = vec![(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "[time]")];
    insta::with_settings!({ filters => changing }, {
        assert_cmd_snapshot!(shop.stheno(["user", "logins"]));
        assert_cmd_snapshot!(shop.stheno(["user", "logins", "--user", "nobody@example.com"]));
        assert_cmd_snapshot!(shop.stheno(["user", "logins", "--since", "lately"]));
    });

    let server = shop.serve(["--audit-retention", "off"]);
    assert_eq!(sign_in(&server, EMAIL, PASSWORD), 200);
    server.stop();
    assert_eq!(logins(&[]), all);
}
