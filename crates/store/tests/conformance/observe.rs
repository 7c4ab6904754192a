//! What an operator sees.

use std::sync::{Arc, Mutex};

use stheno_store::Observer;

use crate::database::Database;
use crate::shop::{Shop, new_group, texts};

pub(crate) async fn who_observes_is_told_of_all_work(database: Database) {
    let shop = Shop::open(database).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let observer = Observer::new({
        let told = Arc::clone(&told);
        move |unit| told.lock().unwrap().push((unit.name, unit.failed))
    });
    let store = shop.store.clone().observed_by(observer);
    store.create_customer_group(new_group("Group")).await.unwrap();
    // A refusal is no failure.
    store.create_customer_group(new_group("Group")).await.unwrap_err();
    assert!(!store.delete_user("usr_nobody").await.unwrap());
    let told = told.lock().unwrap().clone();
    assert_eq!(
        told,
        [("create_customer_group", false), ("create_customer_group", false), ("delete_user", false)]
    );
}

pub(crate) async fn totals_and_load_are_told(database: Database) {
    let shop = Shop::open(database).await;
    let all = async || {
        let totals = shop.store.totals().await.unwrap();
        (totals.customer_groups, totals.customers, totals.members)
    };
    assert_eq!(all().await, (0, 0, 0));
    shop.add_groups(&["cgrp_a", "cgrp_b"]).await;
    shop.add_customers(&["cus_1", "cus_2", "cus_3"]).await;
    shop.store.add_customers_to_group("cgrp_a", texts(&["cus_1", "cus_2"])).await.unwrap();
    shop.store.add_customers_to_group("cgrp_b", texts(&["cus_2"])).await.unwrap();
    assert_eq!(all().await, (2, 3, 3));
    let load = shop.store.load();
    assert!(load.connections > 0 && load.busy <= load.connections && load.waiting == 0, "{load:?}");
}
