//! What only a database in a file can suffer.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures::future::join_all;
use rusqlite::Connection;
use stheno_store::{CustomerGroupFilter, Store, StoreError, StoreOptions};

use crate::database::Database;
use crate::shop::{Shop, new_group, read, texts};

fn path(database: &Database) -> PathBuf {
    PathBuf::from(database.url().strip_prefix("sqlite:").unwrap())
}

/// Another program's connection.
fn connect(database: &Database) -> Connection {
    Connection::open(path(database)).unwrap()
}

fn lock(database: &Database) -> Connection {
    let other = connect(database);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

async fn refused(url: &str) -> StoreError {
    Store::open(url, StoreOptions::default()).await.unwrap_err()
}

fn url_of(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

#[tokio::test]
async fn a_url_is_a_scheme_and_a_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("with space?.db");
    let plain = folder.path().join("plain é%20.db");
    for url in
        [url_of(&plain), format!("sqlite://{}", plain.display()), url_of(&folder.path().join("other.db"))]
    {
        let store = Store::open(&url, StoreOptions::default()).await.unwrap();
        store.close().await;
    }
    assert!(plain.exists());
    for url in [
        "",
        "sqlite:",
        "sqlite://",
        "sqlite::memory:",
        "nothing",
        "mysql://ada:s3cret@host/shop",
        &*url_of(&path),
    ] {
        let error = refused(url).await;
        assert_matches!(error, StoreError::Url(_), "{url}");
        let text = error.to_string();
        assert!(text.contains("sqlite:PATH") && !text.contains("s3cret"), "{text}");
    }
}

#[tokio::test]
async fn a_path_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "text").unwrap();
    for path in [folder.path().join("nowhere/shop.db"), folder.path().to_owned(), file.join("shop.db")] {
        let error = refused(&url_of(&path)).await;
        assert_matches!(error, StoreError::Url(_));
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}

