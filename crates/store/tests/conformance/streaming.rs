//! Answers that are too large to be held.

use std::time::Duration;

use futures::StreamExt as _;
use stheno_store::{JsonStream, JsonText, StoreError, StoreOptions, Table, Window};
use tokio::time::{sleep, timeout};

use crate::database::Database;
use crate::shop::{Shop, read, string_of};

/// Long enough for anything that is not stuck.
const A_WHILE: Duration = Duration::from_secs(20);

/// More than fits into the pieces that wait for a slow reader.
const CUSTOMERS: usize = 2000;

/// A shop with many customers, all members of `cgrp_a`, each of a kilobyte.
async fn large_shop(database: Database, change: impl FnOnce(&mut StoreOptions)) -> Shop {
    let shop = Shop::open_with(database, |options| {
        options.whole_up_to = 10_000;
        change(options);
    })
    .await;
    shop.add_groups(&["cgrp_a"]).await;
    shop.database.make_customers(CUSTOMERS, 1000).await;
    shop.database.make_members("cgrp_a").await;
    shop
}

impl Shop {
    /// All customers, as a stream.
    async fn stream(&self) -> Result<JsonText, StoreError> {
        let list = timeout(A_WHILE, self.store.list_customers(self.customer_list()));
        let text = list.await.expect("the list is stuck")?.rows;
        assert!(text.rest.is_some(), "the answer came whole");
        Ok(text)
    }
}

/// Reads to the end, and answers the number of bytes.
async fn drain(stream: &mut JsonStream) -> Result<usize, StoreError> {
    let mut length = 0;
    while let Some(piece) = stream.next().await {
        length += piece?.len();
    }
    Ok(length)
}

pub(crate) async fn a_stream_is_the_same_text_as_the_whole(database: Database) {
    let shop = large_shop(database, |_| {}).await;
    let (unlimited, _) = Shop::another(&shop.database, |options| options.whole_up_to = usize::MAX).await;
    let mut list = shop.customer_list();
    list.selection = shop.with(Table::Customer, &["groups"]);
    let streamed = shop.store.list_customers(list.clone()).await.unwrap();
    let whole = unlimited.list_customers(list).await.unwrap();
    assert!(streamed.rows.rest.is_some() && whole.rows.rest.is_none());
    assert_eq!(streamed.count, whole.count);
    assert_eq!(string_of(streamed.rows).await, string_of(whole.rows).await);

    // One row alone is cut as well, within its relation.
    let selection = shop.with(Table::CustomerGroup, &["customers"]);
    let streamed = shop.store.retrieve_customer_group("cgrp_a", &selection).await;
    let whole = unlimited.retrieve_customer_group("cgrp_a", &selection).await;
    let (streamed, whole) = (streamed.unwrap().unwrap(), whole.unwrap().unwrap());
    assert!(streamed.rest.is_some() && whole.rest.is_none());
    let text = string_of(streamed).await;
    let group: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(group["customers"].as_array().unwrap().len(), CUSTOMERS);
    assert_eq!(text, string_of(whole).await);
}

pub(crate) async fn small_answers_come_whole(database: Database) {
    let shop = large_shop(database, |_| {}).await;
    let mut list = shop.customer_list();
    for (limit, whole) in [(1, true), (7, true), (20, false)] {
        list.window = Window { offset: 0, limit: Some(limit) };
        let rows = shop.store.list_customers(list.clone()).await.unwrap().rows;
        assert_eq!(rows.rest.is_none(), whole, "{limit} rows");
    }
}

pub(crate) async fn no_piece_grows_with_the_answer(database: Database) {
    let shop = large_shop(database, |_| {}).await;
    let selection = shop.with(Table::CustomerGroup, &["customers"]);
    let group = shop.store.retrieve_customer_group("cgrp_a", &selection).await;
    for text in [shop.stream().await.unwrap(), group.unwrap().unwrap()] {
        assert!(text.start.len() < 12_000);
        let mut rest = text.rest.unwrap();
        let mut pieces = 0;
        while let Some(piece) = rest.next().await {
            assert!(piece.unwrap().len() <= 128 * 1024);
            pieces += 1;
        }
        assert!(pieces > 20);
    }
}

pub(crate) async fn a_stream_that_has_ended_stays_ended(database: Database) {
    let shop = large_shop(database, |_| {}).await;
    let mut rest = shop.stream().await.unwrap().rest.unwrap();
    drain(&mut rest).await.unwrap();
    assert_matches!(rest.next().await, None);
    assert_matches!(rest.next().await, None);
}

