use serde_json::json;

use crate::backend::{Backend, Seen};

#[tokio::test]
async fn sends_ids_in_the_body() {
    let backend = Backend::playing("cg.remove.ok_one").await;
    let group = backend.groups().remove_customers("cgrp_1", ["cus_1"]).await.unwrap();
    assert_eq!(group.name, "Add target");
    assert_eq!(
        backend.seen_with_key().await,
        Seen::with(
            "DELETE /admin/customer-groups/cgrp_1/customers/batch",
            json!({"customer_ids": [{"id": "cus_1"}]})
        )
    );
}

#[tokio::test]
async fn an_unknown_group() {
    let backend = Backend::playing("cg.remove.unknown_group").await;
    let error = backend.groups().remove_customers("cgrp_nope", ["cus_1"]).await.unwrap_err();
    assert!(error.is_not_found());
}
