//! The schema, apart from the data: listed, made, checked.

use std::sync::Mutex;

use stheno_store::{Fault, Owner, Progress, Schema, Store, StoreError, StoreOptions, Thing, ThingKind};

use crate::database::Database;
use crate::shop::{Shop, new_group};

/// A database on which nothing was made yet.
async fn empty(database: Database) -> Database {
    if database.url().starts_with("postgres") { Database::empty_postgres().await } else { database }
}

pub(crate) async fn schema_of(database: &Database) -> Schema {
    Schema::connect(database.url(), StoreOptions::default()).await.unwrap()
}

/// What is not as it should be, each thing in a line.
pub(crate) async fn faults(schema: &Schema) -> Vec<String> {
    let differences = schema.differences().await.unwrap();
    differences.iter().map(|difference| format!("{:?} {}", difference.fault, difference.thing)).collect()
}

/// Makes what is missing, all of it. Answers what was made.
pub(crate) async fn migrate(schema: &Schema) -> Vec<Thing> {
    let made = Mutex::new(Vec::new());
    let tell = |progress| {
        if let Progress::Made(thing) = progress {
            made.lock().unwrap().push(thing);
        }
    };
    assert_eq!(schema.migrate(&tell).await.unwrap(), []);
    made.into_inner().unwrap()
}

fn without_migrating() -> StoreOptions {
    StoreOptions { migrate: false, ..StoreOptions::default() }
}

pub(crate) async fn a_new_database_is_made_as_was_said_before(database: Database) {
    let database = empty(database).await;
    let schema = schema_of(&database).await;
    assert_eq!(schema.owner().await.unwrap(), Owner::Nobody);
    let planned = schema.differences().await.unwrap();
    assert!(planned.iter().all(|planned| planned.fault == Fault::Missing && planned.hindrance.is_none()));
    let planned: Vec<Thing> = planned.into_iter().map(|planned| planned.thing).collect();
    for (kind, name) in [(ThingKind::Table, "customer_group"), (ThingKind::Table, "stheno_session")] {
        assert!(planned.iter().any(|thing| thing.kind == kind && thing.name == name), "{name}");
    }

    let mut made = migrate(&schema).await;
    let mut expected = planned.clone();
    made.sort();
    expected.sort();
    assert_eq!(made, expected);
    assert_eq!(schema.owner().await.unwrap(), Owner::Stheno);
    assert_eq!(faults(&schema).await, [""; 0]);
    assert_eq!(migrate(&schema).await, []);
    schema.close().await;
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a"]).await;
}

pub(crate) async fn a_store_may_be_opened_without_migrating(database: Database) {
    let database = empty(database).await;
    let refused = Store::open(database.url(), without_migrating()).await;
    let Err(StoreError::Schema(text)) = refused else { panic!("a database without tables was taken") };
    assert!(text.contains("`stheno migrate`"), "{text}");
    let schema = schema_of(&database).await;
    assert_eq!(schema.owner().await.unwrap(), Owner::Nobody);
    migrate(&schema).await;
    let store = Store::open(database.url(), without_migrating()).await.unwrap();
    store.create_customer_group(new_group("A")).await.unwrap();
    store.close().await;
    schema.close().await;
}

pub(crate) async fn looking_changes_nothing(database: Database) {
    let database = empty(database).await;
    let schema = schema_of(&database).await;
    let first = schema.differences().await.unwrap();
    assert_eq!(schema.differences().await.unwrap(), first);
    assert_eq!(schema.owner().await.unwrap(), Owner::Nobody);
    schema.close().await;
}

pub(crate) async fn the_schema_of_a_newer_stheno_is_not_looked_into(database: Database) {
    let shop = Shop::open(database).await;
    shop.store.close().await;
    shop.database
        .execute("INSERT INTO stheno_migration (version, name, applied_at) VALUES (9001, '9001_future', '2030-01-01')")
        .await;
    let schema = schema_of(&shop.database).await;
    for refused in [schema.differences().await.map(drop), schema.migrate(&|_| {}).await.map(drop)] {
        let Err(StoreError::Schema(text)) = refused else { panic!("a newer schema was taken") };
        assert!(text.contains("9001"), "{text}");
    }
    schema.close().await;
}
