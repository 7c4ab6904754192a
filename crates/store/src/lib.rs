//! Everything in Stheno that knows SQL.
//!
//! A [`Store`] holds a shop's customer groups, customers and users in the tables of Medusa v1. Each of its methods is
//! one unit of work: a transaction that is done whole or not at all, or a read out of one snapshot. Rows leave it as
//! [`JsonText`], the very text that Medusa would answer; what is not there is `None`, and no error.
//!
//! ```
//! # #[tokio::main(flavor = "multi_thread")]
//! # async fn main() -> Result<(), stheno_store::StoreError> {
//! # let folder = tempfile::tempdir().expect("a folder");
//! # let url = format!("sqlite:{}", folder.path().join("shop.db").display());
//! use stheno_store::{NewCustomerGroup, Selection, Store, StoreOptions, Table};
//!
//! let store = Store::open(&url, StoreOptions::default()).await?;
//! store.create_customer_group(NewCustomerGroup { name: "VIP".to_owned(), metadata: None }).await?;
//! # store.close().await;
//! # Ok(())
//! # }
//! ```
#![warn(missing_docs)]

mod answer;
mod apart;
mod clock;
pub mod copy;
mod cursor;
mod customer;
mod customer_group;
mod entity;
mod error;
mod filter;
mod fold;
mod id;
mod json;
mod login;
pub mod metadata;
mod migrate;
mod observe;
mod position;
mod postgres;
mod schema;
mod selection;
mod sql;
mod sqlite;
mod time;
mod user;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

pub use crate::answer::{JsonStream, JsonText, Page};
pub use crate::clock::{Clock, ManualClock};
pub use crate::customer::{AccountFilter, CustomerChanges, CustomerFilter, CustomerList, NewCustomer};
pub use crate::customer_group::{
    CustomerGroupChanges, CustomerGroupFilter, CustomerGroupList, NewCustomerGroup,
};
pub use crate::entity::{Catalog, Table};
pub use crate::error::{Duplicate, StoreError};
pub use crate::filter::{Bound, DateRange, IdFilter, TextComparison};
pub use crate::id::{IdGenerator, IdKind};
pub use crate::login::{Login, LoginEntry, LoginFilter, LoginKind, LoginOutcome};
pub use crate::metadata::Metadata;
pub use crate::observe::{Load, Observer, Totals, Unit};
pub use crate::position::{Caller, NoPosition, Position};
pub use crate::schema::{Difference, Fault, Listener, Owner, Progress, Schema, Thing, ThingKind};
pub use crate::selection::{Order, Selection, UnknownName, Window};
pub use crate::user::{ApiTokenSummary, NewUser, Role, UserCredentials, UserSummary};

use crate::answer::Streaming;
use crate::postgres::{Postgres, ReplicaOptions};
pub use crate::sqlite::back_up;
use crate::sqlite::{Connector, Sqlite};

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Where the time comes from.
    pub clock: Clock,
    /// Where ids come from.
    pub ids: IdGenerator,
    /// Whether the tables are made and brought up to date when the store is opened. If not, a database that is not up to
    /// date is refused.
    pub migrate: bool,
    /// Whether a shop is served out of the store. If not, nothing is made beside the work, and with `migrate` off a
    /// Medusa's database need not have the tables of Stheno's own.
    pub serves: bool,
    /// Whether the database is to be a Medusa's. One that Medusa has not made its tables in yet is
    /// [not available](StoreError::Unavailable) then, and left alone.
    pub expects_medusa: bool,
    /// How many reads of SQLite run at once, besides look-ups of a single row. Those of PostgreSQL are as many as there are
    /// connections.
    pub reads_at_once: usize,
    /// How many large answers are streamed at once.
    pub streams_at_once: usize,
    /// Texts up to this many bytes are answered whole; larger ones are streamed.
    pub whole_up_to: usize,
    /// How many connections to PostgreSQL are open at the most, but for two more while indexes are made. Large answers leave
    /// half of them to all else.
    pub connections: usize,
    /// How long a unit of work waits for a connection to PostgreSQL: one that is free, or a new one.
    pub connection_timeout: Duration,
    /// How long a statement may take on PostgreSQL. What is streamed is read in pieces, each a statement of its own.
    pub statement_timeout: Duration,
    /// How long a unit of work waits for a lock that another process holds.
    pub lock_timeout: Duration,
    /// The password of the database's user, where the URL has none.
    pub password: Option<SecretString>,
    /// The URLs of PostgreSQL's read replicas, which answer lists and retrieves of groups and customers: each of one standby
    /// that streams from the store's database. There are as many connections to each at the most.
    pub replicas: Vec<SecretString>,
    /// How long ago what a replica has not replayed yet may have been written. One that is later is left out.
    pub replica_max_lag: Duration,
    /// How long a streamed answer waits for its reader to take the next piece before its snapshot is given up.
    pub reader_timeout: Duration,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            clock: Clock::system(),
            ids: IdGenerator::random(),
            migrate: true,
            serves: true,
            expects_medusa: false,
            reads_at_once: 2 * std::thread::available_parallelism().map_or(2, usize::from),
            streams_at_once: 16,
            whole_up_to: 1024 * 1024,
            connections: 20,
            connection_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(5),
            password: None,
            replicas: Vec::new(),
            replica_max_lag: Duration::from_secs(5),
            reader_timeout: Duration::from_secs(30),
        }
    }
}

