//! Every operation against a server that is running: a real Medusa 1.20, or Stheno.
//!
//! `MEDUSA_BACKEND_URL` is its address, `MEDUSA_API_KEY` a user's API token, `MEDUSA_EMAIL` and `MEDUSA_PASSWORD` belong to
//! the same user. Groups made here are deleted again; a customer stays, since customers cannot be deleted.
//!
//! `cargo test --test live -- --ignored`

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

mod scenarios;

use std::env::var;
use std::time::Duration;

use serde_json::Value;
use stheno_client::http::Method;
use stheno_client::{Admin, Client, ClientBuilder};

fn builder() -> ClientBuilder {
    Client::builder(var("MEDUSA_BACKEND_URL").expect("MEDUSA_BACKEND_URL"))
}

fn admin() -> Admin {
    builder().api_key(var("MEDUSA_API_KEY").expect("MEDUSA_API_KEY")).build().unwrap().admin()
}

fn email_and_password() -> (String, String) {
    (var("MEDUSA_EMAIL").expect("MEDUSA_EMAIL"), var("MEDUSA_PASSWORD").expect("MEDUSA_PASSWORD"))
}

#[tokio::test]
#[ignore = "needs a server"]
async fn groups_from_beginning_to_end() {
    scenarios::groups_from_beginning_to_end(&admin()).await;
}

#[tokio::test]
#[ignore = "needs a server"]
async fn members_in_any_number() {
    scenarios::members_in_any_number(&admin()).await;
}

#[tokio::test]
#[ignore = "needs a server"]
async fn customers_are_made_and_changed() {
    scenarios::customers_are_made_and_changed(&admin()).await;
}

#[tokio::test]
#[ignore = "needs a server"]
async fn every_way_to_say_who_is_asking() {
    let (email, password) = email_and_password();
    assert_eq!(admin().auth().get_session().await.unwrap().email, email);

    let anyone = builder().build().unwrap().admin();
    assert!(anyone.customer_groups().list().await.unwrap_err().is_unauthorized());
    assert!(anyone.auth().get_token(&email, "wrong").await.unwrap_err().is_unauthorized());
    let token = anyone.auth().get_token(&email, &password).await.unwrap();
    let bearer = builder().bearer_token(&token.access_token).build().unwrap();
    assert_eq!(bearer.admin().auth().get_session().await.unwrap().email, email);

    let login = builder().email_and_password(&email, &password).build().unwrap();
    login.admin().customer_groups().list().limit(1).await.unwrap();

    // A cookie is set only over https, or if a proxy says so.
    let session = builder().session().header("x-forwarded-proto", "https").build().unwrap().admin().auth();
    session.create_session(&email, &password).await.unwrap();
    assert_eq!(session.get_session().await.unwrap().email, email);
    session.delete_session().await.unwrap();
    assert!(session.get_session().await.unwrap_err().is_unauthorized());
}

#[tokio::test]
#[ignore = "needs a server"]
async fn faults_say_what_they_are() {
    let client = builder().api_key(var("MEDUSA_API_KEY").unwrap()).build().unwrap();
    let error = client.admin().customer_groups().list().query("foo", "bar").await.unwrap_err();
    assert!(error.is_validation());
    assert_eq!(error.message().unwrap(), "property foo should not exist");
    let error = client.request::<Value>(Method::GET, "/admin/customer-groups/a/nope").await.unwrap_err();
    assert_eq!(error.status().unwrap(), 404);
    let error = client.admin().customer_groups().list().timeout(Duration::ZERO).await.unwrap_err();
    assert!(error.is_timeout());
}
