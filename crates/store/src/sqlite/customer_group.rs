use rusqlite::{Connection, OptionalExtension as _, named_params, params};

use super::rows::json_list;
use super::{Sqlite, fault, is_duplicate, read_by_id};
use crate::answer::{JsonText, Page};
use crate::customer_group::{CustomerGroupChanges, CustomerGroupList, NewCustomerGroup};
use crate::entity::Table;
use crate::error::Duplicate;
use crate::id::IdKind;
use crate::metadata;
use crate::selection::Selection;
use crate::sql::{Dialect, ListSource};
use crate::{StoreError, time};

impl Sqlite {
    pub(crate) async fn create_customer_group(
        &self,
        group: NewCustomerGroup,
    ) -> Result<JsonText, StoreError> {
        let now = self.environment.clock.now();
        let id = self.environment.ids.next(IdKind::CustomerGroup, now);
        let catalog = self.catalog.clone();
        let work = move |connection: &Connection| {
            connection
                .prepare_cached(
                    "INSERT INTO customer_group (id, name, metadata, created_at, updated_at)
                     VALUES (:id, :name, :metadata, :now, :now)",
                )
                .and_then(|mut statement| {
                    statement.execute(named_params! {
                        ":id": id,
                        ":name": group.name,
                        ":metadata": group.metadata.as_ref().map(metadata::to_text),
                        ":now": time::to_text(now),
                    })
                })
                .map_err(|error| name_taken(error, &group.name))?;
            read_by_id(connection, &catalog, Table::CustomerGroup, &id)?
                .ok_or_else(|| StoreError::internal("the new customer group is gone"))
        };
        self.writer.write(work).await.map(JsonText::whole)
    }

    pub(crate) async fn retrieve_customer_group(
        &self,
        id: &str,
        selection: &Selection,
    ) -> Result<Option<JsonText>, StoreError> {
        self.retrieve(id, selection).await
    }

    pub(crate) async fn list_customer_groups(&self, list: CustomerGroupList) -> Result<Page, StoreError> {
        let CustomerGroupList { filter, order, window, selection } = list;
        let source = ListSource::customer_groups(Dialect::Sqlite, &filter);
        self.list(source, &order, window, selection, None).await
    }

    pub(crate) async fn update_customer_group(
        &self,
        id: &str,
        changes: CustomerGroupChanges,
        selection: &Selection,
    ) -> Result<Option<JsonText>, StoreError> {
        let now = self.environment.clock.now();
        let key = id.to_owned();
        let catalog = self.catalog.clone();
        let updated = self
            .writer
            .write(move |connection| {
                let current = connection
                    .prepare_cached(
                        "SELECT name, metadata FROM customer_group WHERE id = ?1 AND deleted_at IS NULL",
                    )
                    .and_then(|mut statement| {
                        statement
                            .query_row([&key], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?)))
                            .optional()
                    })
                    .map_err(fault)?;
                let Some((name, metadata)) = current else { return Ok(None) };
                let new_name = match changes.name {
                    None => name.clone(),
                    Some(Some(name)) => name,
                    Some(None) => return Err(StoreError::Null { table: Table::CustomerGroup, column: "name" }),
                };
                let new_metadata = super::merge_metadata(metadata.as_deref(), changes.metadata)?;
                // The time of the last change moves only if something has changed.
                if new_name != name || new_metadata != metadata {
                    connection
                        .prepare_cached(
                            "UPDATE customer_group SET name = ?2, metadata = ?3, updated_at = ?4 WHERE id = ?1",
                        )
                        .and_then(|mut statement| {
                            statement.execute(params![key, new_name, new_metadata, time::to_text(now)])
                        })
                        .map_err(|error| name_taken(error, &new_name))?;
                }
                read_by_id(connection, &catalog, Table::CustomerGroup, &key)
            })
            .await?;
        self.show_written(id, updated, selection).await
    }

    pub(crate) async fn delete_customer_group(&self, id: &str) -> Result<bool, StoreError> {
        let id = id.to_owned();
        self.writer
            .write(move |connection| {
                let deleted = connection
                    .execute("DELETE FROM customer_group WHERE id = ?1 AND deleted_at IS NULL", [&id])
                    .map_err(fault)?;
                Ok(deleted > 0)
            })
            .await
    }

    pub(crate) async fn add_customers_to_group(
        &self,
        id: &str,
        customer_ids: Vec<String>,
    ) -> Result<Option<JsonText>, StoreError> {
        let id = id.to_owned();
        let catalog = self.catalog.clone();
        let work = move |connection: &Connection| {
            let Some(group) = read_by_id(connection, &catalog, Table::CustomerGroup, &id)? else {
                return Ok(None);
            };
            let customers = json_list(&customer_ids);
            let unknown = unknown_customers(connection, &customers).map_err(fault)?;
            if !unknown.is_empty() {
                return Err(StoreError::UnknownCustomers(unknown));
            }
            connection
                .prepare_cached(
                    "INSERT INTO customer_group_customers (customer_group_id, customer_id)
                     SELECT ?1, value FROM json_each(?2) WHERE TRUE ON CONFLICT DO NOTHING",
                )
                .and_then(|mut statement| statement.execute([&id, &customers]))
                .map_err(fault)?;
            Ok(Some(group))
        };
        Ok(self.writer.write(work).await?.map(JsonText::whole))
    }

    pub(crate) async fn remove_customers_from_group(
        &self,
        id: &str,
        customer_ids: Vec<String>,
    ) -> Result<Option<JsonText>, StoreError> {
        let id = id.to_owned();
        let catalog = self.catalog.clone();
        let work = move |connection: &Connection| {
            let Some(group) = read_by_id(connection, &catalog, Table::CustomerGroup, &id)? else {
                return Ok(None);
            };
            connection
                .prepare_cached(
                    "DELETE FROM customer_group_customers
                     WHERE customer_group_id = ?1 AND customer_id IN (SELECT value FROM json_each(?2))",
                )
                .and_then(|mut statement| statement.execute([&id, &json_list(&customer_ids)]))
                .map_err(fault)?;
            Ok(Some(group))
        };
        Ok(self.writer.write(work).await?.map(JsonText::whole))
    }
}

/// The customers of a JSON list that do not exist, in the order and as often as they are in it.
fn unknown_customers(connection: &Connection, customers: &str) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare_cached(
            "SELECT j.value FROM json_each(?1) j
             WHERE NOT EXISTS (SELECT 1 FROM customer c WHERE c.id = j.value) ORDER BY j.key",
        )?
        .query_map([customers], |row| row.get(0))?
        .collect()
}

fn name_taken(error: rusqlite::Error, name: &str) -> StoreError {
    if !is_duplicate(&error) {
        return fault(error);
    }
    StoreError::Duplicate(Duplicate {
        table: Table::CustomerGroup,
        columns: &["name"],
        values: vec![name.to_owned()],
    })
}
