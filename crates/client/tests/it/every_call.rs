use serde_json::{Value, json};
use stheno_client::http::{Method, Response};
use stheno_client::jiff::Timestamp;
use stheno_client::{Call, Client, Operation};

use crate::backend::{Backend, Seen, recorded};

#[tokio::test]
async fn headers_are_sent() {
    let backend = Backend::playing("cg.list.default").await;
    let medusa = backend.builder().header("x-shop", "north").header("accept-language", "da").build().unwrap();
    let list = medusa.admin().customer_groups().list().header("x-shop", "south").header("x-request-id", "r1");
    list.await.unwrap();
    let headers = &backend.requests().await[0].headers;
    assert_eq!(headers["x-shop"], "south");
    assert_eq!(headers["accept-language"], "da");
    assert_eq!(headers["x-request-id"], "r1");
}

#[tokio::test]
async fn headers_that_are_none_are_refused() {
    let backend = Backend::playing("cg.list.default").await;
    assert!(backend.groups().list().header("a b", "c").await.unwrap_err().is_invalid_request());
    assert!(backend.groups().list().header("a", "b\r\nc: d").await.unwrap_err().is_invalid_request());
    assert!(backend.requests().await.is_empty());
}

#[tokio::test]
async fn parameters_this_crate_does_not_know() {
    let backend = Backend::playing("cg.list.default").await;
    backend.groups().list().limit(1).query("sales_channel", "web").query("limit", "2").await.unwrap();
    assert_eq!(backend.seen().await, Seen::new("GET /admin/customer-groups?limit=2&sales_channel=web"));
}

#[tokio::test]
async fn parameters_with_brackets_in_their_names() {
    let backend = Backend::playing("cg.list.default").await;
    let list =
        backend.groups().list().query("id[gt]", "cgrp_0 & 1").query("id[lt]", "x").query("id[lt]", "b");
    list.await.unwrap();
    let query = "id%5Bgt%5D=cgrp_0%20%26%201&id%5Blt%5D=b";
    assert_eq!(backend.seen().await, Seen::new(&format!("GET /admin/customer-groups?{query}")));

    let backend = Backend::playing("cg.list.default").await;
    let from: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let list = backend.groups().list().created_at(from..).query("created_at[lt]", "2027");
    list.query("created_at[gte]", "2025").await.unwrap();
    let query = "created_at%5Bgte%5D=2025&created_at%5Blt%5D=2027";
    assert_eq!(backend.seen().await, Seen::new(&format!("GET /admin/customer-groups?{query}")));
    for name in ["", "[a]", "__proto__"] {
        let error = backend.groups().list().query(name, "c").await.unwrap_err();
        assert!(error.is_invalid_request(), "{name}");
    }
}

#[tokio::test]
async fn idempotency_keys() {
    let backend = Backend::playing("cg.create.ok").await;
    let groups = backend.groups();
    groups.create("a").idempotency_key("import-17").await.unwrap();
    groups.create("a").await.unwrap();
    groups.create("a").await.unwrap();
    let requests = backend.requests().await;
    let keys: Vec<&str> =
        requests.iter().map(|request| request.headers["idempotency-key"].to_str().unwrap()).collect();
    assert_eq!(keys[0], "import-17");
    assert_eq!(keys[1].len(), 36);
    assert_ne!(keys[1], keys[2], "every call has its own");
}

#[tokio::test]
async fn requests_this_crate_has_no_method_for() {
    let backend =
        Backend::answering(wiremock::ResponseTemplate::new(200).set_body_json(json!({"ok": 1}))).await;
    let body = json!({"name": "North"});
    let call =
        backend.client().request::<Value>(Method::POST, "/admin/store?a=b").json(&body).query("c", "d");
    assert_eq!(call.await.unwrap()["ok"], 1);
    assert_eq!(backend.seen_with_key().await, Seen::with("POST /admin/store?a=b&c=d", body));
    let error = backend.client().request::<Value>(Method::GET, "admin").await.unwrap_err();
    assert!(error.is_invalid_request());
}

