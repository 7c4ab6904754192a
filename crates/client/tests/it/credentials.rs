use serde_json::json;
use stheno_client::http::Method;
use stheno_client::{Client, ClientBuilder};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, ResponseTemplate};

use crate::backend::{Backend, recorded};

fn token(token: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({"access_token": token}))
}

#[tokio::test]
async fn a_bearer_token_is_sent() {
    let backend = Backend::playing("cg.list.default").await;
    let medusa = backend.builder().bearer_token("abc").build().unwrap();
    medusa.admin().customer_groups().list().await.unwrap();
    assert_eq!(backend.requests().await[0].headers["authorization"], "Bearer abc");
}

#[tokio::test]
async fn a_call_can_bring_its_own() {
    let backend = Backend::playing("cg.list.default").await;
    backend.groups().list().header("x-medusa-access-token", "other").await.unwrap();
    assert_eq!(backend.requests().await[0].headers["x-medusa-access-token"], "other");
}

#[tokio::test]
async fn a_proxy_may_want_credentials_too() {
    let backend = Backend::playing("cg.list.default").await;
    let list = async |builder: ClientBuilder| {
        let medusa = builder.header("cookie", "gate=1").header("authorization", "Basic Z2F0ZQ==").build();
        medusa.unwrap().admin().customer_groups().list().await.unwrap();
        backend.requests().await.pop().unwrap().headers
    };
    let headers = list(backend.builder().api_key("key")).await;
    assert_eq!(headers["x-medusa-access-token"], "key");
    assert_eq!(
        (&headers["authorization"], &headers["cookie"]),
        (&"Basic Z2F0ZQ==".parse().unwrap(), &"gate=1".parse().unwrap())
    );

    let headers = list(backend.builder().session_cookie("s%3Aabc")).await;
    assert_eq!(headers["cookie"], "gate=1; connect.sid=s%3Aabc");
    assert_eq!(headers["authorization"], "Basic Z2F0ZQ==");

    // There is no room for two, and no need for a token that is not sent.
    let headers = list(backend.builder().email_and_password("admin@medusa-test.com", "supersecret")).await;
    assert_eq!(headers["authorization"], "Basic Z2F0ZQ==");
    assert_eq!(backend.requests().await.len(), 3);
}

#[tokio::test]
async fn an_api_token_of_the_call_takes_the_place_of_any_credential() {
    let backend = Backend::playing("cg.list.default").await;
    for builder in [backend.builder().bearer_token("abc"), backend.builder().session_cookie("s%3Aabc")] {
        let groups = builder.build().unwrap().admin().customer_groups();
        groups.list().header("x-medusa-access-token", "other").await.unwrap();
        let headers = backend.requests().await.pop().unwrap().headers;
        assert_eq!(headers["x-medusa-access-token"], "other");
        assert!(!headers.contains_key("authorization") && !headers.contains_key("cookie"), "{headers:?}");
    }
}

