//! What of the additions is not in the catalog as it is declared, and what hinders from making it so.

use std::collections::HashMap;

use tokio_postgres::types::ToSql;
use tokio_postgres::{GenericClient, Row, SimpleQueryMessage, Statement};

use super::{Addition, Definition, Function, Index, Trigger};
use crate::StoreError;
use crate::postgres::fault;
use crate::postgres::pool::Pool;
use crate::schema::{Difference, Fault};

/// All that is not as it should be, in the order in which it is to be made.
pub(in crate::postgres) async fn differences(
    pool: &Pool,
    additions: &[Addition],
) -> Result<Vec<Difference>, StoreError> {
    let mut client = pool.get().await?;
    let reading = client.transaction().await.map_err(fault)?;
    differences_within(&*reading, additions).await
}

/// As [`differences`], within a transaction.
pub(in crate::postgres) async fn differences_within(
    client: &impl GenericClient,
    additions: &[Addition],
) -> Result<Vec<Difference>, StoreError> {
    let mut catalog = Catalog::read(client).await?;
    let mut differences = Vec::new();
    for addition in additions {
        if let Some(fault) = catalog.fault_of(addition).await? {
            let hindrance = catalog.hindrance(addition, &fault).await?;
            differences.push(Difference { thing: addition.thing(), fault, hindrance, loss: addition.loss });
        }
    }
    Ok(differences)
}

/// What is wrong with one addition, if anything.
pub(super) async fn fault_of(pool: &Pool, addition: &Addition) -> Result<Option<Fault>, StoreError> {
    let mut client = pool.get().await?;
    let reading = client.transaction().await.map_err(fault)?;
    Catalog::read(&*reading).await?.fault_of(addition).await
}

/// What orders a text by code points in this database.
pub(in crate::postgres) async fn collate(
    client: &impl GenericClient,
) -> Result<&'static str, tokio_postgres::Error> {
    let sql = "SELECT 1 FROM pg_database WHERE datname = current_database() AND datlocprovider = 'c'
                 AND datcollate IN ('C', 'POSIX', 'C.UTF-8', 'C.utf8')";
    let answer = client.simple_query(sql).await?;
    let is_so_by_itself = answer.iter().any(|message| matches!(message, SimpleQueryMessage::Row(_)));
    Ok(if is_so_by_itself { "" } else { " COLLATE \"C\"" })
}

/// PostgreSQL's catalog, asked about the schema of the tables.
struct Catalog<'a, C> {
    client: &'a C,
    schema: String,
    user: String,
    collate: &'static str,
    /// What is asked for each of many things.
    statements: HashMap<&'static str, Statement>,
}

impl<'a, C: GenericClient> Catalog<'a, C> {
    async fn read(client: &'a C) -> Result<Self, StoreError> {
        let sql = "SELECT current_schema()::text, current_user::text";
        let row = client.query_one(sql, &[]).await.map_err(fault)?;
        let schema: Option<String> = row.try_get(0).map_err(fault)?;
        let (schema, user) = (schema.unwrap_or_default(), row.try_get(1).map_err(fault)?);
        let collate = collate(client).await.map_err(fault)?;
        Ok(Self { client, schema, user, collate, statements: HashMap::new() })
    }

    async fn fault_of(&mut self, addition: &Addition) -> Result<Option<Fault>, StoreError> {
        let name = addition.name;
        if !addition.is_for(self.collate) {
            return Ok(None);
        }
        match &addition.definition {
            Definition::Extension => {
                let sql = "SELECT 1 FROM pg_extension WHERE extname = $1";
                let row = self.row(sql, &[&name]).await?;
                Ok(if row.is_none() { Some(Fault::Missing) } else { None })
            }
            Definition::Table { columns } => self.fault_of_table(name, columns).await,
            Definition::Function(function) => self.fault_of_function(name, function).await,
            Definition::Trigger(trigger) => self.fault_of_trigger(name, trigger).await,
            Definition::Index(index) => self.fault_of_index(name, index).await,
        }
    }

