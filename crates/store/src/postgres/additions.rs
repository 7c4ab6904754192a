//! All that Stheno adds to a database, in one list: how each addition is made, told from the catalog, and dropped.
//!
//! An addition is written as PostgreSQL itself prints it, so that what the catalog holds can be compared with it: a test
//! makes every one and reads it back. Tables come from the steps in `migrations/postgres`, as they hold data and so are
//! changed and never made anew. All others can be made again out of the tables at any time: an addition that is missing,
//! or otherwise than declared, is simply made. So a changed definition needs no step; one that is given up goes to
//! `GIVEN_UP`, by whose names too `stheno migrate --remove` goes: a shop may have made things of the prefix itself.
//!
//! To add one, put it behind those that it needs: an extension or a function before the indexes and triggers that use it.

mod check;
mod make;
#[cfg(test)]
mod tests;

pub(super) use self::check::{collate, differences, differences_within};
pub(super) use self::make::{Made, Maker, drop_all, made, make_within};
use crate::copy::MARK;
use crate::schema::{Thing, ThingKind};
use crate::sql::quoted;

/// One thing that Stheno adds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Addition {
    /// Begins with `stheno_`, unless it is an extension.
    pub(super) name: &'static str,
    /// What one goes without, where it is missing; empty, where nothing works without it.
    pub(super) loss: &'static str,
    pub(super) definition: Definition,
}

/// What an addition is. The texts are as PostgreSQL prints them.
#[derive(Debug, Clone, Copy)]
pub(super) enum Definition {
    /// One that the server has at hand. It is dropped only if Stheno has made it.
    Extension,
    /// A table that the steps make.
    Table {
        /// Names and types, all of them not null but those whose type ends with ` NULL`.
        columns: &'static [(&'static str, &'static str)],
    },
    Function(Function),
    Trigger(Trigger),
    Index(Index),
}

/// A function. Its arguments and what it returns stay as they are: for others, take another name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Function {
    pub(super) arguments: &'static str,
    pub(super) returns: &'static str,
    /// The language and all that follows: `LANGUAGE plpgsql SECURITY DEFINER`. `{schema}` is the schema of the tables.
    pub(super) attributes: &'static str,
    /// What stands between the quotes. `{schema}` is the schema of the tables.
    pub(super) body: &'static str,
}

/// A trigger.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trigger {
    /// `AFTER INSERT OR DELETE`
    pub(super) event: &'static str,
    pub(super) table: &'static str,
    /// `FOR EACH ROW EXECUTE FUNCTION stheno_count()`
    pub(super) action: &'static str,
}

/// An index.
#[derive(Debug, Clone, Copy)]
pub(super) struct Index {
    pub(super) table: &'static str,
    /// `btree`
    pub(super) method: &'static str,
    /// `created_at DESC, id{c}`: `{c}` orders a text by code points, where the database does not so by itself.
    pub(super) keys: &'static str,
    /// Of which rows, if not of all: `(deleted_at IS NULL)`
    pub(super) condition: Option<&'static str>,
}

const SLOWER_LISTS: &str = "lists in this order are slower";

/// An index of the rows that are not deleted, in the order of a list: rows with equal values come by id.
const fn in_order(name: &'static str, table: &'static str, keys: &'static str) -> Addition {
    let condition = Some("(deleted_at IS NULL)");
    let index = Index { table, method: "btree", keys, condition };
    Addition { name, loss: SLOWER_LISTS, definition: Definition::Index(index) }
}

const SLOWER_ENDS: &str = "tokens and sessions that have ended are found slower";
const SLOWER_TRAIL: &str = "logins are listed, and forgotten, slower";

/// An index of a table of Stheno's own.
const fn of_own_table(
    name: &'static str,
    table: &'static str,
    keys: &'static str,
    loss: &'static str,
) -> Addition {
    let index = Index { table, method: "btree", keys, condition: None };
    Addition { name, loss, definition: Definition::Index(index) }
}

const SLOWER_SEARCH: &str = "searching reads every customer and group that may match";

