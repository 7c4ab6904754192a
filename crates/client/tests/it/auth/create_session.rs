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
async fn a_session_without_a_cookie_is_none() {
    let answer = recorded("auth.session.create.ok.http").append_header("set-cookie", "other=1; Path=/");
    let backend = Backend::answering(answer).await;
    for builder in [backend.builder().session(), backend.builder().session_cookie("s%3Aold")] {
        let auth = builder.build().unwrap().admin().auth();
        let error = auth.create_session("admin@medusa-test.com", "supersecret").await.unwrap_err();
        assert!(error.is_session_missing() && !error.is_unauthorized() && !error.is_outcome_unknown());
        assert_eq!(
            error.to_string(),
            format!(
                "POST {}/admin/auth: 200 OK, but no session cookie came with it: servers send one only over https, or if a \
                 proxy that they trust says `x-forwarded-proto: https`",
                backend.url()
            )
        );
        assert!(!format!("{error:#?}").contains("admin_user"));
    }

    let own_cookie = backend.builder().session().header("cookie", "connect.sid=mine").build().unwrap();
    own_cookie.admin().auth().create_session("admin@medusa-test.com", "supersecret").await.unwrap();
}

#[tokio::test]
async fn a_wrong_password() {
    let backend = Backend::playing("auth.session.create.bad_password").await;
    let error = backend.auth().create_session("admin@medusa-test.com", "wrong").await.unwrap_err();
    assert!(error.is_unauthorized());
}

#[tokio::test]
async fn a_refused_login_leaves_the_session_alone() {
    let refusal =
        recorded("auth.session.create.bad_password").append_header("set-cookie", "connect.sid=none");
    let backend = Backend::answering(refusal).await;
    let auth = backend.builder().session_cookie("s%3Agood").build().unwrap().admin().auth();
    auth.create_session("admin@medusa-test.com", "wrong").await.unwrap_err();
    auth.get_session().await.unwrap_err();
    assert_eq!(backend.requests().await[1].headers["cookie"], "connect.sid=s%3Agood");
}

#[tokio::test]
async fn a_session_of_the_calls_own_leaves_that_of_the_client_alone() {
    let answer = recorded("auth.session.create.ok.http").append_header("set-cookie", "connect.sid=other");
    let backend = Backend::answering(answer).await;
    let auth = backend.builder().session_cookie("s%3Agood").build().unwrap().admin().auth();
    auth.get_session().header("cookie", "gate=1; connect.sid=mine").await.unwrap();
    auth.get_session().await.unwrap();
    let requests = backend.requests().await;
    assert_eq!(requests[0].headers["cookie"], "gate=1; connect.sid=mine");
    assert_eq!(requests[1].headers["cookie"], "connect.sid=s%3Agood");
}
