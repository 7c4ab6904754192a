//! `stheno groups update`

use anyhow::Result;

use super::COLUMNS;
use crate::exit::{Exit, failure};
use crate::remote::connection::Shop;
use crate::remote::metadata::{self, MetadataChanges};
use crate::remote::note;
use crate::remote::output::Output;

#[derive(Debug, clap::Args)]
#[command(after_help = metadata::RULE)]
pub(crate) struct Arguments {
    /// The group's id
    id: String,

    /// A new name
    #[arg(long)]
    name: Option<String>,

    #[command(flatten)]
    metadata: MetadataChanges,
}

pub(super) async fn run(shop: &Shop, arguments: Arguments, output: Output) -> Result<()> {
    let Arguments { id, name, metadata } = arguments;
    let metadata = metadata.read()?;
    if name.is_none() && metadata.is_none() {
        return Err(failure(
            Exit::Usage,
            "nothing is to be changed: give --name, --metadata, --metadata-json or --remove-metadata",
        ));
    }
    let mut call = shop.groups().update(&id);
    if let Some(name) = name {
        call = call.name(name);
    }
    if let Some(metadata) = metadata {
        call = call.metadata(metadata);
    }
    let group = call
        .await
        .map_err(|error| if error.is_not_found() { shop.no_group(&id) } else { shop.explain(&error) })?;
    note(&format!("Changed the group {}", group.name))?;
    output.record(COLUMNS, &*group)
}
