use serde_json::json;

use crate::backend::{Backend, Seen, recorded};

#[tokio::test]
async fn logs_in_without_other_credentials() {
    let backend = Backend::playing("auth.session.create.ok.http").await;
    let user = backend.auth().create_session("admin@medusa-test.com", "supersecret").await.unwrap();
    assert_eq!(user.id, "admin_user");
    assert_eq!(
        backend.seen().await,
        Seen::with("POST /admin/auth", json!({"email": "admin@medusa-test.com", "password": "supersecret"}))
    );
    assert!(!backend.requests().await[0].headers.contains_key("x-medusa-access-token"));
}

#[tokio::test]
async fn a_session_is_kept_and_sent() {
    let answer = recorded("auth.session.create.ok.http")
        .append_header("set-cookie", "other=1; Path=/")
        .append_header("set-cookie", "connect.sid=s%3Aabc; Path=/; HttpOnly; Secure");
    let backend = Backend::answering(answer).await;
    let auth = backend.builder().session().build().unwrap().admin().auth();
    auth.create_session("admin@medusa-test.com", "supersecret").await.unwrap();
    auth.get_session().await.unwrap();
    let requests = backend.requests().await;
    assert!(!requests[0].headers.contains_key("cookie"));
    assert_eq!(requests[1].headers["cookie"], "connect.sid=s%3Aabc");
}

#[tokio::test]
async fn a_wrong_password() {
    let backend = Backend::playing("auth.session.create.bad_password").await;
    let error = backend.auth().create_session("admin@medusa-test.com", "wrong").await.unwrap_err();
    assert!(error.is_unauthorized());
}
