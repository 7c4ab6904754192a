//! The runner of `migrations/<engine>/NNNN_name.sql`: each file once, in order, each in a transaction of its own.

/// A step of the schema.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Migration {
    pub(crate) version: i64,
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

macro_rules! migrations {
    ($folder:literal: $($version:literal $name:literal),+ $(,)?) => {
        &[$(Migration {
            version: $version,
            name: $name,
            sql: include_str!(concat!("../migrations/", $folder, "/", $name, ".sql")),
        }),+]
    };
}

pub(crate) const SQLITE: &[Migration] = migrations!("sqlite":
    1 "0001_medusa_tables",
    2 "0002_stheno_tables",
);

/// The text with which a database of a newer Stheno is refused.
pub(crate) fn newer_schema(found: i64) -> String {
    format!(
        "the database has schema version {found}, but this Stheno knows only up to {}: run the newer Stheno that \
         wrote it, or restore a backup from before the upgrade",
        SQLITE.last().map_or(0, |migration| migration.version)
    )
}
