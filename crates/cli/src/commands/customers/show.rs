//! `stheno customers show`

use anyhow::Result;

use super::{COLUMNS_RULE, Selection};
use crate::remote::connection::Shop;
use crate::remote::customers::{self, Named};
use crate::remote::ids::Ids;
use crate::remote::output::Output;
use crate::remote::show;

#[derive(Debug, clap::Args)]
#[command(after_help = format!("{}\n\n{COLUMNS_RULE}", customers::RULE))]
pub(crate) struct Arguments {
    #[command(flatten)]
    customers: Ids,

    #[command(flatten)]
    selection: Selection,
}

pub(super) async fn run(shop: &Shop, arguments: Arguments, output: Output) -> Result<()> {
    let Arguments { customers: names, selection } = arguments;
    let is_one = names.is_one();
    let Named { ids, strangers } = customers::find(shop, names.read()?).await?;
    let as_record = is_one && ids.len() == 1;
    let fetch = async |id: String| {
        let mut call = shop.customers().retrieve(id);
        if !selection.expand.is_empty() {
            call = call.expand(selection.expand.iter().copied());
        }
        if !selection.fields.is_empty() {
            call = call.fields(selection.fields.iter().copied());
        }
        show::fetch(shop, call).await
    };
    show::write(ids, strangers, as_record, output, selection.columns(), "customer", fetch).await
}
