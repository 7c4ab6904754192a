//! The runner of `migrations/<engine>/NNNN_name.sql`: each file once, in order, each in a transaction of its own.

/// A step of the schema.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Migration {
    pub(crate) version: i64,
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
    /// Whether it is made on a Medusa's database too, as it makes only what is Stheno's and blocks nobody's writes.
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
);

pub(crate) const POSTGRES: &[Migration] = migrations!("postgres":
    1 "0001_medusa_tables",
    2 "0002_stheno_tables" beside Medusa,
    3 "0003_stheno_indexes",
);

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
