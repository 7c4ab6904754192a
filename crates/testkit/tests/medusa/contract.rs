//! The recorded contract on a database that Medusa has made.

use stheno_testkit::medusa::{Medusa, database};
use stheno_testkit::{TestApp, TestAppOptions, contract};

#[tokio::test(flavor = "multi_thread")]
async fn stheno_answers_as_recorded_or_better_on_purpose_orders_included() {
    let app = TestApp::on_postgres(database().await, TestAppOptions::default()).await;
    let report = contract::replay_on_a_medusas_database(app.address).await;
    app.stop().await;
    println!("{report}");
    assert!(report.failures.is_empty(), "{report}");
    assert_eq!((report.equal, report.deviating), (513, 142));
}

/// Which shows that the Medusa beside which Stheno is tested is the one that was recorded.
#[tokio::test(flavor = "multi_thread")]
async fn medusa_answers_as_recorded() {
    let database = database().await;
    let medusa = Medusa::on(&database).await;
    let report = contract::replay_against_medusa(medusa.address()).await;
    println!("{report}");
    assert!(report.failures.is_empty(), "{report}");
    assert_eq!(report.equal, 655);
}
