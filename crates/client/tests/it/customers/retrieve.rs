use stheno_client::admin::customers::{CustomerField, CustomerRelation};

use crate::backend::{Backend, Seen};

#[tokio::test]
async fn retrieves() {
    let backend = Backend::playing("cu.retrieve.expand_billing").await;
    let call = backend.customers().retrieve("cus_1");
    let customer = call.expand([CustomerRelation::BillingAddress]).fields([CustomerField::Id]).await.unwrap();
    assert_eq!(customer.email, "soren.zhang1@icloud.com");
    assert_eq!(customer.billing_address, Some(None), "asked for, and there is none");
    assert_eq!(
        backend.seen_with_key().await,
        Seen::new("GET /admin/customers/cus_1?expand=billing_address&fields=id")
    );
}

#[tokio::test]
async fn not_found_is_none() {
    let backend = Backend::playing("cu.retrieve.not_found").await;
    assert!(backend.customers().retrieve("cus_nope").optional().await.unwrap().is_none());
}
