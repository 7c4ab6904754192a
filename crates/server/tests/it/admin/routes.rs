use stheno_testkit::TestApp;

use crate::{header, token};

/// What is no endpoint, or is written unlike one; the endpoints themselves are walked over in `openapi.rs`.
const ODD: &[(&str, &str)] = &[
    ("GET", "/admin/whatever"),
    ("PUT", "/admin/customer-groups"),
    ("GET", "/ADMIN//Customer-Groups/"),
    ("GET", "/admin/customer-groups/%E0%A4%A"),
];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_under_admin_answers_without_a_credential() {
    let app = TestApp::with_contract_data().await;
    let mut client = app.client();
    for (method, path) in ODD {
        for credential in
            [None, Some(header("x-medusa-access-token", "nope")), Some(header("cookie", "connect.sid=x"))]
        {
            let mut headers = vec![header("content-type", "application/json")];
            headers.extend(credential);
            let response = client.send(method, path, &headers, Some(b"{malformed".to_vec())).await;
            assert_eq!(response.status, 401, "{method} {path}");
            assert_eq!(response.text(), "Unauthorized", "{method} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_body_is_refused_on_every_route() {
    let app = TestApp::with_contract_data().await;
    let mut client = app.client();
    let id = "cgrp_01JBRGKF01104SSAZYSN3KZHD7";
    for (method, path) in [
        ("POST", "/admin/auth/token".to_owned()),
        ("POST", "/admin/customer-groups".to_owned()),
        ("DELETE", format!("/admin/customer-groups/{id}")),
        ("GET", format!("/admin/customer-groups/{id}")),
    ] {
        let headers = [token(), header("content-type", "application/json")];
        let response = client.send(method, &path, &headers, Some(b"{\"name\":".to_vec())).await;
        assert_eq!(response.status, 400, "{method} {path}");
        assert_eq!(response.json()["type"], "invalid_data", "{method} {path}");
    }
    let group = client.send("GET", &format!("/admin/customer-groups/{id}"), &[token()], None).await;
    assert_eq!(group.status, 200, "the group was deleted by a call whose body could not be read");
}
