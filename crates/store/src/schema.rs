//! What Stheno makes in a database, apart from the data: how it is made, checked, mended and dropped.

use std::fmt;
use std::sync::Arc;

use crate::postgres::{self, PostgresSchema};
use crate::sqlite::SqliteSchema;
use crate::{StoreError, StoreOptions};

/// What a thing in a database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ThingKind {
    /// An extension of PostgreSQL.
    Extension,
    /// A type, as Medusa's enums are.
    Type,
    /// A table, with its constraints.
    Table,
    /// A key of a table, or what else its rows must be.
    Constraint,
    /// A function.
    Function,
    /// A trigger on a table.
    Trigger,
    /// An index of a table.
    Index,
}

impl fmt::Display for ThingKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Extension => "extension",
            Self::Type => "type",
            Self::Table => "table",
            Self::Constraint => "constraint",
            Self::Function => "function",
            Self::Trigger => "trigger",
            Self::Index => "index",
        })
    }
}

/// A thing that Stheno makes in a database.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Thing {
    /// What it is.
    pub kind: ThingKind,
    /// Its name.
    pub name: String,
    /// The table that it is on, if it is a trigger or an index.
    pub table: Option<String>,
}

impl Thing {
    pub(crate) fn new(kind: ThingKind, name: &str, table: Option<&str>) -> Self {
        Self { kind, name: name.to_owned(), table: table.map(str::to_owned) }
    }
}

/// `index stheno_customer_created_at on customer`
impl fmt::Display for Thing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.kind, self.name)?;
        match &self.table {
            Some(table) => write!(formatter, " on {table}"),
            None => Ok(()),
        }
    }
}

/// Why a thing is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It is not there.
    Missing,
    /// It is an index whose building failed, so that PostgreSQL does not use it.
    Invalid,
    /// It is otherwise than this Stheno makes it; the text says in what.
    Changed(String),
}

/// A thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What it is about.
    pub thing: Thing,
    /// What is wrong with it.
    pub fault: Fault,
    /// Why it cannot be mended as things are, and what to do about that.
    pub hindrance: Option<String>,
    /// What one goes without as long as it is so; empty, where nothing works without it.
    pub loss: &'static str,
}

/// How work on the schema goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// Another process changes the schema, and is waited for.
    Waiting,
    /// A thing is begun that may take long.
    Making(Thing),
    /// A thing is made.
    Made(Thing),
    /// A thing is dropped.
    Dropped(Thing),
}

/// Hears how work on the schema goes on.
pub type Listener<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// Whose database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Owner {
    /// It is empty, or not there yet.
    Nobody,
    /// It is Stheno's own: Medusa's tables in it were made by Stheno.
    Stheno,
    /// It is a Medusa v1's, whose tables are left as they are.
    Medusa,
}

/// The schema of a database, which need not be such that a [`Store`](crate::Store) could be opened on it.
#[derive(Debug, Clone)]
pub struct Schema {
    engine: Engine,
}

#[derive(Debug, Clone)]
enum Engine {
    Sqlite(Arc<SqliteSchema>),
    Postgres(Arc<PostgresSchema>),
}

/// Forwards a call to the engine, and waits for its answer.
macro_rules! forward {
    ($schema:ident.$method:ident($($argument:expr),*)) => {
        match &$schema.engine {
            Engine::Sqlite(engine) => engine.$method($($argument),*).await,
            Engine::Postgres(engine) => engine.$method($($argument),*).await,
        }
    };
}

impl Schema {
    /// Connects to the database at `url`, and changes nothing. The URL is that of [`Store::open`](crate::Store::open).
    ///
    /// # Errors
    /// If the URL is of no known kind, or the database cannot be used.
    pub async fn connect(url: &str, options: StoreOptions) -> Result<Self, StoreError> {
        if postgres::is_url(url) {
            let schema = PostgresSchema::connect(url, options).await?;
            return Ok(Self { engine: Engine::Postgres(Arc::new(schema)) });
        }
        let schema = SqliteSchema::new(url, options)?;
        Ok(Self { engine: Engine::Sqlite(Arc::new(schema)) })
    }

    /// Whose database it is.
    ///
    /// # Errors
    /// [`StoreError::Schema`] if it is another program's, or one that Stheno cannot work with.
    pub async fn owner(&self) -> Result<Owner, StoreError> {
        forward!(self.owner())
    }

    /// All that is not as this Stheno makes it, in the order in which it would be made. An empty list is a database that
    /// is up to date and whole.
    ///
    /// # Errors
    /// As [`Schema::owner`], and if a newer Stheno wrote it.
    pub async fn differences(&self) -> Result<Vec<Difference>, StoreError> {
        forward!(self.differences())
    }

    /// Makes what is missing, and makes anew what is invalid or changed, but for tables that hold data. Of several
    /// processes that do so at once, one does the work. Answers what could not be made.
    ///
    /// # Errors
    /// As [`Schema::differences`].
    pub async fn migrate(&self, listener: Listener<'_>) -> Result<Vec<Difference>, StoreError> {
        forward!(self.migrate(listener))
    }

    /// All that Stheno has made in the database, but for the tables that hold the shop's data.
    ///
    /// # Errors
    /// Those of the database; on SQLite, whose file is Stheno's as a whole, always.
    pub async fn made(&self) -> Result<Vec<Thing>, StoreError> {
        forward!(self.made())
    }

    /// Drops what [`Schema::made`] answers, and nothing else.
    ///
    /// # Errors
    /// As [`Schema::made`].
    pub async fn remove(&self, listener: Listener<'_>) -> Result<(), StoreError> {
        forward!(self.remove(listener))
    }

    /// Closes the connections.
    pub async fn close(&self) {
        if let Engine::Postgres(engine) = &self.engine {
            engine.close().await;
        }
    }
}
