//! Throw-away PostgreSQL databases, on a throw-away cluster made with the machine's own programs.
//!
//! The first test that needs it starts the cluster in the folder for temporary files, reachable through a socket there
//! and nowhere else. It serves the tests of all processes, and stops, and removes itself, a few seconds after the last.
//! A test that must stop, freeze or configure a server has one of its own, [`PostgresServer`].

mod cluster;
mod home;
mod pgbouncer;
mod server;

use std::hash::{BuildHasher as _, DefaultHasher, Hash as _, Hasher as _, RandomState};
use std::io::Write as _;
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};

use self::cluster::Cluster;
pub use self::pgbouncer::PgBouncer;
pub use self::server::{Killed, PostgresServer, Shutdown};

/// A database of its own, gone with the value.
#[derive(Debug)]
pub struct PostgresDatabase {
    cluster: &'static Cluster,
    name: String,
    url: String,
}

/// A database that others are copied from.
#[derive(Debug)]
pub struct PostgresTemplate {
    name: &'static str,
    /// What tells it from others of its name.
    version: fn() -> u64,
    made: OnceCell<String>,
}

impl PostgresDatabase {
    /// A database without any table.
    pub async fn empty() -> Self {
        Self::with("").await
    }

    /// A database without any table, made with these words of `CREATE DATABASE`, such as `LOCALE 'C'`.
    pub async fn with(words: &str) -> Self {
        Self::made(&format!("TEMPLATE template0 {words}")).await
    }

    async fn made(words: &str) -> Self {
        let cluster = Cluster::get().await;
        let name = format!("test_{:016x}", RandomState::new().build_hasher().finish());
        let statement = format!("CREATE DATABASE {name} {words}");
        when_not_in_use(&cluster.url("postgres"), &statement).await;
        let url = cluster.url(&name);
        Self { cluster, name, url }
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs statements as another program would, on a connection of its own.
    pub async fn execute(&self, sql: &str) {
        let client = connect(&self.url).await;
        client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// Where it is for a user who may do only what `grants` says, statements in which `{user}` stands for the user. There is
    /// one such user, gone with the database.
    pub async fn url_for_user(&self, grants: &str) -> String {
        let user = self.user();
        self.execute(&format!(
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE ROLE {user} LOGIN; {}",
            grants.replace("{user}", &user)
        ))
        .await;
        self.url.replace("postgres://postgres@", &format!("postgres://{user}@"))
    }

    /// The name of that user.
    pub fn user(&self) -> String {
        format!("{}_user", self.name)
    }

    /// What is in the database but rows, as `pg_dump` writes it.
    pub async fn schema(&self) -> String {
        let (cluster, url) = (self.cluster, self.url.clone());
        let dumped = tokio::task::spawn_blocking(move || cluster.dump(&url, &["--schema-only"])).await;
        let dumped = dumped.unwrap_or_else(|error| panic!("{error}"));
        String::from_utf8_lossy(&dumped).into_owned()
    }

    /// Another database, restored by `pg_restore` from what `pg_dump` writes of this one with further flags.
    pub async fn restored(&self, flags: &'static [&str]) -> Self {
        let restored = Self::empty().await;
        let (cluster, from, to) = (self.cluster, self.url.clone(), restored.url.clone());
        let done = tokio::task::spawn_blocking(move || {
            let dump = cluster.dump(&from, &[&["--format=custom"], flags].concat());
            let mut file =
                tempfile::tempfile().unwrap_or_else(|error| panic!("no file for the dump: {error}"));
            file.write_all(&dump).unwrap_or_else(|error| panic!("cannot write the dump: {error}"));
            cluster.restore(&to, file);
        });
        done.await.unwrap_or_else(|error| panic!("{error}"));
        restored
    }

    /// A connection of its own.
    pub async fn connect(&self) -> Client {
        connect(&self.url).await
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        let url = self.cluster.url("postgres");
        let drop_database = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        let drop_user = format!("DROP ROLE IF EXISTS {}", self.user());
        // A thread that may wait, and so a runtime of its own.
        let removed = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.unwrap_or_else(|error| panic!("no runtime: {error}"));
            runtime.block_on(async {
                let client = connect(&url).await;
                client.batch_execute(&drop_database).await?;
                client.batch_execute(&drop_user).await
            })
        });
        match removed.join() {
            Ok(Ok(())) => {}
            other => eprintln!("cannot remove the database {}: {other:?}", self.name),
        }
    }
}

impl PostgresTemplate {
    /// A template that is yet to be made, once by each program that tests.
    pub const fn new(name: &'static str) -> Self {
        Self::shared(name, program)
    }

    /// A template that is yet to be made, once for all programs that want the same version of it.
    pub const fn shared(name: &'static str, version: fn() -> u64) -> Self {
        Self { name, version, made: OnceCell::const_new() }
    }

    /// A copy of the template, which `fill` makes out of the empty database at a URL where nobody has yet. It must
    /// leave no connection behind.
    pub async fn copy(&self, fill: impl AsyncFnOnce(&str)) -> PostgresDatabase {
        let template = self.made.get_or_init(|| self.make(fill)).await;
        PostgresDatabase::made(&format!("TEMPLATE {template}")).await
    }

    async fn make(&self, fill: impl AsyncFnOnce(&str)) -> String {
        let cluster = Cluster::get().await;
        let template = format!("template_{}_{:016x}", self.name, (self.version)());
        let building = format!("{template}_building");
        // One process makes it, the others wait.
        let lock = cluster.lock("templates").await;
        let url = cluster.url("postgres");
        let client = connect(&url).await;
        let present = client
            .query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&template])
            .await
            .unwrap_or_else(|error| panic!("cannot look for a template: {error:?}"));
        if present.is_none() {
            when_not_in_use(&url, &format!("DROP DATABASE IF EXISTS {building} WITH (FORCE)")).await;
            when_not_in_use(&url, &format!("CREATE DATABASE {building} TEMPLATE template0")).await;
            fill(&cluster.url(&building)).await;
            when_not_in_use(&url, &format!("ALTER DATABASE {building} RENAME TO {template}")).await;
        }
        drop(lock);
        template
    }
}

/// What tells this program from others, and from itself after a change.
fn program() -> u64 {
    let mut hasher = DefaultHasher::new();
    let path = std::env::current_exe().unwrap_or_else(|error| panic!("no name of this program: {error}"));
    let modified = std::fs::metadata(&path).and_then(|metadata| metadata.modified());
    path.hash(&mut hasher);
    modified.unwrap_or_else(|error| panic!("no time of this program: {error}")).hash(&mut hasher);
    hasher.finish()
}

/// Runs a statement on a database that others may still be leaving.
async fn when_not_in_use(url: &str, statement: &str) {
    let client = connect(url).await;
    for _ in 0..50 {
        match client.batch_execute(statement).await {
            Ok(()) => return,
            Err(error) if error.code() == Some(&SqlState::OBJECT_IN_USE) => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(error) => panic!("{statement}: {error:?}"),
        }
    }
    panic!("{statement}: somebody keeps using it");
}

pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .unwrap_or_else(|error| panic!("cannot connect to {url}: {error:?}"));
    tokio::spawn(connection);
    client
}
