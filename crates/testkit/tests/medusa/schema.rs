//! Nothing of Medusa's is altered.

use serde_json::json;
use stheno_testkit::medusa::database;
use stheno_testkit::postgres::PostgresDatabase;
use stheno_testkit::{TestApp, TestAppOptions};

/// Everything that the database has but rows, without what Stheno may add: objects of its own, which have its prefix, and
/// extensions.
async fn medusas(database: &PostgresDatabase) -> Vec<String> {
    let dump = database.schema().await;
    // What a dump sets for the objects behind depends on which these are.
    let is_said = |line: &&str| !line.starts_with("SET default_");
    let dump = dump.lines().filter(is_said).collect::<Vec<_>>().join("\n").replace("\n\n\n", "\n");
    let is_medusas = |object: &&str| {
        // `Name: customer stheno_touch; Type: TRIGGER; Schema: public; …`
        let heading = object.lines().next().unwrap_or_default();
        let (name, rest) = heading.split_once("; Type: ").unwrap_or_default();
        let is_ours = name.split(' ').any(|word| word.starts_with("stheno_"));
        !is_ours && !rest.starts_with("EXTENSION") && !name.starts_with("EXTENSION")
    };
    // Dumps have a random word against tampering at their beginning and end.
    let objects = dump.split("\n-- Name: ").skip(1).filter(is_medusas);
    objects.map(|object| object.split("\n--\n").take(2).collect()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_medusas_stays_as_it_was() {
    let database = database().await;
    let before = medusas(&database).await;
    for table in
        ["customer_group", "customer_group_customers", "\"order\"", "migrations", "discount_condition"]
    {
        let definition = format!("CREATE TABLE public.{table} (");
        assert!(before.iter().any(|object| object.contains(&definition)), "no {definition}");
    }
    assert!(before.len() > 500, "{} objects", before.len());

    let app = TestApp::on_postgres(database, TestAppOptions::default()).await;
    let group =
        app.call("POST", "/admin/customer-groups", Some(json!({"name": "New", "metadata": {"a": 1}}))).await;
    let path = format!("/admin/customer-groups/{}", group.json()["customer_group"]["id"].as_str().unwrap());
    let batch = json!({"customer_ids": [{"id": "cus_01J94J3Q6Z9Q9S5PFSTJH29KRS"}]});
    let customer = json!({"email": "new@shop.example", "first_name": "a", "last_name": "b", "password": "c"});
    for (method, path, body) in [
        ("POST", path.clone(), Some(json!({"name": "Newer", "metadata": {"a": ""}}))),
        ("POST", format!("{path}/customers/batch"), Some(batch.clone())),
        ("DELETE", format!("{path}/customers/batch"), Some(batch)),
        ("POST", "/admin/customers".to_owned(), Some(customer)),
        (
            "POST",
            "/admin/customers/cus_01J94J3Q6Z9Q9S5PFSTJH29KRS".to_owned(),
            Some(json!({"first_name": "x"})),
        ),
        ("DELETE", path, None),
    ] {
        let answer = app.call(method, &path, body).await;
        assert!(answer.status.is_success(), "{method} {path}: {}", answer.text());
    }

    let after = medusas(app.postgres()).await;
    let gone: Vec<_> = before.iter().filter(|object| !after.contains(object)).collect();
    let new: Vec<_> = after.iter().filter(|object| !before.contains(object)).collect();
    assert!(gone.is_empty() && new.is_empty(), "gone: {gone:#?}\nnew: {new:#?}");
    let added = "SELECT 1 FROM pg_class WHERE relname LIKE 'stheno\\_%'";
    assert!(
        !app.postgres().connect().await.query(added, &[]).await.unwrap().is_empty(),
        "Stheno has added nothing"
    );

    // The comparison would notice.
    for change in [
        "ALTER TABLE customer ALTER phone SET DEFAULT ''",
        "CREATE INDEX by_name ON customer_group (name)",
        "ALTER TYPE user_role_enum ADD VALUE 'guest'",
    ] {
        let before = medusas(app.postgres()).await;
        app.postgres().execute(change).await;
        assert_ne!(medusas(app.postgres()).await, before, "{change}");
    }
    app.stop().await;
}
