use deadpool_postgres::Transaction;
use futures::FutureExt as _;
use jiff::Timestamp;
use secrecy::SecretString;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::rows::Time;
use super::{Postgres, fault, is_duplicate, lacks_table, limited, rights};
use crate::StoreError;
use crate::answer::JsonText;
use crate::entity::Table;
use crate::error::Duplicate;
use crate::id::IdKind;
use crate::selection::Selection;
use crate::sql::Parameter;
use crate::user::{ApiTokenSummary, NewUser, UserCredentials, UserSummary};

/// The number of the lock under which the first user is made.
const FIRST_USER: i64 = 0x0073_7468_656e_6f01;

const TOKENS: &str = "stheno_api_token";

/// What deleting rows of a user takes.
const FORGETTING: &[&str] = &["SELECT", "DELETE"];

const NO_TOKENS: &str = "the database has no table for Stheno's API tokens: use one of Medusa's";

impl Postgres {
    pub(crate) async fn create_user(&self, user: NewUser) -> Result<String, StoreError> {
        self.demand_table_of_token(&user)?;
        let now = self.environment.clock.now();
        let id = self.environment.ids.next(IdKind::User, now);
        self.pool.write(move |transaction| insert_user(transaction, id, user, now).boxed()).await
    }

    pub(crate) async fn create_first_user(&self, user: NewUser) -> Result<Option<String>, StoreError> {
        self.demand_table_of_token(&user)?;
        let now = self.environment.clock.now();
        let id = self.environment.ids.next(IdKind::User, now);
        let create = self.pool.write(move |transaction| {
            async move {
                // Only one may find that there is none.
                let lock = "SELECT pg_advisory_xact_lock($1)";
                transaction.execute(lock, &[&FIRST_USER]).await.map_err(fault)?;
                let find = "SELECT 1 FROM \"user\" WHERE deleted_at IS NULL LIMIT 1";
                if transaction.query_opt(find, &[]).await.map_err(fault)?.is_some() {
                    return Ok(None);
                }
                insert_user(transaction, id, user, now).await.map(Some)
            }
            .boxed()
        });
        create.await
    }

    pub(crate) async fn list_users(&self) -> Result<Vec<UserSummary>, StoreError> {
        let mut client = self.pool.get().await?;
        let reading = client.transaction().await.map_err(fault)?;
        let tokens = match rights::has_own_table(&*reading, TOKENS, &["SELECT"]).await {
            Ok(true) => "(SELECT count(*) FROM stheno_api_token t WHERE t.user_id = u.id)",
            Ok(false) | Err(StoreError::Limited { .. }) => "0::bigint",
            Err(error) => return Err(error),
        };
        let sql = format!(
            "SELECT u.id, u.email, coalesce(u.role::text, 'member'), u.created_at, {tokens}
             FROM \"user\" u WHERE u.deleted_at IS NULL ORDER BY u.created_at, u.id"
        );
        let rows = reading.query(&sql, &[]).await.map_err(fault)?;
        rows.iter().map(summary).collect::<Result<_, _>>().map_err(fault)
    }

    pub(crate) async fn retrieve_user(&self, id: &str) -> Result<Option<JsonText>, StoreError> {
        self.retrieve_from(&self.pool, id, &Selection::all(self.catalogs.present(), Table::User)).await
    }

    pub(crate) async fn user_by_email(&self, email: &str) -> Result<Option<UserCredentials>, StoreError> {
        let email = Parameter::Text(email.to_owned());
        let sql = "SELECT id, password_hash FROM \"user\" WHERE email = $1 AND deleted_at IS NULL";
        match self.look_up(sql, &[&email]).await? {
            Some(row) => {
                let hash: Option<String> = row.try_get(1).map_err(fault)?;
                Ok(Some(UserCredentials {
                    id: row.try_get(0).map_err(fault)?,
                    password_hash: hash.map(SecretString::from),
                }))
            }
            None => Ok(None),
        }
    }