/// What units of work take from outside.
#[derive(Debug, Clone)]
pub(crate) struct Environment {
    pub(crate) clock: Clock,
    pub(crate) ids: IdGenerator,
}

/// A shop's data. Cheap to clone: the clones are one store.
#[derive(Debug, Clone)]
pub struct Store {
    engine: Engine,
    clock: Clock,
    observer: Option<Observer>,
}

#[derive(Debug, Clone)]
enum Engine {
    Sqlite(Arc<Sqlite>),
    Postgres(Arc<Postgres>),
}

/// Forwards a call to the engine, and waits for its answer. Where it failed, with nothing saved, for a reason that may be gone
/// by now, it is done again.
macro_rules! forward {
    ($store:ident.$method:ident($($argument:ident),*)) => {{
        let begun = Instant::now();
        let outcome = match &$store.engine {
            Engine::Sqlite(engine) => engine.$method($($argument),*).await,
            Engine::Postgres(engine) => {
                let arguments = ($($argument,)*);
                let mut tries = 0;
                loop {
                    let ($($argument,)*) = Clone::clone(&arguments);
                    tries += 1;
                    match engine.$method($($argument),*).await {
                        Err(error) if engine.may_go_well_now(&error, tries).await => {}
                        answer => break answer,
                    }
                }
            }
        };
        if let Some(observer) = &$store.observer {
            observer.tell(stringify!($method), begun.elapsed(), &outcome);
        }
        outcome
    }};
}

impl Store {
    /// Opens the store at `url`, and brings its tables up to date: `sqlite:PATH`, a file that is made if it is not there,
    /// or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, an empty database, Stheno's own, or a Medusa v1's, where only
    /// what is Stheno's is made. What takes long on a database with data, its indexes, is made beside the work.
    ///
    /// On a Medusa's database whose user may not make tables, the store works without: [`StoreError::Limited`] says what
    /// it cannot do.
    ///
    /// # Errors
    /// If the URL is of no known kind, the database cannot be used, a newer Stheno wrote it, a copy into it was not
    /// finished, or it is not up to date and [`StoreOptions::migrate`] is off; if a replica is one of another database. One
    /// that does not answer is none.
    pub async fn open(url: &str, options: StoreOptions) -> Result<Self, StoreError> {
        let clock = options.clock.clone();
        let environment = Environment { clock: options.clock.clone(), ids: options.ids.clone() };
        let is_postgres = postgres::is_url(url);
        let streams_at_once = match is_postgres {
            true => options.streams_at_once.min(options.connections.div_ceil(2)),
            false => options.streams_at_once,
        };
        let streaming = Streaming {
            whole_up_to: options.whole_up_to,
            reader_timeout: options.reader_timeout,
            permits: Arc::new(Semaphore::new(streams_at_once)),
        };
        if is_postgres {
            let connector = postgres::Connector::new(url, &options)?;
            let replicas = ReplicaOptions::new(&options)?;
            let postgres =
                Postgres::open(connector, replicas, (&options).into(), streaming, environment).await?;
            return Self { engine: Engine::Postgres(Arc::new(postgres)), clock, observer: None }
                .with_a_whole_shop()
                .await;
        }
        if !options.replicas.is_empty() {
            return Err(StoreError::Url(
                "a database in a file has no replicas: leave them out, or give a database postgres://…"
                    .to_owned(),
            ));
        }
        let connector = Connector { path: sqlite_path(url)?, lock_timeout: options.lock_timeout };
        let open =
            move || Sqlite::open(connector, options.migrate, options.reads_at_once, streaming, environment);
        let sqlite = tokio::task::spawn_blocking(open).await.map_err(StoreError::internal)??;
        Self { engine: Engine::Sqlite(Arc::new(sqlite)), clock, observer: None }.with_a_whole_shop().await
    }

