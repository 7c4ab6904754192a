//! What of a row is answered: columns, relations, and columns that a shop has added.

use jiff::SignedDuration;
use serde_json::{Value, json};
use stheno_store::{
    CustomerChanges, CustomerFilter, CustomerGroupChanges, Order, Selection, Store, StoreError, StoreOptions,
    Table, UnknownName,
};

use crate::database::Database;
use crate::shop::{SHOWN_START, START, Shop, id, ids_in, json_of, new_group, rows, string_of, texts};

impl Shop {
    async fn show_group(&self, id: &str, selection: &Selection) -> Value {
        let text = self.store.retrieve_customer_group(id, selection).await.unwrap();
        json_of(text.unwrap()).await
    }

    async fn show_customer(&self, id: &str, selection: &Selection) -> Value {
        let text = self.store.retrieve_customer(id, selection).await.unwrap();
        json_of(text.unwrap()).await
    }

    /// A group with two members of which one is in another group as well, price lists and addresses; beside each,
    /// one that is soft-deleted.
    async fn fill(&self) {
        self.add_groups(&["cgrp_a", "cgrp_b", "cgrp_empty"]).await;
        self.import(Table::CustomerGroup, json!([{"id": "cgrp_old", "name": "Old", "deleted_at": START}]))
            .await;
        let rows = vec![
            (
                Table::Customer,
                json!([
                    {"id": "cus_1", "email": "1", "billing_address_id": "addr_1", "created_at": START, "updated_at": START},
                    {"id": "cus_2", "email": "2", "billing_address_id": "addr_old", "created_at": START, "updated_at": START},
                    {"id": "cus_gone", "email": "3", "created_at": START, "updated_at": START, "deleted_at": START},
                ]),
            ),
            (
                Table::Address,
                json!([
                    {"id": "addr_1", "customer_id": "cus_1", "city": "Århus", "created_at": START, "updated_at": START},
                    {"id": "addr_2", "customer_id": "cus_1", "created_at": START, "updated_at": START},
                    {"id": "addr_3", "customer_id": "cus_gone", "created_at": START, "updated_at": START},
                    {"id": "addr_old", "customer_id": "cus_1", "created_at": START, "updated_at": START, "deleted_at": START},
                ]),
            ),
        ];
        let rows = rows.into_iter().map(|(table, rows)| (table, crate::shop::objects(rows))).collect();
        self.store.import(rows).await.unwrap();
        self.import(
            Table::PriceList,
            json!([
                {"id": "pl_1", "name": "Sale", "description": "d", "starts_at": START},
                {"id": "pl_old", "name": "Old", "description": "d", "deleted_at": START},
            ]),
        )
        .await;
        let links: Value =
            [("pl_1", "cgrp_a"), ("pl_1", "cgrp_old"), ("pl_old", "cgrp_a"), ("pl_1", "cgrp_b")]
                .iter()
                .map(|(list, group)| json!({"price_list_id": list, "customer_group_id": group}))
                .collect();
        self.import(Table::PriceListCustomerGroups, links).await;
        self.add_members("cgrp_a", &["cus_2", "cus_1", "cus_gone"]).await;
        self.add_members("cgrp_b", &["cus_1"]).await;
        self.import(
            Table::CustomerGroupCustomers,
            json!([{"customer_group_id": "cgrp_old", "customer_id": "cus_1"}]),
        )
        .await;
    }
}

