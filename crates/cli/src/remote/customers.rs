//! Customers, by id or by e-mail address.

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use stheno_client::Customer;

use super::connection::Shop;
use super::progress;

/// How customers are named, as `--help` tells it.
pub(crate) const RULE: &str = "\
What holds an @ is an e-mail address and stands for the customers who have it: one with an account, one without, or both. \
It is looked up by a search of which only equal addresses count; more than 20 are looked up by reading all customers once.";

/// Up to so many addresses are searched for one by one; for more, one pass over all customers is cheaper.
const SEARCHES: usize = 20;

/// Customers who were named.
#[derive(Debug, Default)]
pub(crate) struct Named {
    /// The ids, each once.
    pub(crate) ids: Vec<String>,
    /// E-mail addresses that no customer has.
    pub(crate) strangers: Vec<String>,
}

/// The ids of customers who are named by id or e-mail address.
pub(crate) async fn find(shop: &Shop, names: Vec<String>) -> Result<Named> {
    let addresses: HashSet<String> =
        names.iter().filter(|name| is_address(name)).map(|name| name.to_lowercase()).collect();
    let found = match addresses.len() {
        0 => HashMap::new(),
        1..=SEARCHES => search(shop, addresses).await?,
        _ => pass(shop, &addresses).await?,
    };
    let mut named = Named::default();
    let mut seen = HashSet::new();
    for name in names {
        if !is_address(&name) {
            named.ids.extend(seen.insert(name.clone()).then_some(name));
            continue;
        }
        match found.get(&name.to_lowercase()) {
            Some(ids) => named.ids.extend(ids.iter().filter(|id| seen.insert((*id).clone())).cloned()),
            None => named.strangers.push(name),
        }
    }
    Ok(named)
}

fn is_address(name: &str) -> bool {
    name.contains('@')
}

/// Searches for each address. The search is for parts of addresses and names, so what it finds is compared.
async fn search(shop: &Shop, addresses: HashSet<String>) -> Result<HashMap<String, Vec<String>>> {
    let mut found: HashMap<String, Vec<String>> = HashMap::new();
    for address in addresses {
        let mut customers = shop.customers().list().q(&address).stream();
        while let Some(customer) = customers.next().await {
            let customer = customer.map_err(|error| shop.explain(&error))?;
            note_if(&mut found, customer, |email| email == address);
        }
    }
    Ok(found)
}

async fn pass(shop: &Shop, addresses: &HashSet<String>) -> Result<HashMap<String, Vec<String>>> {
    let mut found = HashMap::new();
    let mut customers = shop.customers().list().limit(500).stream().prefetch(2);
    let bar = progress::bar(0, "looking for customers");
    while let Some(customer) = customers.next().await {
        let customer = customer.map_err(|error| shop.explain(&error))?;
        bar.set_length(customers.total().unwrap_or_default());
        bar.inc(1);
        note_if(&mut found, customer, |email| addresses.contains(email));
    }
    bar.finish_and_clear();
    Ok(found)
}

fn note_if(
    found: &mut HashMap<String, Vec<String>>,
    customer: Customer,
    is_meant: impl FnOnce(&str) -> bool,
) {
    let email = customer.email.to_lowercase();
    if is_meant(&email) {
        found.entry(email).or_default().push(customer.id);
    }
}