    /// Refuses a database that only a part of a shop has been copied into.
    async fn with_a_whole_shop(self) -> Result<Self, StoreError> {
        if forward!(self.has_half_a_copy())? {
            return Err(StoreError::Schema(copy::UNFINISHED.to_owned()));
        }
        Ok(self)
    }

    /// The same store, as `caller` sees it: reads show at least what the caller has written through it, also where a
    /// replica answers them. The store that was opened is a caller too.
    #[must_use]
    pub fn for_caller(&self, caller: Caller) -> Self {
        let mut store = self.clone();
        if let Engine::Postgres(engine) = &mut store.engine
            && engine.has_replicas()
        {
            *engine = Arc::new(engine.for_caller(caller));
        }
        store
    }

    /// The same store, which tells `observer` of its work.
    #[must_use]
    pub fn observed_by(self, observer: Observer) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// How busy the store is now.
    pub fn load(&self) -> Load {
        match &self.engine {
            Engine::Sqlite(engine) => engine.load(),
            Engine::Postgres(engine) => engine.load(),
        }
    }

    /// How much is in the store.
    ///
    /// # Errors
    /// Only those of the database.
    pub async fn totals(&self) -> Result<Totals, StoreError> {
        forward!(self.totals())
    }

    /// The clock that the store was opened with.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The columns that the tables have in this database.
    pub fn catalog(&self) -> &Catalog {
        match &self.engine {
            Engine::Sqlite(engine) => engine.catalog(),
            Engine::Postgres(engine) => engine.catalog(),
        }
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// If it gives none.
    pub async fn ping(&self) -> Result<(), StoreError> {
        forward!(self.ping())
    }

    /// Finishes what is being written and closes the database. Every later call fails.
    pub async fn close(&self) {
        match &self.engine {
            Engine::Sqlite(engine) => {
                let engine = Arc::clone(engine);
                if let Err(error) = tokio::task::spawn_blocking(move || engine.close()).await {
                    tracing::error!(%error, "could not close the store");
                }
            }
            Engine::Postgres(engine) => engine.close().await,
        }
    }

    /// Creates a customer group and answers it.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] if the name is taken.
    pub async fn create_customer_group(&self, group: NewCustomerGroup) -> Result<JsonText, StoreError> {
        forward!(self.create_customer_group(group))
    }

    /// Answers a customer group.
    ///
    /// # Errors
    /// Only those of the database.
    pub async fn retrieve_customer_group(
        &self,
        id: &str,
        selection: &Selection,
    ) -> Result<Option<JsonText>, StoreError> {
        forward!(self.retrieve_customer_group(id, selection))
    }

    /// Answers a part of the customer groups that match, and how many match in all.
    ///
    /// # Errors
    /// Only those of the database.
    pub async fn list_customer_groups(&self, list: CustomerGroupList) -> Result<Page, StoreError> {
        forward!(self.list_customer_groups(list))
    }

    /// Changes a customer group and answers it.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] if the new name is taken, [`StoreError::Null`] if it is null.
    pub async fn update_customer_group(
        &self,
        id: &str,
        changes: CustomerGroupChanges,
        selection: &Selection,
    ) -> Result<Option<JsonText>, StoreError> {
        forward!(self.update_customer_group(id, changes, selection))
    }

    /// Deletes a customer group and its memberships for good. Answers whether it was there.
    ///
    /// # Errors
    /// Only those of the database.
    pub async fn delete_customer_group(&self, id: &str) -> Result<bool, StoreError> {
        forward!(self.delete_customer_group(id))
    }

    /// Makes customers members of a group, all of them or none, and answers the group. Those that are members
    /// already stay so.
    ///
    /// # Errors
    /// [`StoreError::UnknownCustomers`] names all that do not exist.
    pub async fn add_customers_to_group(
        &self,
        id: &str,
        customer_ids: Vec<String>,
    ) -> Result<Option<JsonText>, StoreError> {
        forward!(self.add_customers_to_group(id, customer_ids))
    }

    /// Ends the membership of customers in a group and answers the group. Those that are no members are passed over.
    ///
    /// # Errors
    /// Only those of the database.
    pub async fn remove_customers_from_group(
        &self,
        id: &str,
        customer_ids: Vec<String>,
    ) -> Result<Option<JsonText>, StoreError> {
        forward!(self.remove_customers_from_group(id, customer_ids))
    }

    /// Answers a part of the customers that match, and how many match in all.
    ///
    /// # Errors
    /// Only those of the database.
    pub async fn list_customers(&self, list: CustomerList) -> Result<Page, StoreError> {
        forward!(self.list_customers(list))
    }

    /// Answers a customer.
    ///
    /// # Errors
    /// Only those of the database.
    pub async fn retrieve_customer(
        &self,
        id: &str,
        selection: &Selection,
    ) -> Result<Option<JsonText>, StoreError> {
        forward!(self.retrieve_customer(id, selection))
    }

    /// Creates a customer, with an account if there is a password, and answers it.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] if there is such a customer with that e-mail address.
    pub async fn create_customer(&self, customer: NewCustomer) -> Result<JsonText, StoreError> {
        forward!(self.create_customer(customer))
    }

    /// Changes a customer and answers it.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] if the new e-mail address is taken or a group is named twice,
    /// [`StoreError::EmailOfAccount`], [`StoreError::Null`] and [`StoreError::UnknownCustomerGroup`].
    pub async fn update_customer(
        &self,
        id: &str,
        changes: CustomerChanges,
        selection: &Selection,
    ) -> Result<Option<JsonText>, StoreError> {
        forward!(self.update_customer(id, changes, selection))
    }

    /// Creates a user and answers its id.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] if the e-mail address is taken.
    pub async fn create_user(&self, user: NewUser) -> Result<String, StoreError> {
        forward!(self.create_user(user))
    }

    /// Creates a user and answers its id, unless there is a user already.
    ///
    /// # Errors
    /// Only those of the database.
    pub async fn create_first_user(&self, user: NewUser) -> Result<Option<String>, StoreError> {
        forward!(self.create_first_user(user))
    }

    /// All users, the oldest first.
    ///
    /// # Errors
    /// Only those of the database.
    pub async fn list_users(&self) -> Result<Vec<UserSummary>, StoreError> {
        forward!(self.list_users())
    }

    /// Answers a user, without password and token.
    ///
    /// # Errors
    /// Only those of the database.
    pub async fn retrieve_user(&self, id: &str) -> Result<Option<JsonText>, StoreError> {
        forward!(self.retrieve_user(id))
    }

    /// What the user with this e-mail address (in lower case) signs in with.
    ///
    /// # Errors
    /// Only those of the database.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<UserCredentials>, StoreError> {
        forward!(self.user_by_email(email))
    }

