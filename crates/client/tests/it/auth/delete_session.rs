use crate::backend::{Backend, Seen};

#[tokio::test]
async fn logs_out() {
    let backend = Backend::playing("auth.session.delete.cookie").await;
    let auth = backend.builder().session_cookie("s%3Aabc").build().unwrap().admin().auth();
    auth.delete_session().await.unwrap().into_body();
    assert_eq!(backend.seen().await, Seen::new("DELETE /admin/auth"));
    assert_eq!(backend.requests().await[0].headers["cookie"], "connect.sid=s%3Aabc");
}
