//! `stheno groups create`

use anyhow::Result;

use super::COLUMNS;
use crate::remote::connection::Shop;
use crate::remote::metadata::MetadataArguments;
use crate::remote::note;
use crate::remote::output::Output;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The group's name, which no other group has
    name: String,

    #[command(flatten)]
    metadata: MetadataArguments,
}

pub(super) async fn run(shop: &Shop, arguments: Arguments, output: Output) -> Result<()> {
    let Arguments { name, metadata } = arguments;
    let mut call = shop.groups().create(&name);
    if let Some(metadata) = metadata.read()? {
        call = call.metadata(metadata);
    }
    let group = call.await;
    let group = group.map_err(|error| {
        let look = format!("stheno groups list --name {}", shell_words::quote(&name));
        shop.explain_create(&error, &look)
    })?;
    note(&format!("Created the group {}", group.name))?;
    output.record(COLUMNS, &*group)
}
