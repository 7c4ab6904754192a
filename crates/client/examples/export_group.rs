//! Writes the customers of a group to standard output, as CSV.
//!
//! ```text
//! MEDUSA_BACKEND_URL=… MEDUSA_API_KEY=… cargo run --example export_group -- cgrp_01JBRGKF01104SSAZYSN3KZHD7 > members.csv
//! ```
//!
//! Customers are written as they come, so that a group of any size needs no more memory than a few pages.

use std::error::Error;

use stheno_client::Client;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let id = std::env::args().nth(1).ok_or("this needs the id of a group")?;
    let variable = |name: &str| std::env::var(name).map_err(|error| format!("{name}: {error}"));
    let medusa =
        Client::builder(variable("MEDUSA_BACKEND_URL")?).api_key(variable("MEDUSA_API_KEY")?).build()?;
    let groups = medusa.admin().customer_groups();
    // The members of a group that does not exist are an empty list: ask for the group first.
    let group = groups.retrieve(&id).await?;

    let mut writer = csv::Writer::from_writer(std::io::stdout());
    writer.write_record(["id", "email", "first_name", "last_name", "phone", "has_account", "created_at"])?;
    let mut customers = groups.list_customers(&group.id).limit(500).stream().prefetch(2);
    let mut count = 0;
    while let Some(customer) = customers.next().await {
        let customer = customer?;
        writer.write_record([
            customer.id,
            customer.email,
            customer.first_name.unwrap_or_default(),
            customer.last_name.unwrap_or_default(),
            customer.phone.unwrap_or_default(),
            customer.has_account.to_string(),
            customer.created_at.to_string(),
        ])?;
        count += 1;
    }
    writer.flush()?;
    eprintln!("{count} customers of {}", group.name);
    Ok(())
}
