//! `stheno customers update`

use anyhow::Result;
use clap::ValueEnum;
use stheno_client::Change;

use super::create::write_with_password;
use crate::email;
use crate::exit::{Exit, failure};
use crate::password_source::NewPassword;
use crate::remote::connection::Shop;
use crate::remote::metadata::{self, MetadataChanges};
use crate::remote::note;
use crate::remote::output::Output;

#[derive(Debug, clap::Args)]
#[command(after_help = metadata::RULE)]
pub(crate) struct Arguments {
    /// The customer's id
    id: String,

    /// A new e-mail address, for a customer without an account only
    #[arg(long, value_parser = email::parse)]
    email: Option<String>,

    /// A first name
    #[arg(long, value_name = "NAME")]
    first_name: Option<String>,

    /// A last name
    #[arg(long, value_name = "NAME")]
    last_name: Option<String>,

    /// A phone number
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,

    /// What to take away, with commas
    #[arg(long, value_name = "COLUMNS", value_enum, value_delimiter = ',')]
    clear: Vec<Column>,

    /// The groups the customer is in from now on, and no others, with commas
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    groups: Vec<String>,

    /// Take the customer out of all groups
    #[arg(long, conflicts_with = "groups")]
    no_groups: bool,

    #[command(flatten)]
    password: NewPassword,

    #[command(flatten)]
    metadata: MetadataChanges,
}

/// A column that may be null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Column {
    FirstName,
    LastName,
    Phone,
}

pub(super) async fn run(shop: &Shop, arguments: Arguments, output: Output) -> Result<()> {
    let Arguments { id, email, first_name, last_name, phone, clear, groups, no_groups, password, metadata } =
        arguments;
    let metadata = metadata.read()?;
    let password = password.read()?;
    let columns = [&email, &first_name, &last_name, &phone];
    let keeps_columns = columns.iter().all(|column| column.is_none()) && clear.is_empty();
    let keeps_groups = groups.is_empty() && !no_groups;
    if keeps_columns && keeps_groups && password.is_none() && metadata.is_none() {
        return Err(failure(
            Exit::Usage,
            "nothing is to be changed: see `stheno customers update --help` for what can be",
        ));
    }
    let change = |value: Option<String>, column| match value {
        Some(value) => Change::Set(value),
        None if clear.contains(&column) => Change::Clear,
        None => Change::Keep,
    };
    let mut call = shop
        .customers()
        .update(&id)
        .first_name(change(first_name, Column::FirstName))
        .last_name(change(last_name, Column::LastName))
        .phone(change(phone, Column::Phone));
    if let Some(email) = email {
        call = call.email(email);
    }
    if no_groups || !groups.is_empty() {
        call = call.groups(groups);
    }
    if let Some(password) = &password {
        call = call.password(password.secret().expose());
    }
    if let Some(metadata) = metadata {
        call = call.metadata(metadata);
    }
    let customer = call.await.map_err(|error| {
        let names_customer = error.message().is_some_and(|message| message.contains(&id));
        if error.is_not_found() && names_customer { shop.no_customer(&id) } else { shop.explain(&error) }
    })?;
    note(&format!("Changed the customer {}", customer.email))?;
    let password = password.as_ref().and_then(|password| password.to_tell());
    write_with_password(serde_json::to_value(&*customer)?, password, output)
}
