//! Further exchanges with Medusa, each on fresh data where it writes.

use stheno_testkit::contract;

#[tokio::test(flavor = "multi_thread")]
async fn every_further_exchange_is_answered_as_recorded_or_better_on_purpose() {
    let report = contract::replay_further().await;
    println!("{report}");
    assert!(report.failures.is_empty(), "{report}");
    assert_eq!(report.equal + report.deviating, 1616);
    assert_eq!(report.deviating, 436);
}
