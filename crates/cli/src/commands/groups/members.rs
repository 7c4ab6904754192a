//! `stheno groups members`

use anyhow::Result;

use crate::commands::customers::{COLUMNS_RULE, ListFlags, Selection};
use crate::remote::connection::Shop;
use crate::remote::listing::{self, Filters, Window};
use crate::remote::output::Output;

#[derive(Debug, clap::Args)]
#[command(after_help = COLUMNS_RULE)]
pub(crate) struct Arguments {
    /// The group's id
    group: String,

    #[command(flatten)]
    filters: Filters,

    #[command(flatten)]
    flags: ListFlags,

    #[command(flatten)]
    window: Window,

    #[command(flatten)]
    selection: Selection,
}

pub(super) async fn run(shop: &Shop, arguments: Arguments, output: Output) -> Result<()> {
    let Arguments { group, filters, flags, window, selection } = arguments;
    // The API has an empty list for a group that is not there.
    if shop.groups().retrieve(&group).optional().await.map_err(|error| shop.explain(&error))?.is_none() {
        return Err(shop.no_group(&group));
    }
    let mut call = filters.apply(shop.groups().list_customers(group));
    if let Some(has_account) = flags.has_account {
        call = call.has_account(has_account);
    }
    if let Some(order) = flags.order {
        call = call.order(order);
    }
    let columns = selection.columns();
    if !selection.expand.is_empty() {
        call = call.expand(selection.expand);
    }
    if !selection.fields.is_empty() {
        call = call.fields(selection.fields);
    }
    listing::write(shop, call, &window, output, columns, "customer").await
}
