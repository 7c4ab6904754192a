//! Databases that earlier versions have left, brought up to date; and such as are restored out of a backup.

use rusqlite::types::ValueRef;
use serde_json::{Value, json};
use stheno_testkit::postgres::PostgresDatabase;
use tokio::runtime::Runtime;

use crate::support::{Server, Shop, text_of};

/// The steps of the schema, each as a version of the program made it.
const SQLITE: &[(&str, &str)] = &[
    ("0001_medusa_tables", include_str!("../../../store/migrations/sqlite/0001_medusa_tables.sql")),
    ("0002_stheno_tables", include_str!("../../../store/migrations/sqlite/0002_stheno_tables.sql")),
    ("0003_stheno_counts", include_str!("../../../store/migrations/sqlite/0003_stheno_counts.sql")),
    ("0004_stheno_orders", include_str!("../../../store/migrations/sqlite/0004_stheno_orders.sql")),
    ("0005_stheno_search", include_str!("../../../store/migrations/sqlite/0005_stheno_search.sql")),
    ("0006_stheno_logins", include_str!("../../../store/migrations/sqlite/0006_stheno_logins.sql")),
];
const POSTGRES: &[(&str, &str)] = &[
    ("0001_medusa_tables", include_str!("../../../store/migrations/postgres/0001_medusa_tables.sql")),
    ("0002_stheno_tables", include_str!("../../../store/migrations/postgres/0002_stheno_tables.sql")),
    ("0003_stheno_counts", include_str!("../../../store/migrations/postgres/0003_stheno_counts.sql")),
    ("0004_stheno_logins", include_str!("../../../store/migrations/postgres/0004_stheno_logins.sql")),
];

/// The tables that a shop's rows are in, with the step that made them.
const TABLES: &[(usize, &str)] = &[
    (1, "customer"),
    (1, "customer_group"),
    (1, "customer_group_customers"),
    (1, "\"user\""),
    (2, "stheno_api_token"),
    (2, "stheno_session"),
    (2, "stheno_secret"),
];

/// The plain token of Medusa's that the shop's user has.
const TOKEN: &str = "a-plain-token";

#[test]
fn every_step_is_known_here() {
    for (engine, known) in [("sqlite", SQLITE), ("postgres", POSTGRES)] {
        let folder = format!("{}/../store/migrations/{engine}", env!("CARGO_MANIFEST_DIR"));
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), known.len(), "{engine}");
    }
}

/// What an earlier version did to reach its `last` step: the list of steps, and the steps.
fn made_until(steps: &[(&str, &str)], last: usize, list: &str) -> String {
    let mut sql = format!("{list};\n");
    for (number, (name, step)) in steps.iter().enumerate().take(last) {
        let version = number + 1;
        sql += &format!("{step};\nINSERT INTO stheno_migration VALUES ({version}, '{name}', '{TIME}');\n");
    }
    sql
}

const TIME: &str = "2024-11-03T08:00:00.000538Z";

/// A shop of 60 customers, of whom each tenth is deleted and each third has an account, in four groups, one of which is
/// deleted: in statements that both engines take.
fn rows(last: usize) -> String {
    let mut sql = String::new();
    for (number, name) in ["Gold", "Silver", "Zürich's \"best\"", "Gone"].iter().enumerate() {
        let deleted = if *name == "Gone" { format!("'{TIME}'") } else { "NULL".to_owned() };
        let name = name.replace('\'', "''");
        sql += &format!(
            "INSERT INTO customer_group (id, name, metadata, created_at, updated_at, deleted_at)
             VALUES ('cgrp_{number}', '{name}', '{{\"rank\":{number}}}', '{TIME}', '{TIME}', {deleted});\n"
        );
    }
    for number in 0..60 {
        let deleted = if number % 10 == 9 { format!("'{TIME}'") } else { "NULL".to_owned() };
        let last_name = if number % 7 == 0 { "NULL".to_owned() } else { format!("'O''Brien-İ {number}'") };
        let has_account = number % 3 == 0;
        sql += &format!(
            "INSERT INTO customer (id, email, first_name, last_name, has_account, metadata, created_at, updated_at, deleted_at)
             VALUES ('cus_{number:02}', 'customer{number}@example.com', 'First{number}', {last_name}, {has_account},
                     NULL, '2024-11-03T08:00:{number:02}.000001Z', '{TIME}', {deleted});\n"
        );
        for group in 0..4 {
            if number % (group + 1) == 0 {
                sql += &format!(
                    "INSERT INTO customer_group_customers (customer_group_id, customer_id)
                     VALUES ('cgrp_{group}', 'cus_{number:02}');\n"
                );
            }
        }
    }
    sql += &format!(
        "INSERT INTO \"user\" (id, email, role, api_token, created_at, updated_at)
         VALUES ('usr_1', 'ada@example.com', 'admin', '{TOKEN}', '{TIME}', '{TIME}');\n"
    );
    if last >= 2 {
        sql += &format!(
            "INSERT INTO stheno_api_token (token_hash, user_id, created_at) VALUES ('a hash', 'usr_1', '{TIME}');
             INSERT INTO stheno_session (id_hash, user_id, expires_at)
             VALUES ('another', 'usr_1', '2099-01-01T00:00:00.000000Z');
             INSERT INTO stheno_secret (name, value, created_at) VALUES
             ('jwt', 'a secret that is kept, and long enough', '{TIME}'),
             ('cookie', 'another secret that is kept, long enough', '{TIME}');\n"
        );
    }
    sql
}