pub(crate) async fn the_columns_of_medusa_are_shown(database: Database) {
    let shop = Shop::open(database).await;
    shop.fill().await;
    let group = shop.show_group("cgrp_a", &shop.with(Table::CustomerGroup, &["price_lists"])).await;
    let keys = |row: &Value| row.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        keys(&group),
        ["id", "created_at", "updated_at", "deleted_at", "name", "metadata", "price_lists"]
    );
    let expected = json!([{
        "id": "pl_1", "created_at": SHOWN_START, "updated_at": SHOWN_START, "deleted_at": null, "name": "Sale",
        "description": "d", "type": "sale", "status": "draft", "starts_at": SHOWN_START, "ends_at": null,
    }]);
    assert_eq!(group["price_lists"], expected);
    let customer = shop.show_customer("cus_1", &shop.with(Table::Customer, &["billing_address"])).await;
    assert_eq!(
        keys(&customer),
        [
            "id",
            "created_at",
            "updated_at",
            "deleted_at",
            "email",
            "first_name",
            "last_name",
            "billing_address_id",
            "phone",
            "has_account",
            "metadata",
            "billing_address"
        ]
    );
    let expected = json!({
        "id": "addr_1", "created_at": SHOWN_START, "updated_at": SHOWN_START, "deleted_at": null,
        "customer_id": "cus_1", "company": null, "first_name": null, "last_name": null, "address_1": null,
        "address_2": null, "city": "Århus", "country_code": null, "province": null, "postal_code": null,
        "phone": null, "metadata": null,
    });
    assert_eq!(customer["billing_address"], expected);
}

