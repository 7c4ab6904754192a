//! What goes wrong around the store, and what many callers at once see of each other.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use stheno_store::{
    Caller, CustomerGroupFilter, NewUser, Role, Selection, Store, StoreError, StoreOptions, Table,
};

use crate::database::Database;
use crate::shop::{EVERYTHING, Shop, id, json_of, new_customer, new_group, texts};

pub(crate) async fn an_open_store_gives_a_sign_of_life(database: Database) {
    let shop = Shop::open(database).await;
    shop.store.ping().await.unwrap();
    shop.clock.set(crate::shop::time("2030-01-01T00:00:00Z"));
    assert_eq!(shop.store.clock().now(), crate::shop::time("2030-01-01T00:00:00Z"));
}

pub(crate) async fn a_closed_store_answers_nothing(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a"]).await;
    shop.store.close().await;
    let store = &shop.store;
    let unavailable = |outcome: Result<(), StoreError>, what: &str| {
        assert_matches!(outcome, Err(StoreError::Unavailable { .. }), "{what}");
    };
    let selection = shop.all(Table::CustomerGroup);
    let expanded = shop.with(Table::CustomerGroup, &["customers"]);
    unavailable(store.ping().await, "ping");
    unavailable(store.retrieve_customer_group("cgrp_a", &selection).await.map(drop), "retrieve");
    unavailable(store.retrieve_customer_group("cgrp_a", &expanded).await.map(drop), "expand");
    unavailable(store.list_customer_groups(shop.group_list()).await.map(drop), "list");
    unavailable(store.create_customer_group(new_group("B")).await.map(drop), "create");
    unavailable(store.list_users().await.map(drop), "users");
    unavailable(store.session_user("session").await.map(drop), "session");
    // Closing twice does no harm.
    store.close().await;
}

pub(crate) async fn closing_finishes_what_is_being_written(database: Database) {
    let shop = Shop::open(database).await;
    let writes: Vec<_> = (0..64)
        .map(|number| {
            let store = shop.store.clone();
            tokio::spawn(async move { store.create_customer_group(new_group(&number.to_string())).await })
        })
        .collect();
    tokio::task::yield_now().await;
    let other = shop.store.clone();
    other.close().await;
    let mut written = 0;
    for write in writes {
        match write.await.unwrap() {
            Ok(_) => written += 1,
            Err(error) => assert_matches!(error, StoreError::Unavailable { .. }),
        }
    }
    let shop = shop.reopen_after("").await;
    assert_eq!(shop.groups(CustomerGroupFilter::default()).await.len(), written);
}

pub(crate) async fn a_dropped_store_leaves_everything_in_order(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a"]).await;
    let Shop { store, database, .. } = shop;
    drop(store);
    let shop = Shop::open(database).await;
    assert!(shop.group("cgrp_a").await.is_some());
}

pub(crate) async fn everyone_of_many_writers_is_answered_and_kept(database: Database) {
    let shop = Shop::open(database).await;
    let writes = (0..64).map(|number| {
        let name = number.to_string();
        let store = &shop.store;
        async move { json_of(store.create_customer_group(new_group(&name)).await.unwrap()).await }
    });
    let created: BTreeSet<_> = join_all(writes).await.iter().map(id).collect();
    assert_eq!(created.len(), 64);
    let shop = shop.reopen_after("").await;
    let kept: BTreeSet<_> = shop.groups(CustomerGroupFilter::default()).await.into_iter().collect();
    assert_eq!(kept, created);
}

pub(crate) async fn one_that_is_refused_leaves_those_beside_it(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a"]).await;
    shop.add_customers(&["cus_1"]).await;
    let writes = (0..64).map(|number| {
        let store = &shop.store;
        async move {
            match number % 4 {
                // Names come in pairs.
                0 | 1 => {
                    let name = (number / 4).to_string();
                    store.create_customer_group(new_group(&name)).await.map(drop)
                }
                // The known one must not be added where the other is unknown.
                2 => {
                    let customers = texts(&["cus_1", "cus_nope"]);
                    store.add_customers_to_group("cgrp_a", customers).await.map(drop)
                }
                _ => {
                    let email = format!("{number}@shop.example");
                    store.create_customer(new_customer(&email)).await.map(drop)
                }
            }
        }
    });
    let outcomes = join_all(writes).await;
    for (number, pair) in outcomes.chunks(4).enumerate() {
        let created = pair[..2].iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(created, 1, "groups of pair {number}");
        assert_matches!(&pair[2], Err(StoreError::UnknownCustomers(_)));
        assert_matches!(&pair[3], Ok(()));
    }
    let shop = shop.reopen_after("").await;
    assert_eq!(shop.groups(CustomerGroupFilter::default()).await.len(), 17);
    assert_eq!(shop.store.list_customers(shop.customer_list()).await.unwrap().count, 17);
    assert_eq!(shop.members("cgrp_a").await, [""; 0]);
}