    pub(crate) async fn user_exists(&self, id: &str) -> Result<bool, StoreError> {
        let id = Parameter::Text(id.to_owned());
        let sql = "SELECT 1 FROM \"user\" WHERE id = $1 AND deleted_at IS NULL";
        Ok(self.look_up(sql, &[&id]).await?.is_some())
    }

    pub(crate) async fn user_by_token(&self, token: &str, hash: &str) -> Result<Option<String>, StoreError> {
        let (token, hash) = (Parameter::Text(token.to_owned()), Parameter::Text(hash.to_owned()));
        let sql = "SELECT u.id FROM stheno_api_token t JOIN \"user\" u ON u.id = t.user_id
                   WHERE t.token_hash = $1 AND u.deleted_at IS NULL
                   UNION ALL
                   SELECT id FROM \"user\" WHERE api_token = $2 AND deleted_at IS NULL
                   LIMIT 1";
        if self.has_own_tables {
            match self.look_up(sql, &[&hash, &token]).await {
                // It was there once: what has restored the database has left it out.
                Err(error) if lacks_table(&error) => {}
                found => return id_in(found?),
            }
        }
        let sql = "SELECT id FROM \"user\" WHERE api_token = $1 AND deleted_at IS NULL LIMIT 1";
        id_in(self.look_up(sql, &[&token]).await?)
    }

    pub(crate) async fn delete_user(&self, id: &str) -> Result<bool, StoreError> {
        let now = self.environment.clock.now();
        let id = Parameter::Text(id.to_owned());
        let delete = self.pool.write(move |transaction| {
            async move {
                let delete = "UPDATE \"user\" SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL";
                let deleted = transaction.execute(delete, &[&id, &Time(now)]).await.map_err(fault)?;
                forget_sessions(transaction, &id).await?;
                forget_tokens(transaction, &id).await?;
                Ok(deleted > 0)
            }
            .boxed()
        });
        delete.await
    }

    pub(crate) async fn set_password_hash(&self, user_id: &str, hash: String) -> Result<bool, StoreError> {
        let id = Parameter::Text(user_id.to_owned());
        let set = self.pool.write(move |transaction| {
            async move {
                let set = "UPDATE \"user\" SET password_hash = $2 WHERE id = $1 AND deleted_at IS NULL";
                let set = transaction.execute(set, &[&id, &hash]).await.map_err(fault)?;
                forget_sessions(transaction, &id).await?;
                Ok(set > 0)
            }
            .boxed()
        });
        set.await
    }

    pub(crate) async fn replace_password_hash(
        &self,
        user_id: &str,
        old: String,
        new: String,
    ) -> Result<bool, StoreError> {
        let id = Parameter::Text(user_id.to_owned());
        let sql = "UPDATE \"user\" SET password_hash = $3
                   WHERE id = $1 AND password_hash = $2 AND deleted_at IS NULL";
        self.change(sql, vec![Box::new(id), Box::new(old), Box::new(new)]).await
    }

    pub(crate) async fn create_api_token(
        &self,
        user_id: &str,
        token_hash: String,
    ) -> Result<bool, StoreError> {
        self.demand_own_tables(NO_TOKENS)?;
        let now = self.environment.clock.now();
        let id = Parameter::Text(user_id.to_owned());
        let sql = "INSERT INTO stheno_api_token (token_hash, user_id, created_at)
                   SELECT $1::text, id, $3 FROM \"user\" WHERE id = $2 AND deleted_at IS NULL";
        self.change(sql, vec![Box::new(token_hash), Box::new(id), Box::new(Time(now))]).await
    }

    pub(crate) async fn api_tokens(&self, user_id: &str) -> Result<Vec<ApiTokenSummary>, StoreError> {
        let mut client = self.pool.get().await?;
        let reading = client.transaction().await.map_err(fault)?;
        if !rights::has_own_table(&*reading, TOKENS, &["SELECT"]).await? {
            return Ok(Vec::new());
        }
        let id = Parameter::Text(user_id.to_owned());
        let sql = "SELECT token_hash, created_at FROM stheno_api_token WHERE user_id = $1
                   ORDER BY created_at, token_hash COLLATE \"C\"";
        let rows = reading.query(sql, &[&id]).await.map_err(fault)?;
        let token = |row: &Row| {
            let Time(created_at) = row.try_get(1)?;
            Ok(ApiTokenSummary { hash: row.try_get(0)?, created_at })
        };
        rows.iter().map(token).collect::<Result<_, _>>().map_err(fault)
    }

