use stheno_client::types::UserRole;

use crate::backend::{Backend, Seen};

#[tokio::test]
async fn says_who_is_asking() {
    let backend = Backend::playing("auth.session.get.cookie").await;
    let user = backend.auth().get_session().await.unwrap();
    assert_eq!(user.email, "admin@medusa-test.com");
    assert_eq!(user.role, UserRole::Admin);
    assert!(!format!("{:?}", *user).contains("test_token"), "the API token is dropped");
    assert_eq!(backend.seen_with_key().await, Seen::new("GET /admin/auth"));
}
