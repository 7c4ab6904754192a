//! The keys and indexes of Medusa's tables in a database of Stheno's own, compared with the step that makes them: a restore
//! may have lost one, without which a name can be taken twice, or a list takes long.

use tokio_postgres::{GenericClient, Row};

use super::fault;
use crate::StoreError;
use crate::migrate::Migration;
use crate::schema::{Difference, Fault, Thing, ThingKind};

/// A key or an index as a step makes it.
struct Key {
    thing: Thing,
    /// What PostgreSQL prints too, but for signs and spaces.
    definition: String,
    /// The statement that makes it.
    statement: String,
}

/// What of the keys and indexes of a step is not there, or otherwise.
pub(super) async fn differences(
    client: &impl GenericClient,
    step: &Migration,
) -> Result<Vec<Difference>, StoreError> {
    let sql = "SELECT 'index', i.relname::text, c.relname::text,
                      replace(pg_get_indexdef(i.oid), ' ON ' || quote_ident(n.nspname) || '.', ' ON '), x.indisvalid
               FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
               JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE pg_table_is_visible(c.oid)
               UNION ALL
               SELECT 'constraint', o.conname::text, c.relname::text, pg_get_constraintdef(o.oid), o.convalidated
               FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid WHERE pg_table_is_visible(c.oid)";
    let rows = client.query(sql, &[]).await.map_err(fault)?;
    let found = rows.iter().map(found).collect::<Result<Vec<_>, _>>().map_err(fault)?;
    let differences = keys(step.sql).into_iter().filter_map(|Key { thing, definition, statement }| {
        let fault = match found.iter().find(|(found, ..)| *found == thing) {
            None => Fault::Missing,
            Some((_, present, _)) if words(present) != words(&definition) => {
                Fault::Changed("its definition".to_owned())
            }
            Some((.., false)) => Fault::Changed("it is not valid".to_owned()),
            Some(_) => return None,
        };
        let hindrance = format!(
            "the step that makes it was made, so it was lost: restore a backup, or make it by hand with {statement}"
        );
        Some(Difference { thing, fault, hindrance: Some(hindrance), loss: "" })
    });
    Ok(differences.collect())
}

fn found(row: &Row) -> Result<(Thing, String, bool), tokio_postgres::Error> {
    let kind = if row.try_get::<_, &str>(0)? == "index" { ThingKind::Index } else { ThingKind::Constraint };
    Ok((Thing::new(kind, row.try_get(1)?, Some(row.try_get(2)?)), row.try_get(3)?, row.try_get(4)?))
}

/// All that the statements of a step make in this way.
fn keys(sql: &str) -> Vec<Key> {
    let lines: Vec<&str> = sql.lines().filter(|line| !line.starts_with("--")).collect();
    let mut keys = Vec::new();
    for statement in lines.join(" ").split(';') {
        let statement = statement.split_whitespace().collect::<Vec<_>>().join(" ");
        let names = statement.split(' ').map(|word| word.trim_matches('"'));
        let mut names = names.skip_while(|word| !["INDEX", "TABLE"].contains(word)).skip(1);
        let Some(name) = names.next() else { continue };
        if statement.starts_with("CREATE INDEX") || statement.starts_with("CREATE UNIQUE INDEX") {
            let thing = Thing::new(ThingKind::Index, name, names.nth(1));
            keys.push(Key { thing, definition: statement.clone(), statement });
            continue;
        }
        // What is behind the last constraint closes the table.
        let constraints = statement.strip_suffix(" )").unwrap_or(&statement).split("CONSTRAINT \"").skip(1);
        for (constraint, definition) in constraints.filter_map(|text| text.split_once("\" ")) {
            let definition = definition.trim_end_matches([',', ' ']);
            keys.push(Key {
                thing: Thing::new(ThingKind::Constraint, constraint, Some(name)),
                definition: definition.to_owned(),
                statement: format!(
                    "ALTER TABLE {} ADD CONSTRAINT \"{constraint}\" {definition}",
                    crate::sql::quoted(name)
                ),
            });
        }
    }
    keys
}

/// The words of a definition, but for those that PostgreSQL alone writes.
fn words(definition: &str) -> Vec<&str> {
    let words = definition.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    words.filter(|word| !word.is_empty() && !["USING", "btree"].contains(word)).collect()
}
