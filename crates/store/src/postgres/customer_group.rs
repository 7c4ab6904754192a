use deadpool_postgres::Transaction;
use futures::FutureExt as _;

use super::rows::Time;
use super::{MetadataChanges, Postgres, fault, is_dangling, is_duplicate, merged};
use crate::StoreError;
use crate::answer::{JsonText, Page};
use crate::customer_group::{CustomerGroupChanges, CustomerGroupList, NewCustomerGroup};
use crate::entity::Table;
use crate::error::Duplicate;
use crate::id::IdKind;
use crate::metadata;
use crate::selection::Selection;
use crate::sql::{ListSource, Parameter};

impl Postgres {
    pub(crate) async fn create_customer_group(
        &self,
        group: NewCustomerGroup,
    ) -> Result<JsonText, StoreError> {
        let now = self.environment.clock.now();
        let id = self.environment.ids.next(IdKind::CustomerGroup, now);
        let reader = self.reader(Table::CustomerGroup);
        let created = self.pool.write(move |transaction| {
            async move {
                let insert = transaction
                    .prepare_cached(
                        "INSERT INTO customer_group (id, name, metadata, created_at, updated_at)
                         VALUES ($1, $2, $3::text::jsonb, $4, $4)",
                    )
                    .await
                    .map_err(fault)?;
                let metadata = group.metadata.as_ref().map(metadata::to_text);
                transaction
                    .execute(&insert, &[&id, &group.name, &metadata, &Time(now)])
                    .await
                    .map_err(|error| name_taken(error, &group.name))?;
                let text = reader.read(transaction, &id).await?;
                text.ok_or_else(|| StoreError::internal("the new customer group is gone"))
            }
            .boxed()
        });
        created.await.map(JsonText::whole)
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
        let source = ListSource::customer_groups(self.dialect(), &filter);
        self.list(source, &order, window, selection, None).await
    }

    pub(crate) async fn update_customer_group(
        &self,
        id: &str,
        changes: CustomerGroupChanges,
        selection: &Selection,
    ) -> Result<Option<JsonText>, StoreError> {
        let now = self.environment.clock.now();
        let key = Parameter::Text(id.to_owned());
        let text_key = id.to_owned();
        let reader = self.reader(Table::CustomerGroup);
        let updated = self.pool.write(move |transaction| {
            async move {
                let lock = transaction
                    .prepare_cached(
                        "SELECT 1 FROM customer_group WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE",
                    )
                    .await
                    .map_err(fault)?;
                if transaction.query_opt(&lock, &[&key]).await.map_err(fault)?.is_none() {
                    return Ok(None);
                }
                let name = match changes.name {
                    None => None,
                    Some(Some(name)) => Some(name),
                    Some(None) => {
                        return Err(StoreError::Null { table: Table::CustomerGroup, column: "name" });
                    }
                };
                let MetadataChanges { set, removed } = MetadataChanges::new(changes.metadata);
                // The time of the last change moves only if something has changed.
                let merged = merged("$3", "$4");
                let update = transaction
                    .prepare_cached(&format!(
                        "UPDATE customer_group r SET name = n.name, metadata = n.metadata, updated_at = $5
                         FROM (SELECT coalesce($2, name) AS name, {merged} AS metadata
                               FROM customer_group WHERE id = $1) n
                         WHERE r.id = $1 AND (r.name, r.metadata) IS DISTINCT FROM (n.name, n.metadata)"
                    ))
                    .await
                    .map_err(fault)?;
                transaction
                    .execute(&update, &[&key, &name, &set, &Parameter::Texts(removed), &Time(now)])
                    .await
                    .map_err(|error| name_taken(error, name.as_deref().unwrap_or_default()))?;
                reader.read(transaction, &text_key).await
            }
            .boxed()
        });
        self.show_written(id, updated.await?, selection).await
    }

    pub(crate) async fn delete_customer_group(&self, id: &str) -> Result<bool, StoreError> {
        let key = Parameter::Text(id.to_owned());
        let deleted = self.pool.write(move |transaction| {
            async move {
                let delete = transaction
                    .prepare_cached("DELETE FROM customer_group WHERE id = $1 AND deleted_at IS NULL")
                    .await
                    .map_err(fault)?;
                transaction.execute(&delete, &[&key]).await.map_err(fault)
            }
            .boxed()
        });
        Ok(deleted.await? > 0)
    }

