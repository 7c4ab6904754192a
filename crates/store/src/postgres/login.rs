use deadpool_postgres::Transaction;
use futures::FutureExt as _;
use jiff::Timestamp;
use tokio_postgres::Row;

use super::additions::LOGINS;
use super::rows::Time;
use super::{Postgres, fault, limited, rights};
use crate::StoreError;
use crate::login::{Login, LoginEntry, LoginFilter, LoginKind, LoginOutcome};
use crate::sql::Parameter;

impl Postgres {
    pub(crate) async fn record_logins(&self, logins: Vec<Login>) -> Result<(), StoreError> {
        let record = self.pool.write(move |transaction| {
            async move {
                demand_table(transaction, &["INSERT"]).await?;
                let sql = "INSERT INTO stheno_login (at, user_id, kind, outcome, address, attempts)
                           VALUES ($1, $2, $3, $4, $5, $6)";
                let record = transaction.prepare_cached(sql).await.map_err(fault)?;
                for login in &logins {
                    let Login { at, user_id, kind, outcome, address, attempts } = login;
                    let user_id = user_id.clone().map(Parameter::Text);
                    let (kind, outcome) = (kind.as_str(), outcome.as_str());
                    transaction
                        .execute(
                            &record,
                            &[&Time(*at), &user_id, &kind, &outcome, address, &i64::from(*attempts)],
                        )
                        .await
                        .map_err(fault)?;
                }
                Ok(())
            }
            .boxed()
        });
        record.await
    }

    pub(crate) async fn logins(
        &self,
        filter: LoginFilter,
        limit: u32,
    ) -> Result<Vec<LoginEntry>, StoreError> {
        let mut client = self.pool.get().await?;
        let reading = client.transaction().await.map_err(fault)?;
        if !rights::has_own_table(&*reading, LOGINS, &["SELECT"]).await? {
            return Ok(Vec::new());
        }
        let user_id = filter.user_id.map(Parameter::Text);
        let sql = "SELECT id, at, user_id, kind, outcome, address, attempts FROM stheno_login
                   WHERE ($1::text IS NULL OR user_id = $1) AND ($2::timestamptz IS NULL OR at >= $2)
                   ORDER BY at DESC, id DESC LIMIT $3";
        let since = filter.since.map(Time);
        let rows = reading.query(sql, &[&user_id, &since, &i64::from(limit)]).await.map_err(fault)?;
        rows.iter().map(entry).collect()
    }

    pub(crate) async fn forget_logins(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let forget = self.pool.write(move |transaction| {
            async move {
                demand_table(transaction, &["SELECT", "DELETE"]).await?;
                // Another server may be at the same rows: who comes later finds them gone.
                let sql = "DELETE FROM stheno_login WHERE id IN
                           (SELECT id FROM stheno_login WHERE at < $1 ORDER BY at LIMIT $2)";
                transaction.execute(sql, &[&Time(before), &i64::from(limit)]).await.map_err(fault)
            }
            .boxed()
        });
        forget.await
    }
}

/// Refuses where there is no table for the audit trail, or none that may be used so. It is asked beforehand, since a
/// statement that fails for want of a table has the store doubt its other tables too.
async fn demand_table(transaction: &Transaction<'_>, rights: &[&str]) -> Result<(), StoreError> {
    match rights::has_own_table(&**transaction, LOGINS, rights).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(limited("the database has no table for the audit trail", None)),
        Err(StoreError::Limited { source, .. }) => {
            let reason = "the database user lacks rights on the table of the audit trail";
            Err(StoreError::Limited { reason, source })
        }
        Err(error) => Err(error),
    }
}

fn entry(row: &Row) -> Result<LoginEntry, StoreError> {
    let Time(at) = row.try_get(1).map_err(fault)?;
    let attempts: i64 = row.try_get(6).map_err(fault)?;
    let login = Login {
        at,
        user_id: row.try_get(2).map_err(fault)?,
        kind: LoginKind::named(row.try_get(3).map_err(fault)?).map_err(StoreError::internal)?,
        outcome: LoginOutcome::named(row.try_get(4).map_err(fault)?).map_err(StoreError::internal)?,
        address: row.try_get(5).map_err(fault)?,
        attempts: attempts.try_into().map_err(StoreError::internal)?,
    };
    Ok(LoginEntry { id: row.try_get(0).map_err(fault)?, login })
}
