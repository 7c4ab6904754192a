//! Several servers on one PostgreSQL database, and their read replicas.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stheno_testkit::postgres::{PostgresDatabase, PostgresServer, Shutdown};
use tokio::runtime::Runtime;

use crate::support::{API_TOKEN, Answer, Call, EMAIL, PASSWORD, Server, Shop, refused_soon, text_of};

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A shop on a database of its own, which goes with the value.
struct Fleet {
    shop: Shop,
    _database: PostgresDatabase,
}

impl Fleet {
    fn new() -> Self {
        let database = Runtime::new().unwrap().block_on(PostgresDatabase::empty());
        let shop = Shop::with_known_credentials().with("DATABASE_URL", database.url());
        Self { shop, _database: database }
    }

    /// Servers that start at once.
    fn serve<const N: usize>(&self) -> [Server; N] {
        thread::scope(|scope| {
            [(); N]
                .map(|()| scope.spawn(|| self.shop.serve(["--cookie-secure", "never"])))
                .map(|started| started.join().unwrap())
        })
    }
}

fn login() -> Value {
    json!({ "email": EMAIL, "password": PASSWORD })
}

fn status_with_cookie(server: &Server, cookie: &str) -> u16 {
    server.get("/admin/auth").with("cookie", cookie).send().status
}

fn status_with_token(server: &Server, token: &str) -> u16 {
    server.get("/admin/auth").with_token(token).send().status
}

/// Opens a session, and returns its cookie as a browser sends it.
fn sign_in(server: &Server, login: Value) -> String {
    let answer = server.post("/admin/auth").send_json(login);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.cookie.unwrap().split(';').next().unwrap().to_owned()
}

fn create(server: &Server, name: &str) -> Answer {
    server.post("/admin/customer-groups").with_token(API_TOKEN).send_json(json!({ "name": name }))
}

fn retrieve(server: &Server, id: &str) -> Call {
    server.get(&format!("/admin/customer-groups/{id}")).with_token(API_TOKEN)
}

