use serde_json::{Value, json};
use stheno_client::{CreateCustomerGroup, Metadata};

use crate::backend::{Backend, Seen};

#[tokio::test]
async fn sends_the_name() {
    let backend = Backend::playing("cg.create.ok").await;
    let group = backend.groups().create("Contract one").await.unwrap();
    assert_eq!(group.status(), 200);
    assert_eq!(group.name, "Contract one");
    assert_eq!(group.metadata, None);
    assert_eq!(group.created_at.to_string(), "2026-11-23T08:10:18.347Z");
    assert_eq!(
        backend.seen_with_key().await,
        Seen::with("POST /admin/customer-groups", json!({"name": "Contract one"}))
    );
}

#[tokio::test]
async fn sends_metadata() {
    let backend = Backend::playing("cg.create.ok_metadata").await;
    let more = Metadata::from_iter([("nested".to_owned(), json!({"k": [1, null]}))]);
    let group = backend.groups().create("VIP").metadata([("a", 1)]).metadata(more).await.unwrap();
    assert_eq!(group.metadata.as_ref().unwrap()["nested"]["k"][2]["z"], Value::Null);
    assert_eq!(
        backend.seen().await.body.unwrap(),
        json!({"name": "VIP", "metadata": {"a": 1, "nested": {"k": [1, null]}}})
    );
}

#[tokio::test]
async fn takes_a_body() {
    let backend = Backend::playing("cg.create.ok").await;
    let mut body = CreateCustomerGroup::new("VIP");
    body.metadata = Some(Metadata::new());
    backend.groups().create(body).await.unwrap();
    assert_eq!(backend.seen().await.body.unwrap(), json!({"name": "VIP", "metadata": {}}));
}

#[tokio::test]
async fn a_name_that_is_taken() {
    let backend = Backend::playing("cg.create.duplicate_name").await;
    let error = backend.groups().create("Contract one").await.unwrap_err();
    assert!(error.is_duplicate() && !error.is_outcome_unknown());
    assert_eq!(error.status().unwrap(), 422);
    assert_eq!(error.code().unwrap(), "invalid_request_error");
    assert_eq!(error.message().unwrap(), "Key (name)=(Contract one) already exists.");
}

#[tokio::test]
async fn all_faults_are_in_the_message() {
    let backend = Backend::playing("cg.create.everything_wrong").await;
    let error = backend.groups().create("").await.unwrap_err();
    assert!(error.is_validation());
    assert_eq!(
        error.message().unwrap(),
        "property foo should not exist, name must be a string, metadata must be an object"
    );
}
