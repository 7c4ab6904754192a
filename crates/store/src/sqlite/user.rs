use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};
use secrecy::SecretString;

use super::{Sqlite, fault, is_duplicate};
use crate::answer::JsonText;
use crate::entity::Table;
use crate::error::Duplicate;
use crate::id::IdKind;
use crate::selection::Selection;
use crate::user::{ApiTokenSummary, NewUser, UserCredentials, UserSummary};
use crate::{StoreError, time};

impl Sqlite {
    pub(crate) async fn create_user(&self, user: NewUser) -> Result<String, StoreError> {
        let now = self.environment.clock.now();
        let id = self.environment.ids.next(IdKind::User, now);
        self.writer.write(move |connection| insert_user(connection, id, &user, now)).await
    }

    pub(crate) async fn create_first_user(&self, user: NewUser) -> Result<Option<String>, StoreError> {
        let now = self.environment.clock.now();
        let id = self.environment.ids.next(IdKind::User, now);
        self.writer
            .write(move |connection| {
                let users: i64 = connection
                    .query_row("SELECT count(*) FROM \"user\" WHERE deleted_at IS NULL", [], |row| row.get(0))
                    .map_err(fault)?;
                if users > 0 { Ok(None) } else { insert_user(connection, id, &user, now).map(Some) }
            })
            .await
    }

