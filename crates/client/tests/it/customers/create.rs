use serde_json::json;
use stheno_client::CreateCustomer;

use crate::backend::{Backend, Seen};

fn ida() -> CreateCustomer {
    CreateCustomer::new("ida@example.com", "Ida", "Simon", "correct horse")
}

#[tokio::test]
async fn sends_what_is_required_and_what_is_set() {
    let backend = Backend::playing("cu.create.ok_all_fields").await;
    let customer = backend.customers().create(ida()).phone("+4512345678").metadata([("a", 1)]).await.unwrap();
    assert_eq!(customer.status(), 201);
    assert!(customer.has_account);
    assert!(!format!("{customer:?}").contains("scrypt"), "the password's hash is dropped");
    assert_eq!(
        backend.seen_with_key().await,
        Seen::with(
            "POST /admin/customers",
            json!({
                "email": "ida@example.com", "first_name": "Ida", "last_name": "Simon", "password": "correct horse",
                "phone": "+4512345678", "metadata": {"a": 1},
            })
        )
    );
}

#[tokio::test]
async fn an_account_that_is_there() {
    let backend = Backend::playing("cu.create.duplicate_email").await;
    let call = backend.customers().create(ida());
    assert!(!format!("{call:?}").contains("correct horse"));
    assert!(call.await.unwrap_err().is_duplicate());
}
