use serde_json::{Value, json};
use stheno_store::Table;
use stheno_testkit::{Engine, TestApp};

/// So many customers are added, and removed, by one call each.
async fn many_customers_go_in_one_call(engine: Engine) {
    const COUNT: usize = 100_000;
    let app = TestApp::with_contract_data_in(engine).await;
    let id = |number: usize| format!("cus_{number:06}");
    let customer = |number: usize| {
        let time = "2026-01-01T00:00:00.000Z";
        let customer = json!({"id": id(number), "email": format!("{number}@shop.example"), "has_account": false,
                              "created_at": time, "updated_at": time});
        customer.as_object().unwrap().clone()
    };
    app.import(Table::Customer, (0..COUNT).map(customer).collect()).await;
    let group = app.call("POST", "/admin/customer-groups", Some(json!({"name": "Everybody"}))).await.json();
    let path = format!("/admin/customer-groups/{}", group["customer_group"]["id"].as_str().unwrap());
    let batch = format!("{path}/customers/batch");
    let members = async || {
        let group = app.call("GET", &format!("{path}?fields=customer_count"), None).await.json();
        let list = app.call("GET", &format!("{path}/customers?limit=1"), None).await.json();
        assert_eq!(group["customer_group"]["customer_count"], list["count"]);
        list["count"].clone()
    };
    let mut ids: Vec<Value> = (0..COUNT).map(|number| json!({"id": id(number)})).collect();
    ids.insert(7, json!({"id": "cus_nope"}));
    let refused = app.call("POST", &batch, Some(json!({"customer_ids": ids}))).await;
    assert_eq!(refused.status, 404);
    assert!(refused.text().contains("cus_nope"), "{}", refused.text());
    assert_eq!(members().await, 0);
    ids.remove(7);
    let body = json!({"customer_ids": ids});
    assert_eq!(app.call("POST", &batch, Some(body.clone())).await.status, 200);
    assert_eq!(members().await, COUNT);
    assert_eq!(app.call("DELETE", &batch, Some(body)).await.status, 200);
    assert_eq!(members().await, 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_customers_go_in_one_call_in_sqlite() {
    many_customers_go_in_one_call(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_customers_go_in_one_call_in_postgres() {
    many_customers_go_in_one_call(Engine::Postgres).await;
}

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

/// Follows a list from its header on, and answers the ids of all pages.
async fn followed(app: &TestApp, path: &str, query: &str, name: &str) -> Vec<String> {
    let mut reference = format!("?{query}");
    let mut ids = Vec::new();
    loop {
        let page = app.call("GET", &format!("{path}{reference}"), None).await;
        assert_eq!(page.status, 200, "{reference}: {}", page.json());
        let body = page.json();
        assert_eq!(body["offset"], 0);
        let rows = body[name].as_array().unwrap();
        ids.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        let Some(link) = page.header("link") else { return ids };
        assert_eq!(page.header("access-control-expose-headers"), Some("link"));
        let link = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap();
        for asked in query.split('&') {
            assert!(link.contains(asked), "{link} keeps {asked}");
        }
        link.clone_into(&mut reference);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_say_where_they_go_on() {
    let app = TestApp::with_contract_data().await;
    let groups = "/admin/customer-groups";
    let members = format!("{groups}/cgrp_01KW1F2Q004CWZWKZAJK9PC5E4/customers");
    for (path, name, query) in [
        (groups, "customer_groups", "limit=3&order=name&fields=id,name"),
        (groups, "customer_groups", "limit=3"),
        ("/admin/customers", "customers", "limit=7&order=-first_name"),
        ("/admin/customers", "customers", "limit=7&created_at%5Bgt%5D=2000-01-01&q=e"),
        (&members, "customers", "limit=7&order=last_name&expand=groups"),
    ] {
        let whole = app.call("GET", &format!("{path}?{query}&limit=0"), None).await;
        assert_eq!(whole.status, 400, "a parameter that is given twice");
        let all = query.replacen("limit=3", "limit=0", 1).replacen("limit=7", "limit=0", 1);
        let whole = app.call("GET", &format!("{path}?{all}"), None).await;
        assert_eq!(whole.header("link"), None);
        let whole = whole.json();
        let rows = whole[name].as_array().unwrap();
        assert!(rows.len() > 7);
        let expected: Vec<_> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
        assert_eq!(followed(&app, path, query, name).await, expected, "{path}?{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_does_not_fit_is_refused_by_its_name() {
    let app = TestApp::with_contract_data().await;
    let page = app.call("GET", "/admin/customers?limit=2&offset=4", None).await;
    let link = page.header("link").unwrap().to_owned();
    assert!(link.starts_with("<?limit=2&cursor="), "the offset is in the cursor: {link}");
    let cursor = link.strip_prefix("<?limit=2&").unwrap().split('>').next().unwrap();
    for query in [
        format!("{cursor}&order=email"),
        format!("{cursor}&q=a"),
        format!("{cursor}&offset=1"),
        format!("{cursor}A"),
        "cursor=".to_owned(),
        "cursor=abc".to_owned(),
        "cursor[]=abc&cursor[]=abc".to_owned(),
    ] {
        let refused = app.call("GET", &format!("/admin/customers?{query}"), None).await;
        assert_eq!(refused.status, 400, "{query}");
        let body = refused.json();
        assert_eq!(body["type"], "invalid_data");
        assert!(body["message"].as_str().unwrap().contains("cursor"), "{query}: {body}");
    }
}
