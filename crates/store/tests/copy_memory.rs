//! To copy a large shop takes no more memory than a small one. Alone in its process, whose memory is measured.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use stheno_store::copy::{CopyOptions, copy};
use stheno_store::{Store, StoreOptions};
use stheno_testkit::postgres::PostgresDatabase;

const CUSTOMERS: usize = 20_000;

/// How many characters of metadata each customer has.
const METADATA: usize = 4000;

/// What the process may grow by while it copies, in kilobytes: a fraction of what it copies.
const ALLOWED: usize = 24 * 1024;

/// The memory that the process uses, in kilobytes.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

async fn measure(from: &str, to: &str) {
    let before = memory();
    let mut most = before;
    let watch = |_| most = most.max(memory());
    let report = copy(from, to, &CopyOptions::default(), watch).await.unwrap();
    assert_eq!(report.tables.iter().map(|table| table.written).sum::<u64>(), CUSTOMERS as u64);
    assert!(most - before < ALLOWED, "{before} kB before, {most} kB at most");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_shop_is_copied_in_constant_memory() {
    const { assert!(CUSTOMERS * METADATA / 1024 > 3 * ALLOWED) };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let url = format!("sqlite:{}", path.display());
    Store::open(&url, StoreOptions::default()).await.unwrap().close().await;
    let other = rusqlite::Connection::open(&path).unwrap();
    other
        .execute_batch(&format!(
            "PRAGMA synchronous = OFF;
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {CUSTOMERS})
             INSERT INTO customer (id, email, metadata, created_at, updated_at)
             SELECT printf('cus_%08d', i), i || '@shop.example', '{{\"x\":\"{}\"}}', '2024-11-03T08:00:00.000538Z',
                    '2024-11-03T08:00:00.000538Z' FROM n",
            "x".repeat(METADATA)
        ))
        .unwrap();
    drop(other);
    let database = PostgresDatabase::empty().await;
    measure(&url, database.url()).await;
    measure(database.url(), &format!("sqlite:{}", folder.path().join("end.db").display())).await;
}
