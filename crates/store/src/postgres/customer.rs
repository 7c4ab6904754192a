use std::collections::HashSet;

use deadpool_postgres::Transaction;
use futures::FutureExt as _;

use super::customer_group::gone_meanwhile;
use super::rows::Time;
use super::{MetadataChanges, Postgres, fault, is_duplicate, merged};
use crate::StoreError;
use crate::answer::{JsonText, Page};
use crate::customer::{CustomerChanges, CustomerList, NewCustomer};
use crate::entity::Table;
use crate::error::Duplicate;
use crate::id::IdKind;
use crate::metadata;
use crate::selection::Selection;
use crate::sql::{ListSource, Parameter};

impl Postgres {
    pub(crate) async fn list_customers(&self, list: CustomerList) -> Result<Page, StoreError> {
        let CustomerList { filter, order, window, selection } = list;
        let source = ListSource::customers(self.dialect(), &filter);
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
        let new = (id, customer, self.reader(Table::Customer));
        let created = self.pool.write_at_once(new, move |(id, customer, reader), client| {
            async move {
                let NewCustomer { email, first_name, last_name, phone, password_hash, metadata } = customer;
                let has_account = password_hash.is_some();
                let insert = client
                    .prepare_cached(&format!(
                        "INSERT INTO customer AS r (id, email, first_name, last_name, phone, has_account,
                                                    password_hash, metadata, created_at, updated_at)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8::text::jsonb, $9, $9) {}",
                        reader.returning()
                    ))
                    .await
                    .map_err(fault)?;
                let metadata = metadata.as_ref().map(metadata::to_text);
                let row = client
                    .query_opt(
                        &insert,
                        &[
                            id,
                            email,
                            first_name,
                            last_name,
                            phone,
                            &has_account,
                            password_hash,
                            &metadata,
                            &Time(now),
                        ],
                    )
                    .await
                    .map_err(|error| email_taken(error, email, has_account))?;
                row.map(|row| reader.object(&row)).transpose()
            }
            .boxed()
        });
        let text = created.await?.ok_or_else(|| StoreError::internal("the new customer is gone"))?;
        Ok(JsonText::whole(text))
    }

    pub(crate) async fn update_customer(
        &self,
        id: &str,
        changes: CustomerChanges,
        selection: &Selection,
    ) -> Result<Option<JsonText>, StoreError> {
        let now = self.environment.clock.now();
        let key = id.to_owned();
        let reader = self.reader(Table::Customer);
        let updated = self.pool.write(move |transaction| {
            async move {
                let Some((email, has_account)) = lock_customer(transaction, &key).await? else {
                    return Ok(None);
                };
                if has_account && changes.email.as_ref().is_some_and(Option::is_some) {
                    return Err(StoreError::EmailOfAccount);
                }
                if let Some(groups) = &changes.groups {
                    set_groups(transaction, &key, groups).await?;
                }
                update(transaction, &key, changes, Time(now), (&email, has_account)).await?;
                reader.read(transaction, &key).await
            }
            .boxed()
        });
        self.show_written(id, updated.await?, selection).await
    }
}

/// Keeps a customer from being changed by others. Answers its e-mail address, and whether it has an account.
async fn lock_customer(
    transaction: &Transaction<'_>,
    id: &str,
) -> Result<Option<(String, bool)>, StoreError> {
    let lock = transaction
        .prepare_cached(
            "SELECT email, has_account FROM customer WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE",
        )
        .await
        .map_err(fault)?;
    let key = Parameter::Text(id.to_owned());
    match transaction.query_opt(&lock, &[&key]).await.map_err(fault)? {
        Some(row) => Ok(Some((row.try_get(0).map_err(fault)?, row.try_get(1).map_err(fault)?))),
        None => Ok(None),
    }
}