fn id_of(answer: &Answer) -> String {
    answer.body["customer_group"]["id"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

#[test]
fn servers_that_start_at_once_on_an_empty_database_agree() {
    let fleet = Fleet::new();
    let servers = fleet.serve::<3>();
    let users: Value = serde_json::from_str(&fleet.shop.run(["user", "list", "--output", "json"])).unwrap();
    assert_eq!(users.as_array().unwrap().len(), 1, "{users}");
    // What one has signed the others believe, so they have the same secrets.
    for signing in &servers {
        let cookie = sign_in(signing, login());
        let bearer = signing.post("/admin/auth/token").send_json(login()).body;
        let bearer = format!("Bearer {}", bearer["access_token"].as_str().unwrap());
        for server in &servers {
            assert_eq!(status_with_cookie(server, &cookie), 200);
            assert_eq!(server.get("/admin/auth").with("authorization", &*bearer).send().status, 200);
            assert_eq!(status_with_token(server, API_TOKEN), 200);
        }
    }
    // One that comes later agrees with them.
    let [later] = fleet.serve();
    assert_eq!(status_with_cookie(&later, &sign_in(&servers[0], login())), 200);
}

/// They would write the same file of credentials.
#[test]
fn servers_that_start_at_once_in_one_folder_make_one_administrator() {
    for _ in 0..3 {
        let fleet = Fleet::new();
        let shop = ["STHENO_ADMIN_EMAIL", "STHENO_ADMIN_PASSWORD", "STHENO_ADMIN_API_TOKEN"];
        let shop = shop.into_iter().fold(fleet.shop, Shop::without);
        let fleet = Fleet { shop, ..fleet };
        let servers = fleet.serve::<4>();
        let file = fs::read_to_string(fleet.shop.path("stheno.credentials")).unwrap();
        let token = file.lines().find_map(|line| line.strip_prefix("STHENO_ADMIN_API_TOKEN=")).unwrap();
        for server in &servers {
            assert_eq!(status_with_token(server, token), 200);
        }
    }
}

/// What `examples/many-servers` says can be started with, once it is filled in.
#[test]
fn the_example_of_many_servers_can_be_started() {
    let example = include_str!("../../../../examples/many-servers/stheno.env");
    let help = Shop::new().run(["serve", "--help"]);
    let mut shop = Shop::new();
    for line in example.lines() {
        let line = line.strip_prefix('#').unwrap_or(line);
        let Some((name, value)) = line.split_once('=').filter(|(name, _)| !name.contains(' ')) else {
            continue;
        };
        assert!(help.contains(name), "{name} is no variable of the server's");
        shop = shop.with(name, value);
    }
    let database = Runtime::new().unwrap().block_on(PostgresDatabase::empty());
    let shop = ["STHENO_REPLICA", "JWT_SECRET"].into_iter().fold(shop, Shop::without);
    let shop = shop.with("DATABASE_URL", database.url());
    // What is left to be chosen is refused as it stands.
    let output = shop.stheno(["serve", "--port", "0"]).output().unwrap();
    let text = text_of(&output);
    assert!(!output.status.success() && text.contains("STHENO_ADMIN_API_TOKEN"), "{text}");
    let chosen = shop.with("STHENO_ADMIN_API_TOKEN", API_TOKEN);
    assert_eq!(status_with_token(&chosen.serve([]), API_TOKEN), 200);
}

#[test]
fn who_is_out_at_one_server_is_out_at_all() {
    let fleet = Fleet::new();
    let [one, two] = fleet.serve();
    let servers = [&one, &two];
    let cookie = sign_in(&one, login());
    assert_eq!(servers.map(|server| status_with_cookie(server, &cookie)), [200; 2]);
    let closed = two.call("DELETE", "/admin/auth").with("cookie", &*cookie).send();
    assert_eq!(closed.status, 200);
    assert_eq!(status_with_cookie(&two, &cookie), 401, "it was closed here");
    refused_soon(|| status_with_cookie(&one, &cookie));

    let made: Value = serde_json::from_str(&fleet.shop.run([
        "user",
        "create",
        "--email",
        "grace@example.com",
        "--generate-password",
        "--output",
        "json",
    ]))
    .unwrap();
    let grace = json!({ "email": "grace@example.com", "password": made["password"] });
    let token = fleet.shop.run(["user", "token", "--email", "grace@example.com"]);
    let token = token.trim();
    let cookie = sign_in(&one, grace.clone());
    for server in servers {
        assert_eq!((status_with_token(server, token), status_with_cookie(server, &cookie)), (200, 200));
    }
    // A new password closes the sessions.
    fleet.shop.run(["user", "revoke", "--email", "grace@example.com", "--all"]);
    fleet.shop.run(["user", "password", "--email", "grace@example.com", "--generate-password"]);
    for server in servers {
        assert_eq!(server.post("/admin/auth/token").send_json(grace.clone()).status, 401);
        refused_soon(|| status_with_token(server, token));
        refused_soon(|| status_with_cookie(server, &cookie));
    }

    // Who is deleted is out with all that there is.
    let token = fleet.shop.run(["user", "token", "--email", EMAIL]);
    let cookie = sign_in(&one, login());
    let bearer = one.post("/admin/auth/token").send_json(login()).body;
    let bearer = format!("Bearer {}", bearer["access_token"].as_str().unwrap());
    let with_bearer =
        |server: &Server| server.get("/admin/auth").with("authorization", &*bearer).send().status;
    for server in servers {
        assert_eq!(status_with_token(server, token.trim()), 200);
        assert_eq!((status_with_cookie(server, &cookie), with_bearer(server)), (200, 200));
    }
    fleet.shop.run(["user", "delete", "--email", EMAIL]);
    for server in servers {
        refused_soon(|| status_with_token(server, token.trim()));
        refused_soon(|| status_with_cookie(server, &cookie));
        refused_soon(|| with_bearer(server));
    }
}

#[test]
fn what_one_server_writes_the_others_read_at_once() {
    let fleet = Fleet::new();
    let servers = fleet.serve::<3>();
    for round in 0..30 {
        let (writer, reader) = (&servers[round % 3], &servers[(round + 1) % 3]);
        let id = id_of(&create(writer, &format!("Group {round}")));
        assert_eq!(retrieve(reader, &id).send().body["customer_group"]["name"], format!("Group {round}"));
        let list = reader.get("/admin/customer-groups?limit=0").with_token(API_TOKEN).send();
        assert_eq!(list.body["count"], round + 1);
        let path = format!("/admin/customer-groups/{id}");
        let renamed =
            reader.post(&path).with_token(API_TOKEN).send_json(json!({ "metadata": { "at": round } }));
        assert_eq!(renamed.status, 200);
        assert_eq!(retrieve(writer, &id).send().body["customer_group"]["metadata"]["at"], round);
        // Without replicas nobody needs to know of positions; one that is sent does no harm.
        assert_eq!(renamed.header("x-stheno-position"), None);
        assert_eq!(retrieve(writer, &id).with("x-stheno-position", "0/0").send().status, 200);
    }
    // Of those who take a name at once, one has it.
    for round in 0..10 {
        let name = format!("Wanted {round}");
        let mut statuses = thread::scope(|scope| {
            [0, 1, 2]
                .map(|number| {
                    scope.spawn({
                        let (name, servers) = (&name, &servers);
                        move || create(&servers[number], name).status
                    })
                })
                .map(|created| created.join().unwrap())
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422, 422]);
    }
}

#[test]
fn what_one_server_writes_the_others_read_from_a_replica_when_they_are_told_where() {
    let runtime = Runtime::new().unwrap();
    let (primary, standby) = runtime.block_on(async {
        let primary = PostgresServer::start("").await;
        let standby = primary.standby("").await;
        (primary, standby)
    });
    let shop = Shop::with_known_credentials()
        .with("DATABASE_URL", primary.url("postgres"))
        .with("STHENO_REPLICA", standby.url("postgres"))
        .with("STHENO_REPLICA_MAX_LAG", "10m")
        .with("ADMIN_CORS", "https://admin.example.com");
    let (one, two) = (shop.serve([]), shop.serve([]));
    let control = runtime.block_on(standby.connect());
    let replay = |word: &str| {
        runtime.block_on(control.batch_execute(&format!("SELECT pg_wal_replay_{word}()"))).unwrap();
    };

    // Until the replica of the second server is in use.
    let started = Instant::now();
    let (id, position) = loop {
        assert!(started.elapsed() < PATIENCE, "the replica is not read from");
        replay("pause");
        let created = create(&one, &format!("{:?}", started.elapsed()));
        let position = created.header("x-stheno-position").unwrap().to_owned();
        let id = id_of(&created);
        assert_eq!(retrieve(&one, &id).send().status, 200, "who wrote reads it");
        if retrieve(&two, &id).send().status == 404 {
            break (id, position);
        }
        replay("resume");
        thread::sleep(Duration::from_millis(200));
    };
    for _ in 0..20 {
        let told = retrieve(&two, &id).with("x-stheno-position", &*position).send();
        assert_eq!((told.status, told.header("x-stheno-position")), (200, None));
        assert_eq!(retrieve(&one, &id).send().status, 200);
    }
    let list = two.get("/admin/customer-groups?limit=0").with_token(API_TOKEN);
    let listed = list.with("x-stheno-position", &*position).send();
    assert!(listed.body["customer_groups"].as_array().unwrap().iter().any(|group| group["id"] == id));
    for malformed in ["", "later", "0/G", "0/0, 0/0"] {
        let refused = retrieve(&two, &id).with("x-stheno-position", malformed).send();
        assert_eq!(refused.status, 400, "{malformed}");
        assert!(refused.body["message"].as_str().unwrap().contains("x-stheno-position"), "{refused:?}");
    }
    // Pages of other origins may read it too.
    let path = format!("/admin/customer-groups/{id}");
    let deleted = one.call("DELETE", &path).with_token(API_TOKEN).with("origin", "https://admin.example.com");
    let deleted = deleted.send();
    assert_eq!(deleted.header("access-control-expose-headers"), Some("x-stheno-position"));
    assert_eq!(retrieve(&one, &id).send().status, 404);
    // A login is seen everywhere at once, as far behind as a replica may be.
    let bearer = one.post("/admin/auth/token").send_json(login()).body;
    let bearer = format!("Bearer {}", bearer["access_token"].as_str().unwrap());
    assert_eq!(two.get("/admin/auth").with("authorization", bearer).send().status, 200);
    replay("resume");

    // One that is gone is left out, and comes back.
    runtime.block_on(standby.stop(Shutdown::Immediate));
    let stopped = Instant::now();
    while stopped.elapsed() < Duration::from_secs(5) {
        assert_eq!(two.get("/admin/customer-groups").with_token(API_TOKEN).send().status, 200);
        assert_eq!(two.get("/ready").send().status, 200);
    }
    runtime.block_on(standby.start_again());
    let control = runtime.block_on(standby.connect());
    let watched = || {
        let find =
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_control_system%' AND state = 'idle'";
        runtime.block_on(control.query_one(find, &[])).unwrap().get::<_, i64>(0)
    };
    let started = Instant::now();
    while watched() < 2 {
        assert!(started.elapsed() < PATIENCE, "nobody looks after the replica");
        thread::sleep(Duration::from_millis(50));
    }
    // What has been found out is noted soon.
    thread::sleep(Duration::from_secs(2));
    let log = two.stop();
    assert!(log.contains("a replica is left out") && log.contains("it does not answer"), "{log}");
    let (_, after) = log.rsplit_once("a replica is left out").unwrap();
    assert!(after.contains("a replica answers reads"), "{log}");
    drop(one);

    // Who starts while it is gone does without it.
    runtime.block_on(standby.stop(Shutdown::Fast));
    let three = shop.serve([]);
    assert_eq!(three.get("/admin/customer-groups").with_token(API_TOKEN).send().status, 200);
    assert!(three.stop().contains("a replica is left out"));

    // A server that is not of this database is no replica.
    let other = runtime.block_on(PostgresServer::start(""));
    let shop = shop.with("STHENO_REPLICA", format!("{},{}", standby.url("postgres"), other.url("postgres")));
    let output = shop.stheno(["serve", "--port", "0"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("is no replica of this database"), "{said}");
}
