use serde_json::json;

use crate::backend::{Backend, Seen};

#[tokio::test]
async fn brings_a_token() {
    let backend = Backend::playing("auth.token.ok").await;
    let answer = backend.auth().get_token("admin@medusa-test.com", "supersecret").await.unwrap();
    assert!(answer.access_token.starts_with("<jwt"));
    assert!(!format!("{:?}", *answer).contains("<jwt"));
    assert_eq!(
        backend.seen().await,
        Seen::with(
            "POST /admin/auth/token",
            json!({"email": "admin@medusa-test.com", "password": "supersecret"})
        )
    );
}

#[tokio::test]
async fn what_is_not_an_email_address() {
    let backend = Backend::playing("auth.token.invalid_email").await;
    assert!(backend.auth().get_token("nope", "x").await.unwrap_err().is_validation());
}