/// An index of the trigrams in texts, of the rows that are not deleted: it finds where a term of three letters or more may be.
const fn of_trigrams(name: &'static str, table: &'static str, keys: &'static str) -> Addition {
    let condition = Some("(deleted_at IS NULL)");
    let index = Index { table, method: "gin", keys, condition };
    Addition { name, loss: SLOWER_SEARCH, definition: Definition::Index(index) }
}

const SLOWER_COUNTS: &str =
    "lists take the longer the more rows they have, as these are counted for each page";

/// A function of triggers that count. They stand on Medusa's tables, so they pass over a table of Stheno's that is not there or
/// not as it was: `counts.rs` finds that out.
const fn counting_function(name: &'static str, body: &'static str) -> Addition {
    let attributes = "LANGUAGE plpgsql SECURITY DEFINER SET search_path TO '{schema}', 'pg_temp'";
    let function = Function { arguments: "", returns: "trigger", attributes, body };
    Addition { name, loss: SLOWER_COUNTS, definition: Definition::Function(function) }
}

/// A trigger that counts.
const fn counting_trigger(
    name: &'static str,
    event: &'static str,
    table: &'static str,
    action: &'static str,
) -> Addition {
    let trigger = Trigger { event, table, action };
    Addition { name, loss: SLOWER_COUNTS, definition: Definition::Trigger(trigger) }
}

/// What the list of steps is kept in: the first thing that Stheno makes.
pub(super) const LIST_OF_STEPS: &str = "stheno_migration";

/// What counts are kept in.
pub(super) const COUNTS: &str = "stheno_count";

/// What the audit trail is kept in: nothing else needs it.
pub(super) const LOGINS: &str = "stheno_login";

