//! What any server does, be it Medusa, Stheno or the shop in memory.

use futures_util::TryStreamExt;
use serde_json::json;
use stheno_client::admin::customer_groups::{CustomerGroupField, CustomerGroupRelation, CustomerGroupSort};
use stheno_client::admin::customers::{CustomerRelation, CustomerSort};
use stheno_client::{Admin, Change, CreateCustomer};

/// A name that no other run has.
fn name(what: &str) -> String {
    format!("{what} {:016x}", getrandom::u64().unwrap())
}

/// Makes, finds, changes and deletes a group.
pub(crate) async fn groups_from_beginning_to_end(admin: &Admin) {
    let groups = admin.customer_groups();
    let vip = name("VIP & co, ÆØÅ");
    let group = groups.create(vip.as_str()).metadata([("tier", 1)]).await.unwrap().into_body();
    assert!(groups.create(vip.as_str()).await.unwrap_err().is_duplicate());
    assert!(groups.list().q("").name(["a".repeat(3)]).limit(1).await.is_ok());

    let found = groups
        .list()
        .q(&vip[vip.len() - 16..])
        .order(CustomerGroupSort::CreatedAt.descending())
        .await
        .unwrap();
    assert_eq!(found.items[0], group);
    assert_eq!(found.count, 1);
    let found = groups
        .list()
        .created_at(group.created_at..)
        .expand([CustomerGroupRelation::Customers])
        .await
        .unwrap();
    assert!(found.items.iter().any(|found| found.id == group.id && found.customers == Some(vec![])));
    let partial = groups.retrieve(&group.id).fields([CustomerGroupField::Name]).await.unwrap();
    assert_eq!((partial.name.as_ref(), &partial.metadata), (Some(&vip), &None));

    let renamed = name("Gold");
    let changed =
        groups.update(&group.id).name(&renamed).metadata([("a", json!([1]))]).remove_metadata("tier");
    let changed = changed.await.unwrap();
    assert_eq!(changed.name, renamed);
    assert_eq!(json!(changed.metadata), json!({"a": [1]}));

    assert_eq!(groups.delete(&group.id).await.unwrap().id, group.id);
    assert!(groups.delete(&group.id).await.unwrap().deleted, "again");
    assert!(groups.retrieve(&group.id).optional().await.unwrap().is_none());
    assert!(groups.retrieve("a b/ç\"<x>?#%").await.unwrap_err().is_not_found());
}

/// Adds all customers of the shop to a group, and removes them.
pub(crate) async fn members_in_any_number(admin: &Admin) {
    let (groups, customers) = (admin.customer_groups(), admin.customers());
    let group = groups.create(name("Everyone")).await.unwrap().into_body();
    let everyone: Vec<String> = customers
        .list()
        .limit(300)
        .stream()
        .prefetch(2)
        .map_ok(|customer| customer.id)
        .try_collect()
        .await
        .unwrap();
    assert!(everyone.len() > 10, "the shop needs some customers");

    let unknown = ["cus_nope".to_owned()];
    let report = groups.add_customers(&group.id, everyone.iter().chain(&unknown));
    let report = report.in_batches().size(400).skip_unknown().await.unwrap();
    assert_eq!((report.done.len(), report.unknown.as_slice()), (everyone.len(), unknown.as_slice()));
    let members = groups
        .list_customers(&group.id)
        .order(CustomerSort::Email)
        .expand([CustomerRelation::BillingAddress]);
    assert_eq!(members.all().await.unwrap().len(), everyone.len());
    let page = groups.list_customers(&group.id).q("a").has_account(true).limit(2).await.unwrap();
    assert_eq!(page.items[0].groups.as_ref().unwrap()[0].id, group.id);

    let error = groups.add_customers(&group.id, ["cus_nope"]).await.unwrap_err();
    assert!(error.is_not_found() && error.message().unwrap().contains("cus_nope"));
    assert!(groups.add_customers("cgrp_nope", [""; 0]).await.unwrap_err().is_not_found());
    assert!(groups.remove_customers("cgrp_nope", ["cus_nope"]).await.unwrap_err().is_not_found());

    let removed = groups.remove_customers(&group.id, &everyone).in_batches().size(333).await.unwrap();
    assert_eq!(removed.done.len(), everyone.len());
    assert_eq!(groups.list_customers(&group.id).await.unwrap().count, 0);
    groups.delete(&group.id).await.unwrap();
}

/// Makes a customer, who stays, and changes everything about it.
pub(crate) async fn customers_are_made_and_changed(admin: &Admin) {
    let (groups, customers) = (admin.customer_groups(), admin.customers());
    let group = groups.create(name("Testers")).await.unwrap().into_body();
    let email = format!("{}@example.com", name("test").replace(' ', "-"));
    let new = CreateCustomer::new(&email, "Ida", "Test", "correct horse");
    let customer = customers.create(new.clone()).phone("123").metadata([("a", 1)]).await.unwrap().into_body();
    assert!(customers.create(new).await.unwrap_err().is_duplicate());
    assert!(customers.create(CreateCustomer::new("nope", "a", "b", "c")).await.unwrap_err().is_validation());

    let change =
        customers.update(&customer.id).first_name(Change::Clear).last_name("Lund").groups([&group.id]);
    let changed =
        change.metadata([("b", 2)]).remove_metadata("a").expand([CustomerRelation::Groups]).await.unwrap();
    assert_eq!((changed.first_name.as_ref(), changed.last_name.as_deref()), (None, Some("Lund")));
    assert_eq!(changed.phone.as_deref(), Some("123"), "not named, not changed");
    assert_eq!(json!(changed.metadata), json!({"b": 2}));
    assert_eq!(changed.groups.as_ref().unwrap()[0].id, group.id);
    assert!(customers.update(&customer.id).email("x@example.com").await.unwrap_err().is_validation());

    let list = customers.list().groups([&group.id]).expand([CustomerRelation::Groups]);
    assert_eq!(list.await.unwrap().items[0].email, email);
    let one = customers.retrieve(&customer.id).expand([CustomerRelation::BillingAddress]).await.unwrap();
    assert_eq!(one.billing_address, Some(None));
    assert!(customers.retrieve("cus_nope").optional().await.unwrap().is_none());
    groups.delete(&group.id).await.unwrap();
}
