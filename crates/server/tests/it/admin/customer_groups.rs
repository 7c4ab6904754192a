use serde_json::json;
use stheno_testkit::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn fields_of_a_relation_show_every_member() {
    let app = TestApp::with_contract_data().await;
    let path = "/admin/customer-groups/cgrp_01KW1F2Q004CWZWKZAJK9PC5E4";
    let group = app.call("GET", &format!("{path}?fields=name,customers.email"), None).await.json();
    let customers = group["customer_group"]["customers"].as_array().unwrap().clone();
    assert_eq!(customers.len(), 40);
    for customer in &customers {
        let names: Vec<_> = customer.as_object().unwrap().keys().collect();
        assert_eq!(names, ["id", "email"]);
    }
    let group =
        app.call("GET", &format!("{path}?fields=customers.email&expand=price_lists"), None).await.json();
    assert_eq!(
        group,
        json!({"customer_group": {"id": "cgrp_01KW1F2Q004CWZWKZAJK9PC5E4", "price_lists": []}})
    );
    let whole = app.call("GET", &format!("{path}?fields=name&expand=customers,"), None).await.json();
    assert_eq!(whole["customer_group"]["customers"][0].as_object().unwrap().len(), 11);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_tells_how_many_members_it_has_if_it_is_asked() {
    let app = TestApp::with_contract_data().await;
    let path = "/admin/customer-groups/cgrp_01KW1F2Q004CWZWKZAJK9PC5E4";
    let group = app.call("GET", &format!("{path}?fields=id,name,customer_count"), None).await.json();
    assert_eq!(group["customer_group"]["customer_count"], 40);
    assert_eq!(group["customer_group"].as_object().unwrap().len(), 3);
    let query = "fields=customer_count&expand=customers&limit=0";
    let list = app.call("GET", &format!("/admin/customer-groups?{query}"), None).await.json();
    for group in list["customer_groups"].as_array().unwrap() {
        assert_eq!(group["customer_count"], group["customers"].as_array().unwrap().len(), "{group}");
    }
    let group = app.call("GET", path, None).await.json();
    assert_eq!(group["customer_group"].get("customer_count"), None);
    let refused = app.call("GET", "/admin/customer-groups?order=customer_count", None).await;
    assert_eq!(refused.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_cannot_be_shown_is_refused_by_its_parameter() {
    let app = TestApp::with_contract_data().await;
    for (query, parameter) in [
        ("fields=name,nope", "fields"),
        ("fields=*nope", "fields"),
        ("fields=customers.nope", "fields"),
        ("fields=customers.password_hash", "fields"),
        ("fields=customers.nope&expand=price_lists", "fields"),
        ("expand=nope", "expand"),
        ("expand=customers.groups.customers", "expand"),
        ("expand=name", "expand"),
        ("order=metadata", "order"),
        ("order=customers.email&expand=customers", "order"),
        ("order=--name", "order"),
    ] {
        let response = app.call("GET", &format!("/admin/customer-groups?{query}"), None).await;
        assert_eq!(response.status, 400, "{query}");
        let message = response.json()["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with(parameter), "{query}: {message}");
    }
}
