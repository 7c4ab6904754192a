//! Each operation once, in an order that makes sense.
//!
//! ```text
//! MEDUSA_BACKEND_URL=… MEDUSA_API_KEY=… cargo run --example every_operation
//! ```
//!
//! The groups made here are deleted again; the customer stays, since the API cannot delete one. Authentication with
//! e-mail address and password is shown if `MEDUSA_EMAIL` and `MEDUSA_PASSWORD` are set.

use stheno_client::admin::customer_groups::{CustomerGroupField, CustomerGroupRelation, CustomerGroupSort};
use stheno_client::admin::customers::CustomerRelation;
use stheno_client::{Auth, Change, Client, CreateCustomer, CustomerGroups, Customers};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let variable = |name: &str| std::env::var(name).map_err(|error| format!("{name}: {error}"));
    let url = variable("MEDUSA_BACKEND_URL")?;
    let medusa = Client::builder(&url).api_key(variable("MEDUSA_API_KEY")?).build()?;
    // Names are unique: a number of its own lets this run more than once.
    let number = std::process::id();

    let customer_id = customers(&medusa.admin().customers(), number).await?;
    customer_groups(&medusa.admin().customer_groups(), &customer_id, number).await?;
    println!("the API key belongs to {}", medusa.admin().auth().get_session().await?.email);
    if let (Ok(email), Ok(password)) = (variable("MEDUSA_EMAIL"), variable("MEDUSA_PASSWORD")) {
        let anyone = Client::builder(&url).session().build()?;
        authentication(&anyone.admin().auth(), &email, &password).await?;
    }
    Ok(())
}

async fn customers(customers: &Customers, number: u32) -> Result<String, stheno_client::Error> {
    let email = format!("ida-{number}-{}@example.com", customers.list().limit(1).await?.count);
    let customer = customers
        .create(CreateCustomer::new(email, "Ida", "Simon", "correct horse battery"))
        .phone("+45 12 34 56 78")
        .metadata([("source", "example")])
        .await?;
    println!("made {} (status {})", customer.email, customer.status());

    let changed = customers
        .update(&customer.id)
        .last_name("Lund")
        .phone(Change::Clear)
        .remove_metadata("source")
        .await?;
    println!("renamed to {:?}, phone {:?}", changed.last_name, changed.phone);

    let page = customers.list().q("ida").has_account(true).limit(5).await?;
    println!("{} of {} customers with an account match `ida`", page.items.len(), page.count);

    let found = customers.retrieve(&customer.id).expand([CustomerRelation::Groups]).await?;
    println!("in {} groups", found.groups.as_ref().map_or(0, Vec::len));
    Ok(customer.into_body().id)
}

async fn customer_groups(
    groups: &CustomerGroups,
    customer_id: &str,
    number: u32,
) -> Result<(), stheno_client::Error> {
    let group = groups.create(format!("VIP {number}")).metadata([("tier", 1)]).await?;
    println!("made {} ({})", group.name, group.id);

    let gold = format!("Gold {number}");
    let group = groups.update(&group.id).name(&gold).metadata([("tier", 2)]).await?;
    println!("renamed to {}, metadata {:?}", group.name, group.metadata);

    groups.add_customers(&group.id, [customer_id]).await?;
    for member in groups.list_customers(&group.id).await? {
        println!("{} is in", member.email);
    }

    let page = groups
        .list()
        .q(&gold)
        .created_at(group.created_at..)
        .order(CustomerGroupSort::Name.descending())
        .expand([CustomerGroupRelation::Customers])
        .limit(20)
        .await?;
    for group in &page {
        println!("{} has {} members", group.name, group.customers.as_ref().map_or(0, Vec::len));
    }

    let part = groups.retrieve(&group.id).fields([CustomerGroupField::Metadata]).await?;
    println!("only what was asked for: {:?} {:?}", part.name, part.metadata);

    groups.remove_customers(&group.id, [customer_id]).await?;
    let deleted = groups.delete(&group.id).await?;
    println!("deleted {}: {}", deleted.id, deleted.deleted);
    println!("there still: {}", groups.retrieve(&group.id).optional().await?.is_some());
    Ok(())
}

async fn authentication(auth: &Auth, email: &str, password: &str) -> Result<(), stheno_client::Error> {
    let token = auth.get_token(email, password).await?;
    println!("a token of {} characters", token.access_token.len());

    // Over plain http, the cookie comes only if a proxy says that it is https outside.
    let user = auth.create_session(email, password).header("x-forwarded-proto", "https").await?;
    println!("logged in as {}", user.email);
    auth.get_session().header("x-forwarded-proto", "https").await?;
    auth.delete_session().header("x-forwarded-proto", "https").await?;
    println!("logged out: {}", auth.get_session().await.is_err());
    Ok(())
}
