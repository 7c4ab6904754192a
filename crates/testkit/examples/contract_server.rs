//! A server with the data of the contract, to try things by hand:
//! `cargo run -p stheno-testkit --example contract_server -- PORT`. The API token is `test_token`.

use stheno_testkit::{TestApp, TestAppOptions, contract};

#[tokio::main]
async fn main() {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or_default();
    let app = TestApp::empty(TestAppOptions { port, ..TestAppOptions::default() }).await;
    app.store.import(contract::seed()).await.unwrap_or_else(|error| panic!("{error}"));
    println!("http://{}", app.address);
    std::future::pending::<()>().await;
}
