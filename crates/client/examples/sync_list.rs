//! Makes a group hold exactly the customers of a list, such as a CRM exports: a CSV file with a column `email`.
//!
//! ```text
//! MEDUSA_BACKEND_URL=… MEDUSA_API_KEY=… cargo run --example sync_list -- "VIP" customers.csv
//! ```
//!
//! The group is made if it is not there. Who is on the list joins, who is not leaves; addresses that belong to no customer
//! are named at the end. Running it again does no harm.

use std::collections::{HashMap, HashSet};
use std::error::Error;

use stheno_client::{Client, CustomerGroup, CustomerGroups};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let [name, file] = arguments("the group's name and a CSV file")?;
    let variable = |name: &str| std::env::var(name).map_err(|error| format!("{name}: {error}"));
    let medusa =
        Client::builder(variable("MEDUSA_BACKEND_URL")?).api_key(variable("MEDUSA_API_KEY")?).build()?;
    let groups = medusa.admin().customer_groups();
    let group = find_or_make(&groups, &name).await?;

    // One pass over all customers is cheaper than a search for each address.
    let mut ids: HashMap<String, Vec<String>> = HashMap::new();
    let mut customers = medusa.admin().customers().list().limit(500).stream();
    while let Some(customer) = customers.next().await {
        let customer = customer?;
        ids.entry(customer.email.to_lowercase()).or_default().push(customer.id);
    }

    let mut wanted = HashSet::new();
    let mut strangers = Vec::new();
    for email in emails(&file)? {
        match ids.get(&email) {
            Some(found) => wanted.extend(found.iter().cloned()),
            None => strangers.push(email),
        }
    }
    let members = groups.list_customers(&group.id).limit(500).all().await?;
    let members: HashSet<String> = members.into_iter().map(|customer| customer.id).collect();

    let joined = groups.add_customers(&group.id, wanted.difference(&members)).in_batches().await?;
    let left = groups.remove_customers(&group.id, members.difference(&wanted)).in_batches().await?;
    println!(
        "{}: {} joined, {} left, {} are in",
        group.name,
        joined.done.len(),
        left.done.len(),
        wanted.len()
    );
    for email in strangers {
        println!("{email} is no customer");
    }
    Ok(())
}

async fn find_or_make(groups: &CustomerGroups, name: &str) -> Result<CustomerGroup, stheno_client::Error> {
    let found = groups.list().q(name).all().await?;
    match found.into_iter().find(|group| group.name == name) {
        Some(group) => Ok(group),
        None => Ok(groups.create(name).await?.into_body()),
    }
}

/// The addresses in the column `email`, in lower case.
fn emails(file: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(file)?;
    let column = reader.headers()?.iter().position(|header| header.eq_ignore_ascii_case("email"));
    let column = column.ok_or("there is no column `email`")?;
    let mut emails = Vec::new();
    for record in reader.records() {
        emails.extend(record?.get(column).filter(|email| !email.is_empty()).map(str::to_lowercase));
    }
    Ok(emails)
}

fn arguments<const N: usize>(what: &str) -> Result<[String; N], String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    arguments.try_into().map_err(|_| format!("this needs {what}"))
}
