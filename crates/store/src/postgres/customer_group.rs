use futures::FutureExt as _;
use tokio_postgres::error::SqlState;

use super::pool::Client;
use super::rows::{self, Sent, Time};
use super::{MetadataChanges, Postgres, RowReader, fault, is_duplicate, merged, said};
use crate::StoreError;
use crate::answer::{JsonText, Page};
use crate::customer_group::{CustomerGroupChanges, CustomerGroupList, NewCustomerGroup};
use crate::entity::Table;
use crate::error::Duplicate;
use crate::id::IdKind;
use crate::metadata;
use crate::selection::Selection;
use crate::sql::{ListSource, Parameter, Statement};

impl Postgres {
    pub(crate) async fn create_customer_group(
        &self,
        group: NewCustomerGroup,
    ) -> Result<JsonText, StoreError> {
        let now = self.environment.clock.now();
        let id = self.environment.ids.next(IdKind::CustomerGroup, now);
        let new = (id, group, self.reader(Table::CustomerGroup));
        let created = self.pool.write_at_once(new, move |(id, group, reader), client| {
            async move {
                let insert = client
                    .prepare_cached(&format!(
                        "INSERT INTO customer_group AS r (id, name, metadata, created_at, updated_at)
                         VALUES ($1, $2, $3::text::jsonb, $4, $4) {}",
                        reader.returning()
                    ))
                    .await
                    .map_err(fault)?;
                let metadata = group.metadata.as_ref().map(metadata::to_text);
                let row = client.query_opt(&insert, &[id, &group.name, &metadata, &Time(now)]).await;
                let row = row.map_err(|error| name_taken(error, &group.name))?;
                row.map(|row| reader.object(&row)).transpose()
            }
            .boxed()
        });
        let text = created.await?.ok_or_else(|| StoreError::internal("the new customer group is gone"))?;
        Ok(JsonText::whole(text))
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
        let reader = self.reader(Table::CustomerGroup);
        let read = reader.statement(id);
        let updated = self.pool.write_at_once((key, changes, reader, read), move |update, client| {
            async move {
                let (key, CustomerGroupChanges { name, metadata }, reader, read) = update;
                let lock = client
                    .prepare_cached(
                        "SELECT 1 FROM customer_group WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE",
                    )
                    .await
                    .map_err(fault)?;
                if *name == Some(None) {
                    return match client.query_opt(&lock, &[key]).await.map_err(fault)? {
                        None => Ok(None),
                        Some(_) => Err(StoreError::Null { table: Table::CustomerGroup, column: "name" }),
                    };
                }
                // The time of the last change moves only if something has changed.
                let merged = merged("$3", "$4");
                let update = client
                    .prepare_cached(&format!(
                        "UPDATE customer_group r SET name = n.name, metadata = n.metadata, updated_at = $5
                         FROM (SELECT coalesce($2, name) AS name, {merged} AS metadata
                               FROM customer_group WHERE id = $1) n
                         WHERE r.id = $1 AND (r.name, r.metadata) IS DISTINCT FROM (n.name, n.metadata)"
                    ))
                    .await
                    .map_err(fault)?;
                let reading = client.prepare_cached(&read.text).await.map_err(fault)?;
                let name = name.as_ref().and_then(Option::as_deref);
                let MetadataChanges { set, removed } = MetadataChanges::new(metadata.clone());
                let (removed, now) = (Parameter::Texts(removed), Time(now));
                let (key, changes, read): ([Sent<'_>; 1], [Sent<'_>; 5], _) =
                    ([key], [key, &name, &set, &removed, &now], rows::parameters(read));
                let (locked, updated, row) = futures::join!(
                    client.query_opt(&lock, &key),
                    client.execute(&update, &changes),
                    client.query_opt(&reading, &read),
                );
                if locked.map_err(fault)?.is_none() {
                    return Ok(None);
                }
                updated.map_err(|error| name_taken(error, name.unwrap_or_default()))?;
                row.map_err(fault)?.map(|row| reader.object(&row)).transpose()
            }
            .boxed()
        });
        self.show_written(id, updated.await?, selection).await
    }

