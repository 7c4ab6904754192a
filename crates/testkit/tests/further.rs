//! Further exchanges with Medusa, each on fresh data where it writes.

use stheno_testkit::{Engine, contract};

#[tokio::test(flavor = "multi_thread")]
async fn every_further_exchange_is_answered_as_recorded_or_better_on_purpose() {
    replay(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_further_exchange_is_answered_alike_from_postgres() {
    replay(Engine::Postgres).await;
}

async fn replay(engine: Engine) {
    let report = contract::replay_further(engine).await;
    println!("{report}");
    assert!(report.failures.is_empty(), "{report}");
    assert_eq!(report.equal + report.deviating, 1616);
    assert_eq!(report.deviating, 436);
}
