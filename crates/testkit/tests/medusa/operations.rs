//! Every operation made through either is seen identically through the other.

use serde_json::{Value, json};
use stheno_testkit::medusa::{API_TOKEN, BesideMedusa};
use stheno_testkit::{HttpResponse, contract};

use crate::both::{Both, Side, header};

/// A group of the contract with forty members.
const GROUP: &str = "cgrp_01KW1F2Q004CWZWKZAJK9PC5E4";
/// One of 500.
const LARGE: &str = "cgrp_01JBRGKF01104SSAZYSN3KZHD7";
/// Customers with an order, and with an address.
const CUSTOMERS: [&str; 3] =
    ["cus_01J94J3Q6Z9Q9S5PFSTJH29KRS", "cus_01J96E6KDYTPBYKARMRZZY0G29", "cus_01J9C2F82V5AP214606TX0NJFC"];

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_through_either_is_seen_alike_through_both() {
    let beside = BesideMedusa::start().await;
    let mut both = Both::new(&beside);
    let api_token = header("x-medusa-access-token", API_TOKEN);
    let bearer = |token: &str| header("authorization", &format!("Bearer {token}"));
    let (of_medusa, of_stheno) = (both.token(Side::Medusa).await, both.token(Side::Stheno).await);
    let session = both.session(Side::Medusa).await;
    for credentials in
        [[api_token.clone(), api_token], [bearer(&of_medusa), bearer(&of_stheno)], [session.clone(), session]]
    {
        let mut answers = Vec::new();
        for (first, credential) in Side::EACH.into_iter().zip(credentials) {
            both.with(vec![credential]);
            both.same("GET", "/admin/auth", None).await;
            answers.push(operations(&mut both, first).await);
        }
        reads(&mut both).await;
        let (by_medusa_first, by_stheno_first) = (&answers[0], &answers[1]);
        assert_eq!(by_medusa_first.len(), by_stheno_first.len());
        for ((side, name, one), (_, _, other)) in by_medusa_first.iter().zip(by_stheno_first) {
            let (medusa, stheno) = match side {
                Side::Medusa => (one, other),
                Side::Stheno => (other, one),
            };
            let differences = contract::differences_of_writes(medusa, stheno);
            assert!(differences.is_empty(), "{name}: {differences:#?}");
        }
    }
    beside.stheno.stop().await;
}

