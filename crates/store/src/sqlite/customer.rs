use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension as _, named_params};

use super::rows::json_list;
use super::{Sqlite, fault, is_duplicate, read_by_id};
use crate::answer::{JsonText, Page};
use crate::customer::{CustomerChanges, CustomerList, NewCustomer};
use crate::entity::Table;
use crate::error::Duplicate;
use crate::id::IdKind;
use crate::metadata;
use crate::selection::Selection;
use crate::sql::{Dialect, ListSource};
use crate::{StoreError, time};

/// A customer's columns that an update may change, as they are stored.
#[derive(Debug, Clone, PartialEq)]
struct Stored {
    email: String,
    first_name: Option<String>,
    last_name: Option<String>,
    phone: Option<String>,
    has_account: bool,
    password_hash: Option<String>,
    metadata: Option<String>,
}

impl Sqlite {
    pub(crate) async fn list_customers(&self, list: CustomerList) -> Result<Page, StoreError> {
        let CustomerList { filter, order, window, selection } = list;
        let source = ListSource::customers(Dialect::Sqlite, &filter);
        self.list(source, &order, window, selection, filter.groups).await
    }

    pub(crate) async fn retrieve_customer(
        &self,
        id: &str,
        selection: &Selection,
    ) -> Result<Option<JsonText>, StoreError> {
        self.retrieve(id, selection).await
    }

    pub(crate) async fn create_customer(&self, customer: NewCustomer) -> Result<JsonText, StoreError> {
        let now = self.environment.clock.now();
        let id = self.environment.ids.next(IdKind::Customer, now);
        let catalog = self.catalog.clone();
        let work = move |connection: &Connection| {
            let has_account = customer.password_hash.is_some();
            connection
                .prepare_cached(
                    "INSERT INTO customer (id, email, first_name, last_name, phone, has_account, password_hash,
                                           metadata, created_at, updated_at)
                     VALUES (:id, :email, :first_name, :last_name, :phone, :has_account, :password_hash,
                             :metadata, :now, :now)",
                )
                .and_then(|mut statement| {
                    statement.execute(named_params! {
                        ":id": id,
                        ":email": customer.email,
                        ":first_name": customer.first_name,
                        ":last_name": customer.last_name,
                        ":phone": customer.phone,
                        ":has_account": has_account,
                        ":password_hash": customer.password_hash,
                        ":metadata": customer.metadata.as_ref().map(metadata::to_text),
                        ":now": time::to_text(now),
                    })
                })
                .map_err(|error| email_taken(error, &customer.email, has_account))?;
            read_by_id(connection, &catalog, Table::Customer, &id)?
                .ok_or_else(|| StoreError::internal("the new customer is gone"))
        };
        self.writer.write(work).await.map(JsonText::whole)
    }

    pub(crate) async fn update_customer(
        &self,
        id: &str,
        changes: CustomerChanges,
        selection: &Selection,
    ) -> Result<Option<JsonText>, StoreError> {
        let now = self.environment.clock.now();
        let key = id.to_owned();
        let catalog = self.catalog.clone();
        let updated = self
            .writer
            .write(move |connection| {
                let Some(current) = read_stored(connection, &key).map_err(fault)? else {
                    return Ok(None);
                };
                if current.has_account && changes.email.as_ref().is_some_and(Option::is_some) {
                    return Err(StoreError::EmailOfAccount);
                }
                if let Some(groups) = &changes.groups {
                    set_groups(connection, &key, groups)?;
                }
                let new = apply(current.clone(), changes)?;
                // The time of the last change moves only if something of the customer itself has changed.
                if new != current {
                    write_stored(connection, &key, &new, &time::to_text(now))?;
                }
                read_by_id(connection, &catalog, Table::Customer, &key)
            })
            .await?;
        self.show_written(id, updated, selection).await
    }
}

fn read_stored(connection: &Connection, id: &str) -> rusqlite::Result<Option<Stored>> {
    connection
        .prepare_cached(
            "SELECT email, first_name, last_name, phone, has_account, password_hash, metadata
             FROM customer WHERE id = ?1 AND deleted_at IS NULL",
        )?
        .query_row([id], |row| {
            Ok(Stored {
                email: row.get(0)?,
                first_name: row.get(1)?,
                last_name: row.get(2)?,
                phone: row.get(3)?,
                has_account: row.get(4)?,
                password_hash: row.get(5)?,
                metadata: row.get(6)?,
            })
        })
        .optional()
}

