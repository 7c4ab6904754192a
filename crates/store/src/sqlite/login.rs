use jiff::Timestamp;
use rusqlite::{Row, params};

use super::{Sqlite, fault};
use crate::login::{Login, LoginEntry, LoginFilter, LoginKind, LoginOutcome};
use crate::{StoreError, time};

impl Sqlite {
    pub(crate) async fn record_logins(&self, logins: Vec<Login>) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                let mut record = connection
                    .prepare_cached(
                        "INSERT INTO stheno_login (at, user_id, kind, outcome, address, attempts)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    )
                    .map_err(fault)?;
                for login in logins {
                    let Login { at, user_id, kind, outcome, address, attempts } = login;
                    let address = address.map(|address| address.to_string());
                    let values = params![
                        time::to_text(at),
                        user_id,
                        kind.as_str(),
                        outcome.as_str(),
                        address,
                        attempts
                    ];
                    record.execute(values).map_err(fault)?;
                }
                Ok(())
            })
            .await
    }

    pub(crate) async fn logins(
        &self,
        filter: LoginFilter,
        limit: u32,
    ) -> Result<Vec<LoginEntry>, StoreError> {
        let LoginFilter { user_id, since } = filter;
        let of_user = if user_id.is_some() { "user_id = ?1" } else { "?1 IS NULL" };
        let sql = format!(
            "SELECT id, at, user_id, kind, outcome, address, attempts FROM stheno_login
             WHERE {of_user} AND at >= ?2 ORDER BY at DESC, id DESC LIMIT ?3"
        );
        let since = since.map(time::to_text).unwrap_or_default();
        self.readers
            .look_up(|connection| {
                let mut find = connection.prepare_cached(&sql)?;
                let entries = find.query_map(params![user_id, since, limit], |row| Ok(entry(row)))?;
                entries.collect::<Result<Vec<_>, _>>()
            })?
            .into_iter()
            .collect()
    }

    pub(crate) async fn forget_logins(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.writer
            .write(move |connection| {
                connection
                    .execute(
                        "DELETE FROM stheno_login WHERE id IN
                         (SELECT id FROM stheno_login WHERE at < ?1 ORDER BY at LIMIT ?2)",
                        params![time::to_text(before), limit],
                    )
                    .map(|deleted| deleted as u64)
                    .map_err(fault)
            })
            .await
    }
}

fn entry(row: &Row<'_>) -> Result<LoginEntry, StoreError> {
    let text = |column| row.get::<_, String>(column).map_err(fault);
    let address: Option<String> = row.get(5).map_err(fault)?;
    let login = Login {
        at: time::from_text(&text(1)?).map_err(StoreError::internal)?,
        user_id: row.get(2).map_err(fault)?,
        kind: LoginKind::named(&text(3)?).map_err(StoreError::internal)?,
        outcome: LoginOutcome::named(&text(4)?).map_err(StoreError::internal)?,
        address: address.map(|text| text.parse()).transpose().map_err(StoreError::internal)?,
        attempts: row.get(6).map_err(fault)?,
    };
    Ok(LoginEntry { id: row.get(0).map_err(fault)?, login })
}