/// Makes each operation once, half of them through one side and half through the other, and after each looks at both.
/// Returns who answered what; what is made is deleted again, but for customers, which cannot be.
async fn operations(both: &mut Both, first: Side) -> Vec<(Side, &'static str, HttpResponse)> {
    let second = first.other();
    let mut answers = Vec::new();
    let mut run = async |both: &mut Both,
                         side: Side,
                         name: &'static str,
                         method: &str,
                         path: &str,
                         body: Option<Value>| {
        let answer = both.call(side, method, path, body).await;
        assert!(answer.status.is_success(), "{name} through {side:?}: {}", answer.text());
        let json = answer.json();
        answers.push((side, name, answer));
        json
    };

    let body = json!({"name": "Side by side", "metadata": {"b": 1.50, "a": {"x": [null, "ü"]}, "gone": true, "null": null}});
    let group = run(both, first, "create", "POST", "/admin/customer-groups", Some(body)).await;
    let group = group["customer_group"]["id"].as_str().unwrap().to_owned();
    let path = format!("/admin/customer-groups/{group}");
    seen(both, &group, None).await;

    let body = json!({"name": "Side by side, renamed", "metadata": {"gone": "", "b": "2", "new": 1e21}});
    run(both, second, "update", "POST", &path, Some(body)).await;
    seen(both, &group, None).await;

    let batch = format!("{path}/customers/batch");
    let all = json!({"customer_ids": CUSTOMERS.map(|id| json!({"id": id}))});
    run(both, first, "add customers", "POST", &batch, Some(all)).await;
    seen(both, &group, Some(CUSTOMERS[0])).await;

    let one = json!({"customer_ids": [{"id": CUSTOMERS[1]}]});
    run(both, second, "remove customers", "DELETE", &batch, Some(one)).await;
    seen(both, &group, Some(CUSTOMERS[1])).await;

    // Customers stay, so each has an address of its own.
    let email = format!("beside-{}@shop.example", group.to_lowercase());
    let body = json!({
        "email": email, "first_name": "Zoë", "last_name": "Beside", "password": "a password", "phone": "+45 1",
        "metadata": {"vip": true},
    });
    let customer = run(both, first, "create a customer", "POST", "/admin/customers", Some(body)).await;
    let customer = customer["customer"]["id"].as_str().unwrap().to_owned();
    seen(both, &group, Some(&customer)).await;

    let body = json!({"first_name": "Zoe", "metadata": {"vip": "", "since": 2024}, "groups": [{"id": group}, {"id": GROUP}]});
    let path_of_customer = format!("/admin/customers/{customer}");
    run(both, second, "update a customer", "POST", &path_of_customer, Some(body)).await;
    seen(both, &group, Some(&customer)).await;

    let body = json!({"groups": [], "phone": "+45 2"});
    run(both, first, "take a customer out of all groups", "POST", &path_of_customer, Some(body)).await;
    seen(both, &group, Some(&customer)).await;

    refusals(both, &group, &email).await;

    run(both, second, "delete", "DELETE", &path, None).await;
    seen(both, &group, Some(CUSTOMERS[0])).await;
    run(both, first, "delete again", "DELETE", &path, None).await;
    answers
        .into_iter()
        .map(|(side, name, mut answer)| {
            // What differs from one run to the next.
            answer.body = answer.text().replace(&email, "beside@shop.example").into();
            (side, name, answer)
        })
        .collect()
}

/// What was written is shown alike by both.
async fn seen(both: &mut Both, group: &str, customer: Option<&str>) {
    let group_paths = [
        "",
        "?expand=customers",
        "?expand=customers.groups,customers.orders",
        "?fields=name,metadata",
        "/customers",
        "/customers?expand=orders,shipping_addresses&limit=2",
    ];
    for path in group_paths {
        both.same("GET", &format!("/admin/customer-groups/{group}{path}"), None).await;
    }
    for path in ["?q=SIDE", "?q=side&expand=customers", "?limit=3", "?order=name&limit=0&fields=name"] {
        both.same("GET", &format!("/admin/customer-groups{path}"), None).await;
    }
    both.same(
        "GET",
        &format!("/admin/customers?groups[]={group}&expand=groups,orders&order=created_at"),
        None,
    )
    .await;
    if let Some(customer) = customer {
        for query in ["", "?expand=groups", "?expand=orders,billing_address", "?expand=groups.customers"] {
            both.same("GET", &format!("/admin/customers/{customer}{query}"), None).await;
        }
    }
}

/// What is refused changes nothing, and is refused in the same words.
async fn refusals(both: &mut Both, group: &str, email: &str) {
    let group = format!("/admin/customer-groups/{group}");
    let batch = format!("{group}/customers/batch");
    for (method, path, body) in [
        ("POST", "/admin/customer-groups", json!({"name": "Side by side, renamed"})),
        ("POST", "/admin/customer-groups", json!({"name": 1, "nope": 2})),
        ("POST", "/admin/customer-groups", json!({})),
        ("POST", &group, json!({"name": "All Subscribers"})),
        ("POST", "/admin/customer-groups/cgrp_nope", json!({"name": "Nobody's"})),
        (
            "POST",
            &batch,
            json!({"customer_ids": [{"id": CUSTOMERS[0]}, {"id": "cus_nope"}, {"id": "cus_none"}]}),
        ),
        ("POST", &batch, json!({"customer_ids": CUSTOMERS[0]})),
        (
            "DELETE",
            "/admin/customer-groups/cgrp_nope/customers/batch",
            json!({"customer_ids": [{"id": CUSTOMERS[0]}]}),
        ),
        (
            "POST",
            "/admin/customers",
            json!({"email": email, "first_name": "a", "last_name": "b", "password": "c"}),
        ),
        ("POST", "/admin/customers", json!({"email": "no address"})),
        ("POST", "/admin/customers/cus_nope", json!({"first_name": "a"})),
        ("POST", &format!("/admin/customers/{}", CUSTOMERS[0]), json!({"email": "other@shop.example"})),
    ] {
        both.same(method, path, Some(body)).await;
    }
}

