//! `stheno groups show`

use anyhow::Result;

use super::{COLUMNS_RULE, Selection};
use crate::remote::connection::Shop;
use crate::remote::ids::Ids;
use crate::remote::output::Output;
use crate::remote::show;

#[derive(Debug, clap::Args)]
#[command(after_help = COLUMNS_RULE)]
pub(crate) struct Arguments {
    #[command(flatten)]
    ids: Ids,

    #[command(flatten)]
    selection: Selection,
}

pub(super) async fn run(shop: &Shop, arguments: Arguments, output: Output) -> Result<()> {
    let Arguments { ids, selection } = arguments;
    let as_record = ids.is_one();
    let fetch = async |id: String| {
        let mut call = shop.groups().retrieve(id);
        if !selection.expand.is_empty() {
            call = call.expand(selection.expand.iter().copied());
        }
        if selection.fields.is_empty() {
            show::fetch(shop, call).await
        } else {
            show::fetch(shop, call.fields(selection.fields.iter().copied())).await
        }
    };
    show::write(ids.read()?, Vec::new(), as_record, output, selection.columns(), "group", fetch).await
}