    pub(crate) async fn delete_api_tokens(
        &self,
        user_id: &str,
        hash: Option<&str>,
    ) -> Result<u64, StoreError> {
        let id = Parameter::Text(user_id.to_owned());
        let hash = hash.map(|hash| Parameter::Text(hash.to_owned()));
        let delete = self.pool.write(move |transaction| {
            async move {
                if let Some(hash) = hash {
                    if !rights::has_own_table(&**transaction, TOKENS, FORGETTING).await? {
                        return Ok(0);
                    }
                    let delete = "DELETE FROM stheno_api_token WHERE user_id = $1 AND token_hash = $2";
                    return transaction.execute(delete, &[&id, &hash]).await.map_err(fault);
                }
                let deleted = forget_tokens(transaction, &id).await?;
                let forget = "UPDATE \"user\" SET api_token = NULL WHERE id = $1 AND api_token IS NOT NULL";
                let forgotten = transaction.execute(forget, &[&id]).await.map_err(fault)?;
                Ok(deleted + forgotten)
            }
            .boxed()
        });
        delete.await
    }

    pub(crate) async fn create_session(
        &self,
        id_hash: String,
        user_id: &str,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.demand_own_tables(
            "the database has no table for sessions: use a bearer token from POST /admin/auth/token, or an API token",
        )?;
        let now = self.environment.clock.now();
        let user = Parameter::Text(user_id.to_owned());
        let create = self.pool.write(move |transaction| {
            async move {
                let forget = transaction
                    .prepare_cached("DELETE FROM stheno_session WHERE expires_at <= $1")
                    .await
                    .map_err(fault)?;
                transaction.execute(&forget, &[&Time(now)]).await.map_err(fault)?;
                let open = transaction
                    .prepare_cached(
                        "INSERT INTO stheno_session (id_hash, user_id, expires_at)
                         SELECT $1::text, id, $3 FROM \"user\" WHERE id = $2",
                    )
                    .await
                    .map_err(fault)?;
                let opened = transaction.execute(&open, &[&id_hash, &user, &Time(expires_at)]).await;
                match opened.map_err(fault)? {
                    0 => Err(StoreError::internal("a session was opened for a user that does not exist")),
                    _ => Ok(()),
                }
            }
            .boxed()
        });
        create.await
    }

    pub(crate) async fn session_user(&self, id_hash: &str) -> Result<Option<String>, StoreError> {
        if !self.has_own_tables {
            return Ok(None);
        }
        let now = self.environment.clock.now();
        let hash = Parameter::Text(id_hash.to_owned());
        let sql = "SELECT u.id FROM stheno_session s JOIN \"user\" u ON u.id = s.user_id
                   WHERE s.id_hash = $1 AND s.expires_at > $2 AND u.deleted_at IS NULL";
        match self.look_up(sql, &[&hash, &Time(now)]).await {
            Err(error) if lacks_table(&error) => Ok(None),
            found => id_in(found?),
        }
    }

    pub(crate) async fn delete_session(&self, id_hash: &str) -> Result<bool, StoreError> {
        if !self.has_own_tables {
            return Ok(false);
        }
        let hash = Parameter::Text(id_hash.to_owned());
        self.change("DELETE FROM stheno_session WHERE id_hash = $1", vec![Box::new(hash)]).await
    }

    pub(crate) async fn secret(&self, name: &str, fresh: String) -> Result<SecretString, StoreError> {
        self.demand_own_tables("the database has no table for secrets: they must be given")?;
        let now = self.environment.clock.now();
        let name = name.to_owned();
        let keep = self.pool.write(move |transaction| {
            async move {
                let insert = "INSERT INTO stheno_secret (name, value, created_at) VALUES ($1, $2, $3)
                              ON CONFLICT DO NOTHING";
                transaction.execute(insert, &[&name, &fresh, &Time(now)]).await.map_err(fault)?;
                let find = "SELECT value FROM stheno_secret WHERE name = $1";
                let row = transaction.query_one(find, &[&name]).await.map_err(fault)?;
                row.try_get::<_, String>(0).map(SecretString::from).map_err(fault)
            }
            .boxed()
        });
        keep.await
    }

