//! `stheno groups remove`

use anyhow::Result;

use super::membership::{self, Batch, Direction};
use crate::remote::connection::Shop;
use crate::remote::output::Output;

#[derive(Debug, clap::Args)]
#[command(after_help = membership::RULE.as_str())]
pub(crate) struct Arguments {
    #[command(flatten)]
    batch: Batch,

    /// Remove many without asking; needed where there is no terminal to ask at
    #[arg(short, long)]
    yes: bool,
}

pub(super) async fn run(shop: &Shop, arguments: Arguments, output: Output) -> Result<()> {
    membership::run(shop, arguments.batch, Direction::Out, arguments.yes, output).await
}