#[tokio::test]
async fn a_file_of_another_kind_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let text = "something else entirely, and long enough for the header of a database file. ".repeat(20);
    std::fs::write(&path, &text).unwrap();
    let error = refused(&url_of(&path)).await;
    assert_matches!(error, StoreError::Schema(_));
    assert!(error.to_string().contains("is not a SQLite database"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_alone() {
    let database = Database::sqlite().await;
    let other = connect(&database);
    other
        .execute_batch("CREATE TABLE customer_group (id TEXT); INSERT INTO customer_group VALUES ('theirs')")
        .unwrap();
    let error = refused(database.url()).await;
    assert_matches!(error, StoreError::Schema(_));
    let tables: Vec<String> = other
        .prepare("SELECT name FROM sqlite_schema")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(tables, ["customer_group"]);
}

#[tokio::test]
async fn an_empty_file_is_taken() {
    let database = Database::sqlite().await;
    std::fs::write(path(&database), "").unwrap();
    Shop::open(database).await.add_groups(&["cgrp_a"]).await;
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let shop = Shop::open(Database::sqlite().await).await;
    shop.add_groups(&["cgrp_a"]).await;
    let folder = path(&shop.database).parent().unwrap().to_owned();
    let mut files = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", file.file_name());
        files += 1;
    }
    assert!(files >= 2, "the log of writes was not looked at");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_lock_is_waited_for() {
    let shop = Shop::open(Database::sqlite().await).await;
    let other = lock(&shop.database);
    let write = shop.store.create_customer_group(new_group("VIP"));
    let release = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        other.execute_batch("COMMIT").unwrap();
    };
    let (written, ()) = tokio::join!(write, release);
    written.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_lock_is_reported_to_all_who_wait_and_nothing_is_lost() {
    const LOCK_TIMEOUT: Duration = Duration::from_millis(200);
    let shop = Shop::open_with(Database::sqlite().await, |options| {
        options.lock_timeout = LOCK_TIMEOUT;
    })
    .await;
    shop.add_groups(&["cgrp_a"]).await;
    shop.add_customers(&["cus_1"]).await;
    let other = lock(&shop.database);
    other
        .execute_batch("INSERT INTO customer_group SELECT 'cgrp_b', 'theirs', NULL, created_at, updated_at, NULL FROM customer_group")
        .unwrap();
    let started = Instant::now();
    let writes = (0..16).map(|number| {
        let store = &shop.store;
        async move { store.create_customer_group(new_group(&number.to_string())).await.map(drop) }
    });
    let add = async {
        let added = shop.store.add_customers_to_group("cgrp_a", texts(&["cus_1"])).await;
        added.map(drop)
    };
    // Reading goes on meanwhile.
    let read = async {
        assert!(shop.group("cgrp_a").await.is_some());
        assert_eq!(shop.groups(CustomerGroupFilter::default()).await, ["cgrp_a"]);
    };
    let (writes, added, ()) = tokio::join!(join_all(writes), add, read);
    for outcome in writes.into_iter().chain([added]) {
        let error = outcome.unwrap_err();
        assert_matches!(error, StoreError::Unavailable { .. });
        assert!(error.to_string().contains("another process"), "{error}");
    }
    // Those who came while one waited did not wait for the lock anew.
    assert!(started.elapsed() < 5 * LOCK_TIMEOUT, "{:?}", started.elapsed());

    other.execute_batch("COMMIT").unwrap();
    shop.add_members("cgrp_b", &["cus_1"]).await;
    assert_eq!(shop.groups(CustomerGroupFilter::default()).await, ["cgrp_a", "cgrp_b"]);
    assert_eq!(shop.members("cgrp_a").await, [""; 0]);
}

#[tokio::test]
async fn a_database_locked_while_it_is_opened_may_be_opened_later() {
    let database = Database::sqlite().await;
    let options = || StoreOptions { lock_timeout: Duration::from_millis(20), ..StoreOptions::default() };
    let other = connect(&database);
    other.execute_batch("BEGIN EXCLUSIVE; CREATE TABLE x (y)").unwrap();
    let error = Store::open(database.url(), options()).await.unwrap_err();
    assert_matches!(error, StoreError::Unavailable { .. });
    other.execute_batch("ROLLBACK").unwrap();
    Store::open(database.url(), options()).await.unwrap().close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_does_not_wait_for_a_slow_reader_who_gets_all_of_it() {
    let shop = Shop::open_with(Database::sqlite().await, |options| options.whole_up_to = 1000).await;
    shop.database.make_customers(2000, 1000).await;
    let slow = shop.store.list_customers(shop.customer_list()).await.unwrap().rows;
    shop.add_groups(&["cgrp_a"]).await;

    // As long as a snapshot is in use, the log of writes cannot be emptied.
    let other = connect(&shop.database);
    other.busy_timeout(Duration::ZERO).unwrap();
    let is_free = || {
        let busy: bool = other.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).unwrap();
        !busy
    };
    assert!(!is_free());
    let started = Instant::now();
    while !is_free() {
        assert!(started.elapsed() < Duration::from_secs(10), "the snapshot is still in use");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // The reader, who has not moved all the while, gets what the snapshot held.
    let again = shop.store.list_customers(shop.customer_list()).await.unwrap().rows;
    assert_eq!(read(slow).await.unwrap(), read(again).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_leaves_one_file() {
    let shop = Shop::open(Database::sqlite().await).await;
    shop.add_groups(&["cgrp_a"]).await;
    assert_eq!(shop.groups(CustomerGroupFilter::default()).await, ["cgrp_a"]);
    shop.store.close().await;
    let folder = path(&shop.database).parent().unwrap().to_owned();
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["shop.db"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_added_column_holds_never_breaks_the_answer() {
    let shop = Shop::open(Database::sqlite().await).await;
    shop.add_groups(&["cgrp_a"]).await;
    // SQLite takes any value in any column.
    let shop = shop
        .reopen_after(
            r#"ALTER TABLE customer_group ADD COLUMN since TIMESTAMP;
               ALTER TABLE customer_group ADD COLUMN rules JSON;
               ALTER TABLE customer_group ADD COLUMN picture BLOB;
               ALTER TABLE customer_group ADD COLUMN rate REAL;
               UPDATE customer_group SET since = '2024-11-03 08:00:00', rules = 'no "JSON"', picture = x'00ff', rate = 9e999"#,
        )
        .await;
    let group = shop.group("cgrp_a").await.unwrap();
    assert_eq!(group["since"], "2024-11-03 08:00:00");
    assert_eq!(group["rules"], "no \"JSON\"");
    assert_eq!(group["picture"], serde_json::Value::Null);
    assert_eq!(group["rate"], serde_json::Value::Null);
    shop.database
        .execute(r#"UPDATE customer_group SET since = '"", 27 characters long ""', rules = 7"#)
        .await;
    let group = shop.group("cgrp_a").await.unwrap();
    assert_eq!(group["since"], r#""", 27 characters long """#);
    assert_eq!(group["rules"].to_string(), "7");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_on_the_way_ends_what_has_been_sent_with_an_error() {
    const PAGE: usize = 4096;
    const LEAF_OF_A_TABLE: u8 = 0x0d;
    let shop = Shop::open(Database::sqlite().await).await;
    shop.database.make_customers(2000, 1000).await;
    shop.store.close().await;

    let file = path(&shop.database);
    let mut bytes = std::fs::read(&file).unwrap();
    let pages = bytes.len() / PAGE;
    for page in bytes.chunks_exact_mut(PAGE).skip(pages / 2).filter(|page| page[0] == LEAF_OF_A_TABLE) {
        page.fill(0xff);
    }
    std::fs::write(&file, bytes).unwrap();

    let (store, _) = Shop::another(&shop.database, |options| options.whole_up_to = 1000).await;
    let list = store.list_customers(shop.customer_list()).await.unwrap();
    assert_eq!(list.count, 2000);
    assert!(!list.rows.start.is_empty() && list.rows.rest.is_some());
    assert_matches!(read(list.rows).await, Err(StoreError::Internal(_)));
}