    pub(crate) async fn delete_customer_group(&self, id: &str) -> Result<bool, StoreError> {
        let key = Parameter::Text(id.to_owned());
        let deleted = self.pool.write_at_once(key, |key, client| {
            async move {
                let delete = client
                    .prepare_cached("DELETE FROM customer_group WHERE id = $1 AND deleted_at IS NULL")
                    .await
                    .map_err(fault)?;
                let deleted = client.execute(&delete, &[key]).await.map_err(fault)?;
                Ok((deleted > 0).then_some(()))
            }
            .boxed()
        });
        Ok(deleted.await?.is_some())
    }

    pub(crate) async fn add_customers_to_group(
        &self,
        id: &str,
        customer_ids: Vec<String>,
    ) -> Result<Option<JsonText>, StoreError> {
        if !self.counts.are_unknown_members_refused() {
            let unknown = self.unknown_customers(customer_ids.clone()).await?;
            if !unknown.is_empty() {
                let only_id = Selection::id(self.catalogs.present(), Table::CustomerGroup);
                let group = self.retrieve_from(&self.pool, id, &only_id).await?;
                return group.map_or(Ok(None), |_| Err(StoreError::UnknownCustomers(unknown)));
            }
        }
        let members = || Members::new(id, customer_ids.clone(), self.reader(Table::CustomerGroup));
        let added = self.pool.write_at_once(members(), |members, client| members.add(client).boxed()).await;
        let added = match added {
            // Another has added some of them since it was looked whether any is a member.
            Err(error) if said(&error) == Some(&SqlState::UNIQUE_VIOLATION) => {
                let added =
                    self.pool.write_at_once(members(), |members, client| members.add_others(client).boxed());
                added.await
            }
            added => added,
        };
        match added {
            Ok(group) => Ok(group.map(JsonText::whole)),
            Err(error) if is_of_values(&error) => match self.unknown_customers(customer_ids).await? {
                unknown if unknown.is_empty() => Err(gone_meanwhile(error)),
                unknown => Err(StoreError::UnknownCustomers(unknown)),
            },
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn remove_customers_from_group(
        &self,
        id: &str,
        customer_ids: Vec<String>,
    ) -> Result<Option<JsonText>, StoreError> {
        let members = Members::new(id, customer_ids, self.reader(Table::CustomerGroup));
        let group = self.pool.write_at_once(members, |members, client| members.remove(client).boxed());
        Ok(group.await?.map(JsonText::whole))
    }

    /// Those of the customers that do not exist, in their order.
    async fn unknown_customers(&self, customers: Vec<String>) -> Result<Vec<String>, StoreError> {
        // By their places, for one may be a text that the database cannot hold.
        let sql = "SELECT n.number FROM unnest($1::text[]) WITH ORDINALITY n (id, number)
                   LEFT JOIN customer c ON c.id = n.id WHERE c.id IS NULL ORDER BY n.number";
        let customers = Parameter::Texts(customers);
        let rows = self.pool.query(sql, &[&customers]).await?;
        let Parameter::Texts(customers) = customers else { return Ok(Vec::new()) };
        let mut unknown = Vec::with_capacity(rows.len());
        for row in &rows {
            let number: i64 = row.try_get(0).map_err(fault)?;
            let found = usize::try_from(number - 1).ok().and_then(|index| customers.get(index));
            unknown.extend(found.cloned());
        }
        Ok(unknown)
    }
}

/// Customers that become members of a group, or are so no longer.
struct Members {
    group: Parameter,
    /// Each once, and written in this order, so that two who write the same do not each wait for the other.
    customers: Parameter,
    /// What stands for them in a statement whose second parameter they are. A single one is a list by itself: a parameter that is
    /// a list counts as ten, and PostgreSQL would plan anew for each that is shorter.
    list: &'static str,
    reader: RowReader,
    /// Reads the group, and keeps it from being deleted.
    lock: Statement,
}

impl Members {
    fn new(group: &str, mut customers: Vec<String>, reader: RowReader) -> Self {
        let mut lock = reader.statement(group);
        lock.text.push_str(" FOR KEY SHARE OF r");
        customers.sort_unstable();
        customers.dedup();
        let (customers, list) = match <[String; 1]>::try_from(customers) {
            Ok([customer]) => (Parameter::Text(customer), "ARRAY[$2::text]"),
            Err(customers) => (Parameter::Texts(customers), "$2::text[]"),
        };
        Self { group: Parameter::Text(group.to_owned()), customers, list, reader, lock }
    }

    /// Makes them members of the group, and answers that, unless it is not there. The database refuses those who do not exist.
    ///
    /// To look for each of many whether it is a member takes a seventh of the time. Where nobody between the first and the last
    /// of them is one, as when customers are added in the order of their ids, none is looked for.
    async fn add(&self, client: &Client) -> Result<Option<Vec<u8>>, StoreError> {
        let Parameter::Texts(_) = self.customers else { return self.add_others(client).await };
        let insert = insertion(self.list);
        let sql = format!(
            "WITH ends AS MATERIALIZED (SELECT min(c.id) AS first, max(c.id) AS last FROM unnest({list}) c (id)),
             known AS MATERIALIZED (
                 SELECT EXISTS (SELECT FROM customer_group_customers m CROSS JOIN ends e
                                WHERE m.customer_group_id = $1 AND m.customer_id BETWEEN e.first AND e.last) AS any_is),
             added AS ({insert} WHERE NOT (SELECT any_is FROM known))
             {insert} WHERE (SELECT any_is FROM known) ON CONFLICT DO NOTHING",
            list = self.list
        );
        self.write(client, &sql).await
    }

    /// As [`Members::add`], whoever is a member already.
    async fn add_others(&self, client: &Client) -> Result<Option<Vec<u8>>, StoreError> {
        self.write(client, &format!("{} ON CONFLICT DO NOTHING", insertion(self.list))).await
    }

    /// Has them be members of the group no longer, and answers that, unless it is not there.
    async fn remove(&self, client: &Client) -> Result<Option<Vec<u8>>, StoreError> {
        self.write(client, &removal(self.list)).await
    }

    async fn write(&self, client: &Client, sql: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let lock = client.prepare_cached(&self.lock.text).await.map_err(fault)?;
        let write = client.prepare_cached(sql).await.map_err(fault)?;
        let (locked_by, members): (_, [Sent<'_>; 2]) =
            (rows::parameters(&self.lock), [&self.group, &self.customers]);
        let (locked, written) =
            futures::join!(client.query_opt(&lock, &locked_by), client.execute(&write, &members));
        let Some(group) = locked.map_err(fault)? else { return Ok(None) };
        written.map_err(fault)?;
        self.reader.object(&group).map(Some)
    }
}

/// Makes this list members.
fn insertion(list: &str) -> String {
    format!(
        "INSERT INTO customer_group_customers (customer_group_id, customer_id)
         SELECT $1, c.id FROM unnest({list}) c (id)"
    )
}

/// Removes the members of this list, each looked up by its key, and in the order of the list: what PostgreSQL thinks of the length
/// of the list and the size of the group would have it go through all members of a large one.
pub(super) fn removal(list: &str) -> String {
    format!(
        "DELETE FROM customer_group_customers WHERE ctid = ANY (ARRAY (
             SELECT l.ctid FROM unnest({list}) c (id) CROSS JOIN LATERAL (
                 SELECT m.ctid FROM customer_group_customers m
                 WHERE m.customer_group_id = $1 AND m.customer_id = c.id OFFSET 0) l))"
    )
}

/// What one hears whose customers or groups were there, but are deleted before the write is done.
pub(super) fn gone_meanwhile(error: StoreError) -> StoreError {
    if said(&error).is_none_or(|code| *code != SqlState::FOREIGN_KEY_VIOLATION) {
        return error;
    }
    let reason = "what was referred to is being deleted";
    StoreError::Unavailable { reason, source: Some(Box::new(error)) }
}

/// Whether the database has refused what was to be written: values that refer to nothing, that it cannot hold, or that are too
/// long for a column or an index.
fn is_of_values(error: &StoreError) -> bool {
    said(error).is_some_and(|code| {
        ["22", "23"].iter().any(|class| code.code().starts_with(class))
            || *code == SqlState::PROGRAM_LIMIT_EXCEEDED
    })
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
