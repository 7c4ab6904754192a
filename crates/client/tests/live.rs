//! Every operation against running servers, and the examples as programs of their own.
//!
//! The servers are those of [`Server`]. Most are started here; tests on the one that `MEDUSA_BACKEND_URL` names are ignored
//! unless they are asked for (`cargo test --test live given -- --ignored`). `MEDUSA_API_KEY` is then a user's API token,
//! `MEDUSA_EMAIL` and `MEDUSA_PASSWORD` belong to the same user. Groups made here are deleted again; a customer stays,
//! since customers cannot be deleted.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

mod scenarios;

use std::any::Any;
use std::env::var;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use stheno_client::http::Method;
use stheno_client::{Admin, Client, ClientBuilder};
use stheno_testkit::medusa::{self, Medusa};
use stheno_testkit::{Engine, TestApp};

/// A kind of server. Another one takes a variant here, an arm in [`Backend::start`], and a line at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    /// Stheno on SQLite.
    Sqlite,
    /// Stheno on PostgreSQL.
    Postgres,
    /// The real Medusa 1.20.
    Medusa,
    /// The one that `MEDUSA_BACKEND_URL` names.
    Given,
}

/// A server, and who administers it.
struct Backend {
    url: String,
    api_key: String,
    email: String,
    password: String,
    /// Whether session cookies are set over https alone, which a Medusa in development does not mind.
    cookies_need_https: bool,
    /// Kept so that it goes on running.
    _running: Option<Box<dyn Any>>,
}

impl Backend {
    async fn start(server: Server) -> Self {
        match server {
            Server::Sqlite => Self::stheno(Engine::Sqlite).await,
            Server::Postgres => Self::stheno(Engine::Postgres).await,
            Server::Medusa => Self::medusa().await,
            Server::Given => Self::given(),
        }
    }

    async fn stheno(engine: Engine) -> Self {
        let app = TestApp::with_contract_data_in(engine).await;
        Self {
            url: format!("http://{}", app.address),
            api_key: "test_token".to_owned(),
            email: "admin@medusa-test.com".to_owned(),
            password: "supersecret".to_owned(),
            cookies_need_https: true,
            _running: Some(Box::new(app)),
        }
    }

    async fn medusa() -> Self {
        let database = medusa::database().await;
        let medusa = Medusa::on(&database).await;
        Self {
            url: medusa.url(),
            api_key: medusa::API_TOKEN.to_owned(),
            email: medusa::EMAIL.to_owned(),
            password: medusa::PASSWORD.to_owned(),
            cookies_need_https: true,
            // It ends before its database does.
            _running: Some(Box::new((medusa, database))),
        }
    }

    fn given() -> Self {
        let given = |name: &str| var(name).unwrap_or_else(|_| panic!("{name} is not set"));
        Self {
            url: given("MEDUSA_BACKEND_URL"),
            api_key: given("MEDUSA_API_KEY"),
            email: given("MEDUSA_EMAIL"),
            password: given("MEDUSA_PASSWORD"),
            cookies_need_https: false,
            _running: None,
        }
    }

    fn builder(&self) -> ClientBuilder {
        Client::builder(&self.url)
    }

    fn client(&self) -> Client {
        self.builder().api_key(&self.api_key).build().unwrap()
    }

    fn admin(&self) -> Admin {
        self.client().admin()
    }

    /// Runs an example, and returns what it printed.
    fn run_example(&self, name: &str, arguments: &[&str]) -> String {
        let output = example(name)
            .args(arguments)
            .env("MEDUSA_BACKEND_URL", &self.url)
            .env("MEDUSA_API_KEY", &self.api_key)
            .env("MEDUSA_EMAIL", &self.email)
            .env("MEDUSA_PASSWORD", &self.password)
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
        printed
    }
}

fn example(name: &str) -> Command {
    // Tests are built to `<profile>/deps`, examples to `<profile>/examples`.
    let mut path: PathBuf = std::env::current_exe().unwrap();
    path.pop();
    path.set_file_name("examples");
    Command::new(path.join(name).with_extension(std::env::consts::EXE_EXTENSION))
}

async fn groups_from_beginning_to_end(backend: Backend) {
    scenarios::groups_from_beginning_to_end(&backend.admin()).await;
}

async fn members_in_any_number(backend: Backend) {
    scenarios::members_in_any_number(&backend.admin()).await;
}

async fn customers_are_made_and_changed(backend: Backend) {
    scenarios::customers_are_made_and_changed(&backend.admin()).await;
}

async fn every_way_to_say_who_is_asking(backend: Backend) {
    let builder = || backend.builder();
    let (email, password) = (backend.email.clone(), backend.password.clone());
    assert_eq!(backend.admin().auth().get_session().await.unwrap().email, email);

    let anyone = builder().build().unwrap().admin();
    assert!(anyone.customer_groups().list().await.unwrap_err().is_unauthorized());
    assert!(anyone.auth().get_token(&email, "wrong").await.unwrap_err().is_unauthorized());
    let token = anyone.auth().get_token(&email, &password).await.unwrap();
    let bearer = builder().bearer_token(&token.access_token).build().unwrap();
    assert_eq!(bearer.admin().auth().get_session().await.unwrap().email, email);

    let login = builder().email_and_password(&email, &password).build().unwrap();
    login.admin().customer_groups().list().limit(1).await.unwrap();

    // A cookie is set only over https, or if a proxy says so.
    if backend.cookies_need_https {
        let session = builder().session().build().unwrap().admin().auth();
        let error = session.create_session(&email, &password).await.unwrap_err();
        assert!(error.is_session_missing(), "{error}");
    }
    let session = builder().session().header("x-forwarded-proto", "https").build().unwrap().admin().auth();
    session.create_session(&email, &password).await.unwrap();
    assert_eq!(session.get_session().await.unwrap().email, email);
    session.delete_session().await.unwrap();
    assert!(session.get_session().await.unwrap_err().is_unauthorized());
}