/// The list.
pub(super) const ADDITIONS: &[Addition] = &[
    Addition {
        name: LIST_OF_STEPS,
        loss: "the other tables of Stheno's are not made",
        definition: Definition::Table {
            columns: &[("version", "bigint"), ("name", "text"), ("applied_at", "timestamp with time zone")],
        },
    },
    Addition {
        name: "stheno_api_token",
        loss: "there are no API tokens of Stheno's: use Medusa's, or bearer tokens",
        definition: Definition::Table {
            columns: &[
                ("token_hash", "text"),
                ("user_id", "character varying"),
                ("created_at", "timestamp with time zone"),
            ],
        },
    },
    Addition {
        name: "stheno_session",
        loss: "no session can be opened here: use bearer tokens, or API tokens",
        definition: Definition::Table {
            columns: &[
                ("id_hash", "text"),
                ("user_id", "character varying"),
                ("expires_at", "timestamp with time zone"),
            ],
        },
    },
    Addition {
        name: "stheno_secret",
        loss: "no secret is kept: JWT_SECRET and COOKIE_SECRET must be given",
        definition: Definition::Table {
            columns: &[("name", "text"), ("value", "text"), ("created_at", "timestamp with time zone")],
        },
    },
    Addition {
        name: COUNTS,
        loss: SLOWER_COUNTS,
        definition: Definition::Table {
            columns: &[
                ("number", "bigint"),
                ("kind", "text"),
                ("subject", "text"),
                ("has_account", "boolean"),
                ("amount", "bigint"),
            ],
        },
    },
    Addition {
        name: LOGINS,
        loss: "there is no audit trail of logins",
        definition: Definition::Table {
            columns: &[
                ("id", "bigint"),
                ("at", "timestamp with time zone"),
                ("user_id", "character varying NULL"),
                ("kind", "text"),
                ("outcome", "text"),
                ("address", "inet NULL"),
                ("attempts", "bigint"),
            ],
        },
    },
    of_own_table("stheno_api_token_user_id", "stheno_api_token", "user_id", SLOWER_ENDS),
    of_own_table("stheno_session_expires_at", "stheno_session", "expires_at", SLOWER_ENDS),
    of_own_table("stheno_session_user_id", "stheno_session", "user_id", SLOWER_ENDS),
    of_own_table("stheno_login_at", LOGINS, "at", SLOWER_TRAIL),
    of_own_table("stheno_login_user_id", LOGINS, "user_id, at", SLOWER_TRAIL),
    in_order("stheno_customer_group_created_at", "customer_group", "created_at DESC, id{c}"),
    in_order("stheno_customer_group_updated_at", "customer_group", "updated_at DESC, id{c}"),
    in_order("stheno_customer_group_id", "customer_group", "id{c}"),
    in_order("stheno_customer_group_by_name", "customer_group", "name{c}, id{c}"),
    in_order("stheno_customer_created_at", "customer", "created_at DESC, id{c}"),
    in_order("stheno_customer_updated_at", "customer", "updated_at DESC, id{c}"),
    in_order("stheno_customer_id", "customer", "id{c}"),
    in_order("stheno_customer_email", "customer", "email{c}, id{c}"),
    in_order("stheno_customer_first_name", "customer", "first_name{c}, id{c}"),
    in_order("stheno_customer_last_name", "customer", "last_name{c}, id{c}"),
    in_order("stheno_customer_has_account", "customer", "has_account, id{c}"),
    in_order("stheno_customer_has_account_created_at", "customer", "has_account, created_at DESC, id{c}"),
    Addition {
        name: "stheno_members_id",
        loss: SLOWER_LISTS,
        definition: Definition::Index(Index {
            table: "customer_group_customers",
            method: "btree",
            keys: "customer_group_id, customer_id{c}",
            condition: None,
        }),
    },
    Addition { name: "pg_trgm", loss: SLOWER_SEARCH, definition: Definition::Extension },
    of_trigrams("stheno_customer_group_search", "customer_group", "name gin_trgm_ops"),
    // Each of the texts that are searched, and both names as one.
    of_trigrams(
        "stheno_customer_search",
        "customer",
        "email gin_trgm_ops, first_name gin_trgm_ops, last_name gin_trgm_ops, \
         ((((first_name)::text || ' '::text) || (last_name)::text)) gin_trgm_ops",
    ),
    Addition {
        name: "stheno_user_api_token",
        loss: "Medusa's API tokens are found slower",
        definition: Definition::Index(Index {
            table: "user",
            method: "btree",
            keys: "api_token",
            condition: Some("(api_token IS NOT NULL)"),
        }),
    },
    Addition {
        name: "stheno_count_subject",
        loss: SLOWER_COUNTS,
        definition: Definition::Index(Index {
            table: COUNTS,
            method: "btree",
            keys: "kind, subject, has_account",
            condition: None,
        }),
    },
    counting_function("stheno_count_members", include_str!("counts/count_members.sql")),
    counting_function("stheno_count_customers", include_str!("counts/count_customers.sql")),
    counting_function("stheno_count_customer", include_str!("counts/count_customer.sql")),
    counting_function("stheno_count_groups", include_str!("counts/count_groups.sql")),
    counting_function("stheno_doubt_counts", include_str!("counts/doubt_counts.sql")),
    counting_trigger(
        "stheno_members_added",
        "AFTER INSERT",
        "customer_group_customers",
        "REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION stheno_count_members()",
    ),
    counting_trigger(
        "stheno_members_removed",
        "AFTER DELETE",
        "customer_group_customers",
        "REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION stheno_count_members()",
    ),
    counting_trigger(
        "stheno_members_changed",
        "AFTER UPDATE",
        "customer_group_customers",
        "REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION stheno_count_members()",
    ),
    counting_trigger(
        "stheno_members_emptied",
        "AFTER TRUNCATE",
        "customer_group_customers",
        "FOR EACH STATEMENT EXECUTE FUNCTION stheno_doubt_counts()",
    ),
    counting_trigger(
        "stheno_customers_added",
        "AFTER INSERT",
        "customer",
        "REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION stheno_count_customers()",
    ),
    counting_trigger(
        "stheno_customers_removed",
        "AFTER DELETE",
        "customer",
        "REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION stheno_count_customers()",
    ),
    counting_trigger(
        "stheno_customer_changed",
        "AFTER UPDATE",
        "customer",
        "FOR EACH ROW EXECUTE FUNCTION stheno_count_customer()",
    ),
    counting_trigger(
        "stheno_customer_removed",
        "BEFORE DELETE",
        "customer",
        "FOR EACH ROW EXECUTE FUNCTION stheno_count_customer()",
    ),
    counting_trigger(
        "stheno_customers_emptied",
        "AFTER TRUNCATE",
        "customer",
        "FOR EACH STATEMENT EXECUTE FUNCTION stheno_doubt_counts()",
    ),
    counting_trigger(
        "stheno_groups_added",
        "AFTER INSERT",
        "customer_group",
        "REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION stheno_count_groups()",
    ),
    counting_trigger(
        "stheno_groups_removed",
        "AFTER DELETE",
        "customer_group",
        "REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION stheno_count_groups()",
    ),
    counting_trigger(
        "stheno_groups_changed",
        "AFTER UPDATE",
        "customer_group",
        "REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION stheno_count_groups()",
    ),
    counting_trigger(
        "stheno_groups_emptied",
        "AFTER TRUNCATE",
        "customer_group",
        "FOR EACH STATEMENT EXECUTE FUNCTION stheno_doubt_counts()",
    ),
];