fn members_of(group: usize) -> usize {
    (0..60).filter(|number| number % (group + 1) == 0 && number % 10 != 9).count()
}

/// Asks a server for what it counts and finds; also after a change, which the counts must follow.
fn assert_exact(server: &Server) {
    let ask = |path: &str| -> Value {
        let answer = server.get(path).with_token(TOKEN).send();
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.body
    };
    assert_eq!(ask("/admin/customers?limit=1")["count"], 54);
    assert_eq!(ask("/admin/customer-groups?limit=1")["count"], 3);
    for group in 0..3 {
        let members = members_of(group);
        assert_eq!(ask(&format!("/admin/customer-groups/cgrp_{group}/customers?limit=1"))["count"], members);
        let counted = ask(&format!("/admin/customer-groups/cgrp_{group}?fields=id,customer_count"));
        assert_eq!(counted["customer_group"]["customer_count"], members, "group {group}");
    }
    assert_eq!(ask("/admin/customers?q=Brien-%C4%B0%2011")["count"], 1);
    assert_eq!(ask("/admin/customers?q=customer5")["count"], 10, "5 and 50 to 58");
    assert_eq!(ask("/admin/customer-groups?q=rich%27s")["customer_groups"][0]["metadata"]["rank"], 2);
    assert_eq!(ask("/admin/customers?order=first_name&limit=1")["customers"][0]["id"], "cus_00");

    let batch = json!({"customer_ids": [{"id": "cus_01"}]});
    let path = "/admin/customer-groups/cgrp_1/customers/batch";
    assert_eq!(server.post(path).with_token(TOKEN).send_json(batch.clone()).status, 200);
    let counted = || {
        ask("/admin/customer-groups/cgrp_1?fields=customer_count")["customer_group"]["customer_count"].clone()
    };
    assert_eq!(counted(), members_of(1) + 1);
    assert_eq!(server.delete(path).with_token(TOKEN).try_send(Some(batch)).unwrap().status, 200);
    assert_eq!(counted(), members_of(1));
}

/// Serves the database at once, as who replaces the program does, then has all made that is missing, and serves it again.
fn bring_up_to_date(shop: &Shop) {
    let server = shop.serve([]);
    assert_exact(&server);
    server.stop();
    let made = shop.stheno(["migrate"]).output().unwrap();
    assert!(made.status.success(), "{}", text_of(&made));
    let verified = shop.stheno(["migrate", "--verify"]).output().unwrap();
    assert!(verified.status.success(), "{}", text_of(&verified));
    let server = shop.serve([]);
    assert_exact(&server);
    server.stop();
}

fn sqlite_rows(shop: &Shop, last: usize) -> Vec<String> {
    let database = shop.database();
    let mut rows = Vec::new();
    for (_, table) in TABLES.iter().filter(|(step, _)| *step <= last) {
        let mut statement = database.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).unwrap();
        let columns = statement.column_count();
        let mut found = statement.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            let values = (0..columns).map(|column| row.get_ref(column).unwrap());
            rows.push(format!("{table}: {:?}", values.collect::<Vec<ValueRef<'_>>>()));
        }
    }
    rows
}

#[test]
fn a_file_of_every_earlier_version_keeps_its_rows_and_counts_them() {
    for last in 1..=SQLITE.len() {
        let shop = Shop::new();
        // To the letter, since definitions are compared.
        let list = "CREATE TABLE stheno_migration\n             \
                    (version INTEGER PRIMARY KEY NOT NULL, name TEXT NOT NULL, applied_at TEXT NOT NULL)";
        let database = shop.database();
        database.execute_batch(&made_until(SQLITE, last, list)).unwrap();
        database.execute_batch(&rows(last)).unwrap();
        drop(database);
        if let Some((missing, _)) = SQLITE.get(last) {
            let refused = text_of(&shop.stheno(["serve", "--no-migrate", "--port", "0"]).output().unwrap());
            assert!(refused.contains(missing) && refused.contains("stheno migrate"), "{refused}");
        }
        let before = sqlite_rows(&shop, last);
        bring_up_to_date(&shop);
        let after = sqlite_rows(&shop, last);
        assert_eq!(without_secrets(&after), without_secrets(&before), "from step {last}");
        assert!(before.iter().all(|row| after.contains(row)), "from step {last}");
    }
}

