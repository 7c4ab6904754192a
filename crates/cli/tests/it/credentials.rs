//! How the first administrator gets in where nobody sits at a terminal.

use std::fs;

use serde_json::json;

use crate::support::{API_TOKEN, EMAIL, PASSWORD, Server, Shop};

fn users(server: &Server, token: &str) -> u16 {
    server.get("/admin/customer-groups").with_token(token).send().status
}

fn sign_in(server: &Server, email: &str, password: &str) -> u16 {
    server.post("/admin/auth/token").send_json(json!({ "email": email, "password": password })).status
}

/// The values in a file of credentials.
fn credentials(shop: &Shop) -> Vec<(String, String)> {
    let content = fs::read_to_string(shop.path("stheno.db.credentials")).unwrap();
    content
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn credentials_that_were_made_go_to_a_file_that_only_its_owner_can_read() {
    let shop = Shop::new();
    let server = shop.serve([]);
    let credentials = credentials(&shop);
    let [(_, email), (_, password), (_, token)] = credentials.as_slice() else { panic!("{credentials:?}") };
    let names: Vec<&str> = credentials.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["STHENO_ADMIN_EMAIL", "STHENO_ADMIN_PASSWORD", "STHENO_ADMIN_API_TOKEN"]);
    assert_eq!(email, "admin@example.com");
    assert_eq!(users(&server, token), 200);
    assert_eq!(sign_in(&server, email, password), 200);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let metadata = fs::metadata(shop.path("stheno.db.credentials")).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    }

    let log = server.stop();
    assert!(log.contains("stheno.db.credentials"), "{log}");
    assert!(!log.contains(password) && !log.contains(token), "{log}");

    // A second start makes nobody, and leaves the file alone.
    fs::remove_file(shop.path("stheno.db.credentials")).unwrap();
    let server = shop.serve([]);
    assert_eq!(users(&server, token), 200);
    assert!(!shop.path("stheno.db.credentials").exists());
}

#[test]
fn credentials_that_were_chosen_are_written_nowhere() {
    let shop = Shop::with_known_credentials();
    let server = shop.serve([]);
    assert_eq!(users(&server, API_TOKEN), 200);
    assert_eq!(sign_in(&server, EMAIL, PASSWORD), 200);
    assert_eq!(sign_in(&server, EMAIL, "another"), 401);
    assert_eq!(users(&server, "another-api-token"), 401);
    assert!(!shop.path("stheno.db.credentials").exists());
    let log = server.stop();
    assert!(!log.contains(PASSWORD) && !log.contains(API_TOKEN), "{log}");
}

#[test]
fn credentials_come_from_files_too() {
    let shop = Shop::new()
        .with("STHENO_ADMIN_EMAIL_FILE", "email")
        .with("STHENO_ADMIN_PASSWORD_FILE", "password")
        .with("STHENO_ADMIN_API_TOKEN_FILE", "token");
    fs::write(shop.path("email"), format!("{EMAIL}\n")).unwrap();
    fs::write(shop.path("password"), format!("{PASSWORD}\n")).unwrap();
    fs::write(shop.path("token"), format!("{API_TOKEN}\n")).unwrap();
    let server = shop.serve([]);
    assert_eq!(users(&server, API_TOKEN), 200);
    assert_eq!(sign_in(&server, EMAIL, PASSWORD), 200);
    assert!(!shop.path("stheno.db.credentials").exists());
}

#[test]
fn what_was_not_chosen_is_made_and_the_rest_is_not_repeated() {
    let shop = Shop::with_known_credentials().without("STHENO_ADMIN_API_TOKEN");
    let server = shop.serve([]);
    let credentials = credentials(&shop);
    let [(_, email), (name, token)] = credentials.as_slice() else { panic!("{credentials:?}") };
    assert_eq!((email.as_str(), name.as_str()), (EMAIL, "STHENO_ADMIN_API_TOKEN"));
    assert_eq!(users(&server, token), 200);
    assert_eq!(sign_in(&server, EMAIL, PASSWORD), 200);
}

#[test]
fn a_file_of_credentials_is_never_overwritten() {
    let shop = Shop::new();
    fs::write(shop.path("stheno.db.credentials"), "of another shop").unwrap();
    let output = shop.stheno(["serve", "--port", "0"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(String::from_utf8(output.stderr).unwrap());
    assert_eq!(fs::read_to_string(shop.path("stheno.db.credentials")).unwrap(), "of another shop");
    assert!(!shop.path("stheno.db").exists(), "a start that fails makes no database");

    // The same where the database is there already, but has nobody.
    let shop = Shop::with_database();
    fs::write(shop.path("stheno.db.credentials"), "of another shop").unwrap();
    assert_eq!(shop.stheno(["serve", "--port", "0"]).output().unwrap().status.code(), Some(1));
    assert_eq!(fs::read_to_string(shop.path("stheno.db.credentials")).unwrap(), "of another shop");

    // Nobody was made whose credentials nobody knows, so the next start makes the administrator.
    let shop = shop.with("STHENO_ADMIN_PASSWORD", PASSWORD).with("STHENO_ADMIN_API_TOKEN", API_TOKEN);
    assert_eq!(users(&shop.serve([]), API_TOKEN), 200);
}

#[test]
fn chosen_credentials_have_no_effect_on_users_that_are_there() {
    let shop = Shop::with_known_credentials();
    drop(shop.serve([]));
    let shop = shop.with("STHENO_ADMIN_API_TOKEN", "another-api-token");
    let server = shop.serve([]);
    assert_eq!(users(&server, API_TOKEN), 200);
    assert_eq!(users(&server, "another-api-token"), 401);
    let log = server.stop();
    assert!(log.contains("STHENO_ADMIN_API_TOKEN have no effect"), "{log}");
}

#[test]
fn weak_credentials_are_taken_with_a_warning() {
    let shop = Shop::new()
        .with("STHENO_ADMIN_PASSWORD", "abc")
        .with("STHENO_ADMIN_API_TOKEN", "test_token")
        .with("JWT_SECRET", "supersecret");
    let server = shop.serve([]);
    assert_eq!(users(&server, "test_token"), 200);
    assert_eq!(sign_in(&server, "admin@example.com", "abc"), 200);
    let log = server.stop();
    for variable in ["STHENO_ADMIN_PASSWORD", "STHENO_ADMIN_API_TOKEN", "JWT_SECRET"] {
        assert!(log.contains(&format!("{variable} is short")), "{variable}\n{log}");
    }
    assert!(!log.contains("COOKIE_SECRET is short"), "{log}");
}
