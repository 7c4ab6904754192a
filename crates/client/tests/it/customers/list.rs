use stheno_client::admin::customers::{CustomerField, CustomerRelation, CustomerSort};
use stheno_client::jiff::Timestamp;

use crate::backend::{Backend, Seen};

#[tokio::test]
async fn lists() {
    let backend = Backend::playing("cu.list.default_limit3").await;
    let page = backend.customers().list().await.unwrap();
    assert_eq!((page.items.len(), page.count, page.limit), (3, 1000, 3));
    assert_eq!(page.items[0].first_name.as_deref(), Some("Søren"));
    assert_eq!(page.items[0].groups, None);
    assert_eq!(backend.seen_with_key().await, Seen::new("GET /admin/customers"));
}

#[tokio::test]
async fn sends_every_parameter() {
    let backend = Backend::playing("cu.list.default_limit3").await;
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    backend
        .customers()
        .list()
        .q("smith")
        .groups(["cgrp_1", "cgrp_2"])
        .has_account(true)
        .created_at(start..)
        .updated_at(start..=start)
        .order(CustomerSort::CreatedAt.descending())
        .expand([
            CustomerRelation::GroupsPriceLists,
            CustomerRelation::Orders,
            CustomerRelation::ShippingAddresses,
        ])
        .fields([CustomerField::Id, CustomerField::Email])
        .limit(2)
        .offset(4)
        .await
        .unwrap();
    assert_eq!(
        backend.seen().await.line,
        "GET /admin/customers?q=smith&groups%5B0%5D=cgrp_1&groups%5B1%5D=cgrp_2&has_account=true\
         &created_at%5Bgte%5D=2026-01-01T00%3A00%3A00.000Z\
         &updated_at%5Bgte%5D=2026-01-01T00%3A00%3A00.000Z&updated_at%5Blte%5D=2026-01-01T00%3A00%3A00.000Z\
         &order=-created_at&expand=groups.price_lists%2Corders%2Cshipping_addresses&fields=id%2Cemail\
         &limit=2&offset=4"
    );
}
