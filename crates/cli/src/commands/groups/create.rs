//! `stheno groups create`

use anyhow::Result;

use super::COLUMNS;
use crate::exit::{Exit, failure};
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
    let group = call.await.map_err(|error| {
        let explained = shop.explain(&error);
        if error.is_outcome_unknown() {
            failure(
                Exit::of(&explained),
                format!(
                    "{explained}; look for it with `stheno groups list --name {}`",
                    shell_words::quote(&name)
                ),
            )
        } else {
            explained
        }
    })?;
    note(&format!("Created the group {}", group.name))?;
    output.record(COLUMNS, &*group)
}