/// Lists and single rows in all the ways in which they may be asked for.
async fn reads(both: &mut Both) {
    for query in [
        "",
        "?limit=5&offset=3",
        "?limit=0",
        "?q=wholesale",
        "?q=EU%200",
        "?name[]=All%20Subscribers&name[]=nope",
        "?name=All%20Subscribers",
        "?order=name",
        "?order=-name&limit=7",
        "?order=-updated_at&offset=2",
        "?fields=name",
        "?fields=name,metadata,updated_at&limit=2",
        "?created_at[gt]=2025-06-01&created_at[lt]=2026-01-01T00:00:00.000Z",
        "?updated_at[gte]=2026-01-01",
        "?discount_condition_id=discon_seed",
        "?expand=price_lists",
        "?expand=customers&limit=2",
        "?expand=customers.orders&q=0019",
        "?expand=customers.shipping_addresses,price_lists&q=0019",
        "?q=nothing%20like%20it",
        "?limit=x",
        "?nope=1&limit=-1",
        "/nope",
        "/nope/customers",
    ] {
        both.same("GET", &format!("/admin/customer-groups{query}"), None).await;
    }
    for query in [
        "",
        "?expand=customers,price_lists",
        "?expand=customers.orders",
        "?fields=name",
        "/customers?limit=3&offset=2",
        "/customers?q=an&limit=5",
        "/customers?expand=orders&limit=2",
        "/customers?expand=orders,shipping_addresses,billing_address&limit=50",
        "/customers?fields=email&limit=2",
        "/customers?limit=",
    ] {
        both.same("GET", &format!("/admin/customer-groups/{GROUP}{query}"), None).await;
        if query.starts_with("/customers") {
            both.same("GET", &format!("/admin/customer-groups/{LARGE}{query}"), None).await;
        }
    }
    for query in [
        "?order=created_at&limit=20",
        "?order=-created_at&limit=3&offset=990",
        "?q=zhang&order=created_at",
        "?q=%40icloud.com&order=created_at&limit=5",
        "?has_account=true&order=-email&limit=4",
        "?has_account=false&order=email&limit=4",
        "?created_at[gte]=2024-10-01&created_at[lte]=2024-10-05&order=created_at",
        "?expand=orders&order=created_at&limit=5",
        "?expand=orders,groups,shipping_addresses&order=created_at&offset=100&limit=60",
        "?limit=two",
        "/nope",
    ] {
        both.same("GET", &format!("/admin/customers{query}"), None).await;
    }
    both.same(
        "GET",
        &format!("/admin/customers?groups[]={GROUP}&groups[]={LARGE}&order=email&limit=5"),
        None,
    )
    .await;
    for customer in CUSTOMERS {
        for query in ["", "?expand=orders", "?expand=orders,groups,billing_address,shipping_addresses"] {
            both.same("GET", &format!("/admin/customers/{customer}{query}"), None).await;
        }
    }
    with_orders(both).await;
}

/// Orders with a value in every column that may have one.
async fn with_orders(both: &mut Both) {
    let path = "/admin/customers?expand=orders&order=created_at&offset=100&limit=100";
    let answer = both.same("GET", path, None).await.json();
    let customers = answer["customers"].as_array().unwrap();
    let full = customers.iter().find(|customer| customer["orders"].as_array().unwrap().len() == 3).unwrap();
    let order = &full["orders"][0];
    for column in
        ["canceled_at", "metadata", "tax_rate", "billing_address_id", "external_id", "sales_channel_id"]
    {
        assert!(!order[column].is_null(), "{column} is missing in {order}");
    }
}
