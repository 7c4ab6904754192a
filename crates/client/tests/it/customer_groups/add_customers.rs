use serde_json::json;

use crate::backend::{Backend, Seen};

#[tokio::test]
async fn sends_ids_as_objects() {
    let backend = Backend::playing("cg.add.ok_two").await;
    let group = backend.groups().add_customers("cgrp_1", ["cus_1", "cus_2"]).await.unwrap();
    assert_eq!(group.name, "Add target");
    assert_eq!(group.metadata.as_ref().unwrap()["m"], 1);
    assert_eq!(
        backend.seen_with_key().await,
        Seen::with(
            "POST /admin/customer-groups/cgrp_1/customers/batch",
            json!({"customer_ids": [{"id": "cus_1"}, {"id": "cus_2"}]})
        )
    );
}

#[tokio::test]
async fn takes_any_kind_of_ids() {
    let backend = Backend::playing("cg.add.ok_two").await;
    let ids = vec!["cus_1".to_owned(), "cus_2".to_owned()];
    let group = &String::from("cgrp_1");
    assert!(backend.groups().add_customers(group, &ids).to_request().is_ok());
    assert!(backend.groups().add_customers(group, ids.iter().map(String::as_str)).to_request().is_ok());
    assert!(backend.groups().add_customers(group, ids).to_request().is_ok());
}

#[tokio::test]
async fn unknown_customers_are_named() {
    let backend = Backend::playing("cg.add.unknown_and_known").await;
    let error = backend.groups().add_customers("cgrp_1", ["cus_nope"]).await.unwrap_err();
    assert!(error.is_not_found());
    let message = error.message().unwrap();
    assert_eq!(message, "The following customer ids do not exist: \"cus_nope, cus_nope2\"");
}

#[tokio::test]
async fn nobody_to_an_unknown_group_is_not_found() {
    let backend = Backend::playing("cg.add.unknown_group_empty").await;
    let call = backend.groups().add_customers("cgrp_nope", [""; 0]);
    let error = call.clone().await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert_eq!(error.status().unwrap(), 200);
    assert!(error.to_string().ends_with("CustomerGroup with id cgrp_nope was not found"), "{error}");
    assert!(call.optional().await.unwrap().is_none());
}

#[tokio::test]
async fn too_many_at_once() {
    let backend = Backend::playing("cg.add.2600_ids_over_100kb").await;
    let error = backend.groups().add_customers("cgrp_1", ["cus_1"]).await.unwrap_err();
    assert!(error.is_too_large());
}
