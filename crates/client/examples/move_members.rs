//! Moves the customers of one group to another.
//!
//! ```text
//! MEDUSA_BACKEND_URL=… MEDUSA_API_KEY=… cargo run --example move_members -- cgrp_FROM cgrp_TO [search]
//! ```
//!
//! With a third argument, only those move whose name or e-mail address holds it. Everyone joins the new group before leaving the old
//! one: if this is interrupted, nobody is in neither, and running it again finishes the work.

use std::error::Error;

use stheno_client::Client;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(from), Some(to)) = (arguments.next(), arguments.next()) else {
        return Err("this needs the ids of two groups".into());
    };
    let variable = |name: &str| std::env::var(name).map_err(|error| format!("{name}: {error}"));
    let medusa =
        Client::builder(variable("MEDUSA_BACKEND_URL")?).api_key(variable("MEDUSA_API_KEY")?).build()?;
    let groups = medusa.admin().customer_groups();
    let (old, new) = (groups.retrieve(&from).await?, groups.retrieve(&to).await?);

    let mut members = groups.list_customers(&old.id).limit(500);
    if let Some(search) = arguments.next() {
        members = members.q(search);
    }
    // All of them before anyone moves: a list that shrinks while it is read would leave some out.
    let ids: Vec<String> = members.all().await?.into_iter().map(|customer| customer.id).collect();

    let progress = |progress: stheno_client::Progress| eprintln!("{} of {}", progress.done, progress.total);
    let joined = groups.add_customers(&new.id, &ids).in_batches().on_progress(progress).await?;
    groups.remove_customers(&old.id, &joined.done).in_batches().on_progress(progress).await?;
    println!("{} customers moved from {} to {}", joined.done.len(), old.name, new.name);
    Ok(())
}