/// Changes a locked customer. The time of the last change moves only if something of the customer itself has changed.
async fn update(
    transaction: &Transaction<'_>,
    id: &str,
    changes: CustomerChanges,
    now: Time,
    (present, has_account): (&str, bool),
) -> Result<(), StoreError> {
    let CustomerChanges { email, first_name, last_name, phone, password_hash, metadata, groups: _ } = changes;
    let email = match email {
        Some(None) => return Err(StoreError::Null { table: Table::Customer, column: "email" }),
        Some(Some(email)) => email,
        None => present.to_owned(),
    };
    let MetadataChanges { set, removed } = MetadataChanges::new(metadata);
    let merged = merged("$10", "$11");
    let update = transaction
        .prepare_cached(&format!(
            "UPDATE customer r
             SET email = n.email, first_name = n.first_name, last_name = n.last_name, phone = n.phone,
                 password_hash = n.password_hash, metadata = n.metadata, updated_at = $12
             FROM (SELECT $2::text AS email,
                          CASE WHEN $3::boolean THEN $4::text ELSE first_name END AS first_name,
                          CASE WHEN $5::boolean THEN $6::text ELSE last_name END AS last_name,
                          CASE WHEN $7::boolean THEN $8::text ELSE phone END AS phone,
                          coalesce($9, password_hash) AS password_hash,
                          {merged} AS metadata
                   FROM customer WHERE id = $1) n
             WHERE r.id = $1
               AND (r.email, r.first_name, r.last_name, r.phone, r.password_hash, r.metadata) IS DISTINCT FROM
                   (n.email, n.first_name, n.last_name, n.phone, n.password_hash, n.metadata)"
        ))
        .await
        .map_err(fault)?;
    transaction
        .execute(
            &update,
            &[
                &id,
                &email,
                &first_name.is_some(),
                &first_name.flatten(),
                &last_name.is_some(),
                &last_name.flatten(),
                &phone.is_some(),
                &phone.flatten(),
                &password_hash,
                &set,
                &Parameter::Texts(removed),
                &now,
            ],
        )
        .await
        .map(drop)
        .map_err(|error| email_taken(error, &email, has_account))
}

/// Makes a locked customer a member of these groups and of no others. A group named twice is refused as Medusa refuses
/// it, where the customer is not in it yet.
async fn set_groups(transaction: &Transaction<'_>, id: &str, groups: &[String]) -> Result<(), StoreError> {
    let find = transaction
        .prepare_cached("SELECT customer_group_id FROM customer_group_customers WHERE customer_id = $1")
        .await
        .map_err(fault)?;
    let rows = transaction.query(&find, &[&id]).await.map_err(fault)?;
    let present =
        rows.iter().map(|row| row.try_get(0)).collect::<Result<HashSet<&str>, _>>().map_err(fault)?;
    let mut added = HashSet::new();
    for group in groups.iter().filter(|group| !present.contains(&***group)) {
        if !added.insert(group) {
            return Err(StoreError::Duplicate(Duplicate {
                table: Table::CustomerGroupCustomers,
                columns: &["customer_group_id", "customer_id"],
                values: vec![group.clone(), id.to_owned()],
            }));
        }
    }
    let list = Parameter::Texts(groups.to_vec());
    let find = transaction
        .prepare_cached(
            "SELECT n.number FROM unnest($1::text[]) WITH ORDINALITY n (id, number)
             LEFT JOIN customer_group g ON g.id = n.id WHERE g.id IS NULL ORDER BY n.number LIMIT 1",
        )
        .await
        .map_err(fault)?;
    if let Some(row) = transaction.query_opt(&find, &[&list]).await.map_err(fault)? {
        let number: i64 = row.try_get(0).map_err(fault)?;
        let unknown = usize::try_from(number - 1).ok().and_then(|index| groups.get(index));
        return Err(StoreError::UnknownCustomerGroup(unknown.cloned().unwrap_or_default()));
    }
    let delete = transaction
        .prepare_cached(
            "DELETE FROM customer_group_customers WHERE customer_id = $1 AND customer_group_id <> ALL($2::text[])",
        )
        .await
        .map_err(fault)?;
    transaction.execute(&delete, &[&id, &list]).await.map_err(fault)?;
    let insert = transaction
        .prepare_cached(
            "INSERT INTO customer_group_customers (customer_group_id, customer_id)
             SELECT DISTINCT g.id, $1::text FROM unnest($2::text[]) g (id) ORDER BY g.id ON CONFLICT DO NOTHING",
        )
        .await
        .map_err(fault)?;
    transaction.execute(&insert, &[&id, &list]).await.map(drop).map_err(|error| gone_meanwhile(fault(error)))
}

fn email_taken(error: tokio_postgres::Error, email: &str, has_account: bool) -> StoreError {
    if !is_duplicate(&error) {
        return fault(error);
    }
    StoreError::Duplicate(Duplicate {
        table: Table::Customer,
        columns: &["email", "has_account"],
        values: vec![email.to_owned(), if has_account { "t" } else { "f" }.to_owned()],
    })
}
