//! On the database of a Medusa v1: recognised, taken as it is, by users of few rights, while its columns change.

use std::time::{Duration, Instant};

use serde_json::json;
use stheno_store::{
    CustomerGroupChanges, Login, LoginFilter, LoginKind, LoginOutcome, NewUser, Owner, Role, Store,
    StoreError, StoreOptions, Table,
};
use stheno_testkit::postgres::PostgresDatabase;

use crate::database::Database;
use crate::schema::{faults, migrate, schema_of};
use crate::shop::{Shop, new_group, object};

/// What is there, as far as it is not Stheno's: every relation, column, constraint, index, trigger and type.
const NOT_OURS: &str = "
    SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
        SELECT format('%s %s %s %s', c.relname, c.relkind, c.relhasrules, c.relhastriggers) AS line FROM pg_class c
            WHERE c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE 'stheno\\_%'
        UNION ALL
        SELECT format('%s.%s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                      pg_get_expr(d.adbin, d.adrelid))
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE 'stheno\\_%' AND a.attnum > 0
        UNION ALL
        SELECT format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint
            WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE 'stheno\\_%'
        UNION ALL
        SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE 'stheno\\_%'
        UNION ALL
        SELECT format('%s %s', tgrelid::regclass, tgname) FROM pg_trigger WHERE tgname NOT LIKE 'stheno\\_%'
        UNION ALL
        SELECT format('%s %s', t.typname, t.typtype) FROM pg_type t
            WHERE t.typnamespace = 'public'::regnamespace AND t.typname NOT LIKE '%stheno\\_%'
              AND NOT EXISTS (SELECT 1 FROM pg_depend e WHERE e.objid IN (t.oid, t.typelem) AND e.deptype = 'e')
    ) lines";

/// What is there, as far as it is not Stheno's.
pub(crate) async fn not_ours(database: &Database) -> String {
    ask(database.postgres_database(), NOT_OURS).await
}

async fn ask(database: &PostgresDatabase, sql: &str) -> String {
    let rows = database.connect().await.query(sql, &[]).await.unwrap();
    rows.first().and_then(|row| row.get(0)).unwrap_or_default()
}

/// A database as Medusa leaves it, as far as Stheno looks into it.
pub(crate) async fn medusa() -> Database {
    let database = Database::empty_postgres().await;
    database.execute(include_str!("../../migrations/postgres/0001_medusa_tables.sql")).await;
    database
        .execute(
            "CREATE TABLE migrations (id serial PRIMARY KEY, timestamp bigint NOT NULL, name varchar NOT NULL);
             CREATE TABLE country (iso_2 varchar PRIMARY KEY);
             ALTER TABLE address ADD FOREIGN KEY (country_code) REFERENCES country (iso_2);
             ALTER TABLE customer_group ADD COLUMN sales_channel_id varchar;
             INSERT INTO customer_group (id, name, sales_channel_id) VALUES ('cgrp_theirs', 'Theirs', 'sc_1');
             INSERT INTO \"user\" (id, email, api_token, role) VALUES ('usr_theirs', 'a@b.co', 'token', NULL)",
        )
        .await;
    database
}

