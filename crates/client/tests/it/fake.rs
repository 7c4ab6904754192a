use serde_json::json;
use stheno_client::admin::customer_groups::{CustomerGroupField, CustomerGroupRelation, CustomerGroupSort};
use stheno_client::admin::customers::CustomerRelation;
use stheno_client::test::{FakeMedusa, Next};
use stheno_client::{Change, CreateCustomer, IdFilter};

use crate::scenarios;

#[tokio::test]
async fn a_group_from_beginning_to_end() {
    let medusa = FakeMedusa::new();
    let admin = medusa.client().admin();
    let (groups, customers) = (admin.customer_groups(), admin.customers());

    let vip = groups.create("VIP").metadata([("tier", 1)]).await.unwrap();
    assert_eq!(vip.created_at.to_string(), "2026-01-01T00:00:01Z", "the same in every run");
    assert!(groups.create("VIP").await.unwrap_err().is_duplicate());
    let gold = groups.create("Gold").await.unwrap();
    assert!(groups.update(&gold.id).name("VIP").await.unwrap_err().is_duplicate());
    let changed =
        groups.update(&vip.id).metadata([("a", json!({"b": 1}))]).remove_metadata("tier").await.unwrap();
    assert_eq!(json!(changed.metadata), json!({"a": {"b": 1}}));

    let ida = medusa.add_guest("ida@example.com");
    let jo = customers.create(CreateCustomer::new("Jo@Example.com", "Jo", "Lund", "secret")).await.unwrap();
    assert_eq!((jo.email.as_str(), jo.status().as_u16()), ("jo@example.com", 201));
    let report =
        groups.add_customers(&vip.id, [&ida.id, &jo.id, "cus_nope"]).in_batches().skip_unknown().await;
    assert_eq!(report.unwrap().unknown, ["cus_nope"]);
    assert!(groups.add_customers("cgrp_nope", [&ida.id]).await.unwrap_err().is_not_found());

    let members = groups.list_customers(&vip.id).q("LUND").await.unwrap();
    assert_eq!((members.count, members.items[0].groups.as_ref().unwrap()[0].name.as_str()), (1, "VIP"));
    let listed = groups
        .list()
        .order(CustomerGroupSort::Name)
        .expand([CustomerGroupRelation::Customers])
        .await
        .unwrap();
    let sizes = listed.items.iter().map(|group| group.customers.as_ref().unwrap().len());
    assert_eq!(sizes.collect::<Vec<_>>(), [0, 2], "Gold, VIP");
    let partial = groups.retrieve(&vip.id).fields([CustomerGroupField::Metadata]).await.unwrap();
    assert!(partial.name.is_none() && partial.metadata.is_some() && partial.customer_count.is_none());
    let counted =
        groups.list().fields([CustomerGroupField::CustomerCount]).order(CustomerGroupSort::Name).await;
    let counts = counted.unwrap().items.iter().map(|group| group.customer_count).collect::<Vec<_>>();
    assert_eq!(counts, [Some(0), Some(2)], "Gold, VIP");

    groups.remove_customers(&vip.id, [&ida.id]).await.unwrap();
    assert_eq!(groups.list_customers(&vip.id).all().await.unwrap().len(), 1);
    let moved =
        customers.update(&jo.id).groups([&gold.id]).phone(Change::Clear).expand([CustomerRelation::Groups]);
    assert_eq!(moved.await.unwrap().groups.as_ref().unwrap()[0].id, gold.id);
    assert_eq!(customers.list().groups([&gold.id]).has_account(true).await.unwrap().count, 1);
    assert_eq!(customers.list().has_account(false).await.unwrap().items[0].id, ida.id);

    groups.delete(&gold.id).await.unwrap();
    assert!(groups.retrieve(&gold.id).optional().await.unwrap().is_none());
    assert_eq!(
        customers.retrieve(&jo.id).expand([CustomerRelation::Groups]).await.unwrap().groups,
        Some(vec![])
    );
}