    pub(crate) async fn list_users(&self) -> Result<Vec<UserSummary>, StoreError> {
        let users = self.readers.look_up(|connection| {
            connection
                .prepare_cached(
                    "SELECT u.id, u.email, u.role, u.created_at,
                            (SELECT count(*) FROM stheno_api_token t WHERE t.user_id = u.id)
                     FROM \"user\" u WHERE u.deleted_at IS NULL ORDER BY u.created_at, u.id",
                )?
                .query_map([], |row| {
                    let created_at: String = row.get(3)?;
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, created_at, row.get::<_, i64>(4)?))
                })?
                .collect::<Result<Vec<_>, _>>()
        })?;
        users
            .into_iter()
            .map(|(id, email, role, created_at, tokens)| {
                let created_at = time::from_text(&created_at).map_err(StoreError::internal)?;
                Ok(UserSummary { id, email, role, tokens: tokens.unsigned_abs(), created_at })
            })
            .collect()
    }

    pub(crate) async fn retrieve_user(&self, id: &str) -> Result<Option<JsonText>, StoreError> {
        self.retrieve(id, &Selection::all(&self.catalog, Table::User)).await
    }

    pub(crate) async fn user_by_email(&self, email: &str) -> Result<Option<UserCredentials>, StoreError> {
        self.readers.look_up(|connection| {
            connection
                .prepare_cached(
                    "SELECT id, password_hash FROM \"user\" WHERE email = ?1 AND deleted_at IS NULL",
                )?
                .query_row([email], |row| {
                    let hash: Option<String> = row.get(1)?;
                    Ok(UserCredentials { id: row.get(0)?, password_hash: hash.map(SecretString::from) })
                })
                .optional()
        })
    }

    pub(crate) async fn user_exists(&self, id: &str) -> Result<bool, StoreError> {
        self.readers.look_up(|connection| {
            connection
                .prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM \"user\" WHERE id = ?1 AND deleted_at IS NULL)",
                )?
                .query_row([id], |row| row.get(0))
        })
    }

    pub(crate) async fn user_by_token(&self, token: &str, hash: &str) -> Result<Option<String>, StoreError> {
        self.readers.look_up(|connection| {
            connection
                .prepare_cached(
                    "SELECT u.id FROM stheno_api_token t JOIN \"user\" u ON u.id = t.user_id
                     WHERE t.token_hash = ?1 AND u.deleted_at IS NULL
                     UNION ALL
                     SELECT id FROM \"user\" WHERE api_token = ?2 AND deleted_at IS NULL
                     LIMIT 1",
                )?
                .query_row([hash, token], |row| row.get(0))
                .optional()
        })
    }

    pub(crate) async fn delete_user(&self, id: &str) -> Result<bool, StoreError> {
        let now = time::to_text(self.environment.clock.now());
        let id = id.to_owned();
        self.writer
            .write(move |connection| {
                let deleted = connection
                    .execute(
                        "UPDATE \"user\" SET deleted_at = ?2 WHERE id = ?1 AND deleted_at IS NULL",
                        [&id, &now],
                    )
                    .map_err(fault)?;
                for forget in [
                    "DELETE FROM stheno_session WHERE user_id = ?1",
                    "DELETE FROM stheno_api_token WHERE user_id = ?1",
                ] {
                    connection.execute(forget, [&id]).map_err(fault)?;
                }
                Ok(deleted > 0)
            })
            .await
    }

    pub(crate) async fn set_password_hash(&self, user_id: &str, hash: String) -> Result<bool, StoreError> {
        let user_id = user_id.to_owned();
        self.writer
            .write(move |connection| {
                let set = connection
                    .execute(
                        "UPDATE \"user\" SET password_hash = ?2 WHERE id = ?1 AND deleted_at IS NULL",
                        [&user_id, &hash],
                    )
                    .map_err(fault)?;
                connection
                    .execute("DELETE FROM stheno_session WHERE user_id = ?1", [&user_id])
                    .map_err(fault)?;
                Ok(set > 0)
            })
            .await
    }

    pub(crate) async fn replace_password_hash(
        &self,
        user_id: &str,
        old: String,
        new: String,
    ) -> Result<bool, StoreError> {
        let user_id = user_id.to_owned();
        self.writer
            .write(move |connection| {
                connection
                    .execute(
                        "UPDATE \"user\" SET password_hash = ?3
                         WHERE id = ?1 AND password_hash = ?2 AND deleted_at IS NULL",
                        [user_id, old, new],
                    )
                    .map(|changed| changed > 0)
                    .map_err(fault)
            })
            .await
    }

    pub(crate) async fn create_api_token(
        &self,
        user_id: &str,
        token_hash: String,
    ) -> Result<bool, StoreError> {
        let now = self.environment.clock.now();
        let user_id = user_id.to_owned();
        self.writer
            .write(move |connection| {
                connection
                    .execute(
                        "INSERT INTO stheno_api_token (token_hash, user_id, created_at)
                         SELECT ?1, id, ?3 FROM \"user\" WHERE id = ?2 AND deleted_at IS NULL",
                        params![token_hash, user_id, time::to_text(now)],
                    )
                    .map(|added| added > 0)
                    .map_err(fault)
            })
            .await
    }

    pub(crate) async fn api_tokens(&self, user_id: &str) -> Result<Vec<ApiTokenSummary>, StoreError> {
        let tokens = self.readers.look_up(|connection| {
            connection
                .prepare_cached(
                    "SELECT token_hash, created_at FROM stheno_api_token WHERE user_id = ?1
                     ORDER BY created_at, token_hash",
                )?
                .query_map([user_id], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?
                .collect::<Result<Vec<_>, _>>()
        })?;
        tokens
            .into_iter()
            .map(|(hash, created_at)| {
                let created_at = time::from_text(&created_at).map_err(StoreError::internal)?;
                Ok(ApiTokenSummary { hash, created_at })
            })
            .collect()
    }

    pub(crate) async fn delete_api_tokens(
        &self,
        user_id: &str,
        hash: Option<&str>,
    ) -> Result<u64, StoreError> {
        let user_id = user_id.to_owned();
        let hash = hash.map(str::to_owned);
        self.writer
            .write(move |connection| {
                if let Some(hash) = hash {
                    let delete = "DELETE FROM stheno_api_token WHERE user_id = ?1 AND token_hash = ?2";
                    return connection
                        .execute(delete, [&user_id, &hash])
                        .map(|rows| rows as u64)
                        .map_err(fault);
                }
                let delete = "DELETE FROM stheno_api_token WHERE user_id = ?1";
                let deleted = connection.execute(delete, [&user_id]).map_err(fault)?;
                let forget = "UPDATE \"user\" SET api_token = NULL WHERE id = ?1 AND api_token IS NOT NULL";
                let forgotten = connection.execute(forget, [&user_id]).map_err(fault)?;
                Ok((deleted + forgotten) as u64)
            })
            .await
    }

    pub(crate) async fn create_session(
        &self,
        id_hash: String,
        user_id: &str,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let now = self.environment.clock.now();
        let user_id = user_id.to_owned();
        self.writer
            .write(move |connection| {
                connection
                    .execute("DELETE FROM stheno_session WHERE expires_at <= ?1", [time::to_text(now)])
                    .map_err(fault)?;
                connection
                    .execute(
                        "INSERT INTO stheno_session (id_hash, user_id, expires_at) VALUES (?1, ?2, ?3)",
                        params![id_hash, user_id, time::to_text(expires_at)],
                    )
                    .map(drop)
                    .map_err(fault)
            })
            .await
    }

    pub(crate) async fn session_user(&self, id_hash: &str) -> Result<Option<String>, StoreError> {
        let now = time::to_text(self.environment.clock.now());
        self.readers.look_up(|connection| {
            connection
                .prepare_cached(
                    "SELECT u.id FROM stheno_session s JOIN \"user\" u ON u.id = s.user_id
                     WHERE s.id_hash = ?1 AND s.expires_at > ?2 AND u.deleted_at IS NULL",
                )?
                .query_row([id_hash, &now], |row| row.get(0))
                .optional()
        })
    }

    pub(crate) async fn delete_session(&self, id_hash: &str) -> Result<bool, StoreError> {
        let id_hash = id_hash.to_owned();
        self.writer
            .write(move |connection| {
                connection
                    .execute("DELETE FROM stheno_session WHERE id_hash = ?1", [id_hash])
                    .map(|deleted| deleted > 0)
                    .map_err(fault)
            })
            .await
    }

    pub(crate) async fn secret(&self, name: &str, fresh: String) -> Result<SecretString, StoreError> {
        let now = self.environment.clock.now();
        let name = name.to_owned();
        self.writer
            .write(move |connection| {
                connection
                    .execute(
                        "INSERT INTO stheno_secret (name, value, created_at) VALUES (?1, ?2, ?3)
                         ON CONFLICT DO NOTHING",
                        params![name, fresh, time::to_text(now)],
                    )
                    .map_err(fault)?;
                connection
                    .query_row("SELECT value FROM stheno_secret WHERE name = ?1", [name], |row| {
                        row.get::<_, String>(0)
                    })
                    .map(SecretString::from)
                    .map_err(fault)
            })
            .await
    }
}

fn insert_user(
    connection: &Connection,
    id: String,
    user: &NewUser,
    now: Timestamp,
) -> Result<String, StoreError> {
    let now = time::to_text(now);
    let email = user.email.to_lowercase();
    connection
        .execute(
            "INSERT INTO \"user\" (id, email, password_hash, role, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
            params![id, email, user.password_hash, user.role.as_str(), now],
        )
        .map_err(|error| {
            if !is_duplicate(&error) {
                return fault(error);
            }
            StoreError::Duplicate(Duplicate { table: Table::User, columns: &["email"], values: vec![email] })
        })?;
    if let Some(token_hash) = &user.token_hash {
        connection
            .execute(
                "INSERT INTO stheno_api_token (token_hash, user_id, created_at) VALUES (?1, ?2, ?3)",
                [token_hash, &id, &now],
            )
            .map_err(fault)?;
    }
    Ok(id)
}