    pub(crate) async fn add_customers_to_group(
        &self,
        id: &str,
        customer_ids: Vec<String>,
    ) -> Result<Option<JsonText>, StoreError> {
        let id = id.to_owned();
        let reader = self.reader(Table::CustomerGroup);
        let group = self.pool.write(move |transaction| {
            async move {
                if !lock_group(transaction, &id).await? {
                    return Ok(None);
                }
                let customers = Parameter::Texts(customer_ids.clone());
                let unknown = unknown_customers(transaction, &customers, &customer_ids).await?;
                if !unknown.is_empty() {
                    return Err(StoreError::UnknownCustomers(unknown));
                }
                // In one order, so that two who add the same customers do not wait for each other.
                let insert = transaction
                    .prepare_cached(
                        "INSERT INTO customer_group_customers (customer_group_id, customer_id)
                         SELECT DISTINCT $1::text, c.id FROM unnest($2::text[]) c (id) ORDER BY c.id
                         ON CONFLICT DO NOTHING",
                    )
                    .await
                    .map_err(fault)?;
                transaction.execute(&insert, &[&id, &customers]).await.map_err(gone_meanwhile)?;
                reader.read(transaction, &id).await
            }
            .boxed()
        });
        Ok(group.await?.map(JsonText::whole))
    }

    pub(crate) async fn remove_customers_from_group(
        &self,
        id: &str,
        customer_ids: Vec<String>,
    ) -> Result<Option<JsonText>, StoreError> {
        let id = id.to_owned();
        let reader = self.reader(Table::CustomerGroup);
        let group = self.pool.write(move |transaction| {
            async move {
                if !lock_group(transaction, &id).await? {
                    return Ok(None);
                }
                // As a rule in one order, so that two who remove the same customers do not wait for each other.
                let delete = transaction
                    .prepare_cached(
                        "DELETE FROM customer_group_customers m
                         USING (SELECT DISTINCT c.id FROM unnest($2::text[]) c (id) ORDER BY c.id) c
                         WHERE m.customer_group_id = $1 AND m.customer_id = c.id",
                    )
                    .await
                    .map_err(fault)?;
                transaction.execute(&delete, &[&id, &Parameter::Texts(customer_ids)]).await.map_err(fault)?;
                reader.read(transaction, &id).await
            }
            .boxed()
        });
        Ok(group.await?.map(JsonText::whole))
    }
}

/// Keeps a group from being deleted. Answers whether it is there.
async fn lock_group(transaction: &Transaction<'_>, id: &str) -> Result<bool, StoreError> {
    let lock = transaction
        .prepare_cached("SELECT 1 FROM customer_group WHERE id = $1 AND deleted_at IS NULL FOR KEY SHARE")
        .await
        .map_err(fault)?;
    let key = Parameter::Text(id.to_owned());
    Ok(transaction.query_opt(&lock, &[&key]).await.map_err(fault)?.is_some())
}

/// The customers of a list that do not exist, in the order and as often as they are in it.
async fn unknown_customers(
    transaction: &Transaction<'_>,
    list: &Parameter,
    customers: &[String],
) -> Result<Vec<String>, StoreError> {
    let find = transaction
        .prepare_cached(
            "SELECT n.number FROM unnest($1::text[]) WITH ORDINALITY n (id, number)
             LEFT JOIN customer c ON c.id = n.id WHERE c.id IS NULL ORDER BY n.number",
        )
        .await
        .map_err(fault)?;
    let rows = transaction.query(&find, &[list]).await.map_err(fault)?;
    let mut unknown = Vec::with_capacity(rows.len());
    for row in rows {
        let number: i64 = row.try_get(0).map_err(fault)?;
        // By their places, for one may be a text that the database cannot hold.
        let found = usize::try_from(number - 1).ok().and_then(|index| customers.get(index));
        unknown.extend(found.cloned());
    }
    Ok(unknown)
}

/// What one hears whose customers or groups were there, but are deleted before the write is done.
pub(super) fn gone_meanwhile(error: tokio_postgres::Error) -> StoreError {
    if !is_dangling(&error) {
        return fault(error);
    }
    let reason = "what was referred to is being deleted";
    StoreError::Unavailable { reason, source: Some(Box::new(error)) }
}

fn name_taken(error: tokio_postgres::Error, name: &str) -> StoreError {
    if !is_duplicate(&error) {
        return fault(error);
    }
    StoreError::Duplicate(Duplicate {
        table: Table::CustomerGroup,
        columns: &["name"],
        values: vec![name.to_owned()],
    })
}