async fn faults_say_what_they_are(backend: Backend) {
    let client = backend.client();
    let error = client.admin().customer_groups().list().query("foo", "bar").await.unwrap_err();
    assert!(error.is_validation());
    assert_eq!(error.message().unwrap(), "property foo should not exist");
    let error = client.request::<Value>(Method::GET, "/admin/customer-groups/a/nope").await.unwrap_err();
    assert_eq!(error.status().unwrap(), 404);
}

async fn the_first_program_of_the_readme_runs(backend: Backend) {
    let printed = tokio::task::block_in_place(|| backend.run_example("first", &[]));
    let lines: Vec<_> = printed.lines().collect();
    assert!(lines[0].starts_with("made Spring guests (cgrp_"), "{printed}");
    assert_eq!(lines.iter().filter(|line| line.ends_with(" is in")).count(), 3, "{printed}");
    assert!(lines.last().unwrap().contains("was not found"), "{printed}");
}

async fn the_first_program_says_what_is_wrong(backend: Backend) {
    let said = |url: Option<&str>, api_key: Option<&str>| {
        let mut command = example("first");
        for (name, value) in [("MEDUSA_BACKEND_URL", url), ("MEDUSA_API_KEY", api_key)] {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let output = tokio::task::block_in_place(|| command.output()).unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(said(None, None), "Error: \"MEDUSA_BACKEND_URL: environment variable not found\"\n");
    assert_eq!(said(Some(&backend.url), None), "Error: \"MEDUSA_API_KEY: environment variable not found\"\n");
    let line = said(Some(&backend.url), Some("wrong"));
    let start = format!("Error: POST {}/admin/customer-groups: 401 Unauthorized", backend.url);
    assert!(line.starts_with(&start) && line.lines().count() == 1, "{line}");
}

async fn the_example_of_every_operation_runs(backend: Backend) {
    let printed = tokio::task::block_in_place(|| backend.run_example("every_operation", &[]));
    assert!(printed.contains(&format!("the API key belongs to {}", backend.email)), "{printed}");
}

async fn the_programs_for_a_shop_run(backend: Backend) {
    let groups = backend.admin().customer_groups();
    let name = format!("From a list {}", std::process::id());
    let customers = backend.admin().customers().list().limit(3).await.unwrap();
    let known: Vec<_> = customers.items.iter().map(|customer| customer.email.clone()).collect();
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.csv");
    std::fs::write(&list, format!("email\n{}\nnobody@example.com\n", known.join("\n"))).unwrap();
    let run =
        |name: &str, arguments: &[&str]| tokio::task::block_in_place(|| backend.run_example(name, arguments));

    let printed = run("sync_list", &[&name, list.to_str().unwrap()]);
    assert!(printed.contains("nobody@example.com"), "{printed}");
    let from = groups.list().q(&name).await.unwrap().items.remove(0);
    let exported = run("export_group", &[&from.id]);
    assert_eq!(exported.lines().count(), 1 + known.len(), "{exported}");
    assert!(known.iter().all(|email| exported.contains(email.as_str())), "{exported}");

    let to = groups.create(format!("{name}, moved")).await.unwrap();
    run("move_members", &[&from.id, &to.id]);
    assert_eq!(groups.list_customers(&from.id).await.unwrap().count, 0);
    assert_eq!(groups.list_customers(&to.id).await.unwrap().count, 3);
    for id in [&from.id, &to.id] {
        groups.delete(id).await.unwrap();
    }
}

/// A test for each of these functions, each with a server of its own.
macro_rules! run_on {
    (#[$attribute:meta] $module:ident $server:ident $($test:ident)+) => {
        mod $module {
            $(
                #[$attribute]
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    super::$test(super::Backend::start(super::Server::$server).await).await;
                }
            )+
        }
    };
}

macro_rules! run_everything_on {
    ($($server:tt)+) => {
        run_on! { $($server)+
            groups_from_beginning_to_end
            members_in_any_number
            customers_are_made_and_changed
            every_way_to_say_who_is_asking
            faults_say_what_they_are
            the_first_program_of_the_readme_runs
            the_first_program_says_what_is_wrong
            the_example_of_every_operation_runs
            the_programs_for_a_shop_run
        }
    };
}

run_everything_on! {
    /// Stheno on SQLite.
    sqlite Sqlite
}
run_everything_on! {
    /// Stheno on PostgreSQL.
    postgres Postgres
}
run_everything_on! {
    /// The real Medusa 1.20.
    real_medusa Medusa
}
run_everything_on! { #[ignore = "needs MEDUSA_BACKEND_URL"] given Given }
