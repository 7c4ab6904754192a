use stheno_client::Client;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let variable = |name: &str| std::env::var(name).map_err(|error| format!("{name}: {error}"));
    let medusa =
        Client::builder(variable("MEDUSA_BACKEND_URL")?).api_key(variable("MEDUSA_API_KEY")?).build()?;
    let groups = medusa.admin().customer_groups();
    let customers = medusa.admin().customers();

    let group = groups.create("Spring guests").metadata([("season", "spring")]).await?;
    println!("made {} ({})", group.name, group.id);

    let guests = customers.list().has_account(false).limit(3).await?;
    groups.add_customers(&group.id, guests.items.iter().map(|guest| &guest.id)).await?;

    for member in groups.list_customers(&group.id).await? {
        println!("{} is in", member.email);
    }

    groups.delete(&group.id).await?;
    match groups.retrieve(&group.id).await {
        Err(error) if error.is_not_found() => println!("{error}"),
        other => println!("the group should be gone: {other:?}"),
    }
    Ok(())
}
