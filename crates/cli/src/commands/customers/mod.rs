//! `stheno customers`: the customers of a running shop, through its API.

mod create;
mod list;
mod show;
mod update;

use anyhow::Result;
use clap::Subcommand;
use stheno_client::Order;
use stheno_client::admin::customers::{CustomerField, CustomerRelation, CustomerSort};

use crate::exit;
use crate::remote::choice::{one_of, order_by};
use crate::remote::connection::Connection;
use crate::remote::output::{self, Columns, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = format!("{}\n\n{}", output::RULE, exit::HELP))]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List customers
    List(Box<list::Arguments>),
    /// Show customers, by id or e-mail address
    Show(show::Arguments),
    /// Create a customer with an account
    Create(create::Arguments),
    /// Change a customer
    Update(Box<update::Arguments>),
}

pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let Arguments { action, output, connection } = arguments;
    let shop = connection.open()?;
    match action {
        Action::List(arguments) => list::run(&shop, *arguments, output).await,
        Action::Show(arguments) => show::run(&shop, arguments, output).await,
        Action::Create(arguments) => create::run(&shop, arguments, output).await,
        Action::Update(arguments) => update::run(&shop, *arguments, output).await,
    }
}

/// The columns of a customer, in the order in which csv has them.
const COLUMNS: [&str; 9] = [
    "id",
    "email",
    "first_name",
    "last_name",
    "phone",
    "has_account",
    "created_at",
    "updated_at",
    "metadata",
];

/// Which columns of csv and table there are, as `--help` tells it.
pub(crate) const COLUMNS_RULE: &str = "\
Columns of csv: id, email, first_name, last_name, phone, has_account, created_at, updated_at, metadata (JSON), \
or those that --fields names; then the numbers of the records that --expand brings, which json has in full. A table has \
the same, without metadata.";

const RELATIONS: [CustomerRelation; 5] = [
    CustomerRelation::BillingAddress,
    CustomerRelation::Groups,
    CustomerRelation::GroupsPriceLists,
    CustomerRelation::Orders,
    CustomerRelation::ShippingAddresses,
];

const FIELDS: [CustomerField; 11] = [
    CustomerField::BillingAddressId,
    CustomerField::CreatedAt,
    CustomerField::DeletedAt,
    CustomerField::Email,
    CustomerField::FirstName,
    CustomerField::HasAccount,
    CustomerField::Id,
    CustomerField::LastName,
    CustomerField::Metadata,
    CustomerField::Phone,
    CustomerField::UpdatedAt,
];

const SORTS: [CustomerSort; 8] = [
    CustomerSort::CreatedAt,
    CustomerSort::Email,
    CustomerSort::FirstName,
    CustomerSort::HasAccount,
    CustomerSort::Id,
    CustomerSort::LastName,
    CustomerSort::Phone,
    CustomerSort::UpdatedAt,
];

/// What lists of customers have beside other lists.
#[derive(Debug, clap::Args)]
pub(crate) struct ListFlags {
    /// Only customers with an account (true), or without one (false)
    #[arg(long, value_name = "BOOLEAN", help_heading = "Filters")]
    pub(crate) has_account: Option<bool>,

    /// What to sort by; with - in front, largest or latest first
    #[arg(
        long,
        value_name = "COLUMN",
        allow_hyphen_values = true,
        value_parser = order_by(&SORTS),
        help_heading = "Pages"
    )]
    pub(crate) order: Option<Order<CustomerSort>>,
}

/// What of a customer is wanted.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Records")]
pub(crate) struct Selection {
    /// Related records to bring along, with commas
    #[arg(long, value_name = "RELATIONS", value_delimiter = ',', value_parser = one_of(&RELATIONS))]
    pub(crate) expand: Vec<CustomerRelation>,

    /// Only these columns, with commas; json has the others too, because servers send them all
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', value_parser = one_of(&FIELDS))]
    pub(crate) fields: Vec<CustomerField>,
}

impl Selection {
    /// The columns of a table and of csv.
    pub(crate) fn columns(&self) -> Columns {
        Columns::new(&COLUMNS, &self.fields, &self.expand)
    }
}