pub(crate) async fn chosen_columns_come_in_the_order_of_medusa(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a"]).await;
    let catalog = shop.store.catalog();
    let mut selection = Selection::id(catalog, Table::CustomerGroup);
    let retrieve = async |selection: &Selection| {
        let text = shop.store.retrieve_customer_group("cgrp_a", selection).await;
        string_of(text.unwrap().unwrap()).await
    };
    assert_eq!(retrieve(&selection).await, r#"{"id":"cgrp_a"}"#);
    for column in ["name", "created_at", "name", "id"] {
        selection.add_column(catalog, column).unwrap();
    }
    assert_eq!(
        retrieve(&selection).await,
        format!(r#"{{"id":"cgrp_a","created_at":"{SHOWN_START}","name":"Group cgrp_a"}}"#)
    );
    let mut list = shop.group_list();
    list.selection = selection;
    list.order = Order::descending(catalog, Table::CustomerGroup, "updated_at").unwrap();
    let listed = rows(shop.store.list_customer_groups(list).await.unwrap()).await;
    assert_eq!(listed, [json!({"id": "cgrp_a", "created_at": SHOWN_START, "name": "Group cgrp_a"})]);
}

pub(crate) async fn every_relation_of_a_group_is_shown(database: Database) {
    let shop = Shop::open(database).await;
    shop.fill().await;
    let relations = ["customers.groups", "customers.shipping_addresses", "price_lists.customer_groups"];
    let selection = shop.with(Table::CustomerGroup, &relations);
    let group = shop.show_group("cgrp_a", &selection).await;
    assert_eq!(ids_in(&group, "customers"), ["cus_1", "cus_2"]);
    let first = &group["customers"][0];
    assert_eq!(first["email"], "1");
    assert_eq!(ids_in(first, "groups"), ["cgrp_a", "cgrp_b"]);
    assert_eq!(ids_in(first, "shipping_addresses"), ["addr_1", "addr_2"]);
    assert_eq!(ids_in(&group["customers"][1], "groups"), ["cgrp_a"]);
    assert_eq!(ids_in(&group, "price_lists"), ["pl_1"]);
    let groups = ids_in(&group["price_lists"][0], "customer_groups");
    assert_eq!(groups, ["cgrp_a", "cgrp_b"]);

    let empty = shop.show_group("cgrp_empty", &selection).await;
    assert_eq!(empty["customers"], json!([]));
    assert_eq!(empty["price_lists"], json!([]));

    let mut list = shop.group_list();
    list.selection = selection;
    let listed = rows(shop.store.list_customer_groups(list).await.unwrap()).await;
    assert_eq!(listed[0], group);
    assert_eq!(listed[2], empty);
}

pub(crate) async fn every_relation_of_a_customer_is_shown(database: Database) {
    let shop = Shop::open(database).await;
    shop.fill().await;
    let relations = [
        "groups.price_lists",
        "groups.customers",
        "shipping_addresses.customer",
        "billing_address.customer",
        "orders",
    ];
    let selection = shop.with(Table::Customer, &relations);
    let customer = shop.show_customer("cus_1", &selection).await;
    assert_eq!(ids_in(&customer, "groups"), ["cgrp_a", "cgrp_b"]);
    assert_eq!(ids_in(&customer["groups"][0], "price_lists"), ["pl_1"]);
    assert_eq!(ids_in(&customer["groups"][0], "customers"), ["cus_1", "cus_2"]);
    assert_eq!(ids_in(&customer, "shipping_addresses"), ["addr_1", "addr_2"]);
    assert_eq!(customer["shipping_addresses"][1]["customer"]["id"], "cus_1");
    assert_eq!(customer["billing_address"]["id"], "addr_1");
    assert_eq!(customer["billing_address"]["customer"]["id"], "cus_1");
    assert_eq!(customer["orders"], json!([]));

    let other = shop.show_customer("cus_2", &selection).await;
    assert_eq!(other["shipping_addresses"], json!([]));
    assert_eq!(other["billing_address"], Value::Null);
    assert_eq!(other["billing_address_id"], "addr_old");
}

pub(crate) async fn a_column_of_a_relation_comes_with_the_id(database: Database) {
    let shop = Shop::open(database).await;
    shop.fill().await;
    let catalog = shop.store.catalog();
    let mut selection = Selection::id(catalog, Table::CustomerGroup);
    selection.add_column(catalog, "customers.email").unwrap();
    let group = shop.show_group("cgrp_a", &selection).await;
    let emails = json!([{"id": "cus_1", "email": "1"}, {"id": "cus_2", "email": "2"}]);
    assert_eq!(group, json!({"id": "cgrp_a", "customers": emails}));

    // Asked for as a whole, the relation is shown whole, and stays so.
    selection.add_relation(catalog, "customers").unwrap();
    selection.add_column(catalog, "customers.email").unwrap();
    let group = shop.show_group("cgrp_a", &selection).await;
    assert_eq!(group["customers"][1]["created_at"], SHOWN_START);

    let mut deep = Selection::id(catalog, Table::CustomerGroup);
    deep.add_column(catalog, "customers.groups.name").unwrap();
    let group = shop.show_group("cgrp_b", &deep).await;
    assert_eq!(
        group["customers"][0]["groups"],
        json!([{"id": "cgrp_a", "name": "Group cgrp_a"}, {"id": "cgrp_b", "name": "Group cgrp_b"}])
    );
}

pub(crate) async fn a_relation_named_twice_is_shown_once(database: Database) {
    let shop = Shop::open(database).await;
    shop.fill().await;
    let selection = shop.with(Table::CustomerGroup, &["customers", "customers.groups", "customers"]);
    let text = shop.store.retrieve_customer_group("cgrp_a", &selection).await;
    let text = string_of(text.unwrap().unwrap()).await;
    assert_eq!(text.matches("\"customers\":").count(), 1);
    assert_eq!(text.matches("\"groups\":").count(), 2);
}

pub(crate) async fn unknown_names_are_refused(database: Database) {
    let shop = Shop::open(database).await;
    let catalog = shop.store.catalog();
    let mut selection = shop.all(Table::CustomerGroup);
    for column in
        ["nope", "", " name", "Name", "customers", "customers.nope", "customers.password_hash", "name\""]
    {
        let Err(UnknownName::Column { name, .. }) = selection.add_column(catalog, column) else {
            panic!("{column:?} is a column");
        };
        assert_eq!(name, column);
    }
    for relation in
        ["nope", "", "name", " customers", "Customers", "orders", "customers.nope", "customers..groups"]
    {
        match selection.add_relation(catalog, relation) {
            Err(UnknownName::Relation { name, .. }) => assert_eq!(name, relation),
            Err(UnknownName::TooDeep { .. }) => assert_eq!(relation, "customers..groups"),
            other => panic!("{relation:?} is a relation: {other:?}"),
        }
    }
    assert_matches!(selection.add_column(catalog, "nope.name"), Err(UnknownName::Relation { .. }));
    let mut customer = shop.all(Table::Customer);
    assert_matches!(
        customer.add_column(catalog, "orders.id"),
        Err(UnknownName::Column { table: Table::Order, .. })
    );
    let mut user = shop.all(Table::User);
    for secret in ["password_hash", "api_token"] {
        assert_matches!(
            user.add_column(catalog, secret),
            Err(UnknownName::Column { table: Table::User, .. })
        );
    }
}

pub(crate) async fn a_refused_name_leaves_the_selection_as_it_was(database: Database) {
    let shop = Shop::open(database).await;
    let catalog = shop.store.catalog();
    let mut selection = shop.all(Table::CustomerGroup);
    selection.add_relation(catalog, "customers.nope").unwrap_err();
    selection.add_column(catalog, "customers.nope").unwrap_err();
    selection.add_column(catalog, "price_lists.customer_groups.nope").unwrap_err();
    assert_eq!(selection, shop.all(Table::CustomerGroup));
}

pub(crate) async fn relations_go_two_deep(database: Database) {
    let shop = Shop::open(database).await;
    let catalog = shop.store.catalog();
    let mut selection = shop.all(Table::CustomerGroup);
    for path in ["customers.groups.customers", "price_lists.customer_groups.customers.groups"] {
        let expected = UnknownName::TooDeep { path: path.to_owned() };
        assert_eq!(selection.add_relation(catalog, path), Err(expected));
    }
    assert_matches!(
        selection.add_column(catalog, "customers.groups.customers.email"),
        Err(UnknownName::TooDeep { .. })
    );
    selection.add_column(catalog, "customers.groups.created_at").unwrap();
    assert!(selection.is_relation("customers") && selection.is_relation("price_lists"));
    assert!(!selection.is_relation("groups") && !selection.is_relation("name"));
}

/// Columns as a shop, or a feature of Medusa, adds them.
const ADDED: &str = r#"
    ALTER TABLE customer_group ADD COLUMN sales_channel_id VARCHAR;
    ALTER TABLE customer_group ADD COLUMN "Level" INTEGER NOT NULL DEFAULT 3;
    ALTER TABLE customer_group ADD COLUMN is_hidden BOOLEAN DEFAULT TRUE;
    ALTER TABLE customer_group ADD COLUMN rules JSONB;
    ALTER TABLE customer_group ADD COLUMN valid_until TIMESTAMPTZ;
    ALTER TABLE customer_group ADD COLUMN "odd ""name" DOUBLE PRECISION DEFAULT 1.5;
    ALTER TABLE customer ADD COLUMN loyalty VARCHAR DEFAULT 'none';
    UPDATE customer_group SET rules = '{"b":[1,"x"]}', valid_until = '2024-11-03T08:00:00.000538Z'
        WHERE id = 'cgrp_a';
"#;

pub(crate) async fn columns_that_a_shop_has_added_are_shown_and_kept(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a"]).await;
    shop.add_customers(&["cus_1"]).await;
    shop.add_members("cgrp_a", &["cus_1"]).await;
    let shop = shop.reopen_after(ADDED).await;

    let group = shop.show_group("cgrp_a", &shop.with(Table::CustomerGroup, &["customers"])).await;
    let added = |group: &Value, rules: Value, valid_until: Value| {
        assert_eq!(group["sales_channel_id"], Value::Null);
        assert_eq!(group["Level"], 3);
        assert_eq!(group["is_hidden"], true);
        assert_eq!(group["rules"], rules);
        assert_eq!(group["valid_until"], valid_until);
        assert_eq!(group["odd \"name"], 1.5);
    };
    added(&group, json!({"b": [1, "x"]}), SHOWN_START.into());
    assert_eq!(group["customers"][0]["loyalty"], "none");

    // Writing the columns that are Medusa's leaves the others.
    shop.clock.advance(SignedDuration::from_hours(1));
    let changes = CustomerGroupChanges { name: Some(Some("New".to_owned())), metadata: None };
    let selection = shop.all(Table::CustomerGroup);
    let updated = shop.store.update_customer_group("cgrp_a", changes, &selection).await.unwrap();
    let updated = json_of(updated.unwrap()).await;
    assert_eq!(updated["name"], "New");
    added(&updated, json!({"b": [1, "x"]}), SHOWN_START.into());
    shop.add_members("cgrp_a", &["cus_1"]).await;
    added(&shop.group("cgrp_a").await.unwrap(), json!({"b": [1, "x"]}), SHOWN_START.into());
    shop.database.execute("UPDATE customer SET loyalty = 'gold'").await;
    let changes = CustomerChanges { phone: Some(Some("1".to_owned())), ..CustomerChanges::default() };
    let selection = shop.all(Table::Customer);
    let updated = shop.store.update_customer("cus_1", changes, &selection).await;
    assert_eq!(json_of(updated.unwrap().unwrap()).await["loyalty"], "gold");

    // New rows have the column's default.
    let created = shop.store.create_customer_group(new_group("Fresh")).await.unwrap();
    added(&json_of(created).await, Value::Null, Value::Null);
}

pub(crate) async fn an_added_column_can_be_asked_for_ordered_by_and_imported(database: Database) {
    let shop = Shop::open(database).await;
    let shop = shop.reopen_after(ADDED).await;
    shop.import(
        Table::CustomerGroup,
        json!([
            {"id": "cgrp_a", "name": "A", "Level": 1, "valid_until": START, "is_hidden": false, "rules": ["x"]},
            {"id": "cgrp_b", "name": "B", "Level": 2, "sales_channel_id": "sc_1", "rules": "text"},
            {"id": "cgrp_c", "name": "C", "Level": 1, "rules": true},
        ]),
    )
    .await;
    let catalog = shop.store.catalog();
    let mut list = shop.group_list();
    list.order = Order::descending(catalog, Table::CustomerGroup, "Level").unwrap();
    list.selection = Selection::id(catalog, Table::CustomerGroup);
    for column in ["Level", "rules", "is_hidden"] {
        list.selection.add_column(catalog, column).unwrap();
    }
    let listed = rows(shop.store.list_customer_groups(list.clone()).await.unwrap()).await;
    assert_eq!(
        listed,
        [
            json!({"id": "cgrp_b", "Level": 2, "rules": "text", "is_hidden": true}),
            json!({"id": "cgrp_a", "Level": 1, "rules": ["x"], "is_hidden": false}),
            json!({"id": "cgrp_c", "Level": 1, "rules": true, "is_hidden": true}),
        ]
    );
    // What is missing comes as PostgreSQL places it.
    list.order = Order::descending(catalog, Table::CustomerGroup, "sales_channel_id").unwrap();
    let page = shop.store.list_customer_groups(list).await.unwrap();
    let listed: Vec<_> = rows(page).await.iter().map(id).collect();
    assert_eq!(listed, ["cgrp_a", "cgrp_c", "cgrp_b"]);
    assert_matches!(
        Order::ascending(catalog, Table::CustomerGroup, "rules"),
        Err(UnknownName::Column { .. })
    );
}

pub(crate) async fn a_page_of_members_shows_their_relations(database: Database) {
    let shop = Shop::open(database).await;
    shop.fill().await;
    let mut list = shop.customer_list();
    list.filter = CustomerFilter { groups: Some(texts(&["cgrp_a"])), ..CustomerFilter::default() };
    list.selection = shop.with(Table::Customer, &["groups", "shipping_addresses", "orders"]);
    let listed = rows(shop.store.list_customers(list).await.unwrap()).await;
    assert_eq!(listed.iter().map(id).collect::<Vec<_>>(), ["cus_1", "cus_2"]);
    assert_eq!(ids_in(&listed[0], "groups"), ["cgrp_a"]);
    assert_eq!(ids_in(&listed[0], "shipping_addresses"), ["addr_1", "addr_2"]);
    assert_eq!(listed[1]["orders"], json!([]));
}

/// Medusa's table of orders; this one lacks some of its columns, and has one of the shop's.
const ORDERS: &str = r#"
    CREATE TABLE "order" (id VARCHAR PRIMARY KEY, status VARCHAR NOT NULL, display_id INTEGER NOT NULL,
        customer_id VARCHAR NOT NULL, tax_rate REAL, canceled_at TIMESTAMPTZ, metadata JSONB, no_notification BOOLEAN,
        created_at TIMESTAMPTZ NOT NULL, gift VARCHAR);
    INSERT INTO "order" VALUES
        ('order_2', 'pending', 2, 'cus_1', NULL, NULL, NULL, NULL, '2024-11-03T08:00:00.000538Z', NULL),
        ('order_1', 'canceled', 1, 'cus_1', 12.5, '2024-11-03T08:00:00.000538Z', '{"a":[1]}', TRUE,
            '2024-11-03T08:00:00.000538Z', 'wrapped'),
        ('order_3', 'pending', 3, 'cus_2', 0, NULL, NULL, FALSE, '2024-11-03T08:00:00.000538Z', NULL);
"#;

pub(crate) async fn orders_are_shown_where_medusa_has_them(database: Database) {
    let shop = Shop::open(database).await;
    shop.fill().await;
    let shop = shop.reopen_after(ORDERS).await;
    let selection = shop.with(Table::Customer, &["orders"]);
    let text = shop.store.retrieve_customer("cus_1", &selection).await.unwrap().unwrap();
    let text = string_of(text).await;
    let orders = format!(
        r#""orders":[{{"object":"order","id":"order_1","created_at":"{SHOWN_START}","status":"canceled","display_id":1,"customer_id":"cus_1","tax_rate":12.5,"canceled_at":"{SHOWN_START}","metadata":{{"a":[1]}},"no_notification":true,"gift":"wrapped"}},{{"object":"order","id":"order_2","created_at":"{SHOWN_START}","status":"pending","display_id":2,"customer_id":"cus_1","tax_rate":null,"canceled_at":null,"metadata":null,"no_notification":null,"gift":null}}]}}"#
    );
    assert!(text.ends_with(&orders), "{text}");

    let members = shop.with(Table::CustomerGroup, &["customers.orders"]);
    let group = shop.show_group("cgrp_a", &members).await;
    assert_eq!(ids_in(&group["customers"][0], "orders"), ["order_1", "order_2"]);
    assert_eq!(ids_in(&group["customers"][1], "orders"), ["order_3"]);
    let mut list = shop.customer_list();
    list.selection = selection;
    let listed = rows(shop.store.list_customers(list).await.unwrap()).await;
    assert_eq!(ids_in(&listed[1], "orders"), ["order_3"]);
    let catalog = shop.store.catalog();
    let mut some = Selection::id(catalog, Table::Customer);
    some.add_column(catalog, "orders.status").unwrap();
    let orders = json!([{"object": "order", "id": "order_3", "status": "pending"}]);
    assert_eq!(shop.show_customer("cus_2", &some).await, json!({"id": "cus_2", "orders": orders}));
    assert_matches!(some.add_relation(catalog, "orders.region"), Err(UnknownName::Relation { .. }));

    let broken = r#"ALTER TABLE "order" RENAME COLUMN customer_id TO bought_by"#;
    shop.store.close().await;
    shop.database.execute(broken).await;
    let refused = Store::open(shop.database.url(), StoreOptions::default()).await.unwrap_err();
    assert_matches!(refused, StoreError::Schema(_));
    assert!(refused.to_string().contains("order has no column customer_id"), "{refused}");
}
