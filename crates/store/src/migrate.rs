//! The steps that make tables: `migrations/<engine>/NNNN_name.sql`, each file once, in order. Tables hold data, so they
//! are changed step by step; what can be made again out of them at any time is declared in `postgres/additions.rs`.

use crate::schema::{Thing, ThingKind};

/// A step of the schema.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Migration {
    pub(crate) version: i64,
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
    /// Whether it is made on a Medusa's database too: it touches nothing but tables of Stheno's own, and can run again.
    pub(crate) beside_medusa: bool,
}

macro_rules! migrations {
    ($folder:literal: $($version:literal $name:literal $(beside $medusa:ident)?),+ $(,)?) => {
        &[$(Migration {
            version: $version,
            name: $name,
            beside_medusa: migrations!(@ $($medusa)?),
            sql: include_str!(concat!("../migrations/", $folder, "/", $name, ".sql")),
        }),+]
    };
    (@ Medusa) => { true };
    (@) => { false };
}

pub(crate) const SQLITE: &[Migration] = migrations!("sqlite":
    1 "0001_medusa_tables",
    2 "0002_stheno_tables",
    3 "0003_stheno_counts",
    4 "0004_stheno_orders",
    5 "0005_stheno_search",
    6 "0006_stheno_logins",
);

pub(crate) const POSTGRES: &[Migration] = migrations!("postgres":
    1 "0001_medusa_tables",
    2 "0002_stheno_tables" beside Medusa,
    3 "0003_stheno_counts" beside Medusa,
    4 "0004_stheno_logins" beside Medusa,
);

impl Migration {
    /// What the step makes, as its statements say.
    pub(crate) fn things(&self) -> impl Iterator<Item = Thing> {
        self.sql.lines().filter_map(|line| {
            let line = line.replace(" IF NOT EXISTS", "").replace(" UNIQUE", "");
            let mut words = line.split_whitespace().map(|word| word.trim_matches('"'));
            let made = (words.next()?, words.next()?, words.next()?);
            let thing = match made {
                ("CREATE", "TYPE", name) => Thing::new(ThingKind::Type, name, None),
                ("CREATE", "TABLE", name) => Thing::new(ThingKind::Table, name, None),
                ("CREATE", "INDEX", name) => Thing::new(ThingKind::Index, name, words.nth(1)),
                _ => return None,
            };
            Some(thing)
        })
    }
}

/// The step with which the last of `migrations` is reached.
pub(crate) fn last_version(migrations: &[Migration]) -> i64 {
    migrations.last().map_or(0, |migration| migration.version)
}

/// The text with which a database of a newer Stheno is refused.
pub(crate) fn newer_schema(found: i64, migrations: &[Migration]) -> String {
    format!(
        "the database has schema version {found}, but this Stheno knows only up to {}: run the newer Stheno that \
         wrote it, or restore a backup from before the upgrade",
        last_version(migrations)
    )
}

/// The text with which a database is refused that is to be brought up to date first.
pub(crate) fn out_of_date(missing: &str) -> String {
    format!("the database is not up to date, as it has no {missing}: run `stheno migrate`")
}
