//! `stheno customers list`

use anyhow::Result;

use super::{COLUMNS_RULE, ListFlags, Selection};
use crate::remote::connection::Shop;
use crate::remote::listing::{self, Filters, Window};
use crate::remote::output::Output;

#[derive(Debug, clap::Args)]
#[command(after_help = COLUMNS_RULE)]
pub(crate) struct Arguments {
    #[command(flatten)]
    filters: Filters,

    /// Only customers in one of these groups, with commas
    #[arg(long, value_name = "IDS", value_delimiter = ',', help_heading = "Filters")]
    groups: Vec<String>,

    #[command(flatten)]
    flags: ListFlags,

    #[command(flatten)]
    window: Window,

    #[command(flatten)]
    selection: Selection,
}

pub(super) async fn run(shop: &Shop, arguments: Arguments, output: Output) -> Result<()> {
    let Arguments { filters, groups, flags, window, selection } = arguments;
    let mut call = filters.apply(shop.customers().list());
    if !groups.is_empty() {
        call = call.groups(groups);
    }
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