    async fn fault_of_table(
        &mut self,
        name: &str,
        columns: &[(&str, &str)],
    ) -> Result<Option<Fault>, StoreError> {
        let sql = "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull
                   FROM pg_attribute a WHERE a.attrelid = to_regclass(quote_ident($1))
                     AND a.attnum > 0 AND NOT a.attisdropped";
        let rows = self.rows(sql, &[&name]).await?;
        if rows.is_empty() {
            return Ok(Some(Fault::Missing));
        }
        for (column, kind) in columns {
            let found = rows.iter().find(|row| row.try_get(0).is_ok_and(|name: &str| name == *column));
            let Some(found) = found else {
                return Ok(Some(Fault::Changed(format!("it has no column {column}"))));
            };
            let present: &str = found.try_get(1).map_err(fault)?;
            let nullable = kind.strip_suffix(" NULL");
            let kind = nullable.unwrap_or(kind);
            if present != kind {
                return Ok(Some(Fault::Changed(format!("{column} is {present}, not {kind}"))));
            }
            let may_be_null = !found.try_get::<_, bool>(2).map_err(fault)?;
            if may_be_null != nullable.is_some() {
                let may = if may_be_null { "may" } else { "may not" };
                return Ok(Some(Fault::Changed(format!("{column} {may} be null"))));
            }
        }
        // Without its key, one secret would be made twice.
        let sql = "SELECT pg_get_constraintdef(oid) FROM pg_constraint
                   WHERE conrelid = to_regclass(quote_ident($1)) AND contype = 'p'";
        let key = self.row(sql, &[&name]).await?;
        let key = key.map(|row| row.try_get::<_, String>(0)).transpose().map_err(fault)?;
        let expected = columns.first().map(|(first, _)| format!("PRIMARY KEY ({first})"));
        Ok(if key == expected { None } else { Some(Fault::Changed("its primary key".to_owned())) })
    }

    async fn fault_of_function(
        &mut self,
        name: &str,
        function: &Function,
    ) -> Result<Option<Fault>, StoreError> {
        let sql = "SELECT p.prosrc, pg_get_functiondef(p.oid) FROM pg_proc p
                   JOIN pg_namespace n ON n.oid = p.pronamespace
                   WHERE p.proname = $1 AND n.nspname = $2 AND pg_get_function_identity_arguments(p.oid) = $3";
        let schema = self.schema.clone();
        let Some(row) = self.row(sql, &[&name, &schema, &function.arguments]).await? else {
            return Ok(Some(Fault::Missing));
        };
        if row.try_get::<_, &str>(0).map_err(fault)? != function.body(&self.schema) {
            return Ok(Some(Fault::Changed("its body".to_owned())));
        }
        let printed: &str = row.try_get(1).map_err(fault)?;
        let head = printed.split("$function$").next().unwrap_or_default();
        let head = head.split_whitespace().collect::<Vec<_>>().join(" ");
        let same = head == function.head(name, &self.schema);
        Ok(if same { None } else { Some(Fault::Changed("its attributes".to_owned())) })
    }

    async fn fault_of_trigger(&mut self, name: &str, trigger: &Trigger) -> Result<Option<Fault>, StoreError> {
        let sql = "SELECT tgenabled::text, pg_get_triggerdef(oid, true) FROM pg_trigger
                   WHERE tgname = $1 AND tgrelid = to_regclass(quote_ident($2)) AND NOT tgisinternal";
        let Some(row) = self.row(sql, &[&name, &trigger.table]).await? else {
            return Ok(Some(Fault::Missing));
        };
        if row.try_get::<_, &str>(0).map_err(fault)? != "O" {
            return Ok(Some(Fault::Changed("it is disabled".to_owned())));
        }
        // Whether PostgreSQL quotes the name of a table, and names its schema, depends on more than the trigger.
        let plain = |text: &str| text.replace('"', "").replace(&format!("{}.", self.schema), "");
        let same = plain(row.try_get(1).map_err(fault)?) == plain(&trigger.create(name));
        Ok(if same { None } else { Some(Fault::Changed("its definition".to_owned())) })
    }

    async fn fault_of_index(&mut self, name: &str, index: &Index) -> Result<Option<Fault>, StoreError> {
        let sql = "SELECT x.indisvalid AND x.indisready, c.relname = $2, x.indisunique,
                          coalesce(pg_get_indexdef(x.indexrelid), '')
                   FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid
                   WHERE x.indexrelid = to_regclass(quote_ident($1))";
        let Some(row) = self.row(sql, &[&name, &index.table]).await? else {
            return Ok(Some(Fault::Missing));
        };
        let flag = |number: usize| row.try_get::<_, bool>(number).map_err(fault);
        let (is_valid, on_table, is_unique) = (flag(0)?, flag(1)?, flag(2)?);
        let printed: &str = row.try_get(3).map_err(fault)?;
        Ok(if !on_table || is_unique || !printed.ends_with(&index.tail(self.collate)) {
            Some(Fault::Changed("its definition".to_owned()))
        } else if !is_valid {
            Some(Fault::Invalid)
        } else {
            None
        })
    }