/// Additions that a database goes without that by itself orders texts by code points: Medusa's own keys do there.
const OF_OTHER_LOCALES: [&str; 5] = [
    "stheno_customer_group_id",
    "stheno_customer_group_by_name",
    "stheno_customer_id",
    "stheno_customer_email",
    "stheno_members_id",
];

/// What was once declared, or is there for a time alone: dropped where it is found, and not made.
pub(super) const GIVEN_UP: &[(ThingKind, &str)] = &[(ThingKind::Table, MARK)];

impl Addition {
    pub(super) fn thing(&self) -> Thing {
        let (kind, table) = match self.definition {
            Definition::Extension => (ThingKind::Extension, None),
            Definition::Table { .. } => (ThingKind::Table, None),
            Definition::Function(_) => (ThingKind::Function, None),
            Definition::Trigger(Trigger { table, .. }) => (ThingKind::Trigger, Some(table)),
            Definition::Index(Index { table, .. }) => (ThingKind::Index, Some(table)),
        };
        Thing::new(kind, self.name, table)
    }

    /// Whether counts are not to be trusted if it is missing.
    pub(super) fn counts(&self) -> bool {
        self.loss == SLOWER_COUNTS && !matches!(self.definition, Definition::Index(_))
    }

    /// Whether a database whose texts are told `collate` to be ordered by code points has it.
    fn is_for(&self, collate: &str) -> bool {
        !collate.is_empty() || !OF_OTHER_LOCALES.contains(&self.name)
    }

    pub(super) fn is_table(&self) -> bool {
        matches!(self.definition, Definition::Table { .. })
    }
}

impl Function {
    /// All up to the body, in one line, as PostgreSQL prints it but for spaces.
    fn head(&self, name: &str, schema: &str) -> String {
        let Self { arguments, returns, attributes, .. } = self;
        let schema = quoted_if_needed(schema);
        let attributes = attributes.replace("{schema}", &schema);
        format!("CREATE OR REPLACE FUNCTION {schema}.{name}({arguments}) RETURNS {returns} {attributes} AS")
    }

    fn body(&self, schema: &str) -> String {
        self.body.replace("{schema}", &quoted_if_needed(schema))
    }

    fn create(&self, name: &str, schema: &str) -> String {
        format!("{} $stheno${}$stheno$", self.head(name, schema), self.body(schema))
    }
}

impl Trigger {
    fn create(&self, name: &str) -> String {
        let Self { event, table, action } = self;
        format!("CREATE TRIGGER {name} {event} ON {} {action}", quoted(table))
    }
}

impl Index {
    /// What PostgreSQL prints behind the name of the table. `collate` is what orders a text by code points.
    fn tail(&self, collate: &str) -> String {
        let Self { method, keys, condition, .. } = self;
        let keys = keys.replace("{c}", collate);
        let condition = condition.map_or_else(String::new, |condition| format!(" WHERE {condition}"));
        format!(" USING {method} ({keys}){condition}")
    }

    /// `how` is ` CONCURRENTLY`, where others write meanwhile.
    fn create(&self, name: &str, how: &str, collate: &str) -> String {
        format!("CREATE INDEX{how} {name} ON {}{}", quoted(self.table), self.tail(collate))
    }
}

/// A name as PostgreSQL prints it, which quotes only what it must.
fn quoted_if_needed(name: &str) -> String {
    let is_plain = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if is_plain { name.to_owned() } else { quoted(name) }
}
