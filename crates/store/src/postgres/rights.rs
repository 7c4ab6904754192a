//! What the database user may do, and what it must be able to do.

use tokio_postgres::GenericClient;

use super::fault;
use super::schema::Situation;
use crate::StoreError;
use crate::entity::Table;

/// What is done to Medusa's tables; to all others of them than these, reading. Users are made by the command line alone.
const NEEDED: [(Table, &[&str]); 4] = [
    (Table::CustomerGroup, &["SELECT", "INSERT", "UPDATE", "DELETE"]),
    // A membership is locked before it is removed, which is a right to update it.
    (Table::CustomerGroupCustomers, &["SELECT", "INSERT", "UPDATE", "DELETE"]),
    (Table::Customer, &["SELECT", "INSERT", "UPDATE"]),
    (Table::User, &["SELECT"]),
];

/// What is done to the tables of Stheno's own.
const NEEDED_OF_OWN: [(&str, &[&str]); 3] = [
    ("stheno_api_token", &["SELECT", "INSERT"]),
    ("stheno_session", &["SELECT", "INSERT", "DELETE"]),
    ("stheno_secret", &["SELECT", "INSERT"]),
];

/// Refuses a user who may not read and write Medusa's tables.
pub(super) async fn demand(client: &impl GenericClient, situation: &Situation) -> Result<(), StoreError> {
    let needed = Table::ALL.iter().map(|table| {
        let rights =
            NEEDED.iter().find(|(named, _)| named == table).map_or(&["SELECT"][..], |(_, rights)| rights);
        (table.name(), rights)
    });
    match lacking(client, needed).await? {
        lacking if lacking.is_empty() => Ok(()),
        lacking => Err(StoreError::Schema(format!(
            "the database user {} lacks rights that a server needs: {}",
            situation.user,
            grants(&lacking, &situation.user)
        ))),
    }
}

/// Why the tables of Stheno's own cannot be used; none, if they can.
pub(super) async fn hindrance_of_own_tables(
    client: &impl GenericClient,
    situation: &Situation,
) -> Result<Option<String>, StoreError> {
    let lacking = lacking(client, NEEDED_OF_OWN.into_iter()).await?;
    if lacking.is_empty() {
        return Ok(None);
    }
    let Situation { user, .. } = situation;
    Ok(Some(format!("{user} lacks rights on them: {}", grants(&lacking, user))))
}

/// Whether there is a table of Stheno's own, looked at now: whoever says that something good for signing in is gone must
/// not have passed over a table that another server honours.
///
/// # Errors
/// [`StoreError::Limited`] if it is there, and the user lacks one of these rights on it.
pub(super) async fn has_own_table(
    client: &impl GenericClient,
    table: &str,
    rights: &[&str],
) -> Result<bool, StoreError> {
    let sql = "SELECT to_regclass(quote_ident($1)) IS NOT NULL, current_user::text";
    let row = client.query_one(sql, &[&table]).await.map_err(fault)?;
    if !row.try_get::<_, bool>(0).map_err(fault)? {
        return Ok(false);
    }
    let lacking = lacking(client, [(table, rights)].into_iter()).await?;
    if lacking.is_empty() {
        return Ok(true);
    }
    let user: &str = row.try_get(1).map_err(fault)?;
    let reason = "the database user lacks rights on a table that other servers let users in by";
    Err(StoreError::Limited { reason, source: Some(grants(&lacking, user).into()) })
}

/// The rights that the user does not have, table by table. A table that is not there lacks none.
async fn lacking<'a>(
    client: &impl GenericClient,
    needed: impl Iterator<Item = (&'a str, &'a [&'a str])>,
) -> Result<Vec<(String, String)>, StoreError> {
    let (tables, rights): (Vec<&str>, Vec<&str>) =
        needed.flat_map(|(table, rights)| rights.iter().map(move |right| (table, *right))).unzip();
    let sql = "SELECT n.name, string_agg(n.privilege, ', ' ORDER BY n.number)
               FROM unnest($1::text[], $2::text[]) WITH ORDINALITY n (name, privilege, number)
               WHERE NOT has_table_privilege(to_regclass(quote_ident(n.name)), n.privilege)
               GROUP BY n.name ORDER BY min(n.number)";
    let rows = client.query(sql, &[&tables, &rights]).await.map_err(fault)?;
    let read = |row: &tokio_postgres::Row| Ok((row.try_get(0)?, row.try_get(1)?));
    rows.iter().map(read).collect::<Result<_, _>>().map_err(fault)
}

/// Statements that give what is lacking.
fn grants(lacking: &[(String, String)], user: &str) -> String {
    let grant = |(table, rights): &(String, String)| {
        let table = if table == Table::User.name() { "\"user\"" } else { table };
        format!("GRANT {rights} ON {table} TO {user}")
    };
    lacking.iter().map(grant).collect::<Vec<_>>().join("; ")
}