#[tokio::test]
async fn a_token_is_fetched_once_for_many() {
    let backend = Backend::start().await;
    let fetch = Mock::given(method("POST")).and(path("/admin/auth/token"));
    backend.mount(fetch.respond_with(token("first")).expect(1)).await;
    let list = Mock::given(method("GET")).and(header("authorization", "Bearer first"));
    backend.mount(list.respond_with(recorded("cg.list.default")).expect(5)).await;

    let medusa =
        backend.builder().email_and_password("admin@medusa-test.com", "supersecret").build().unwrap();
    let groups = medusa.admin().customer_groups();
    let calls = (0..5).map(|_| groups.list().into_future());
    for answer in futures_util::future::join_all(calls).await {
        answer.unwrap();
    }
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed() {
    let backend = Backend::start().await;
    let fetch = || Mock::given(method("POST")).and(path("/admin/auth/token"));
    backend.mount(fetch().respond_with(token("old")).up_to_n_times(1)).await;
    backend.mount(fetch().respond_with(token("new"))).await;
    let list = |bearer| Mock::given(method("GET")).and(header("authorization", bearer));
    backend.mount(list("Bearer old").respond_with(recorded("authn.none"))).await;
    backend.mount(list("Bearer new").respond_with(recorded("cg.list.default"))).await;

    let medusa =
        backend.builder().email_and_password("admin@medusa-test.com", "supersecret").build().unwrap();
    medusa.admin().customer_groups().list().await.unwrap();
    let lines: Vec<String> = backend
        .requests()
        .await
        .iter()
        .map(|request| format!("{} {}", request.method, request.url.path()))
        .collect();
    assert_eq!(
        lines,
        [
            "POST /admin/auth/token",
            "GET /admin/customer-groups",
            "POST /admin/auth/token",
            "GET /admin/customer-groups",
        ]
    );
}

#[tokio::test]
async fn a_token_that_is_always_refused_ends() {
    let backend = Backend::start().await;
    backend.mount(Mock::given(path("/admin/auth/token")).respond_with(token("bad"))).await;
    backend.mount(Mock::given(method("GET")).respond_with(recorded("authn.none"))).await;
    let medusa =
        backend.builder().email_and_password("admin@medusa-test.com", "supersecret").build().unwrap();
    assert!(medusa.admin().customer_groups().list().await.unwrap_err().is_unauthorized());
    assert_eq!(backend.requests().await.len(), 4);
}

#[tokio::test]
async fn a_wrong_password_says_so() {
    let backend = Backend::playing("auth.token.bad_password").await;
    let medusa = backend.builder().email_and_password("admin@medusa-test.com", "wrong").build().unwrap();
    let error = medusa.admin().customer_groups().list().await.unwrap_err();
    assert_eq!(error.to_string(), format!("POST {}/admin/auth/token: 401 Unauthorized", backend.url()));
    assert_eq!(backend.requests().await.len(), 1);
}

#[test]
fn no_secret_is_shown() {
    let builders = [
        Client::builder("http://h").api_key("s3cret"),
        Client::builder("http://h").bearer_token("s3cret"),
        Client::builder("http://h").email_and_password("a@b.c", "s3cret"),
        Client::builder("http://h").session_cookie("s3cret"),
        Client::builder("http://h").header("authorization", "Basic s3cret"),
        Client::builder("http://h").header("proxy-authorization", "Basic s3cret"),
    ];
    for builder in builders {
        let shown = format!("{builder:?}");
        let medusa = builder.build().unwrap();
        let call = medusa.admin().customer_groups().list().header("x-medusa-access-token", "s3cret");
        let shown = format!("{shown} {medusa:?} {call:?} {:?}", call.to_request().unwrap());
        assert!(!shown.contains("s3cret"), "{shown}");
    }
    let medusa = Client::builder("http://h").build().unwrap();
    let call =
        medusa.request::<()>(Method::POST, "/admin/x?token=s3cret").json(&json!({"password": "s3cret"}));
    assert!(!format!("{call:?}").contains("s3cret"), "{call:?}");
}

#[tokio::test]
async fn a_token_in_an_answer_of_another_shape_is_not_shown() {
    let backend = Backend::answering(ResponseTemplate::new(200).set_body_json(json!("s3cret"))).await;
    let medusa =
        backend.builder().email_and_password("admin@medusa-test.com", "supersecret").build().unwrap();
    let error = medusa.admin().customer_groups().list().await.unwrap_err();
    assert!(error.is_decode() && !format!("{error} {error:#?}").contains("s3cret"), "{error:#?}");
}

#[test]
fn what_cannot_be_sent_is_refused_when_building() {
    for builder in [
        Client::builder("http://h").api_key("new\nline"),
        Client::builder("http://h").session_cookie("\0"),
        Client::builder("http://h").header("bad name", "x"),
        Client::builder("http://h").header("x-name", "a\nb"),
        Client::builder("h"),
    ] {
        assert!(builder.build().unwrap_err().is_invalid_request());
    }
}
