use std::net::TcpListener;
use std::time::Duration;

use stheno_client::{Client, Retry};
use wiremock::ResponseTemplate;

use crate::backend::{Backend, recorded};

#[tokio::test]
async fn unauthorized_is_bare_text() {
    let backend = Backend::playing("authn.none").await;
    let error = backend.groups().list().await.unwrap_err();
    assert!(error.is_unauthorized());
    assert_eq!(error.body().unwrap(), "Unauthorized");
    assert_eq!(error.message().unwrap(), "Unauthorized");
}

#[tokio::test]
async fn an_html_page_does_not_hide_the_status() {
    let backend = Backend::playing("cg.create.body_100kb_plus").await;
    let error = backend.groups().create("x").await.unwrap_err();
    assert!(error.is_too_large() && !error.is_decode());
    assert_eq!(error.body().unwrap(), "<html>");
}

#[tokio::test]
async fn an_error_of_the_server() {
    let backend = Backend::playing("cg.list.limit_negative").await;
    let error = backend.groups().list().await.unwrap_err();
    assert!(error.is_server_error());
    assert_eq!(error.error_type().unwrap().as_str(), "unknown_error");
    assert!(
        error.to_string().ends_with("500 Internal Server Error: An unknown error occurred. (unknown_error)")
    );
}

#[tokio::test]
async fn a_request_id_is_kept() {
    let backend =
        Backend::answering(recorded("cg.retrieve.not_found").append_header("x-request-id", "req-7")).await;
    let error = backend.groups().retrieve("x").await.unwrap_err();
    assert_eq!(error.request_id(), Some("req-7"));
    assert!(error.to_string().ends_with("(not_found, request id req-7)"), "{error}");
    assert_eq!(error.headers().unwrap()["x-request-id"], "req-7");
}

#[tokio::test]
async fn a_login_page_is_no_group() {
    let page = ResponseTemplate::new(200).set_body_raw("<h1>Welcome</h1>", "text/html");
    let backend = Backend::answering(page).await;
    let error = backend.groups().retrieve("x").await.unwrap_err();
    assert!(error.is_decode() && !error.is_outcome_unknown());
    assert_eq!(error.status().unwrap(), 200);
    assert_eq!(error.body().unwrap(), "<h1>Welcome</h1>");
    assert!(std::error::Error::source(&error).is_some());
    let create = backend.groups().create("x").await.unwrap_err();
    assert!(create.is_decode() && create.is_outcome_unknown(), "whose page is it?");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Backend::playing("cg.list.default").await;
    let redirect = ResponseTemplate::new(307).append_header("location", elsewhere.url());
    let backend = Backend::answering(redirect).await;
    let error = backend.groups().list().await.unwrap_err();
    assert_eq!(error.status().unwrap(), 307);
    assert!(elsewhere.requests().await.is_empty(), "the API key stays here");
}

#[tokio::test]
async fn nobody_there() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let medusa = Client::builder(format!("http://127.0.0.1:{port}")).retry(Retry::never()).build().unwrap();
    let error = medusa.admin().customer_groups().create("x").await.unwrap_err();
    assert!(error.is_connect() && !error.is_timeout() && !error.is_outcome_unknown());
    assert_eq!(error.status(), None);
    let text = error.to_string();
    assert!(
        text.starts_with(&format!("POST http://127.0.0.1:{port}/admin/customer-groups: cannot connect: ")),
        "{text}"
    );
    assert!(text.contains("refused"), "{text}");
}

#[tokio::test]
async fn silence() {
    let slow = recorded("cg.create.ok").set_delay(Duration::from_secs(60));
    let backend = Backend::answering(slow).await;
    let groups = backend.groups();
    let error = groups.create("x").timeout(Duration::from_millis(50)).await.unwrap_err();
    assert!(error.is_timeout() && error.is_outcome_unknown());
    assert!(error.to_string().ends_with("; it may have been carried out all the same"), "{error}");
    let error = groups.list().timeout(Duration::from_millis(50)).await.unwrap_err();
    assert!(error.is_timeout() && !error.is_outcome_unknown(), "reading changes nothing");
}