pub(crate) async fn a_reader_that_goes_away_ends_the_work(database: Database) {
    let shop = large_shop(database, |options| {
        options.streams_at_once = 1;
        options.reads_at_once = 1;
        options.reader_timeout = 10 * A_WHILE;
    })
    .await;
    for _ in 0..3 {
        drop(shop.stream().await.unwrap());
        let mut half_read = shop.stream().await.unwrap().rest.unwrap();
        half_read.next().await.unwrap().unwrap();
    }
    read(shop.stream().await.unwrap()).await.unwrap();
}

pub(crate) async fn a_caller_that_goes_away_leaves_the_store_working(database: Database) {
    let shop = large_shop(database, |options| {
        options.streams_at_once = 1;
        options.reads_at_once = 1;
        options.reader_timeout = 10 * A_WHILE;
    })
    .await;
    for wait in 0..10 {
        let list = shop.store.list_customers(shop.customer_list());
        drop(timeout(Duration::from_micros(100 * wait), list).await);
    }
    read(shop.stream().await.unwrap()).await.unwrap();
}

pub(crate) async fn a_slow_reader_gets_a_fault_and_makes_room(database: Database) {
    const READER_TIMEOUT: Duration = Duration::from_millis(400);
    let shop = large_shop(database, |options| {
        options.streams_at_once = 1;
        options.reader_timeout = READER_TIMEOUT;
    })
    .await;
    let slow = shop.stream().await.unwrap();
    // The snapshot has given up on the reader by then, but not the stream. The next one waits as long as a reader may,
    // and so lives to see the first one cut off.
    sleep(READER_TIMEOUT + READER_TIMEOUT / 2).await;
    let next = shop.stream().await.unwrap();
    let (start, mut rest) = (slow.start.len(), slow.rest.unwrap());
    let mut read_slowly = start;
    let fault = loop {
        match rest.next().await {
            Some(Ok(piece)) => read_slowly += piece.len(),
            Some(Err(fault)) => break fault,
            None => panic!("a text that was cut off has ended well"),
        }
    };
    assert_matches!(fault, StoreError::SlowReader);
    assert_matches!(rest.next().await, None);
    assert!(read_slowly < read(next).await.unwrap().len());
}

pub(crate) async fn a_steady_reader_may_take_longer_than_the_timeout(database: Database) {
    const READER_TIMEOUT: Duration = Duration::from_millis(300);
    let shop = large_shop(database, |options| options.reader_timeout = READER_TIMEOUT).await;
    let mut rest = shop.stream().await.unwrap().rest.unwrap();
    for _ in 0..4 {
        rest.next().await.unwrap().unwrap();
        sleep(READER_TIMEOUT / 3).await;
    }
    drain(&mut rest).await.unwrap();
}

pub(crate) async fn too_many_streams_are_refused(database: Database) {
    const READER_TIMEOUT: Duration = Duration::from_millis(300);
    let shop = large_shop(database, |options| {
        options.streams_at_once = 1;
        options.reader_timeout = READER_TIMEOUT;
    })
    .await;
    let mut first = shop.stream().await.unwrap().rest.unwrap();
    let second = shop.stream();
    tokio::pin!(second);
    let refused = loop {
        tokio::select! {
            outcome = &mut second => break outcome,
            () = sleep(READER_TIMEOUT / 4) => drop(first.next().await.unwrap().unwrap()),
        }
    };
    assert_matches!(refused, Err(StoreError::Unavailable { .. }));
    drain(&mut first).await.unwrap();
    read(shop.stream().await.unwrap()).await.unwrap();
}

pub(crate) async fn a_stream_holds_up_neither_reads_nor_writes(database: Database) {
    let shop = large_shop(database, |options| {
        options.reads_at_once = 1;
        options.reader_timeout = 10 * A_WHILE;
    })
    .await;
    let mut stream = shop.stream().await.unwrap().rest.unwrap();
    let others = async {
        let mut list = shop.customer_list();
        list.window.limit = Some(1);
        assert_eq!(shop.store.list_customers(list).await.unwrap().count, CUSTOMERS as u64);
        shop.add_groups(&["cgrp_b"]).await;
        assert!(shop.group("cgrp_b").await.is_some());
    };
    timeout(A_WHILE, others).await.expect("a stream is in the way");
    drain(&mut stream).await.unwrap();
}

pub(crate) async fn a_stream_outlives_the_closing_of_the_store(database: Database) {
    let shop = large_shop(database, |options| options.reader_timeout = 10 * A_WHILE).await;
    let mut stream = shop.stream().await.unwrap().rest.unwrap();
    timeout(A_WHILE, shop.store.close()).await.expect("closing waits for a reader");
    drain(&mut stream).await.unwrap();
}
