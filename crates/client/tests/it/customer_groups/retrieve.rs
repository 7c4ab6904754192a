use stheno_client::admin::customer_groups::{CustomerGroupField, CustomerGroupRelation};

use crate::backend::{Backend, Seen};

#[tokio::test]
async fn retrieves() {
    let backend = Backend::playing("cg.retrieve.ok").await;
    let group = backend.groups().retrieve("cgrp_1").await.unwrap();
    assert_eq!(group.name, "All Subscribers");
    assert_eq!(group.headers()["content-type"], "application/json; charset=utf-8");
    assert_eq!(group.request_id(), None);
    assert!(group.raw_body().starts_with(b"{\"customer_group\":"));
    assert_eq!(group.into_body().updated_at.to_string(), "2024-11-07T21:50:22Z");
    assert_eq!(backend.seen_with_key().await, Seen::new("GET /admin/customer-groups/cgrp_1"));
}

#[tokio::test]
async fn expands() {
    let backend = Backend::playing("cg.retrieve.expand_both").await;
    let relations = [CustomerGroupRelation::CustomersGroups, CustomerGroupRelation::PriceLists];
    let group = backend.groups().retrieve("cgrp_1").expand(relations).await.unwrap();
    assert_eq!(group.price_lists.as_ref().unwrap()[0].status.as_str(), "active");
    assert_eq!(
        backend.seen().await,
        Seen::new("GET /admin/customer-groups/cgrp_1?expand=customers.groups%2Cprice_lists")
    );
}

#[tokio::test]
async fn fields_make_it_partial() {
    let backend = Backend::playing("cg.retrieve.fields_metadata").await;
    let group = backend.groups().retrieve("cgrp_1").fields([CustomerGroupField::Metadata]).await.unwrap();
    assert_eq!(group.name, None);
    assert!(group.metadata.is_some());
    assert_eq!(backend.seen().await, Seen::new("GET /admin/customer-groups/cgrp_1?fields=metadata"));
}

#[tokio::test]
async fn not_found_is_an_error_or_none() {
    let backend = Backend::playing("cg.retrieve.not_found").await;
    let error = backend.groups().retrieve("cgrp_nope").await.unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(
        error.to_string(),
        format!(
            "GET {}/admin/customer-groups/cgrp_nope: 404 Not Found: \
             CustomerGroup with id cgrp_nope was not found (not_found)",
            backend.url()
        )
    );
    assert!(backend.groups().retrieve("cgrp_nope").optional().await.unwrap().is_none());
}

#[tokio::test]
async fn a_path_that_is_not_there_is_no_answer() {
    let backend = Backend::playing("unsupported.GET /admin/customer-groups/:id/nope").await;
    let error = backend.groups().retrieve("cgrp_1").optional().await.unwrap_err();
    assert_eq!(error.status().unwrap(), 404);
}