/// Waits until what is made beside the work is made.
pub(crate) async fn all_made(database: &Database) {
    let schema = schema_of(database).await;
    let started = Instant::now();
    loop {
        match faults(&schema).await {
            left if left.is_empty() => break,
            left => assert!(started.elapsed() < Duration::from_secs(60), "still {left:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    schema.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_medusas_database_is_taken_as_it_is() {
    let database = medusa().await;
    let before = not_ours(&database).await;
    assert!(before.contains("FK_c5516f550433c9b1c2630d787a7"), "{before}");

    let shop = Shop::open(database).await;
    all_made(&shop.database).await;
    assert_eq!(not_ours(&shop.database).await, before);
    let schema = schema_of(&shop.database).await;
    assert_eq!(schema.owner().await.unwrap(), Owner::Medusa);
    let made: Vec<String> = schema.made().await.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(
        made,
        [
            "trigger stheno_customer_changed on customer",
            "trigger stheno_customer_removed on customer",
            "trigger stheno_customers_added on customer",
            "trigger stheno_customers_emptied on customer",
            "trigger stheno_customers_removed on customer",
            "trigger stheno_groups_added on customer_group",
            "trigger stheno_groups_changed on customer_group",
            "trigger stheno_groups_emptied on customer_group",
            "trigger stheno_groups_removed on customer_group",
            "trigger stheno_members_added on customer_group_customers",
            "trigger stheno_members_changed on customer_group_customers",
            "trigger stheno_members_emptied on customer_group_customers",
            "trigger stheno_members_removed on customer_group_customers",
            "index stheno_customer_created_at on customer",
            "index stheno_customer_first_name on customer",
            "index stheno_customer_has_account on customer",
            "index stheno_customer_has_account_created_at on customer",
            "index stheno_customer_last_name on customer",
            "index stheno_customer_search on customer",
            "index stheno_customer_updated_at on customer",
            "index stheno_customer_group_created_at on customer_group",
            "index stheno_customer_group_search on customer_group",
            "index stheno_customer_group_updated_at on customer_group",
            "index stheno_user_api_token on user",
            "function stheno_count_customer",
            "function stheno_count_customers",
            "function stheno_count_groups",
            "function stheno_count_members",
            "function stheno_doubt_counts",
            "table stheno_api_token",
            "table stheno_count",
            "table stheno_login",
            "table stheno_migration",
            "table stheno_secret",
            "table stheno_session",
            "extension pg_trgm",
        ]
    );
    schema.close().await;

    assert_eq!(shop.group("cgrp_theirs").await.unwrap()["sales_channel_id"], "sc_1");
    assert_eq!(shop.store.user_by_token("token", "").await.unwrap().as_deref(), Some("usr_theirs"));
    assert_eq!(shop.store.list_users().await.unwrap()[0].role, "member");
    shop.add_groups(&["cgrp_a"]).await;
    let shop = shop.reopen_after("").await;
    assert!(shop.group("cgrp_a").await.is_some());
    assert_eq!(not_ours(&shop.database).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_of_every_type_are_shown_and_survive_a_change() {
    let database = medusa().await;
    let columns = "
        ADD COLUMN a_text text NOT NULL DEFAULT 'standard',
        ADD COLUMN an_integer integer NOT NULL DEFAULT 7,
        ADD COLUMN a_number numeric(10, 2) NOT NULL DEFAULT 12.50,
        ADD COLUMN a_flag boolean NOT NULL DEFAULT true,
        ADD COLUMN a_time timestamptz NOT NULL DEFAULT '2024-11-03T08:00:00.000538Z',
        ADD COLUMN some_json jsonb NOT NULL DEFAULT '{\"b\": [1, \"x\"]}',
        ADD COLUMN a_list text[] NOT NULL DEFAULT '{a,b}',
        ADD COLUMN a_kind shop_kind NOT NULL DEFAULT 'wholesale',
        ADD COLUMN an_id uuid NOT NULL DEFAULT '00000000-0000-4000-8000-000000000001'";
    let tables = ["customer_group", "customer"];
    let alter: String = tables.iter().map(|table| format!("ALTER TABLE {table} {columns};")).collect();
    database.execute(&format!("CREATE TYPE shop_kind AS ENUM ('retail', 'wholesale'); {alter}")).await;
    let expected = json!({
        "a_text": "standard", "an_integer": 7, "a_number": 12.50, "a_flag": true,
        "a_time": "2024-11-03T08:00:00.000Z", "some_json": {"b": [1, "x"]}, "a_list": ["a", "b"],
        "a_kind": "wholesale", "an_id": "00000000-0000-4000-8000-000000000001",
    });
    let shown = |row: serde_json::Value| {
        for (column, value) in expected.as_object().unwrap() {
            assert_eq!(row[column], *value, "{column}");
        }
    };

    let shop = Shop::open(database).await;
    let created = shop.store.create_customer_group(new_group("New")).await.unwrap();
    let group = crate::shop::json_of(created).await;
    let id = group["id"].as_str().unwrap().to_owned();
    shown(group);
    shop.database.execute("UPDATE customer_group SET a_text = 'theirs', a_list = '{}'").await;
    let changes = CustomerGroupChanges {
        name: Some(Some("Renamed".to_owned())),
        metadata: Some(object(json!({"a": 1}))),
    };
    shop.store.update_customer_group(&id, changes, &shop.all(Table::CustomerGroup)).await.unwrap().unwrap();
    let kept = shop.group(&id).await.unwrap();
    assert_eq!(
        (&kept["a_text"], &kept["a_list"], &kept["an_integer"]),
        (&json!("theirs"), &json!([]), &json!(7))
    );

    let created = shop.store.create_customer(crate::shop::new_customer("a@b.co")).await.unwrap();
    let customer = crate::shop::json_of(created).await;
    let id = customer["id"].as_str().unwrap().to_owned();
    shown(customer);
    let changes = stheno_store::CustomerChanges {
        phone: Some(Some("1".to_owned())),
        ..stheno_store::CustomerChanges::default()
    };
    shop.store.update_customer(&id, changes, &shop.all(Table::Customer)).await.unwrap().unwrap();
    shown(shop.customer(&id).await.unwrap());
}

async fn refused(database: &Database) -> String {
    match Store::open(database.url(), StoreOptions::default()).await {
        Err(StoreError::Schema(text)) => text,
        other => panic!("{other:?} is no refusal"),
    }
}

#[tokio::test]
async fn a_database_that_is_no_medusa_v1s_is_refused_with_the_reason_and_left_alone() {
    let database = Database::empty_postgres().await;
    database
        .execute("CREATE TABLE mikro_orm_migrations (id int); CREATE TABLE customer_group (id text)")
        .await;
    let text = refused(&database).await;
    assert!(text.contains("Medusa v2"), "{text}");

    let database = medusa().await;
    database
        .execute(
            "ALTER TABLE customer DROP COLUMN phone, DROP COLUMN has_account;
             ALTER TABLE customer_group ALTER COLUMN metadata TYPE text, ALTER COLUMN created_at TYPE timestamp;
             DROP TABLE price_list_customer_groups, discount_condition_customer_group",
        )
        .await;
    let before = not_ours(&database).await;
    let text = refused(&database).await;
    for wanted in [
        "customer has no column phone",
        "customer has no column has_account",
        "customer_group.metadata is text, not jsonb",
        "customer_group.created_at is timestamp without time zone, not timestamp with time zone",
        "no table price_list_customer_groups",
        "no table discount_condition_customer_group",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert_eq!(not_ours(&database).await, before);
    let schema = schema_of(&database).await;
    assert_eq!(schema.made().await.unwrap(), [], "what is refused is left as it was");
    schema.close().await;
}

/// Medusa's tables are read and written, and nothing is made.
const DATA_ONLY: &str = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user}";

/// A Medusa's database, and where it is for a user of few rights.
async fn limited(grants: &str) -> (Database, String) {
    let database = medusa().await;
    let url = database.postgres_database().url_for_user(grants).await;
    (database, url)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_may_make_nothing_works_without() {
    let (database, url) = limited(DATA_ONLY).await;
    let before = not_ours(&database).await;
    let store = Store::open(&url, StoreOptions::default()).await.unwrap();
    store.ping().await.unwrap();
    store.create_customer_group(new_group("A")).await.unwrap();
    assert!(store.delete_customer_group("cgrp_theirs").await.unwrap());

    assert_eq!(store.user_by_token("token", "hash").await.unwrap().as_deref(), Some("usr_theirs"));
    assert_eq!(store.user_by_token("other", "hash").await.unwrap(), None);
    assert_eq!(store.list_users().await.unwrap().len(), 1);
    assert_eq!(store.session_user("hash").await.unwrap(), None);
    assert!(!store.delete_session("hash").await.unwrap());
    let later = store.clock().now() + jiff::SignedDuration::from_hours(1);
    let user = |token_hash| NewUser {
        email: "new@b.co".to_owned(),
        password_hash: None,
        role: Role::Admin,
        token_hash,
    };
    for (refused, word) in [
        (store.create_api_token("usr_theirs", "hash".to_owned()).await.map(drop), "API tokens"),
        (store.create_session("hash".to_owned(), "usr_theirs", later).await, "bearer token"),
        (store.secret("jwt", "fresh".to_owned()).await.map(drop), "secrets"),
        (store.record_logins(vec![login()]).await, "audit trail"),
        (store.forget_logins(later, 1).await.map(drop), "audit trail"),
        (store.create_user(user(Some("hash".to_owned()))).await.map(drop), "API tokens"),
    ] {
        let Err(StoreError::Limited { reason, .. }) = refused else { panic!("{refused:?} is not limited") };
        assert!(reason.contains(word), "{reason}");
    }
    let new = store.create_user(user(None)).await.unwrap();
    assert!(store.set_password_hash(&new, "container".to_owned()).await.unwrap());
    assert_eq!(store.api_tokens(&new).await.unwrap(), []);
    assert_eq!(store.logins(LoginFilter::default(), 1).await.unwrap(), []);
    assert_eq!(store.delete_api_tokens(&new, Some("hash")).await.unwrap(), 0);
    assert_eq!(store.delete_api_tokens("usr_theirs", None).await.unwrap(), 1, "Medusa's own");
    assert!(store.delete_user(&new).await.unwrap());
    store.close().await;
    assert_eq!(not_ours(&database).await, before);

    // Each thing is named with the reason.
    let schema = stheno_store::Schema::connect(&url, StoreOptions::default()).await.unwrap();
    let left = schema.migrate(&|progress| panic!("{progress:?}")).await.unwrap();
    assert_eq!(left.len(), 42, "{left:?}");
    for difference in left {
        let hindrance = difference.hindrance.unwrap();
        assert!(hindrance.contains(&database.postgres_database().user()), "{hindrance}");
        assert!(!difference.loss.is_empty());
    }
    schema.close().await;

    // Once another user has made the tables, and given rights on them, nothing is missing.
    let schema = schema_of(&database).await;
    migrate(&schema).await;
    schema.close().await;
    let hindered = Store::open(&url, StoreOptions::default()).await.unwrap();
    assert!(matches!(hindered.secret("jwt", "fresh".to_owned()).await, Err(StoreError::Limited { .. })));
    // Other servers honour what is there, so nobody is told that it is gone.
    for (refused, wanted) in [
        (
            hindered.set_password_hash("usr_theirs", "new".to_owned()).await.map(drop),
            "SELECT, DELETE ON stheno_session",
        ),
        (hindered.delete_user("usr_theirs").await.map(drop), "SELECT, DELETE ON stheno_session"),
        (hindered.api_tokens("usr_theirs").await.map(drop), "SELECT ON stheno_api_token"),
        (
            hindered.delete_api_tokens("usr_theirs", None).await.map(drop),
            "SELECT, DELETE ON stheno_api_token",
        ),
        (
            hindered.delete_api_tokens("usr_theirs", Some("hash")).await.map(drop),
            "SELECT, DELETE ON stheno_api_token",
        ),
        (hindered.record_logins(vec![login()]).await, "INSERT ON stheno_login"),
        (hindered.logins(LoginFilter::default(), 1).await.map(drop), "SELECT ON stheno_login"),
        (hindered.forget_logins(later, 1).await.map(drop), "SELECT, DELETE ON stheno_login"),
    ] {
        let Err(StoreError::Limited { source: Some(source), .. }) = refused else { panic!("{refused:?}") };
        assert!(source.to_string().starts_with(&format!("GRANT {wanted} TO ")), "{source}");
    }
    assert!(hindered.user_exists("usr_theirs").await.unwrap());
    hindered.close().await;
    let user = database.postgres_database().user();
    database.execute(&DATA_ONLY.replace("{user}", &user)).await;
    let store = Store::open(&url, StoreOptions { migrate: false, ..StoreOptions::default() }).await.unwrap();
    store.secret("jwt", "fresh".to_owned()).await.unwrap();
    assert!(store.create_api_token("usr_theirs", "hash".to_owned()).await.unwrap());
    // To add to the audit trail is a right of its own, which is enough to serve with.
    database.execute(&format!("REVOKE SELECT, UPDATE, DELETE ON stheno_login FROM {user}")).await;
    store.record_logins(vec![login()]).await.unwrap();
    assert_matches!(store.forget_logins(later, 1).await, Err(StoreError::Limited { .. }));
    store.close().await;
    Store::open(&url, StoreOptions::default()).await.unwrap().close().await;
}

fn login() -> Login {
    Login {
        at: crate::shop::time(crate::shop::START),
        user_id: None,
        kind: LoginKind::Session,
        outcome: LoginOutcome::UnknownUser,
        address: None,
        attempts: 1,
    }
}

/// As after an upgrade, before somebody who may make tables has run `stheno migrate`, or where nobody wants a trail.
#[tokio::test(flavor = "multi_thread")]
async fn where_only_the_audit_trail_is_missing_all_else_is_there() {
    let (database, url) = limited("").await;
    let schema = schema_of(&database).await;
    migrate(&schema).await;
    schema.close().await;
    let user = database.postgres_database().user();
    database.execute(&DATA_ONLY.replace("{user}", &user)).await;
    for losing in [
        "DROP TABLE stheno_login; DELETE FROM stheno_migration WHERE version = 4",
        "INSERT INTO stheno_migration VALUES (4, '0004_stheno_logins', now())",
        "CREATE TABLE stheno_login (id bigint)",
    ] {
        database.execute(losing).await;
        let store = Store::open(&url, StoreOptions::default()).await.unwrap();
        let later = store.clock().now() + jiff::SignedDuration::from_hours(1);
        let session = format!("hash of {losing}");
        store.create_session(session.clone(), "usr_theirs", later).await.unwrap();
        assert_eq!(store.session_user(&session).await.unwrap().as_deref(), Some("usr_theirs"));
        store.record_logins(vec![login()]).await.unwrap_err();
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_too_few_rights_is_told_which_are_lacking() {
    for (grants, wanted) in [
        (
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}",
            "GRANT INSERT, UPDATE, DELETE ON customer_group TO",
        ),
        ("GRANT SELECT, INSERT, UPDATE, DELETE ON customer_group TO {user}", "GRANT SELECT ON \"user\" TO"),
        ("REVOKE USAGE ON SCHEMA public FROM PUBLIC", "GRANT USAGE ON SCHEMA public TO"),
        (
            "GRANT ALL ON ALL TABLES IN SCHEMA public TO {user};
             ALTER ROLE {user} SET default_transaction_read_only = on",
            "default_transaction_read_only",
        ),
    ] {
        let (database, url) = limited(grants).await;
        let text = match Store::open(&url, StoreOptions::default()).await {
            Err(StoreError::Schema(text)) => text,
            other => panic!("{other:?} is no refusal"),
        };
        assert!(text.contains(wanted), "{text}");
        assert!(text.contains(&database.postgres_database().user()), "{text}");
    }
}

#[tokio::test]
async fn an_empty_database_needs_a_user_who_may_make_tables() {
    let database = PostgresDatabase::empty().await;
    let url = database.url_for_user("").await;
    let error = Store::open(&url, StoreOptions::default()).await.unwrap_err();
    assert!(error.to_string().contains("may not create anything in the schema public"), "{error}");
}

/// Statements are prepared, and columns known, when Medusa migrates: whatever it changes, nobody notices.
#[tokio::test(flavor = "multi_thread")]
async fn columns_change_while_a_store_is_open() {
    let database = medusa().await;
    let flag = "ALTER TABLE customer_group ADD COLUMN flag boolean NOT NULL DEFAULT true";
    database.execute(flag).await;
    let shop = Shop::open(database).await;
    all_made(&shop.database).await;
    shop.add_customers(&["cus_1"]).await;
    shop.add_members("cgrp_theirs", &["cus_1"]).await;
    for (number, change) in [
        "",
        "ADD COLUMN note text",
        "ALTER COLUMN sales_channel_id TYPE jsonb USING to_jsonb(sales_channel_id)",
        "ALTER COLUMN flag DROP DEFAULT, ALTER COLUMN flag TYPE text USING 'a text', ALTER COLUMN flag SET DEFAULT ''",
        "ALTER COLUMN name TYPE text",
        "DROP COLUMN sales_channel_id",
        "ALTER COLUMN note TYPE timestamptz USING now()",
        "DROP COLUMN flag, DROP COLUMN note, ADD COLUMN sales_channel_id varchar",
    ]
    .into_iter()
    .enumerate()
    {
        // What is asked for was read before the change.
        let (groups, customers) = (shop.all(Table::CustomerGroup), shop.all(Table::Customer));
        let expanded = shop.with(Table::Customer, &["groups"]);
        let list = shop.group_list();
        let members = stheno_store::CustomerList {
            selection: shop.with(Table::Customer, &["groups"]),
            ..shop.customer_list()
        };
        if !change.is_empty() {
            shop.database.execute(&format!("ALTER TABLE customer_group {change}")).await;
        }
        let store = &shop.store;
        let metadata = Some(object(json!({"round": number})));
        let changes = CustomerGroupChanges { name: Some(Some(format!("Round {number}"))), metadata };
        // Any of them may be the first to hear of it.
        for turn in 0..5 {
            match (turn + number) % 5 {
                0 => drop(store.retrieve_customer_group("cgrp_theirs", &groups).await.unwrap().unwrap()),
                1 => drop(store.list_customer_groups(list.clone()).await.unwrap()),
                2 => {
                    let updated = store.update_customer_group("cgrp_theirs", changes.clone(), &groups).await;
                    let group = crate::shop::json_of(updated.unwrap().unwrap()).await;
                    assert_eq!(group["metadata"], json!({"round": number}), "after {change:?}");
                }
                3 => drop(store.create_customer_group(new_group(&format!("New {number}"))).await.unwrap()),
                _ => {
                    let rows = crate::shop::rows(store.list_customers(members.clone()).await.unwrap()).await;
                    assert_eq!(rows[0]["groups"][0]["id"], "cgrp_theirs");
                    store.retrieve_customer("cus_1", &expanded).await.unwrap().unwrap();
                    store.retrieve_customer("cus_1", &customers).await.unwrap().unwrap();
                }
            }
        }
        let group = shop.group("cgrp_theirs").await.unwrap();
        assert_eq!(group["name"], json!(format!("Round {number}")), "after {change:?}");
        if number == 2 {
            assert_eq!(group["sales_channel_id"], "sc_1");
        }
        if number == 3 {
            assert_eq!(group["flag"], "a text");
        }
    }
    assert_eq!(shop.store.list_customer_groups(shop.group_list()).await.unwrap().count, 9);
}

/// A new column breaks nothing, so it is looked for now and then.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_column_is_seen_some_seconds_later() {
    let shop = Shop::open(medusa().await).await;
    all_made(&shop.database).await;
    shop.database.execute("ALTER TABLE customer_group ADD COLUMN fresh text DEFAULT 'seen'").await;
    let started = Instant::now();
    while shop.group("cgrp_theirs").await.unwrap().get("fresh") != Some(&json!("seen")) {
        assert!(started.elapsed() < Duration::from_secs(60), "it is never seen");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_is_needed_and_gone_is_said_to_be_in_the_way() {
    let shop = Shop::open(medusa().await).await;
    // An index that is being made and a column that is renamed are in each other's way.
    all_made(&shop.database).await;
    let groups = shop.all(Table::CustomerGroup);
    shop.store.retrieve_customer_group("cgrp_theirs", &groups).await.unwrap().unwrap();
    shop.database.execute("ALTER TABLE customer_group RENAME COLUMN name TO title").await;
    for _ in 0..2 {
        let refused = shop.store.retrieve_customer_group("cgrp_theirs", &groups).await.map(drop);
        assert_matches!(refused, Err(StoreError::Unavailable { reason: "its tables are being changed", .. }));
    }
    shop.database.execute("ALTER TABLE customer_group RENAME COLUMN title TO name").await;
    shop.store.retrieve_customer_group("cgrp_theirs", &groups).await.unwrap().unwrap();
}
