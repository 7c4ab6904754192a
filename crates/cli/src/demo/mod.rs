//! The demo shop: a coffee roaster in Copenhagen with a thousand customers in twenty groups. Always the same rows, so
//! that a call in a tutorial answers what the tutorial says; only the credentials are made anew.

mod customers;
mod groups;
mod places;
mod random;

use anyhow::{Result, bail};
use jiff::Timestamp;
use serde_json::{Map, Value};
use stheno_store::{
    CustomerFilter, CustomerGroupFilter, CustomerGroupList, CustomerList, Order, Selection, Store, Table,
    Window,
};
use ulid::Ulid;

use self::random::Random;
use crate::database::Database;

/// Changes every row, so it never changes.
const SEED: u64 = 0x5744_E503;

/// A row: its columns by name.
type Row = Map<String, Value>;

/// Fills an empty store. One that holds the demo shop already is left as it is.
///
/// # Errors
/// If the store holds anything else.
pub(crate) async fn fill(store: &Store, database: &Database) -> Result<()> {
    let rows = rows();
    if holds(store, &rows).await? {
        tracing::info!("the demo shop is there already: everything is as you left it");
        return Ok(());
    }
    if !is_empty(store).await? {
        bail!(
            "{} holds data that is not the demo shop: leave out --demo, or give the demo shop a database of its own \
             with --database sqlite:demo.db",
            database.shown()
        );
    }
    let imported = store.import(rows).await?;
    tracing::info!(rows = imported, "made the demo shop");
    Ok(())
}

/// Whether the demo shop is in the store. Its first customer tells: groups come and go, customers stay.
async fn holds(store: &Store, rows: &[(Table, Vec<Row>)]) -> Result<bool> {
    let first = rows
        .iter()
        .find(|(table, _)| *table == Table::Customer)
        .and_then(|(_, customers)| customers.first()?.get("id")?.as_str());
    let Some(id) = first else { return Ok(false) };
    let selection = Selection::all(store.catalog(), Table::Customer);
    Ok(store.retrieve_customer(id, &selection).await?.is_some())
}

async fn is_empty(store: &Store) -> Result<bool> {
    let catalog = store.catalog();
    let window = Window { offset: 0, limit: Some(1) };
    let groups = store.list_customer_groups(CustomerGroupList {
        filter: CustomerGroupFilter::default(),
        order: Order::ascending(catalog, Table::CustomerGroup, "id")?,
        window,
        selection: Selection::id(catalog, Table::CustomerGroup),
    });
    let customers = store.list_customers(CustomerList {
        filter: CustomerFilter::default(),
        order: Order::ascending(catalog, Table::Customer, "id")?,
        window,
        selection: Selection::id(catalog, Table::Customer),
    });
    Ok(groups.await?.count == 0 && customers.await?.count == 0)
}

/// The rows of the demo shop, each table after those that it refers to.
fn rows() -> Vec<(Table, Vec<Row>)> {
    let mut random = Random::new(SEED);
    let people = customers::people(&mut random);
    let groups = groups::groups(&people, &mut random);
    let (customers, addresses) = customers::rows(&people);
    vec![
        (Table::Customer, customers),
        (Table::Address, addresses),
        (Table::CustomerGroup, groups.groups),
        (Table::CustomerGroupCustomers, groups.memberships),
        (Table::PriceList, groups.price_lists),
        (Table::PriceListCustomerGroups, groups.price_list_groups),
    ]
}

/// The id of a row that was made at `time`: fixed, and sorted as the rows were made.
fn id(prefix: &str, time: Timestamp, random: &mut Random) -> String {
    let milliseconds = u64::try_from(time.as_millisecond()).unwrap_or(0);
    let bits = u128::from(random.next()) << 64 | u128::from(random.next());
    format!("{prefix}_{}", Ulid::from_parts(milliseconds, bits))
}

/// A row out of a JSON object.
fn row(columns: Value) -> Row {
    match columns {
        Value::Object(row) => row,
        _ => Row::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    fn text<'a>(row: &'a Row, column: &str) -> &'a str {
        row[column].as_str().unwrap()
    }

    /// What people see of the demo shop, and a hash of every row. A tutorial may quote it, so a change here breaks it.
    #[test]
    fn the_demo_shop_is_always_the_same() {
        let rows = rows();
        let table = |table: Table| &rows.iter().find(|(name, _)| *name == table).unwrap().1;
        let mut sizes: HashMap<&str, usize> = HashMap::new();
        for membership in table(Table::CustomerGroupCustomers) {
            *sizes.entry(text(membership, "customer_group_id")).or_default() += 1;
        }
        let groups: Vec<String> = table(Table::CustomerGroup)
            .iter()
            .map(|group| {
                let size = sizes.get(text(group, "id")).copied().unwrap_or(0);
                format!("{size:>4} {}", text(group, "name"))
            })
            .collect();
        let counts: Vec<String> =
            rows.iter().map(|(table, rows)| format!("{:>4} {}", rows.len(), table.name())).collect();
        let content: Vec<_> = rows.iter().map(|(table, rows)| (table.name(), rows)).collect();
        let hash = xxhash_rust::xxh3::xxh3_128(serde_json::to_string(&content).unwrap().as_bytes());
        insta::assert_snapshot!(format!(
            "{}\n\nmembers\n{}\n\nhash {hash:032x}",
            counts.join("\n"),
            groups.join("\n")
        ));
    }

    #[test]
    fn the_first_rows() {
        let first: Vec<_> = rows()
            .iter()
            .map(|(table, rows)| (table.name(), rows.iter().take(2).cloned().collect::<Vec<_>>()))
            .collect();
        insta::assert_json_snapshot!(first);
    }

    #[test]
    fn rows_refer_to_rows_that_are_there_and_times_are_in_order() {
        let rows = rows();
        let ids: HashSet<&str> =
            rows.iter().flat_map(|(_, rows)| rows.iter().filter_map(|row| row.get("id")?.as_str())).collect();
        for (_, rows) in &rows {
            for row in rows {
                for (column, value) in row.iter().filter(|(column, _)| column.ends_with("_id")) {
                    assert!(value.is_null() || ids.contains(value.as_str().unwrap()), "{column} of {row:?}");
                }
                if row.contains_key("created_at") {
                    let time = |column: &str| text(row, column).parse::<Timestamp>().unwrap();
                    assert!(time("created_at") <= time("updated_at"), "{row:?}");
                }
            }
        }
    }
}