/// The rows but those of secrets, of which a server adds what is missing.
fn without_secrets(rows: &[String]) -> Vec<&String> {
    rows.iter().filter(|row| !row.starts_with("stheno_secret")).collect()
}

async fn postgres_rows(database: &PostgresDatabase, last: usize) -> Vec<String> {
    let client = database.connect().await;
    let mut rows = Vec::new();
    for (_, table) in TABLES.iter().filter(|(step, _)| *step <= last) {
        let sql = format!("SELECT '{table}: ' || t::text FROM {table} t ORDER BY 1");
        rows.extend(client.query(&sql, &[]).await.unwrap().iter().map(|row| row.get::<_, String>(0)));
    }
    rows
}

/// What earlier versions declared otherwise, and what their unfinished builds have left.
const OTHERWISE: &str = "
    CREATE INDEX stheno_customer_created_at ON customer (created_at);
    CREATE INDEX stheno_customer_email ON customer (email, id) WHERE deleted_at IS NULL;
    UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'stheno_customer_email'::regclass;
    CREATE FUNCTION stheno_count_members() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
    CREATE TRIGGER stheno_members_added AFTER INSERT ON customer_group_customers
        REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION stheno_count_members();";

#[test]
fn a_postgresql_database_of_every_earlier_version_keeps_its_rows_and_counts_them() {
    let runtime = Runtime::new().unwrap();
    // With a list of steps it is Stheno's own; with one of migrations, Medusa's.
    let list = "CREATE TABLE stheno_migration
                (version bigint PRIMARY KEY, name text NOT NULL, applied_at timestamp with time zone NOT NULL)";
    let medusas = "CREATE TABLE migrations (id serial PRIMARY KEY, timestamp bigint, name varchar)";
    let mut states = vec![("a plain Medusa's".to_owned(), 1, format!("{medusas};{}", POSTGRES[0].1))];
    for last in 1..=POSTGRES.len() {
        let made = made_until(POSTGRES, last, list);
        states.push((format!("Stheno's own, step {last}"), last, made.clone()));
        if last > 1 {
            states.push((format!("a Medusa's, step {last}"), last, format!("{medusas};{made}")));
        }
        if last == POSTGRES.len() {
            states.push(("with other additions".to_owned(), last, format!("{made};{OTHERWISE}")));
        }
    }
    for (state, last, sql) in states {
        let database = runtime.block_on(PostgresDatabase::empty());
        runtime.block_on(database.execute(&sql));
        runtime.block_on(database.execute(&rows(last)));
        let shop = Shop::new().with("DATABASE_URL", database.url());
        let before = runtime.block_on(postgres_rows(&database, last));
        bring_up_to_date(&shop);
        let after = runtime.block_on(postgres_rows(&database, last));
        assert_eq!(without_secrets(&after), without_secrets(&before), "{state}");
        assert!(before.iter().all(|row| after.contains(row)), "{state}");
    }
}

#[test]
fn a_dump_of_postgresql_comes_back_whole() {
    let runtime = Runtime::new().unwrap();
    let database = runtime.block_on(PostgresDatabase::empty());
    let shop = Shop::new().with("DATABASE_URL", database.url());
    shop.run(["migrate"]);
    runtime.block_on(database.execute(&rows(2)));
    let before = runtime.block_on(postgres_rows(&database, 2));

    let restored = runtime.block_on(database.restored(&[]));
    let shop = Shop::new().with("DATABASE_URL", restored.url());
    let verified = shop.stheno(["migrate", "--verify"]).output().unwrap();
    assert!(verified.status.success(), "{}", text_of(&verified));
    assert_eq!(runtime.block_on(postgres_rows(&restored, 2)), before);
    let server = shop.serve([]);
    assert_exact(&server);
    server.stop();
}

#[test]
fn a_dump_without_sthenos_tables_is_repaired() {
    let runtime = Runtime::new().unwrap();
    let database = runtime.block_on(PostgresDatabase::empty());
    Shop::new().with("DATABASE_URL", database.url()).run(["migrate"]);
    runtime.block_on(database.execute(&rows(2)));
    let before = runtime.block_on(postgres_rows(&database, 1));

    let restored = runtime.block_on(database.restored(&["--exclude-table=stheno_*"]));
    let shop = Shop::new().with("DATABASE_URL", restored.url());
    let verified = shop.stheno(["migrate", "--verify"]).output().unwrap();
    assert!(
        !verified.status.success() && text_of(&verified).contains("stheno_api_token"),
        "{}",
        text_of(&verified)
    );
    shop.run(["migrate", "--repair"]);
    shop.run(["migrate", "--verify"]);
    assert_eq!(runtime.block_on(postgres_rows(&restored, 1)), before);
    let server = shop.serve([]);
    assert_exact(&server);
    server.stop();
}
