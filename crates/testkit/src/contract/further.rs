//! Further exchanges with a real Medusa, each by itself: see `contract/further/README.md`.

use futures::{StreamExt as _, stream};

use super::compare::Ids;
use super::{DEVIATIONS as CONTRACT_DEVIATIONS, Deviations, Replay, Report, SEED, read_exchanges};
use crate::{Engine, TestApp};

const EXCHANGES: &str = include_str!("../../contract/further/exchanges.jsonl");
const DEVIATIONS: &str = include_str!("../../contract/further/deviations.json");

/// How many exchanges are compared at once.
const AT_ONCE: usize = 4;

/// Sends all further exchanges. Those that write have a server of their own, all others share one.
pub async fn replay(engine: Engine) -> Report {
    let mut deviations = Deviations::read(DEVIATIONS);
    deviations.rules.extend(Deviations::read(CONTRACT_DEVIATIONS).rules);
    let exchanges = read_exchanges(EXCHANGES);
    deviations.check(&exchanges);
    let ids = Ids::new(SEED);
    let shared = TestApp::with_contract_data_in(engine).await;
    let mut compared = stream::iter(&exchanges)
        .map(async |exchange| {
            let deviation = deviations.exchanges.get(&exchange.name);
            let own = if exchange.fresh { Some(TestApp::with_contract_data_in(engine).await) } else { None };
            let address = own.as_ref().unwrap_or(&shared).address;
            let reasons = Replay::new(address, &exchanges, ids.clone()).exchange(exchange, deviation).await;
            if let Some(app) = own {
                app.stop().await;
            }
            (exchange, deviation, reasons)
        })
        .buffered(AT_ONCE);
    let mut report = Report::default();
    while let Some((exchange, deviation, reasons)) = compared.next().await {
        report.add(exchange, deviation, reasons);
    }
    drop(compared);
    shared.stop().await;
    report
}