    /// Whether there is a user with this id.
    ///
    /// # Errors
    /// Only those of the database.
    pub async fn user_exists(&self, id: &str) -> Result<bool, StoreError> {
        forward!(self.user_exists(id))
    }

    /// The id of the user with this API token: one of Stheno's, known by its hash, or else Medusa's plain one.
    ///
    /// # Errors
    /// Only those of the database.
    pub async fn user_by_token(&self, token: &str, hash: &str) -> Result<Option<String>, StoreError> {
        forward!(self.user_by_token(token, hash))
    }

    /// Deletes a user, softly as Medusa does, and its sessions and API tokens. Answers whether it was there.
    ///
    /// # Errors
    /// Only those of the database.
    pub async fn delete_user(&self, id: &str) -> Result<bool, StoreError> {
        forward!(self.delete_user(id))
    }

    /// Replaces a user's password container, and closes the user's sessions. Answers whether there is such a user.
    ///
    /// # Errors
    /// Only those of the database.
    pub async fn set_password_hash(&self, user_id: &str, hash: String) -> Result<bool, StoreError> {
        forward!(self.set_password_hash(user_id, hash))
    }

    /// Replaces a user's password container, if it is still the old one. Answers whether it was.
    ///
    /// # Errors
    /// Only those of the database.
    pub async fn replace_password_hash(
        &self,
        user_id: &str,
        old: String,
        new: String,
    ) -> Result<bool, StoreError> {
        forward!(self.replace_password_hash(user_id, old, new))
    }

    /// Gives a user one more API token. Answers whether there is such a user.
    ///
    /// # Errors
    /// Only those of the database.
    pub async fn create_api_token(&self, user_id: &str, token_hash: String) -> Result<bool, StoreError> {
        forward!(self.create_api_token(user_id, token_hash))
    }

