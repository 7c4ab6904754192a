//! Additions of every kind, made, told from what they are not, mended and dropped.

use std::time::{Duration, Instant};

use stheno_testkit::postgres::PostgresDatabase;
use tokio::sync::Semaphore;
use tokio_postgres::Client;

use super::{ADDITIONS, Addition, Definition, Function, Index, Maker, Trigger, differences, drop_all};
use crate::answer::Streaming;
use crate::postgres::Connector;
use crate::postgres::migration::make_additions;
use crate::postgres::pool::Pool;
use crate::schema::{Difference, Fault};
use crate::{StoreError, StoreOptions};

/// One of each kind, the last one needing the others.
const EXAMPLES: &[Addition] = &[
    Addition { name: "pg_trgm", loss: "searching is slower", definition: Definition::Extension },
    Addition {
        name: "stheno_note_change",
        loss: "",
        definition: Definition::Function(Function {
            arguments: "",
            returns: "trigger",
            attributes: "LANGUAGE plpgsql SECURITY DEFINER SET search_path TO '{schema}', 'pg_temp'",
            body: "\nBEGIN\n    INSERT INTO {schema}.note SELECT id FROM added;\n    RETURN NULL;\nEND\n",
        }),
    },
    Addition {
        name: "stheno_fold",
        loss: "",
        definition: Definition::Function(Function {
            arguments: "term text, \"limit\" integer",
            returns: "text",
            attributes: "LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT",
            body: " SELECT lower(term) ",
        }),
    },
    Addition {
        name: "stheno_user_noted",
        loss: "",
        definition: Definition::Trigger(Trigger {
            event: "AFTER INSERT",
            table: "user",
            action: "REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION stheno_note_change()",
        }),
    },
    Addition {
        name: "stheno_user_email_part",
        loss: "searching is slower",
        definition: Definition::Index(Index {
            table: "user",
            method: "gin",
            keys: "email gin_trgm_ops",
            condition: Some("(deleted_at IS NULL)"),
        }),
    },
];

struct Shop {
    database: PostgresDatabase,
    pool: Pool,
}

impl Shop {
    /// A database with a table to add to.
    async fn new() -> Self {
        let database = PostgresDatabase::empty().await;
        let tables = "CREATE TABLE \"user\" (id text, email text, deleted_at timestamptz); CREATE TABLE note (id text)";
        database.execute(tables).await;
        let pool = pool(database.url()).await;
        Self { database, pool }
    }

    async fn make(&self) -> Vec<Difference> {
        make_additions(&self.pool, EXAMPLES, &|_| {}).await.unwrap()
    }

    async fn faults(&self) -> Vec<(String, Fault)> {
        let found = differences(&self.pool, EXAMPLES).await.unwrap();
        found.into_iter().map(|found| (found.thing.name, found.fault)).collect()
    }

    async fn maker(&self) -> Maker {
        Maker::new(&self.pool).await.unwrap()
    }

    async fn count(&self, sql: &str) -> i64 {
        self.database.connect().await.query_one(sql, &[]).await.unwrap().get(0)
    }
}

async fn pool(url: &str) -> Pool {
    let streaming = Streaming {
        whole_up_to: 1024,
        reader_timeout: Duration::from_secs(30),
        permits: std::sync::Arc::new(Semaphore::new(1)),
    };
    let connector = Connector::new(url, &StoreOptions::default()).unwrap();
    connector.open(streaming).await.unwrap()
}