fn apply(current: Stored, changes: CustomerChanges) -> Result<Stored, StoreError> {
    let CustomerChanges { email, first_name, last_name, phone, password_hash, metadata, groups: _ } = changes;
    let email = match email {
        Some(None) => {
            return Err(StoreError::Null { table: Table::Customer, column: "email" });
        }
        Some(Some(email)) => email,
        None => current.email,
    };
    Ok(Stored {
        email,
        first_name: first_name.unwrap_or(current.first_name),
        last_name: last_name.unwrap_or(current.last_name),
        phone: phone.unwrap_or(current.phone),
        has_account: current.has_account,
        password_hash: password_hash.or(current.password_hash),
        metadata: super::merge_metadata(current.metadata.as_deref(), metadata)?,
    })
}

fn write_stored(connection: &Connection, id: &str, new: &Stored, now: &str) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE customer SET email = :email, first_name = :first_name, last_name = :last_name, phone = :phone,
                                 password_hash = :password_hash, metadata = :metadata, updated_at = :now
             WHERE id = :id",
        )
        .and_then(|mut statement| {
            statement.execute(named_params! {
                ":id": id,
                ":email": new.email,
                ":first_name": new.first_name,
                ":last_name": new.last_name,
                ":phone": new.phone,
                ":password_hash": new.password_hash,
                ":metadata": new.metadata,
                ":now": now,
            })
        })
        .map(drop)
        .map_err(|error| email_taken(error, &new.email, new.has_account))
}

/// Makes a customer a member of these groups and of no others. A group named twice is refused as Medusa refuses it,
/// where the customer is not in it yet.
fn set_groups(connection: &Connection, id: &str, groups: &[String]) -> Result<(), StoreError> {
    let present: HashSet<String> = connection
        .prepare_cached("SELECT customer_group_id FROM customer_group_customers WHERE customer_id = ?1")
        .and_then(|mut statement| statement.query_map([id], |row| row.get(0))?.collect())
        .map_err(fault)?;
    let mut added = HashSet::new();
    for group in groups.iter().filter(|group| !present.contains(*group)) {
        if !added.insert(group) {
            return Err(StoreError::Duplicate(Duplicate {
                table: Table::CustomerGroupCustomers,
                columns: &["customer_group_id", "customer_id"],
                values: vec![group.clone(), id.to_owned()],
            }));
        }
    }
    let list = json_list(groups);
    let unknown: Option<String> = connection
        .prepare_cached(
            "SELECT j.value FROM json_each(?1) j
             WHERE NOT EXISTS (SELECT 1 FROM customer_group g WHERE g.id = j.value) ORDER BY j.key LIMIT 1",
        )
        .and_then(|mut statement| statement.query_row([&list], |row| row.get(0)).optional())
        .map_err(fault)?;
    if let Some(unknown) = unknown {
        return Err(StoreError::UnknownCustomerGroup(unknown));
    }
    connection
        .prepare_cached(
            "DELETE FROM customer_group_customers
             WHERE customer_id = ?1 AND customer_group_id NOT IN (SELECT value FROM json_each(?2))",
        )
        .and_then(|mut statement| statement.execute([id, &list]))
        .map_err(fault)?;
    connection
        .prepare_cached(
            "INSERT INTO customer_group_customers (customer_group_id, customer_id)
             SELECT value, ?1 FROM json_each(?2) WHERE TRUE ON CONFLICT DO NOTHING",
        )
        .and_then(|mut statement| statement.execute([id, &list]))
        .map_err(fault)?;
    Ok(())
}

fn email_taken(error: rusqlite::Error, email: &str, has_account: bool) -> StoreError {
    if !is_duplicate(&error) {
        return fault(error);
    }
    StoreError::Duplicate(Duplicate {
        table: Table::Customer,
        columns: &["email", "has_account"],
        values: vec![email.to_owned(), if has_account { "t" } else { "f" }.to_owned()],
    })
}
