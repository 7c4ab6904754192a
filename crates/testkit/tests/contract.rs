//! The contract with Medusa: all recorded exchanges, replayed.

use stheno_testkit::{Engine, TestApp, contract};

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_exchange_is_answered_as_recorded_or_better_on_purpose() {
    replay(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_exchange_is_answered_alike_from_postgres() {
    replay(Engine::Postgres).await;
}

async fn replay(engine: Engine) {
    let app = TestApp::with_contract_data_in(engine).await;
    let report = contract::replay(app.address).await;
    app.stop().await;
    println!("{report}");
    assert!(report.failures.is_empty(), "{report}");
    assert_eq!(report.equal + report.deviating, 655);
    assert_eq!(report.deviating, 150);
}
