use stheno_client::admin::customers::{CustomerField, CustomerRelation, CustomerSort};
use stheno_client::jiff::Timestamp;

use crate::backend::{Backend, Seen};

#[tokio::test]
async fn lists_members_with_their_group() {
    let backend = Backend::playing("cg.customers.limit2").await;
    let page = backend.groups().list_customers("cgrp_1").await.unwrap();
    assert_eq!((page.items.len(), page.count, page.limit), (2, 500, 2));
    let groups = page.items[0].groups.as_ref().unwrap();
    assert_eq!(groups[0].name, "All Subscribers");
    assert_eq!(backend.seen_with_key().await, Seen::new("GET /admin/customer-groups/cgrp_1/customers"));
}

#[tokio::test]
async fn sends_every_parameter() {
    let backend = Backend::playing("cg.customers.limit2").await;
    let end: Timestamp = "2026-02-01T12:30:00Z".parse().unwrap();
    backend
        .groups()
        .list_customers("cgrp_1")
        .q("smith")
        .has_account(false)
        .created_at(..end)
        .updated_at(..=end)
        .order(CustomerSort::Email)
        .expand([CustomerRelation::Groups, CustomerRelation::BillingAddress])
        .fields([CustomerField::Email])
        .limit(0)
        .offset(3)
        .await
        .unwrap();
    assert_eq!(
        backend.seen().await.line,
        "GET /admin/customer-groups/cgrp_1/customers?q=smith&has_account=false\
         &created_at%5Blt%5D=2026-02-01T12%3A30%3A00.000Z&updated_at%5Blte%5D=2026-02-01T12%3A30%3A00.000Z\
         &order=email&expand=groups%2Cbilling_address&fields=email&limit=0&offset=3"
    );
}

#[tokio::test]
async fn an_unknown_group_has_no_members() {
    let backend = Backend::playing("cg.customers.unknown_group").await;
    let page = backend.groups().list_customers("cgrp_nope").await.unwrap();
    assert_eq!((page.items.len(), page.count), (0, 0));
}
