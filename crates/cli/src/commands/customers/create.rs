//! `stheno customers create`

use anyhow::Result;
use serde_json::Value;
use stheno_client::CreateCustomer;

use super::COLUMNS;
use crate::email;
use crate::password_source::PasswordSource;
use crate::remote::connection::Shop;
use crate::remote::metadata::MetadataArguments;
use crate::remote::note;
use crate::remote::output::Output;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The e-mail address, which no other customer with an account has
    #[arg(long, value_parser = email::parse)]
    email: String,

    /// The first name
    #[arg(long, value_name = "NAME")]
    first_name: String,

    /// The last name
    #[arg(long, value_name = "NAME")]
    last_name: String,

    /// The phone number
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,

    #[command(flatten)]
    password: PasswordSource,

    #[command(flatten)]
    metadata: MetadataArguments,
}

pub(super) async fn run(shop: &Shop, arguments: Arguments, output: Output) -> Result<()> {
    let Arguments { email, first_name, last_name, phone, password, metadata } = arguments;
    let metadata = metadata.read()?;
    let password = password.read()?;
    let mut customer = CreateCustomer::new(&email, first_name, last_name, password.secret().expose());
    customer.phone = phone;
    customer.metadata = metadata;
    let customer = shop.customers().create(customer).await;
    let customer = customer.map_err(|error| {
        let look = format!("stheno customers show {}", shell_words::quote(&email));
        shop.explain_create(&error, &look)
    })?;
    note(&format!("Created the customer {}", customer.email))?;
    write_with_password(serde_json::to_value(&*customer)?, password.to_tell(), output)
}

/// Writes a customer, with a password that nobody knows yet.
pub(super) fn write_with_password(mut customer: Value, password: Option<&str>, output: Output) -> Result<()> {
    let mut columns = COLUMNS.to_vec();
    if let Some(password) = password {
        note("The password is shown only this once")?;
        customer["password"] = password.into();
        columns.push("password");
    }
    output.record(columns, &customer)
}