#[tokio::test]
async fn an_answer_may_have_no_body() {
    for status in [200, 204] {
        let backend = Backend::answering(wiremock::ResponseTemplate::new(status)).await;
        let call = backend.client().request::<()>(Method::DELETE, "/admin/store");
        call.clone().await.unwrap();
        assert!(
            backend.client().request::<Option<Value>>(Method::GET, "/admin/store").await.unwrap().is_none()
        );
    }
}

#[tokio::test]
async fn a_path_in_the_address_is_kept() {
    let backend = Backend::playing("cg.list.default").await;
    let medusa = Client::builder(format!("{}/medusa/", backend.url())).build().unwrap();
    medusa.admin().customer_groups().list().await.unwrap();
    assert_eq!(backend.seen().await, Seen::new("GET /medusa/admin/customer-groups"));
}

#[test]
fn calls_can_be_made_by_hand() {
    let medusa = Client::builder("http://shop.example").api_key("k").build().unwrap();
    let call = medusa.admin().customer_groups().retrieve("cgrp_1");
    let request = call.to_request().unwrap();
    assert_eq!(request.uri(), "http://shop.example/admin/customer-groups/cgrp_1");
    assert!(!request.headers().contains_key("x-medusa-access-token"));

    let body = r#"{"type":"not_found","message":"no"}"#;
    let answer = Response::builder().status(404).body(body.into()).unwrap();
    assert!(call.read(answer).unwrap_err().is_not_found());
}

#[tokio::test]
async fn an_http_client_of_ones_own() {
    let backend = Backend::answering(recorded("cg.list.default")).await;
    // What the documentation of `http_client` says: reqwest wants to be told.
    #[cfg(feature = "rustls")]
    rustls::crypto::ring::default_provider().install_default().unwrap();
    let http = reqwest::Client::builder().user_agent("mine").build().unwrap();
    let medusa = backend.builder().http_client(http).build().unwrap();
    medusa.admin().customer_groups().list().await.unwrap();
}

#[tokio::test]
async fn the_http_client_can_be_configured() {
    let proxy = Backend::answering(recorded("cg.list.default")).await;
    let url = proxy.url();
    let configure = move |http: reqwest::ClientBuilder| http.proxy(reqwest::Proxy::all(&url).unwrap());
    let medusa = Client::builder("http://shop.example").configure_http(configure).build().unwrap();
    medusa.admin().customer_groups().list().await.unwrap();
    assert_eq!(proxy.requests().await[0].url.host_str(), Some("shop.example"));
}

/// Compiles only if every call, and what it becomes, can be moved to another thread.
#[test]
fn calls_are_send() {
    fn is_send<T: Send + 'static>(_: &T) {}

    fn check<O: Operation + Clone>(call: Call<O>) {
        is_send(&call);
        is_send(&call.clone().optional().into_future());
        is_send(&call.into_future());
    }

    let admin = Client::builder("http://h").build().unwrap().admin();
    let (groups, customers, auth) = (admin.customer_groups(), admin.customers(), admin.auth());
    check(groups.add_customers("a", ["b"]));
    is_send(&groups.add_customers("a", ["b"]).in_batches().into_future());
    check(groups.create("a"));
    check(groups.delete("a"));
    check(groups.list());
    is_send(&groups.list().stream());
    is_send(&groups.list().pages());
    is_send(&groups.list().all());
    check(groups.list_customers("a"));
    check(groups.remove_customers("a", ["b"]));
    check(groups.retrieve("a"));
    check(groups.update("a"));
    check(customers.create(stheno_client::CreateCustomer::new("a", "b", "c", "d")));
    check(customers.list());
    check(customers.retrieve("a"));
    check(customers.update("a"));
    check(auth.create_session("a", "b"));
    check(auth.delete_session());
    check(auth.get_session());
    check(auth.get_token("a", "b"));
}
