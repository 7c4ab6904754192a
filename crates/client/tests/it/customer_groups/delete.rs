use crate::backend::{Backend, Seen};

#[tokio::test]
async fn deletes() {
    let backend = Backend::playing("cg.delete.ok").await;
    let deleted = backend.groups().delete("cgrp_01M83Q9ECTFXMXEGPFKPD0E4PM").await.unwrap();
    assert_eq!(deleted.id, "cgrp_01M83Q9ECTFXMXEGPFKPD0E4PM");
    assert_eq!(deleted.object, "customer_group");
    assert!(deleted.deleted);
    assert_eq!(
        backend.seen_with_key().await,
        Seen::new("DELETE /admin/customer-groups/cgrp_01M83Q9ECTFXMXEGPFKPD0E4PM")
    );
}

#[tokio::test]
async fn ids_are_encoded() {
    let backend = Backend::playing("cg.delete.encoded_id").await;
    assert_eq!(backend.groups().delete("a b/c").await.unwrap().id, "a b/c");
    assert_eq!(backend.seen().await, Seen::new("DELETE /admin/customer-groups/a%20b%2Fc"));
}

#[tokio::test]
async fn what_cannot_be_an_id_is_not_sent() {
    let backend = Backend::playing("cg.delete.ok").await;
    for id in ["", ".", ".."] {
        assert!(backend.groups().delete(id).await.unwrap_err().is_invalid_request());
    }
    assert!(backend.requests().await.is_empty());
}