    /// Why the fault cannot be mended, by this user or at all.
    async fn hindrance(&self, addition: &Addition, fault: &Fault) -> Result<Option<String>, StoreError> {
        let Self { schema, user, .. } = self;
        let may_create = "has_schema_privilege($1, 'CREATE')";
        let needs_create = format!(
            "{user} may not create anything in the schema {schema}: GRANT CREATE ON SCHEMA {schema} TO {user}"
        );
        Ok(match &addition.definition {
            Definition::Table { .. } if matches!(fault, Fault::Changed(_)) => Some(
                "it holds data, so it is not made anew: restore it, or drop it and run `stheno migrate`"
                    .to_owned(),
            ),
            Definition::Table { .. } => (!self.ask(may_create, &[schema]).await?).then_some(needs_create),
            Definition::Function(_) => {
                let owns = "NOT EXISTS (SELECT 1 FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                            WHERE n.nspname = $1 AND p.proname = $2 AND NOT pg_has_role(p.proowner, 'USAGE'))";
                if !self.ask(may_create, &[schema]).await? {
                    Some(needs_create)
                } else if !self.ask(owns, &[schema, addition.name]).await? {
                    Some(format!("it does not belong to {user}"))
                } else {
                    None
                }
            }
            Definition::Trigger(Trigger { table, .. }) => {
                let may = "coalesce(has_table_privilege(to_regclass(quote_ident($1)), 'TRIGGER'), true)";
                let missing = *fault == Fault::Missing;
                if missing && !self.ask(may, &[table]).await? {
                    Some(format!(
                        "{user} may not make triggers on the table {table}: GRANT TRIGGER ON {table} TO {user}"
                    ))
                } else if !missing && !self.owns(table).await? {
                    Some(format!("the table {table} does not belong to {user}"))
                } else {
                    None
                }
            }
            Definition::Index(Index { table, .. }) => {
                if !self.owns(table).await? {
                    Some(format!("the table {table} does not belong to {user}"))
                } else if !self.ask(may_create, &[schema]).await? {
                    Some(needs_create)
                } else {
                    None
                }
            }
            Definition::Extension => {
                let name = addition.name;
                let known = "EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = $1)";
                let may = "(SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
                           OR has_database_privilege(current_database(), 'CREATE')
                              AND EXISTS (SELECT 1 FROM pg_available_extension_versions
                                          WHERE name = $1 AND trusted)";
                if !self.ask(known, &[name]).await? {
                    Some("the server does not have it".to_owned())
                } else if !self.ask(may, &[name]).await? {
                    Some(format!("{user} may not install it"))
                } else {
                    None
                }
            }
        })
    }

    /// Whether a table belongs to the user, or is yet to be made.
    async fn owns(&self, table: &str) -> Result<bool, StoreError> {
        let owns = "coalesce((SELECT pg_has_role(relowner, 'USAGE') FROM pg_class
                              WHERE oid = to_regclass(quote_ident($1))), true)";
        self.ask(owns, &[table]).await
    }

    async fn rows(
        &mut self,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        let statement = match self.statements.get(sql) {
            Some(prepared) => prepared.clone(),
            None => {
                let prepared = self.client.prepare(sql).await.map_err(fault)?;
                self.statements.insert(sql, prepared.clone());
                prepared
            }
        };
        self.client.query(&statement, parameters).await.map_err(fault)
    }

    async fn row(
        &mut self,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, parameters).await?.pop())
    }

    async fn ask(&self, condition: &str, texts: &[&str]) -> Result<bool, StoreError> {
        let sql = format!("SELECT {}", condition_of_texts(condition, texts.len()));
        let texts: Vec<_> = texts.iter().map(|text| text as _).collect();
        let row = self.client.query_one(&sql, &texts).await.map_err(fault)?;
        row.try_get(0).map_err(fault)
    }
}

/// A condition whose parameters are texts, whatever they are compared with.
fn condition_of_texts(condition: &str, parameters: usize) -> String {
    (1..=parameters).fold(condition.to_owned(), |condition, number| {
        condition.replace(&format!("${number}"), &format!("${number}::text"))
    })
}
