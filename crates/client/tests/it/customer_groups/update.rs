use serde_json::json;
use stheno_client::admin::customer_groups::CustomerGroupRelation;

use crate::backend::{Backend, Seen};

#[tokio::test]
async fn sends_what_changes() {
    let backend = Backend::playing("cg.update.both").await;
    let call =
        backend.groups().update("cgrp_1").name("Gold").metadata([("tier", 2)]).remove_metadata("trial");
    let group = call.expand([CustomerGroupRelation::Customers]).await.unwrap();
    assert_eq!(group.name, "Renamed both");
    assert_eq!(
        backend.seen_with_key().await,
        Seen::with(
            "POST /admin/customer-groups/cgrp_1?expand=customers",
            json!({"name": "Gold", "metadata": {"tier": 2, "trial": ""}})
        )
    );
}

#[tokio::test]
async fn sends_nothing_that_was_not_set() {
    let backend = Backend::playing("cg.update.empty_object").await;
    backend.groups().update("cgrp_1").await.unwrap();
    assert_eq!(backend.seen().await, Seen::with("POST /admin/customer-groups/cgrp_1", json!({})));
}

#[tokio::test]
async fn a_name_that_is_taken() {
    let backend = Backend::playing("cg.update.duplicate_name").await;
    assert!(backend.groups().update("cgrp_1").name("Contract one").await.unwrap_err().is_duplicate());
}
