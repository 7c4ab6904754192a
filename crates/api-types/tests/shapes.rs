//! What the recordings do not show: what is new, what is secret, what is not sent.

use serde_json::json;
use stheno_api_types::{
    AccessToken, Change, CreateCustomer, CreateCustomerGroup, Credentials, Customer, CustomerGroup,
    CustomerIds, Id, PartialCustomerGroup, PriceListType, UpdateCustomer, UpdateCustomerGroup, User,
    UserRole,
};

const TIME: &str = "2024-11-03T08:00:00.000Z";

#[test]
fn unknown_properties_are_kept() {
    let written = json!({
        "id": "cgrp_1", "name": "VIP", "metadata": null, "created_at": TIME, "updated_at": TIME, "deleted_at": null,
        "colour": {"rgb": [0, 128, 0]},
    });
    let group: CustomerGroup = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(group.extra["colour"]["rgb"][1], 128);
    assert_eq!(serde_json::to_value(group).unwrap(), written);
}

#[test]
fn unknown_values_are_kept() {
    assert_eq!(UserRole::from("owner"), UserRole::Other("owner".to_owned()));
    let kind: PriceListType = serde_json::from_value(json!("clearance")).unwrap();
    assert_eq!(kind.as_str(), "clearance");
    assert_eq!(serde_json::to_value(kind).unwrap(), "clearance");
}

#[test]
fn times_are_written_in_milliseconds() {
    let written = json!({"id": "cgrp_1", "created_at": "2026-01-01T00:00:00.123456Z", "deleted_at": null});
    let group: PartialCustomerGroup = serde_json::from_value(written).unwrap();
    assert_eq!(
        serde_json::to_value(group).unwrap(),
        json!({"id": "cgrp_1", "created_at": "2026-01-01T00:00:00.123Z", "deleted_at": null})
    );
}

#[test]
fn absent_and_null_are_told_apart() {
    let absent: PartialCustomerGroup = serde_json::from_value(json!({"id": "cgrp_1"})).unwrap();
    assert_eq!(absent.metadata, None);
    let null: PartialCustomerGroup =
        serde_json::from_value(json!({"id": "cgrp_1", "metadata": null})).unwrap();
    assert_eq!(null.metadata, Some(None));

    let mut update = UpdateCustomer::default();
    assert_eq!(serde_json::to_value(&update).unwrap(), json!({}));
    update.first_name = Change::Clear;
    update.last_name = "Lund".into();
    assert_eq!(serde_json::to_value(&update).unwrap(), json!({"first_name": null, "last_name": "Lund"}));
    assert_eq!(
        serde_json::from_value::<UpdateCustomer>(json!({"phone": null})).unwrap().phone,
        Change::Clear
    );
    assert_eq!(serde_json::from_value::<UpdateCustomer>(json!({})).unwrap().phone, Change::Keep);
}

#[test]
fn requests_leave_out_what_is_not_set() {
    assert_eq!(serde_json::to_value(CreateCustomerGroup::new("VIP")).unwrap(), json!({"name": "VIP"}));
    assert_eq!(serde_json::to_value(UpdateCustomerGroup::default()).unwrap(), json!({}));
    let ids: CustomerIds = ["cus_1", "cus_2"].into_iter().collect();
    assert_eq!(
        serde_json::to_value(ids).unwrap(),
        json!({"customer_ids": [{"id": "cus_1"}, {"id": "cus_2"}]})
    );
    let mut update = UpdateCustomer::default();
    update.groups = Some(vec![Id::from("cgrp_1")]);
    assert_eq!(serde_json::to_value(update).unwrap(), json!({"groups": [{"id": "cgrp_1"}]}));
}

#[test]
fn secrets_are_not_shown() {
    let user: User = serde_json::from_value(json!({
        "id": "usr_1", "email": "a@b.c", "first_name": null, "last_name": null, "role": "admin", "metadata": null,
        "created_at": TIME, "updated_at": TIME, "deleted_at": null, "api_token": "s3cret", "password_hash": "s3cret",
    }))
    .unwrap();
    let customer: Customer = serde_json::from_value(json!({
        "id": "cus_1", "email": "a@b.c", "first_name": null, "last_name": null, "billing_address_id": null,
        "phone": null, "has_account": true, "metadata": null, "created_at": TIME, "updated_at": TIME,
        "password_hash": "s3cret",
    }))
    .unwrap();
    let update: UpdateCustomer = serde_json::from_value(json!({"password": "s3cret"})).unwrap();
    let shown = [
        format!("{user:?}"),
        serde_json::to_string(&user).unwrap(),
        format!("{customer:?}"),
        serde_json::to_string(&customer).unwrap(),
        format!("{update:?}"),
        format!("{:?}", CreateCustomer::new("a@b.c", "A", "B", "s3cret")),
        format!("{:?}", Credentials::new("a@b.c", "s3cret")),
        format!("{:?}", AccessToken::new("s3cret")),
    ];
    for text in shown {
        assert!(!text.contains("s3cret"), "{text}");
    }
}
