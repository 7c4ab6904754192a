//! What was signed before a restart counts after it, until the secret is taken away.

use serde_json::json;

use crate::support::{EMAIL, PASSWORD, Server, Shop};

const ONE: &str = "the first secret, which is long enough";
const OTHER: &str = "the second secret, which is long enough";

fn token(server: &Server) -> String {
    let answer = server.post("/admin/auth/token").send_json(json!({ "email": EMAIL, "password": PASSWORD }));
    answer.body["access_token"].as_str().unwrap().to_owned()
}

/// The cookie of a session, opened through a proxy that speaks https.
fn cookie(server: &Server) -> String {
    let call = server.post("/admin/auth").with("x-forwarded-proto", "https");
    let answer = call.send_json(json!({ "email": EMAIL, "password": PASSWORD }));
    let cookie = answer.cookie.unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

fn counts(server: &Server, token: &str) -> bool {
    server.get("/admin/auth").with("authorization", format!("Bearer {token}")).send().status == 200
}

fn cookie_counts(server: &Server, cookie: &str) -> bool {
    server.get("/admin/auth").with("cookie", cookie).send().status == 200
}

#[test]
fn secrets_that_were_made_are_kept_with_the_data() {
    let shop = Shop::with_known_credentials();
    let server = shop.serve([]);
    let (token, cookie) = (token(&server), cookie(&server));
    assert!(counts(&server, &token) && cookie_counts(&server, &cookie));
    server.stop();

    let server = shop.serve([]);
    assert!(counts(&server, &token) && cookie_counts(&server, &cookie));

    let another = Shop::with_known_credentials();
    assert!(!counts(&another.serve([]), &token), "no two shops have the same secret");
}

#[test]
fn a_secret_can_be_replaced_without_signing_anybody_out() {
    let shop = Shop::with_known_credentials().with("JWT_SECRET", ONE).with("COOKIE_SECRET", ONE);
    let server = shop.serve([]);
    let (token, cookie) = (token(&server), cookie(&server));
    server.stop();

    let shop = shop.with("JWT_SECRET", OTHER).with("COOKIE_SECRET", OTHER);
    let shop = shop.with("JWT_SECRET_PREVIOUS", ONE).with("COOKIE_SECRET_PREVIOUS", ONE);
    let server = shop.serve([]);
    assert!(counts(&server, &token) && cookie_counts(&server, &cookie));
    server.stop();

    let shop = shop.without("JWT_SECRET_PREVIOUS").without("COOKIE_SECRET_PREVIOUS");
    let server = shop.serve([]);
    assert!(!counts(&server, &token) && !cookie_counts(&server, &cookie));
}

#[test]
fn a_previous_secret_alone_counts_beside_the_one_that_is_kept() {
    let shop = Shop::with_known_credentials().with("JWT_SECRET", ONE);
    let server = shop.serve([]);
    let old = token(&server);
    server.stop();

    let shop = shop.without("JWT_SECRET").with("JWT_SECRET_PREVIOUS", ONE);
    let server = shop.serve([]);
    let new = token(&server);
    assert!(counts(&server, &old) && counts(&server, &new));
    let log = server.stop();
    assert!(log.contains("JWT_SECRET_PREVIOUS is given without JWT_SECRET"), "{log}");
    assert!(!log.contains("COOKIE_SECRET"), "{log}");

    let shop = shop.without("JWT_SECRET_PREVIOUS");
    let server = shop.serve([]);
    assert!(!counts(&server, &old) && counts(&server, &new));
}

#[test]
fn a_secret_in_a_file_is_the_same_secret() {
    let shop = Shop::with_known_credentials().with("JWT_SECRET", ONE);
    let server = shop.serve([]);
    let token = token(&server);
    server.stop();

    std::fs::write(shop.path("jwt-secret"), format!("{ONE}\n")).unwrap();
    let shop = shop.without("JWT_SECRET").with("JWT_SECRET_FILE", "jwt-secret");
    let server = shop.serve([]);
    assert!(counts(&server, &token));
    let log = server.stop();
    assert!(!log.contains(ONE), "{log}");
}