    /// A user's API tokens of Stheno's, the oldest first.
    ///
    /// # Errors
    /// Only those of the database.
    pub async fn api_tokens(&self, user_id: &str) -> Result<Vec<ApiTokenSummary>, StoreError> {
        forward!(self.api_tokens(user_id))
    }

    /// Revokes a user's API token with this hash; without one, all of them, and Medusa's plain one too. Answers how many.
    ///
    /// # Errors
    /// Only those of the database.
    pub async fn delete_api_tokens(&self, user_id: &str, hash: Option<&str>) -> Result<u64, StoreError> {
        forward!(self.delete_api_tokens(user_id, hash))
    }

    /// Opens a session of a user, and forgets those that have expired.
    ///
    /// # Errors
    /// Only those of the database.
    pub async fn create_session(
        &self,
        id_hash: String,
        user_id: &str,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        forward!(self.create_session(id_hash, user_id, expires_at))
    }

    /// The id of the user whose session this is.
    ///
    /// # Errors
    /// Only those of the database.
    pub async fn session_user(&self, id_hash: &str) -> Result<Option<String>, StoreError> {
        forward!(self.session_user(id_hash))
    }

    /// Closes a session. Answers whether it was open.
    ///
    /// # Errors
    /// Only those of the database.
    pub async fn delete_session(&self, id_hash: &str) -> Result<bool, StoreError> {
        forward!(self.delete_session(id_hash))
    }

    /// The secret that is kept under `name`; `fresh`, if there was none.
    ///
    /// # Errors
    /// Only those of the database.
    pub async fn secret(&self, name: &str, fresh: String) -> Result<SecretString, StoreError> {
        forward!(self.secret(name, fresh))
    }

    /// Adds entries to the audit trail, all of them or none.
    ///
    /// # Errors
    /// [`StoreError::Limited`] if the database has no table for it, or none that the user may write.
    pub async fn record_logins(&self, logins: Vec<Login>) -> Result<(), StoreError> {
        forward!(self.record_logins(logins))
    }

    /// So many entries of the audit trail at the most, the latest first.
    ///
    /// # Errors
    /// [`StoreError::Limited`] if the user may not read the table.
    pub async fn logins(&self, filter: LoginFilter, limit: u32) -> Result<Vec<LoginEntry>, StoreError> {
        forward!(self.logins(filter, limit))
    }

    /// Deletes entries of the audit trail from before a time, so many at the most, and answers how many.
    ///
    /// # Errors
    /// [`StoreError::Limited`] if the user may not delete them.
    pub async fn forget_logins(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        forward!(self.forget_logins(before, limit))
    }

    /// Adds rows as they are, all of them or none, and answers how many. A row is an object of columns; times are in
    /// RFC 3339.
    ///
    /// # Errors
    /// [`StoreError::Schema`] if a row does not fit its table.
    pub async fn import(&self, rows: Vec<(Table, Vec<Map<String, Value>>)>) -> Result<u64, StoreError> {
        match &self.engine {
            Engine::Sqlite(engine) => engine.import(rows).await,
            // Many rows are not kept for a second try.
            Engine::Postgres(engine) => engine.import(rows).await,
        }
    }
}

/// The path in a URL such as `sqlite:shop.db` or `sqlite:///var/lib/stheno/shop.db`.
pub(crate) fn sqlite_path(url: &str) -> Result<PathBuf, StoreError> {
    let path = url.strip_prefix("sqlite:").map(|rest| rest.strip_prefix("//").unwrap_or(rest));
    let fault = match path {
        None if url.is_empty() => "the database URL is empty".to_owned(),
        None => {
            let shown = url.split(':').next().unwrap_or_default();
            format!("cannot use a database URL that begins with {shown:?}")
        }
        Some("") => "the database URL has no path".to_owned(),
        Some(path) if path.split('?').next() == Some(":memory:") => {
            "cannot use a database in memory".to_owned()
        }
        Some(path) if path.contains('?') => "cannot use a database URL with a question mark".to_owned(),
        Some(path) => return Ok(PathBuf::from(path)),
    };
    let or_postgres = if path.is_none() { ", or postgres://USER@HOST/DATABASE" } else { "" };
    Err(StoreError::Url(format!("{fault}: give sqlite:PATH, for example sqlite:stheno.db{or_postgres}")))
}
