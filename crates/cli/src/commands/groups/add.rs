//! `stheno groups add`

use anyhow::Result;

use super::membership::{self, Batch, Direction};
use crate::remote::connection::Shop;
use crate::remote::output::Output;

#[derive(Debug, clap::Args)]
#[command(after_help = membership::RULE.as_str())]
pub(crate) struct Arguments {
    #[command(flatten)]
    batch: Batch,
}

/// Adding is undone by removing, so nobody is asked.
pub(super) async fn run(shop: &Shop, arguments: Arguments, output: Output) -> Result<()> {
    membership::run(shop, arguments.batch, Direction::In, true, output).await
}