pub(crate) async fn a_write_whose_caller_goes_away_is_done_whole_or_not_at_all(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a"]).await;
    shop.add_customers(&["cus_1", "cus_2"]).await;
    for wait in 0..20 {
        let customers = texts(&["cus_1", "cus_2"]);
        let add = shop.store.add_customers_to_group("cgrp_a", customers.clone());
        drop(tokio::time::timeout(Duration::from_micros(50 * wait), add).await);
        let removed = shop.store.remove_customers_from_group("cgrp_a", texts(&["cus_1"]));
        removed.await.unwrap();
        // Whoever goes away does not hear when it is done: before the removal or after it, but never in part.
        assert_ne!(shop.members("cgrp_a").await, ["cus_1"]);
    }
    shop.add_members("cgrp_a", &["cus_1", "cus_2"]).await;
    assert_eq!(shop.members("cgrp_a").await.len(), 2);
}

pub(crate) async fn two_stores_share_a_database(database: Database) {
    let shop = Shop::open(database).await;
    let (other, _) = Shop::another(&shop.database, |options| {
        options.ids = stheno_store::IdGenerator::random();
    })
    .await;
    // As `stheno user create` does beside `stheno serve`.
    let user = NewUser {
        email: "ada@shop.example".to_owned(),
        password_hash: None,
        role: Role::Admin,
        token_hash: Some("hash".to_owned()),
    };
    let user = other.create_user(user).await.unwrap();
    let found = shop.store.user_by_token("", "hash").await.unwrap();
    assert_eq!(found, Some(user));

    let writes = (0..32).flat_map(|number| {
        [("a", &shop.store), ("b", &other)].map(|(prefix, store)| async move {
            let name = format!("{prefix} {number}");
            store.create_customer_group(new_group(&name)).await
        })
    });
    for outcome in join_all(writes).await {
        outcome.unwrap();
    }
    let selection = Selection::all(other.catalog(), Table::CustomerGroup);
    for store in [&shop.store, &other] {
        let list = stheno_store::CustomerGroupList {
            filter: CustomerGroupFilter::default(),
            order: shop.by_id(Table::CustomerGroup),
            window: EVERYTHING,
            selection: selection.clone(),
        };
        assert_eq!(store.list_customer_groups(list).await.unwrap().count, 64);
    }
}

pub(crate) async fn a_caller_reads_what_it_has_written(database: Database) {
    let shop = Shop::open(database).await;
    let caller = Caller::default();
    let store = shop.store.for_caller(caller.clone());
    let created = json_of(store.create_customer_group(new_group("B")).await.unwrap()).await;
    let selection = shop.all(Table::CustomerGroup);
    assert!(store.retrieve_customer_group(&id(&created), &selection).await.unwrap().is_some());
    // Without replicas nothing needs to be known of where that is.
    assert_eq!(caller.written(), None);
    let later = caller.having_seen("FFFFFFFF/FFFFFFFF".parse().unwrap());
    let store = shop.store.for_caller(later);
    assert_eq!(store.list_customer_groups(shop.group_list()).await.unwrap().count, 1);
}

pub(crate) async fn many_may_open_a_new_database_at_once(database: Database) {
    let opens = (0..16).map(|_| {
        let url = database.url().to_owned();
        tokio::spawn(async move { Store::open(&url, StoreOptions::default()).await })
    });
    let stores: Vec<_> = join_all(opens).await.into_iter().map(|store| store.unwrap().unwrap()).collect();
    for (number, store) in stores.iter().enumerate() {
        let group = new_group(&number.to_string());
        store.create_customer_group(group).await.unwrap();
    }
    let shop = Shop::open(database).await;
    assert_eq!(shop.groups(CustomerGroupFilter::default()).await.len(), 16);
}

pub(crate) async fn opening_again_changes_nothing(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a"]).await;
    let before = shop.group("cgrp_a").await;
    let shop = shop.reopen_after("").await.reopen_after("").await;
    assert_eq!(shop.group("cgrp_a").await, before);
}

pub(crate) async fn a_missing_column_is_named(database: Database) {
    let shop = Shop::open(database).await;
    shop.store.close().await;
    shop.database.execute("ALTER TABLE customer RENAME COLUMN phone TO telephone").await;
    let opened = Store::open(shop.database.url(), StoreOptions::default()).await;
    let Err(StoreError::Schema(text)) = opened else {
        panic!("a table without its columns was taken");
    };
    assert!(text.contains("customer") && text.contains("phone"), "{text}");
}

pub(crate) async fn the_schema_of_a_newer_stheno_is_refused(database: Database) {
    let shop = Shop::open(database).await;
    shop.store.close().await;
    shop.database
        .execute("INSERT INTO stheno_migration (version, name, applied_at) VALUES (9001, '9001_future', '2030-01-01')")
        .await;
    let opened = Store::open(shop.database.url(), StoreOptions::default()).await;
    let Err(StoreError::Schema(text)) = opened else {
        panic!("a newer schema was taken");
    };
    assert!(text.contains("9001") && text.contains("newer Stheno") && text.contains("backup"), "{text}");
}
