//! `stheno groups list`

use anyhow::Result;
use stheno_client::Order;
use stheno_client::admin::customer_groups::CustomerGroupSort;

use super::{COLUMNS_RULE, Selection};
use crate::remote::choice::order_by;
use crate::remote::connection::Shop;
use crate::remote::listing::{self, Filters, Window};
use crate::remote::output::Output;

const SORTS: [CustomerGroupSort; 4] = [
    CustomerGroupSort::CreatedAt,
    CustomerGroupSort::Id,
    CustomerGroupSort::Name,
    CustomerGroupSort::UpdatedAt,
];

#[derive(Debug, clap::Args)]
#[command(after_help = COLUMNS_RULE)]
pub(crate) struct Arguments {
    #[command(flatten)]
    filters: Filters,

    /// Only groups of this name, as often as needed; has no effect beside -q
    #[arg(long, value_name = "NAME", help_heading = "Filters")]
    name: Vec<String>,

    /// Only these groups, as often as needed; for Stheno, Medusa refuses it
    #[arg(long, value_name = "ID", help_heading = "Filters")]
    id: Vec<String>,

    /// Only groups that this discount condition names
    #[arg(long, value_name = "ID", help_heading = "Filters")]
    discount_condition: Option<String>,

    /// What to sort by; with - in front, largest or latest first
    #[arg(
        long,
        value_name = "COLUMN",
        allow_hyphen_values = true,
        value_parser = order_by(&SORTS),
        help_heading = "Pages"
    )]
    order: Option<Order<CustomerGroupSort>>,

    #[command(flatten)]
    window: Window,

    #[command(flatten)]
    selection: Selection,
}

pub(super) async fn run(shop: &Shop, arguments: Arguments, output: Output) -> Result<()> {
    let Arguments { filters, name, id, discount_condition, order, window, selection } = arguments;
    let mut call = filters.apply(shop.groups().list());
    if !name.is_empty() {
        call = call.name(name);
    }
    if !id.is_empty() {
        call = call.id(id);
    }
    if let Some(id) = discount_condition {
        call = call.discount_condition_id(id);
    }
    if let Some(order) = order {
        call = call.order(order);
    }
    let columns = selection.columns();
    if !selection.expand.is_empty() {
        call = call.expand(selection.expand);
    }
    if selection.fields.is_empty() {
        listing::write(shop, call, &window, output, columns, "group").await
    } else {
        let call = call.fields(selection.fields);
        listing::write(shop, call, &window, output, columns, "group").await
    }
}
