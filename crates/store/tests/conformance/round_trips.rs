//! How often a write goes to PostgreSQL and back.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use stheno_store::{CustomerGroupChanges, Store, StoreError, StoreOptions, Table};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

use crate::database::Database;
use crate::shop::{Shop, new_customer, new_group, texts};

/// How long an answer is held back, so that the store says all that it does not wait for an answer with.
const PAUSE: Duration = Duration::from_millis(20);

const SOCKET: &str = ".s.PGSQL.5432";

/// What lies between a store and its database, and counts how often the store speaks after an answer.
struct Relay {
    folder: TempDir,
    turns: Arc<AtomicUsize>,
}

impl Relay {
    /// In front of the database whose server has its socket in this folder.
    fn start(server: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let (turns, server) = (Arc::new(AtomicUsize::new(0)), server.join(SOCKET));
        let counted = Arc::clone(&turns);
        tokio::spawn(async move {
            while let Ok((store, _)) = listener.accept().await {
                let database = UnixStream::connect(&server).await.unwrap();
                tokio::spawn(relay(store, database, Arc::clone(&counted)));
            }
        });
        Self { folder, turns }
    }

    /// The fewest turns that a call takes of several, since the store may have looked at something beside it.
    async fn fewest<T>(&self, mut call: impl AsyncFnMut(usize) -> Result<T, StoreError>) -> usize {
        let mut fewest = usize::MAX;
        for number in 0..4 {
            let before = self.turns.load(Ordering::SeqCst);
            call(number).await.unwrap();
            fewest = fewest.min(self.turns.load(Ordering::SeqCst) - before);
        }
        fewest
    }
}

async fn relay(mut store: UnixStream, mut database: UnixStream, turns: Arc<AtomicUsize>) {
    let (mut said, mut answer, mut is_answered) = (Vec::new(), Vec::new(), true);
    loop {
        tokio::select! {
            Ok(length) = store.read_buf(&mut said) => {
                if length == 0 {
                    return;
                }
                turns.fetch_add(usize::from(std::mem::take(&mut is_answered)), Ordering::SeqCst);
                database.write_all(&said).await.unwrap();
                said.clear();
            }
            Ok(length) = database.read_buf(&mut answer) => {
                if length == 0 {
                    return;
                }
            }
            () = tokio::time::sleep(PAUSE), if !answer.is_empty() => {
                if store.write_all(&answer).await.is_err() {
                    return;
                }
                answer.clear();
                is_answered = true;
            }
            else => return,
        }
    }
}

#[tokio::test]
async fn writes_of_groups_take_two_round_trips() {
    let shop = Shop::open(Database::postgres().await).await;
    shop.add_groups(&["cgrp_a"]).await;
    shop.add_customers(&["cus_1", "cus_2"]).await;
    let (before, folder) = shop.database.url().split_once("?host=").unwrap();
    let relay = Relay::start(Path::new(folder));
    let url = format!("{before}?host={}", relay.folder.path().display());
    let store = Store::open(&url, StoreOptions { connections: 1, ..StoreOptions::default() }).await.unwrap();
    let store = &store;

    let create = async |number: usize| store.create_customer_group(new_group(&number.to_string())).await;
    assert_eq!(relay.fewest(create).await, 2, "create");
    let register = async |number: usize| store.create_customer(new_customer(&number.to_string())).await;
    assert_eq!(relay.fewest(register).await, 2, "create a customer");
    let rename = async |number: usize| {
        let changes = CustomerGroupChanges { name: Some(Some(format!("Name {number}"))), metadata: None };
        store.update_customer_group("cgrp_a", changes, &shop.all(Table::CustomerGroup)).await
    };
    assert_eq!(relay.fewest(rename).await, 2, "update");
    let customers = texts(&["cus_1", "cus_2"]);
    let add = async |_| store.add_customers_to_group("cgrp_a", customers.clone()).await;
    assert_eq!(relay.fewest(add).await, 2, "add");
    let remove = async |_| store.remove_customers_from_group("cgrp_a", customers.clone()).await;
    assert_eq!(relay.fewest(remove).await, 2, "remove");
    let delete = async |_| store.delete_customer_group("cgrp_a").await;
    assert_eq!(relay.fewest(delete).await, 2, "delete");
}