fn changed(name: &str, what: &str) -> (String, Fault) {
    (name.to_owned(), Fault::Changed(what.to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_addition_is_read_back_as_it_is_declared() {
    let shop = Shop::new().await;
    assert_eq!(shop.faults().await.len(), EXAMPLES.len());
    assert_eq!(shop.make().await, []);
    assert_eq!(shop.faults().await, []);
    shop.database.execute("INSERT INTO \"user\" VALUES ('a', 'a'), ('b', 'b')").await;
    assert_eq!(shop.count("SELECT count(*) FROM note").await, 2);
    // The schema is named wherever it is, as are those whose names must be quoted.
    shop.database.execute("ALTER SCHEMA public RENAME TO \"The Shop\"; CREATE SCHEMA public").await;
    let elsewhere =
        pool(&format!("{}&options=-csearch_path%3D%22The%5C%20Shop%22", shop.database.url())).await;
    let found = differences(&elsewhere, EXAMPLES).await.unwrap();
    let names: Vec<_> = found.iter().map(|found| &*found.thing.name).collect();
    assert_eq!(names, ["stheno_note_change"], "its body names the schema");
    assert_eq!(make_additions(&elsewhere, EXAMPLES, &|_| {}).await.unwrap(), []);
    assert_eq!(differences(&elsewhere, EXAMPLES).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_is_found_and_mended() {
    let shop = Shop::new().await;
    shop.make().await;
    let body =
        "CREATE OR REPLACE FUNCTION stheno_note_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
                SET search_path TO 'public', 'pg_temp' AS 'BEGIN RETURN NULL; END'";
    for (change, expected) in [
        (body, vec![changed("stheno_note_change", "its body")]),
        (
            "ALTER FUNCTION stheno_note_change() SECURITY INVOKER",
            vec![changed("stheno_note_change", "its attributes")],
        ),
        ("ALTER FUNCTION stheno_fold(text, int) VOLATILE", vec![changed("stheno_fold", "its attributes")]),
        (
            "DROP FUNCTION stheno_note_change CASCADE",
            vec![
                ("stheno_note_change".to_owned(), Fault::Missing),
                ("stheno_user_noted".to_owned(), Fault::Missing),
            ],
        ),
        (
            "ALTER TABLE \"user\" DISABLE TRIGGER stheno_user_noted",
            vec![changed("stheno_user_noted", "it is disabled")],
        ),
        (
            "DROP TRIGGER stheno_user_noted ON \"user\";
             CREATE TRIGGER stheno_user_noted AFTER INSERT ON \"user\" REFERENCING NEW TABLE AS others
                 FOR EACH STATEMENT EXECUTE FUNCTION stheno_note_change()",
            vec![changed("stheno_user_noted", "its definition")],
        ),
        (
            "DROP INDEX stheno_user_email_part; CREATE INDEX stheno_user_email_part ON \"user\" USING gin (id gin_trgm_ops)",
            vec![changed("stheno_user_email_part", "its definition")],
        ),
        (
            "DROP EXTENSION pg_trgm CASCADE",
            vec![
                ("pg_trgm".to_owned(), Fault::Missing),
                ("stheno_user_email_part".to_owned(), Fault::Missing),
            ],
        ),
    ] {
        shop.database.execute(change).await;
        assert_eq!(shop.faults().await, expected, "{change}");
        assert_eq!(shop.make().await, [], "{change}");
        assert_eq!(shop.faults().await, [], "{change}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_is_dropped_and_an_extension_only_if_stheno_has_installed_it() {
    let shop = Shop::new().await;
    shop.make().await;
    drop_all(&mut shop.maker().await, EXAMPLES, &|_| {}).await.unwrap();
    assert_eq!(shop.faults().await.len(), EXAMPLES.len());
    shop.database.execute("CREATE EXTENSION pg_trgm").await;
    shop.make().await;
    drop_all(&mut shop.maker().await, EXAMPLES, &|_| {}).await.unwrap();
    assert_eq!(shop.faults().await.len(), EXAMPLES.len() - 1);
    assert_eq!(shop.count("SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'").await, 1);
}

/// A shop may have made things that are named alike, and names may be made to be read as statements.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_shop_has_made_stays_whatever_it_is_called() {
    let shop = Shop::new().await;
    shop.make().await;
    shop.database
        .execute(
            "CREATE TABLE stheno_export (id text); INSERT INTO stheno_export VALUES ('kept');
             CREATE TABLE stheno_copy (run text);
             CREATE INDEX stheno_export_id ON \"user\" (id);
             CREATE FUNCTION \"stheno_x(); DROP TABLE note; --\"() RETURNS int LANGUAGE sql AS 'SELECT 1';
             CREATE FUNCTION stheno_fold(\"a, b); DROP TABLE note; --\" int) RETURNS int LANGUAGE sql AS 'SELECT 1';
             CREATE PROCEDURE stheno_user_noted() LANGUAGE sql AS 'SELECT 1';
             CREATE AGGREGATE stheno_fold(bigint) (SFUNC = int8pl, STYPE = bigint)",
        )
        .await;
    drop_all(&mut shop.maker().await, EXAMPLES, &|_| {}).await.unwrap();
    assert_eq!(shop.faults().await.len(), EXAMPLES.len());
    let sql = "SELECT count(*) FROM pg_class WHERE relname IN ('stheno_export', 'stheno_export_id', 'note')";
    assert_eq!(shop.count(sql).await, 3);
    assert_eq!(shop.count("SELECT count(*) FROM stheno_export").await, 1);
    assert_eq!(shop.count("SELECT count(*) FROM pg_class WHERE relname = 'stheno_copy'").await, 0);
    let sql = "SELECT count(*) FROM pg_proc WHERE proname LIKE 'stheno\\_%'";
    assert_eq!(shop.count(sql).await, 3);
}

/// The schema in which new tables are made need not be that of the tables to which something was added.
#[tokio::test(flavor = "multi_thread")]
async fn all_is_dropped_from_every_schema_of_the_search_path() {
    let shop = Shop::new().await;
    shop.database
        .execute("CREATE SCHEMA first; CREATE SCHEMA other; CREATE TABLE other.stheno_copy (run text)")
        .await;
    let pool = pool(&format!("{}&options=-csearch_path%3Dfirst,public", shop.database.url())).await;
    assert_eq!(make_additions(&pool, EXAMPLES, &|_| {}).await.unwrap(), []);
    drop_all(&mut Maker::new(&pool).await.unwrap(), EXAMPLES, &|_| {}).await.unwrap();
    assert_eq!(differences(&pool, EXAMPLES).await.unwrap().len(), EXAMPLES.len());
    let sql = "SELECT (SELECT count(*) FROM pg_class WHERE relname LIKE 'stheno\\_%')
                    + (SELECT count(*) FROM pg_proc WHERE proname LIKE 'stheno\\_%')";
    assert_eq!(shop.count(sql).await, 1, "what is in a schema apart is not Stheno's affair");
}

/// Who holds a lock of a table for long keeps a trigger from being made, but nobody from writing.
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_tried_for_shortly_and_again() {
    let shop = Shop::new().await;
    let writer = shop.database.connect().await;
    writer.batch_execute("BEGIN; INSERT INTO \"user\" VALUES ('held')").await.unwrap();
    let pool = shop.pool.clone();
    let making = tokio::spawn(async move { make_additions(&pool, &EXAMPLES[..4], &|_| {}).await });
    let other = shop.database.connect().await;
    let begun = Instant::now();
    wait_until_tried(&other).await;
    for _ in 0..20 {
        // Longer than a lock is tried for, shorter than the other one holds it.
        other
            .batch_execute("SET lock_timeout = '20s'; INSERT INTO \"user\" VALUES ('written')")
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!making.is_finished(), "after {:?}", begun.elapsed());
    writer.batch_execute("COMMIT").await.unwrap();
    assert_eq!(making.await.unwrap().unwrap(), []);
    assert_eq!(shop.count("SELECT count(*) FROM note").await, 0);
}

async fn wait_until_tried(client: &Client) {
    let sql = "SELECT count(*) FROM pg_locks WHERE mode = 'ShareRowExclusiveLock' AND NOT granted";
    let started = Instant::now();
    while client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        assert!(started.elapsed() < Duration::from_secs(60), "nobody tries");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_whose_building_fails_leaves_nothing_behind_and_says_why() {
    let shop = Shop::new().await;
    let failing = &[Addition {
        name: "stheno_user_number",
        loss: "",
        definition: Definition::Index(Index {
            table: "user",
            method: "btree",
            keys: "((email)::integer)",
            condition: None,
        }),
    }];
    shop.database.execute("INSERT INTO \"user\" VALUES ('a', 'no number')").await;
    let left = make_additions(&shop.pool, failing, &|_| {}).await.unwrap();
    let reason = left[0].hindrance.as_deref().unwrap();
    assert!(reason.contains("invalid input syntax for type integer"), "{reason}");
    let sql = "SELECT count(*) FROM pg_class WHERE relname = 'stheno_user_number'";
    assert_eq!(shop.count(sql).await, 0);
    let mut maker = shop.maker().await;
    let refused = maker.make(&failing[0]).await;
    assert!(matches!(refused, Err(StoreError::Schema(_))), "{refused:?}");
    shop.database.execute("UPDATE \"user\" SET email = '12'").await;
    assert_eq!(make_additions(&shop.pool, failing, &|_| {}).await.unwrap(), []);
}

#[test]
fn names_have_the_prefix_and_are_given_once() {
    let mut names: Vec<_> = ADDITIONS.iter().map(|addition| addition.name).collect();
    for addition in ADDITIONS {
        let is_extension = matches!(addition.definition, Definition::Extension);
        assert!(is_extension || addition.name.starts_with("stheno_"), "{}", addition.name);
        assert!(!addition.loss.is_empty(), "{}", addition.name);
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), ADDITIONS.len());
}
