use serde_json::json;
use stheno_client::Change;
use stheno_client::admin::customers::CustomerRelation;

use crate::backend::{Backend, Seen};

#[tokio::test]
async fn sends_every_parameter() {
    let backend = Backend::playing("cu.update.ok").await;
    let customer = backend
        .customers()
        .update("cus_1")
        .email("ida@example.com")
        .first_name("Ida")
        .last_name(String::from("Lund"))
        .phone(Change::Clear)
        .password("correct horse")
        .groups(["cgrp_1", "cgrp_2"])
        .metadata([("a", 1)])
        .remove_metadata("b")
        .expand([CustomerRelation::Groups])
        .await
        .unwrap();
    assert_eq!(customer.first_name.as_deref(), Some("Neu"));
    assert_eq!(
        backend.seen_with_key().await,
        Seen::with(
            "POST /admin/customers/cus_1?expand=groups",
            json!({
                "email": "ida@example.com", "first_name": "Ida", "last_name": "Lund", "phone": null,
                "password": "correct horse", "groups": [{"id": "cgrp_1"}, {"id": "cgrp_2"}],
                "metadata": {"a": 1, "b": ""},
            })
        )
    );
}

#[tokio::test]
async fn leaves_out_what_stays() {
    let backend = Backend::playing("cu.update.ok").await;
    backend.customers().update("cus_1").phone(Some("1".to_owned())).first_name(None::<String>).await.unwrap();
    assert_eq!(backend.seen().await.body.unwrap(), json!({"phone": "1", "first_name": null}));
}

#[tokio::test]
async fn the_email_of_an_account_stays() {
    let backend = Backend::playing("cu.update.email_of_account").await;
    assert!(backend.customers().update("cus_1").email("x@example.com").await.unwrap_err().is_validation());
}
