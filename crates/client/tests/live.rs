//! Every operation against a server that is running: a real Medusa 1.20, or Stheno.
//!
//! `MEDUSA_BACKEND_URL` is its address, `MEDUSA_API_KEY` a user's API token, `MEDUSA_EMAIL` and `MEDUSA_PASSWORD` belong to
//! the same user. Groups made here are deleted again; a customer stays, since customers cannot be deleted.
//!
//! `cargo test --test live -- --ignored`

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use std::env::var;
use std::time::Duration;

use futures_util::TryStreamExt;
use serde_json::{Value, json};
use stheno_client::admin::customer_groups::{CustomerGroupField, CustomerGroupRelation, CustomerGroupSort};
use stheno_client::admin::customers::{CustomerRelation, CustomerSort};
use stheno_client::http::Method;
use stheno_client::{Admin, Change, Client, ClientBuilder, CreateCustomer};

fn builder() -> ClientBuilder {
    Client::builder(var("MEDUSA_BACKEND_URL").expect("MEDUSA_BACKEND_URL"))
}

fn admin() -> Admin {
    builder().api_key(var("MEDUSA_API_KEY").expect("MEDUSA_API_KEY")).build().unwrap().admin()
}

fn email_and_password() -> (String, String) {
    (var("MEDUSA_EMAIL").expect("MEDUSA_EMAIL"), var("MEDUSA_PASSWORD").expect("MEDUSA_PASSWORD"))
}

/// A name that no other run has.
fn name(what: &str) -> String {
    format!("{what} {:016x}", getrandom::u64().unwrap())
}

#[tokio::test]
#[ignore = "needs a server"]
async fn groups_from_beginning_to_end() {
    let groups = admin().customer_groups();
    let vip = name("VIP & co, ÆØÅ");
    let group = groups.create(vip.as_str()).metadata([("tier", 1)]).await.unwrap().into_body();
    assert!(groups.create(vip.as_str()).await.unwrap_err().is_duplicate());
    assert!(groups.list().q("").name(["a".repeat(3)]).limit(1).await.is_ok());

    let found = groups
        .list()
        .q(&vip[vip.len() - 16..])
        .order(CustomerGroupSort::CreatedAt.descending())
        .await
        .unwrap();
    assert_eq!(found.items[0], group);
    assert_eq!(found.count, 1);
    let found = groups
        .list()
        .created_at(group.created_at..)
        .expand([CustomerGroupRelation::Customers])
        .await
        .unwrap();
    assert!(found.items.iter().any(|found| found.id == group.id && found.customers == Some(vec![])));
    let partial = groups.retrieve(&group.id).fields([CustomerGroupField::Name]).await.unwrap();
    assert_eq!((partial.name.as_ref(), &partial.metadata), (Some(&vip), &None));

    let renamed = name("Gold");
    let changed =
        groups.update(&group.id).name(&renamed).metadata([("a", json!([1]))]).remove_metadata("tier");
    let changed = changed.await.unwrap();
    assert_eq!(changed.name, renamed);
    assert_eq!(json!(changed.metadata), json!({"a": [1]}));

    assert_eq!(groups.delete(&group.id).await.unwrap().id, group.id);
    assert!(groups.delete(&group.id).await.unwrap().deleted, "again");
    assert!(groups.retrieve(&group.id).optional().await.unwrap().is_none());
    assert!(groups.retrieve("a b/ç\"<x>?#%").await.unwrap_err().is_not_found());
}

#[tokio::test]
#[ignore = "needs a server"]
async fn members_in_any_number() {
    let admin = admin();
    let (groups, customers) = (admin.customer_groups(), admin.customers());
    let group = groups.create(name("Everyone")).await.unwrap().into_body();
    let everyone: Vec<String> = customers
        .list()
        .limit(300)
        .stream()
        .prefetch(2)
        .map_ok(|customer| customer.id)
        .try_collect()
        .await
        .unwrap();
    assert!(everyone.len() > 10, "the shop needs some customers");

    let unknown = ["cus_nope".to_owned()];
    let report = groups.add_customers(&group.id, everyone.iter().chain(&unknown));
    let report = report.in_batches().size(400).skip_unknown().await.unwrap();
    assert_eq!((report.done.len(), report.unknown.as_slice()), (everyone.len(), unknown.as_slice()));
    let members = groups
        .list_customers(&group.id)
        .order(CustomerSort::Email)
        .expand([CustomerRelation::BillingAddress]);
    assert_eq!(members.all().await.unwrap().len(), everyone.len());
    let page = groups.list_customers(&group.id).q("a").has_account(true).limit(2).await.unwrap();
    assert_eq!(page.items[0].groups.as_ref().unwrap()[0].id, group.id);

    let error = groups.add_customers(&group.id, ["cus_nope"]).await.unwrap_err();
    assert!(error.is_not_found() && error.message().unwrap().contains("cus_nope"));
    assert!(groups.add_customers("cgrp_nope", [""; 0]).await.unwrap_err().is_not_found());
    assert!(groups.remove_customers("cgrp_nope", ["cus_nope"]).await.unwrap_err().is_not_found());

    let removed = groups.remove_customers(&group.id, &everyone).in_batches().size(333).await.unwrap();
    assert_eq!(removed.done.len(), everyone.len());
    assert_eq!(groups.list_customers(&group.id).await.unwrap().count, 0);
    groups.delete(&group.id).await.unwrap();
}

#[tokio::test]
#[ignore = "needs a server"]
async fn customers_are_made_and_changed() {
    let admin = admin();
    let (groups, customers) = (admin.customer_groups(), admin.customers());
    let group = groups.create(name("Testers")).await.unwrap().into_body();
    let email = format!("{}@example.com", name("test").replace(' ', "-"));
    let new = CreateCustomer::new(&email, "Ida", "Test", "correct horse");
    let customer = customers.create(new.clone()).phone("123").metadata([("a", 1)]).await.unwrap().into_body();
    assert!(customers.create(new).await.unwrap_err().is_duplicate());
    assert!(customers.create(CreateCustomer::new("nope", "a", "b", "c")).await.unwrap_err().is_validation());

    let change =
        customers.update(&customer.id).first_name(Change::Clear).last_name("Lund").groups([&group.id]);
    let changed =
        change.metadata([("b", 2)]).remove_metadata("a").expand([CustomerRelation::Groups]).await.unwrap();
    assert_eq!((changed.first_name.as_ref(), changed.last_name.as_deref()), (None, Some("Lund")));
    assert_eq!(changed.phone.as_deref(), Some("123"), "not named, not changed");
    assert_eq!(json!(changed.metadata), json!({"b": 2}));
    assert_eq!(changed.groups.as_ref().unwrap()[0].id, group.id);
    assert!(customers.update(&customer.id).email("x@example.com").await.unwrap_err().is_validation());

    let list = customers.list().groups([&group.id]).expand([CustomerRelation::Groups]);
    assert_eq!(list.await.unwrap().items[0].email, email);
    let one = customers.retrieve(&customer.id).expand([CustomerRelation::BillingAddress]).await.unwrap();
    assert_eq!(one.billing_address, Some(None));
    assert!(customers.retrieve("cus_nope").optional().await.unwrap().is_none());
    groups.delete(&group.id).await.unwrap();
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
