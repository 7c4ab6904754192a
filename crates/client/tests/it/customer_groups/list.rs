use stheno_client::admin::customer_groups::{CustomerGroupField, CustomerGroupRelation, CustomerGroupSort};
use stheno_client::admin::customers::CustomerField;
use stheno_client::jiff::Timestamp;
use stheno_client::{DateRange, IdFilter};

use crate::backend::{Backend, Seen};

#[tokio::test]
async fn sends_nothing_that_was_not_set() {
    let backend = Backend::playing("cg.list.default").await;
    let page = backend.groups().list().await.unwrap();
    assert_eq!((page.items.len(), page.count, page.offset, page.limit), (10, 20, 0, 10));
    assert_eq!(page.next_offset(), Some(10));
    assert_eq!(page.items[0].name, "Reseller APAC 0020");
    assert_eq!(page.items[0].customers, None);
    assert_eq!(backend.seen_with_key().await, Seen::new("GET /admin/customer-groups"));
}

#[tokio::test]
async fn sends_every_parameter() {
    let backend = Backend::playing("cg.list.default").await;
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let end: Timestamp = "2026-02-01T12:30:00.5Z".parse().unwrap();
    backend
        .groups()
        .list()
        .q("vip & co")
        .name(["All Subscribers", "VIP"])
        .discount_condition_id("discon_1")
        .created_at(start..end)
        .updated_at(DateRange::new().after(start))
        .order(CustomerGroupSort::Name.descending())
        .expand([CustomerGroupRelation::Customers, CustomerGroupRelation::PriceLists])
        .limit(20)
        .offset(40)
        .await
        .unwrap();
    assert_eq!(
        backend.seen().await.line,
        "GET /admin/customer-groups?q=vip%20%26%20co\
         &name%5B0%5D=All%20Subscribers&name%5B1%5D=VIP\
         &discount_condition_id=discon_1\
         &created_at%5Bgte%5D=2026-01-01T00%3A00%3A00.000Z&created_at%5Blt%5D=2026-02-01T12%3A30%3A00.500Z\
         &updated_at%5Bgt%5D=2026-01-01T00%3A00%3A00.000Z\
         &order=-name&expand=customers%2Cprice_lists&limit=20&offset=40"
    );
}

#[tokio::test]
async fn the_id_filter_is_sent_only_if_set() {
    let backend = Backend::playing("cg.list.default").await;
    let line = |filter: IdFilter| {
        let request = backend.groups().list().id(filter).to_request().unwrap();
        request.uri().query().unwrap().to_owned()
    };
    assert_eq!(line("cgrp_1".into()), "id=cgrp_1");
    assert_eq!(line(["cgrp_1", "cgrp_2"].into()), "id%5B0%5D=cgrp_1&id%5B1%5D=cgrp_2");
    assert_eq!(line(IdFilter::starts_with("cgrp_01")), "id%5Bstarts_with%5D=cgrp_01");
}

#[tokio::test]
async fn fields_make_it_partial() {
    let backend = Backend::playing("cg.list.fields_id_name").await;
    let fields = [CustomerGroupField::Id, CustomerGroupField::Name];
    let page = backend.groups().list().fields(fields).q("a").limit(2).await.unwrap();
    assert_eq!(page.items[0].name.as_deref(), Some("Reseller APAC 0020"));
    assert_eq!(page.items[0].metadata, None, "not asked for");
    assert!(page.items[0].created_at.is_some(), "always there");
    assert_eq!(backend.seen().await, Seen::new("GET /admin/customer-groups?fields=id%2Cname&q=a&limit=2"));
}

#[tokio::test]
async fn fields_of_members() {
    let backend = Backend::playing("cg.list.fields_relation_dot").await;
    let fields = [CustomerGroupField::Id, CustomerGroupField::Customers(CustomerField::Email)];
    let page = backend.groups().list().fields(fields).await.unwrap();
    let members = page.items[0].customers.as_ref().unwrap();
    assert_eq!(members[0].email.as_deref(), Some("liam.michel16@gmail.com"));
    assert_eq!(backend.seen().await, Seen::new("GET /admin/customer-groups?fields=id%2Ccustomers.email"));
}

#[tokio::test]
async fn expanded_members() {
    let backend = Backend::playing("cg.list.expand_both").await;
    let page = backend.groups().list().expand([CustomerGroupRelation::Customers]).await.unwrap();
    for group in &page {
        assert!(group.customers.as_ref().unwrap().iter().all(|customer| customer.email.contains('@')));
        assert!(group.price_lists.is_some());
    }
    assert_eq!(page.next_offset(), None);
    assert_eq!(page.into_iter().count(), 1);
}

#[tokio::test]
async fn an_empty_list_of_names_is_refused() {
    let backend = Backend::playing("cg.list.default").await;
    let error = backend.groups().list().name([""; 0]).await.unwrap_err();
    assert!(error.is_invalid_request(), "a query cannot say it, and leaving it out would list all");
}