/// What a real Medusa and Stheno go through in `tests/live.rs`.
#[tokio::test]
async fn it_does_what_servers_do() {
    let medusa = FakeMedusa::new();
    let admin = medusa.client().admin();
    for number in 0..12 {
        let new = CreateCustomer::new(format!("a{number}@example.com"), "Ann", "Berg", "secret");
        admin.customers().create(new).await.unwrap();
    }
    scenarios::groups_from_beginning_to_end(&admin).await;
    scenarios::members_in_any_number(&admin).await;
    scenarios::customers_are_made_and_changed(&admin).await;
}

#[tokio::test]
async fn groups_are_filtered_by_id_and_condition() {
    let medusa = FakeMedusa::new();
    let groups = medusa.client().admin().customer_groups();
    let [a, b, c] = ["a", "b", "c"].map(|name| groups.create(name).into_future());
    let [a, b, c] =
        [a.await.unwrap().into_body(), b.await.unwrap().into_body(), c.await.unwrap().into_body()];
    let names = async |filter: IdFilter| {
        let page = groups.list().id(filter).order(CustomerGroupSort::Id).await.unwrap();
        page.items.iter().map(|group| group.name.as_str()).collect::<String>()
    };
    assert_eq!(names(b.id.as_str().into()).await, "b");
    assert_eq!(names([&*a.id, &*c.id].into()).await, "ac");
    assert_eq!(names(IdFilter::after(&a.id)).await, "bc");
    assert_eq!(names(IdFilter::starts_with("cgrp_").and(IdFilter::before(&c.id))).await, "ab");
    assert_eq!(names(IdFilter::ends_with(&b.id[5..])).await, "b");
    assert_eq!(groups.list().discount_condition_id("discon_1").await.unwrap().count, 0);
}

#[tokio::test]
async fn parameters_nobody_knows_are_refused() {
    let medusa = FakeMedusa::new();
    let admin = medusa.client().admin();
    let (groups, customers) = (admin.customer_groups(), admin.customers());
    let errors = [
        groups.list().query("foo", "1").query("bar", "2").await.unwrap_err(),
        groups.list_customers("cgrp_1").query("foo", "1").query("bar", "2").await.unwrap_err(),
        groups.retrieve("cgrp_1").query("foo", "1").query("bar", "2").await.unwrap_err(),
        customers.list().query("foo", "1").query("bar", "2").await.unwrap_err(),
        customers.update("cus_1").query("foo", "1").query("bar", "2").await.unwrap_err(),
    ];
    for error in errors {
        assert!(error.is_validation());
        assert_eq!(error.message().unwrap(), "property foo should not exist, property bar should not exist");
    }
}

#[tokio::test]
async fn what_is_refused_changes_nothing() {
    let medusa = FakeMedusa::new();
    let admin = medusa.client().admin();
    let group = admin.customer_groups().create("VIP").await.unwrap();
    let new = CreateCustomer::new("jo@example.com", "Jo", "Lund", "secret");
    let jo = admin.customers().create(new).await.unwrap();
    let update = admin.customers().update(&jo.id).groups([&group.id]).email("other@example.com");
    assert!(update.await.unwrap_err().is_validation());
    assert_eq!(admin.customer_groups().list_customers(&group.id).await.unwrap().count, 0);
}

#[tokio::test]
async fn what_is_decided_comes_first() {
    let medusa = FakeMedusa::new();
    let client = medusa.builder().email_and_password("admin@medusa.test", "secret").build().unwrap();
    medusa.then(Next::Refuse);
    medusa.then(Next::answer(401, "Unauthorized"));
    let error = client.admin().customer_groups().list().await.unwrap_err();
    assert!(error.is_unauthorized());
    assert_eq!(client.admin().auth().get_session().await.unwrap().id, "usr_fake");
    let paths: Vec<String> =
        medusa.requests().iter().map(|request| request.uri().path().to_owned()).collect();
    assert_eq!(paths, ["/admin/auth/token", "/admin/auth/token", "/admin/auth/token", "/admin/auth"]);
}
