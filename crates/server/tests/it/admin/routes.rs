use stheno_testkit::TestApp;

use crate::{header, token};

/// Every endpoint that needs a credential.
const ENDPOINTS: &[(&str, &str)] = &[
    ("GET", "/admin/auth"),
    ("DELETE", "/admin/auth"),
    ("GET", "/admin/customer-groups"),
    ("POST", "/admin/customer-groups"),
    ("GET", "/admin/customer-groups/cgrp_x"),
    ("POST", "/admin/customer-groups/cgrp_x"),
    ("DELETE", "/admin/customer-groups/cgrp_x"),
    ("GET", "/admin/customer-groups/cgrp_x/customers"),
    ("POST", "/admin/customer-groups/cgrp_x/customers/batch"),
    ("DELETE", "/admin/customer-groups/cgrp_x/customers/batch"),
    ("GET", "/admin/customers"),
    ("POST", "/admin/customers"),
    ("GET", "/admin/customers/cus_x"),
    ("POST", "/admin/customers/cus_x"),
    ("GET", "/admin/whatever"),
    ("PUT", "/admin/customer-groups"),
    ("GET", "/ADMIN//Customer-Groups/"),
    ("GET", "/admin/customer-groups/%E0%A4%A"),
];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_under_admin_answers_without_a_credential() {
    let app = TestApp::with_contract_data().await;
    let mut client = app.client();
    for (method, path) in ENDPOINTS {
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
