//! What cannot be seen from outside of the engine.

mod full;
pub(super) mod plans;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::connection::Connector;
use crate::answer::Streaming;
use crate::clock::Clock;
use crate::customer_group::{CustomerGroupFilter, CustomerGroupList, NewCustomerGroup};
use crate::entity::Table;
use crate::id::IdGenerator;
use crate::{Environment, Order, Selection, Window};

fn connector(path: &Path) -> Connector {
    Connector { path: path.to_owned(), lock_timeout: Duration::from_secs(5) }
}

fn streaming() -> Streaming {
    Streaming {
        whole_up_to: usize::MAX,
        reader_timeout: Duration::from_secs(5),
        permits: Arc::new(Semaphore::new(1)),
    }
}

fn environment() -> Environment {
    let start = "2024-11-03T08:00:00.000538Z".parse().unwrap();
    Environment { clock: Clock::manual(start).0, ids: IdGenerator::random() }
}

fn new_group(name: &str, metadata: usize) -> NewCustomerGroup {
    let note = "x".repeat(metadata);
    NewCustomerGroup {
        name: name.to_owned(),
        metadata: Some([("note".to_owned(), note.into())].into_iter().collect()),
    }
}

/// A list of all groups by their names.
fn groups_by_name(catalog: &crate::Catalog) -> CustomerGroupList {
    CustomerGroupList {
        filter: CustomerGroupFilter::default(),
        order: Order::ascending(catalog, Table::CustomerGroup, "name").unwrap(),
        window: Window { offset: 0, limit: None },
        selection: Selection::all(catalog, Table::CustomerGroup),
    }
}