    /// Refuses what needs Stheno's own tables, where there are none.
    fn demand_own_tables(&self, reason: &'static str) -> Result<(), StoreError> {
        if self.has_own_tables { Ok(()) } else { Err(limited(reason, None)) }
    }

    fn demand_table_of_token(&self, user: &NewUser) -> Result<(), StoreError> {
        match user.token_hash {
            Some(_) => self.demand_own_tables(NO_TOKENS),
            None => Ok(()),
        }
    }

    /// At most one row of a statement that is always the same.
    async fn look_up(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, StoreError> {
        let rows = self.pool.look_up(sql, parameters).await?;
        Ok(rows.into_iter().next())
    }

    /// Runs a statement that is always the same. Answers whether it changed anything.
    async fn change(
        &self,
        sql: &'static str,
        parameters: Vec<Box<dyn ToSql + Send + Sync>>,
    ) -> Result<bool, StoreError> {
        let change = self.pool.write(move |transaction| {
            async move {
                let prepared = transaction.prepare_cached(sql).await.map_err(fault)?;
                let parameters: Vec<_> =
                    parameters.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
                transaction.execute(&prepared, &parameters).await.map_err(fault)
            }
            .boxed()
        });
        Ok(change.await? > 0)
    }
}

async fn forget_sessions(transaction: &Transaction<'_>, user: &Parameter) -> Result<(), StoreError> {
    if rights::has_own_table(&**transaction, "stheno_session", FORGETTING).await? {
        let forget = "DELETE FROM stheno_session WHERE user_id = $1";
        transaction.execute(forget, &[user]).await.map_err(fault)?;
    }
    Ok(())
}

async fn forget_tokens(transaction: &Transaction<'_>, user: &Parameter) -> Result<u64, StoreError> {
    if !rights::has_own_table(&**transaction, TOKENS, FORGETTING).await? {
        return Ok(0);
    }
    let forget = "DELETE FROM stheno_api_token WHERE user_id = $1";
    transaction.execute(forget, &[user]).await.map_err(fault)
}

fn id_in(row: Option<Row>) -> Result<Option<String>, StoreError> {
    row.map(|row| row.try_get(0)).transpose().map_err(fault)
}

fn summary(row: &Row) -> Result<UserSummary, tokio_postgres::Error> {
    let Time(created_at) = row.try_get(3)?;
    Ok(UserSummary {
        id: row.try_get(0)?,
        email: row.try_get(1)?,
        role: row.try_get(2)?,
        tokens: row.try_get(4).map(i64::unsigned_abs)?,
        created_at,
    })
}

async fn insert_user(
    transaction: &Transaction<'_>,
    id: String,
    user: NewUser,
    now: Timestamp,
) -> Result<String, StoreError> {
    let email = user.email.to_lowercase();
    transaction
        .execute(
            "INSERT INTO \"user\" (id, email, password_hash, role, created_at, updated_at)
             VALUES ($1, $2, $3, $4::text::user_role_enum, $5, $5)",
            &[&id, &email, &user.password_hash, &user.role.as_str(), &Time(now)],
        )
        .await
        .map_err(|error| {
            if !is_duplicate(&error) {
                return fault(error);
            }
            let values = vec![email.clone()];
            StoreError::Duplicate(Duplicate { table: Table::User, columns: &["email"], values })
        })?;
    if let Some(token_hash) = &user.token_hash {
        transaction
            .execute(
                "INSERT INTO stheno_api_token (token_hash, user_id, created_at) VALUES ($1, $2, $3)",
                &[token_hash, &id, &Time(now)],
            )
            .await
            .map_err(fault)?;
    }
    Ok(id)
}
