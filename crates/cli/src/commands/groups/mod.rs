//! `stheno groups`: the customer groups of a running shop, through its API.

mod add;
mod create;
mod delete;
mod list;
mod members;
mod membership;
mod remove;
mod show;
mod update;

use anyhow::Result;
use clap::Subcommand;
use stheno_client::admin::customer_groups::{CustomerGroupField, CustomerGroupRelation};
use stheno_client::admin::customers::CustomerField;

use crate::exit;
use crate::remote::choice::one_of;
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
    /// List groups, the youngest first
    List(Box<list::Arguments>),
    /// Show groups
    Show(show::Arguments),
    /// Create a group
    Create(create::Arguments),
    /// Change a group's name or metadata
    Update(update::Arguments),
    /// Delete groups and their memberships; the customers stay
    Delete(delete::Arguments),
    /// List the customers of a group
    Members(Box<members::Arguments>),
    /// Add customers to a group, in any number
    Add(add::Arguments),
    /// Remove customers from a group, in any number
    Remove(remove::Arguments),
}

pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let Arguments { action, output, connection } = arguments;
    let shop = connection.open()?;
    match action {
        Action::List(arguments) => list::run(&shop, *arguments, output).await,
        Action::Show(arguments) => show::run(&shop, arguments, output).await,
        Action::Create(arguments) => create::run(&shop, arguments, output).await,
        Action::Update(arguments) => update::run(&shop, arguments, output).await,
        Action::Delete(arguments) => delete::run(&shop, arguments, output).await,
        Action::Members(arguments) => members::run(&shop, *arguments, output).await,
        Action::Add(arguments) => add::run(&shop, arguments, output).await,
        Action::Remove(arguments) => remove::run(&shop, arguments, output).await,
    }
}

/// The columns of a group, in the order in which csv has them.
const COLUMNS: [&str; 5] = ["id", "name", "created_at", "updated_at", "metadata"];

/// Which columns of csv and table there are, as `--help` tells it.
const COLUMNS_RULE: &str = "\
Columns of csv: id, name, created_at, updated_at, metadata (JSON), or those that --fields names; then the numbers of the \
records that --expand brings, which json has in full. A table has the same, without metadata.";

/// What groups can bring along.
const RELATIONS: [CustomerGroupRelation; 6] = [
    CustomerGroupRelation::Customers,
    CustomerGroupRelation::CustomersBillingAddress,
    CustomerGroupRelation::CustomersGroups,
    CustomerGroupRelation::CustomersOrders,
    CustomerGroupRelation::CustomersShippingAddresses,
    CustomerGroupRelation::PriceLists,
];

/// The columns that can be asked for.
const FIELDS: [CustomerGroupField; 18] = {
    use CustomerGroupField::{CreatedAt, CustomerCount, Customers, DeletedAt, Id, Metadata, Name, UpdatedAt};
    [
        CreatedAt,
        CustomerCount,
        DeletedAt,
        Id,
        Metadata,
        Name,
        UpdatedAt,
        Customers(CustomerField::BillingAddressId),
        Customers(CustomerField::CreatedAt),
        Customers(CustomerField::DeletedAt),
        Customers(CustomerField::Email),
        Customers(CustomerField::FirstName),
        Customers(CustomerField::HasAccount),
        Customers(CustomerField::Id),
        Customers(CustomerField::LastName),
        Customers(CustomerField::Metadata),
        Customers(CustomerField::Phone),
        Customers(CustomerField::UpdatedAt),
    ]
};

/// What of a group is wanted.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Records")]
pub(crate) struct Selection {
    /// Related records to bring along, with commas
    #[arg(long, value_name = "RELATIONS", value_delimiter = ',', value_parser = one_of(&RELATIONS))]
    expand: Vec<CustomerGroupRelation>,

    /// Only these columns, with commas; customers.COLUMN for those of members, of whom Medusa brings one. The id always comes
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', value_parser = one_of(&FIELDS), hide_possible_values = true)]
    fields: Vec<CustomerGroupField>,
}

impl Selection {
    /// The columns of a table and of csv.
    fn columns(&self) -> Columns {
        Columns::new(&COLUMNS, &self.fields, &self.expand)
    }
}
