//! What the cases have in common: a store on a throw-away database, at a time that stands still, with ids that can
//! be told beforehand.

use futures::StreamExt as _;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use stheno_store::{
    Clock, CustomerFilter, CustomerGroupFilter, CustomerGroupList, CustomerList, IdGenerator, IdKind,
    JsonText, ManualClock, NewCustomer, NewCustomerGroup, Order, Page, Selection, Store, StoreError,
    StoreOptions, Table, Window,
};

use crate::database::Database;

/// When the clock of a shop begins, with microseconds that no answer shows.
pub(crate) const START: &str = "2024-11-03T08:00:00.000538Z";

/// [`START`] as an answer shows it.
pub(crate) const SHOWN_START: &str = "2024-11-03T08:00:00.000Z";

pub(crate) struct Shop {
    pub(crate) store: Store,
    pub(crate) clock: ManualClock,
    pub(crate) database: Database,
}

/// Ids whose random parts are 1, 2, 3 and so on.
pub(crate) fn counting_ids() -> IdGenerator {
    let mut last = 0;
    IdGenerator::with_random(move || {
        last += 1;
        last
    })
}

/// The first id that a shop's generator gives.
pub(crate) fn first_id(kind: IdKind) -> String {
    counting_ids().next(kind, time(START))
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

impl Shop {
    pub(crate) async fn open(database: Database) -> Self {
        Self::open_with(database, |_| {}).await
    }

    pub(crate) async fn open_with(database: Database, change: impl FnOnce(&mut StoreOptions)) -> Self {
        let (store, clock) = Self::another(&database, change).await;
        Self { store, clock, database }
    }

    /// One more store on a database, with a clock of its own.
    pub(crate) async fn another(
        database: &Database,
        change: impl FnOnce(&mut StoreOptions),
    ) -> (Store, ManualClock) {
        let (clock, manual) = Clock::manual(time(START));
        let mut options = StoreOptions { clock, ids: counting_ids(), ..StoreOptions::default() };
        change(&mut options);
        (Store::open(database.url(), options).await.unwrap(), manual)
    }

    /// Closes the store and opens it anew, after `between`.
    pub(crate) async fn reopen_after(self, between: &str) -> Self {
        self.store.close().await;
        self.database.execute(between).await;
        Self::open(self.database).await
    }

    pub(crate) fn all(&self, table: Table) -> Selection {
        Selection::all(self.store.catalog(), table)
    }

    /// All columns of a row, and these relations.
    pub(crate) fn with(&self, table: Table, relations: &[&str]) -> Selection {
        let mut selection = self.all(table);
        for relation in relations {
            selection.add_relation(self.store.catalog(), relation).unwrap();
        }
        selection
    }

    pub(crate) fn by_id(&self, table: Table) -> Order {
        Order::ascending(self.store.catalog(), table, "id").unwrap()
    }

    /// Adds rows as they are. Times that are not given are [`START`].
    pub(crate) async fn import(&self, table: Table, rows: Value) {
        import_into(&self.store, table, rows).await.unwrap();
    }

    pub(crate) async fn add_groups(&self, ids: &[&str]) {
        let rows: Value = ids.iter().map(|id| json!({"id": id, "name": format!("Group {id}")})).collect();
        self.import(Table::CustomerGroup, rows).await;
    }

    pub(crate) async fn add_customers(&self, ids: &[&str]) {
        let rows: Value =
            ids.iter().map(|id| json!({"id": id, "email": format!("{id}@shop.example")})).collect();
        self.import(Table::Customer, rows).await;
    }

    pub(crate) async fn add_members(&self, group: &str, customers: &[&str]) {
        self.store.add_customers_to_group(group, texts(customers)).await.unwrap().unwrap();
    }

    pub(crate) async fn group(&self, id: &str) -> Option<Value> {
        let selection = self.all(Table::CustomerGroup);
        let text = self.store.retrieve_customer_group(id, &selection).await.unwrap()?;
        Some(json_of(text).await)
    }

    pub(crate) async fn customer(&self, id: &str) -> Option<Value> {
        let selection = self.all(Table::Customer);
        let text = self.store.retrieve_customer(id, &selection).await.unwrap()?;
        Some(json_of(text).await)
    }

    /// The ids of all groups that match, ascending.
    pub(crate) async fn groups(&self, filter: CustomerGroupFilter) -> Vec<String> {
        let list = CustomerGroupList { filter, ..self.group_list() };
        ids(self.store.list_customer_groups(list).await.unwrap()).await
    }

    /// The ids of all customers that match, ascending.
    pub(crate) async fn customers(&self, filter: CustomerFilter) -> Vec<String> {
        let list = CustomerList { filter, ..self.customer_list() };
        ids(self.store.list_customers(list).await.unwrap()).await
    }

    pub(crate) async fn members(&self, group: &str) -> Vec<String> {
        self.customers(CustomerFilter { groups: Some(texts(&[group])), ..CustomerFilter::default() }).await
    }

    /// A list of all groups by id.
    pub(crate) fn group_list(&self) -> CustomerGroupList {
        CustomerGroupList {
            filter: CustomerGroupFilter::default(),
            order: self.by_id(Table::CustomerGroup),
            window: EVERYTHING,
            selection: self.all(Table::CustomerGroup),
        }
    }

    /// A list of all customers by id.
    pub(crate) fn customer_list(&self) -> CustomerList {
        CustomerList {
            filter: CustomerFilter::default(),
            order: self.by_id(Table::Customer),
            window: EVERYTHING,
            selection: self.all(Table::Customer),
        }
    }
}

pub(crate) const EVERYTHING: Window = Window { offset: 0, limit: None };

/// Adds rows as they are. Times that are not given are [`START`].
pub(crate) async fn import_into(store: &Store, table: Table, rows: Value) -> Result<u64, StoreError> {
    let joins = [Table::CustomerGroupCustomers, Table::PriceListCustomerGroups];
    let rows = objects(rows).into_iter().map(|mut row| {
        for column in ["created_at", "updated_at"] {
            if !joins.contains(&table) && !row.contains_key(column) {
                row.insert(column.to_owned(), START.into());
            }
        }
        row
    });
    store.import(vec![(table, rows.collect())]).await
}

/// The rows of a JSON array, as `import` takes them.
pub(crate) fn objects(rows: Value) -> Vec<Map<String, Value>> {
    serde_json::from_value(rows).unwrap()
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

pub(crate) fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

pub(crate) fn new_group(name: &str) -> NewCustomerGroup {
    NewCustomerGroup { name: name.to_owned(), metadata: None }
}

pub(crate) fn new_customer(email: &str) -> NewCustomer {
    NewCustomer {
        email: email.to_owned(),
        first_name: None,
        last_name: None,
        phone: None,
        password_hash: None,
        metadata: None,
    }
}

/// Reads a text to its end.
pub(crate) async fn read(text: JsonText) -> Result<Vec<u8>, StoreError> {
    let mut whole = text.start;
    if let Some(mut rest) = text.rest {
        while let Some(piece) = rest.next().await {
            whole.extend(piece?);
        }
    }
    Ok(whole)
}

pub(crate) async fn string_of(text: JsonText) -> String {
    String::from_utf8(read(text).await.unwrap()).unwrap()
}

pub(crate) async fn json_of(text: JsonText) -> Value {
    serde_json::from_str(&string_of(text).await).unwrap()
}

/// The rows of a page.
pub(crate) async fn rows(page: Page) -> Vec<Value> {
    let text = string_of(page.rows).await;
    serde_json::from_str(&format!("[{text}]")).unwrap()
}

/// The ids of a page that is the whole list.
pub(crate) async fn ids(page: Page) -> Vec<String> {
    let count = page.count;
    let ids: Vec<_> = rows(page).await.iter().map(id).collect();
    assert_eq!(count, ids.len() as u64, "the count differs from the rows {ids:?}");
    ids
}

pub(crate) fn id(row: &Value) -> String {
    row["id"].as_str().unwrap().to_owned()
}

/// The ids of the rows in a relation.
pub(crate) fn ids_in(row: &Value, relation: &str) -> Vec<String> {
    row[relation].as_array().unwrap().iter().map(id).collect()
}
