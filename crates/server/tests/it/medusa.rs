//! Session cookies of the Medusa beside which the server runs, and what happens where that Medusa fails.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{Method, StatusCode};
use serde_json::json;
use stheno_server::Config;
use stheno_testkit::{HttpResponse, TestApp, TestAppOptions, contract};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::{header, token};

/// As the contract's administrator has one at Medusa.
const SESSION: &str = "connect.sid=s%3Aof-medusa.c2lnbmF0dXJl";
const ADMINISTRATOR: &str = "admin_user";

/// A Medusa as far as Stheno knows it: `/admin/auth`.
#[derive(Clone)]
struct FakeMedusa(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    /// Whose sessions there are, by their cookies.
    sessions: HashMap<String, String>,
    /// What came, in order.
    asked: Vec<Asked>,
    mood: Mood,
    at_once: usize,
    most_at_once: usize,
}

#[derive(Debug)]
struct Asked {
    method: Method,
    cookie: String,
    /// All headers by their names.
    headers: Vec<String>,
}

#[derive(Clone, Copy, Default)]
enum Mood {
    #[default]
    Well,
    /// Takes its time.
    Slow(Duration),
    /// Answers nothing any more.
    Frozen,
    /// Answers something else.
    Odd(StatusCode, &'static str),
    /// Answers more than anybody wants to read.
    Endless,
}

impl FakeMedusa {
    fn new() -> Self {
        let sessions = HashMap::from([(SESSION.to_owned(), ADMINISTRATOR.to_owned())]);
        Self(Arc::new(Mutex::new(Inner { sessions, ..Inner::default() })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    fn set(&self, mood: Mood) {
        self.inner().mood = mood;
    }

    fn asked(&self) -> usize {
        self.inner().asked.len()
    }

    /// Serves until the task is aborted.
    fn serve(&self, listener: TcpListener) -> JoinHandle<()> {
        let router = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() })
    }
}

async fn answer(State(medusa): State<FakeMedusa>, request: Request) -> Response {
    let (mood, cookie) = {
        let mut inner = medusa.inner();
        let headers = request.headers();
        let cookie = headers.get("cookie").map_or("", |cookie| cookie.to_str().unwrap()).to_owned();
        let mut names: Vec<_> = headers.keys().map(|name| name.as_str().to_owned()).collect();
        names.sort();
        assert_eq!(request.uri(), "/admin/auth");
        inner.asked.push(Asked { method: request.method().clone(), cookie: cookie.clone(), headers: names });
        inner.at_once += 1;
        inner.most_at_once = inner.most_at_once.max(inner.at_once);
        (inner.mood, cookie)
    };
    match mood {
        Mood::Slow(time) => tokio::time::sleep(time).await,
        Mood::Frozen => std::future::pending().await,
        _ => {}
    }
    let mut inner = medusa.inner();
    inner.at_once -= 1;
    match mood {
        Mood::Odd(status, body) => return (status, [("location", "/admin/auth")], body).into_response(),
        Mood::Endless => return vec![b' '; 4 * 1024 * 1024].into_response(),
        _ => {}
    }
    match (inner.sessions.get(&cookie).cloned(), request.method()) {
        (None, _) => (StatusCode::UNAUTHORIZED, "Unauthorized").into_response(),
        (Some(id), &Method::GET) => json!({"user": {"id": id, "email": "x"}}).to_string().into_response(),
        (Some(_), _) => {
            inner.sessions.remove(&cookie);
            "OK".into_response()
        }
    }
}

/// A server beside a fake Medusa.
struct Beside {
    app: TestApp,
    medusa: FakeMedusa,
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Beside {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(configure: impl FnOnce(&mut Config)) -> Self {
        let medusa = FakeMedusa::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = medusa.serve(listener);
        let mut config = Config::default();
        config.medusa = Some(format!("http://{address}").parse().unwrap());
        // Longer than any of these tests takes, on whatever machine; but for those that shorten it.
        config.medusa_timeout = Duration::from_secs(60);
        configure(&mut config);
        let app = TestApp::empty(TestAppOptions { config, ..TestAppOptions::default() }).await;
        app.store.import(contract::seed()).await.unwrap();
        Self { app, medusa, address, serving }
    }

    /// Stops Medusa before it was asked anything, so that it has no connection. Returns where it was.
    async fn stop_medusa(&self) -> SocketAddr {
        assert_eq!(self.medusa.asked(), 0);
        self.serving.abort();
        while !self.serving.is_finished() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.address
    }

    async fn get(&self, headers: &[(String, String)]) -> HttpResponse {
        self.app.client().send("GET", "/admin/customers?limit=1", headers, None).await
    }

    async fn get_with(&self, cookie: &str) -> StatusCode {
        self.get(&[header("cookie", cookie)]).await.status
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_session_at_medusa_has_one_here() {
    let beside = Beside::start().await;
    let headers = [header("cookie", SESSION)];
    let shown = beside.app.client().send("GET", "/admin/auth", &headers, None).await;
    assert_eq!(shown.json()["user"]["id"], ADMINISTRATOR);
    assert_eq!(beside.get_with(SESSION).await, 200);
    assert_eq!(beside.get_with("connect.sid=s%3Aof-nobody.c2lnbmF0dXJl").await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_the_cookie_is_passed_on() {
    let beside = Beside::start().await;
    let cookies = format!("theme=dark; {SESSION}; other=secret");
    let headers = [
        header("cookie", &cookies),
        header("authorization", "Bearer secret"),
        header("x-medusa-access-token", "secret"),
        header("x-forwarded-for", "10.0.0.1"),
        header("user-agent", "browser"),
    ];
    assert_eq!(beside.get(&headers).await.status, 200);
    let asked = &beside.medusa.inner().asked;
    assert_eq!(asked[0].cookie, SESSION);
    assert_eq!(asked[0].headers, ["accept", "cookie", "host"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_remembered_and_a_session_closed_at_medusa_is_refused_soon() {
    let beside = Beside::with(|config| config.credentials_remembered = Duration::from_secs(2)).await;
    let start = Instant::now();
    for _ in 0..20 {
        assert_eq!(beside.get_with(SESSION).await, 200);
    }
    let times = start.elapsed().as_secs() / 2 + 1;
    assert!(beside.medusa.asked() as u64 <= times, "asked {} times", beside.medusa.asked());
    beside.medusa.inner().sessions.clear();
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(beside.get_with(SESSION).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_are_one_question() {
    let beside = Beside::start().await;
    beside.medusa.set(Mood::Slow(Duration::from_millis(500)));
    let answers = futures::future::join_all((0..30).map(|_| beside.get_with(SESSION))).await;
    assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
    assert_eq!(beside.medusa.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_remembered_but_not_for_long() {
    let beside = Beside::start().await;
    let cookie = "connect.sid=s%3Alate.c2lnbmF0dXJl";
    let start = Instant::now();
    for _ in 0..50 {
        assert_eq!(beside.get_with(cookie).await, 401);
    }
    let times = start.elapsed().as_secs() + 1;
    assert!(beside.medusa.asked() as u64 <= times, "asked {} times", beside.medusa.asked());
    // Medusa keeps the cookie when its owner signs in.
    beside.medusa.inner().sessions.insert(cookie.to_owned(), ADMINISTRATOR.to_owned());
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(beside.get_with(cookie).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_with_many_cookies_asks_a_few_at_a_time() {
    let beside = Beside::start().await;
    beside.medusa.set(Mood::Slow(Duration::from_millis(100)));
    let cookies: Vec<_> = (0..60).map(|number| format!("connect.sid=s%3A{number}.c2lnbmF0dXJl")).collect();
    let answers = futures::future::join_all(cookies.iter().map(|cookie| beside.get_with(cookie))).await;
    assert!(answers.iter().all(|status| *status == 401), "{answers:?}");
    assert_eq!(beside.medusa.asked(), 60);
    let most = beside.medusa.inner().most_at_once;
    assert!((2..=16).contains(&most), "{most} at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn medusa_is_not_asked_about_what_cannot_be_its_cookie() {
    let beside = Beside::start().await;
    let long = format!("connect.sid=s%3A{}", "x".repeat(2000));
    for cookie in [
        "connect.sid=",
        "connect.sid=j%3A1",
        "connect.sid=unsigned",
        "connect.sid=s%3Aa,b.c",
        "connect.sid=s%3Aa\tb",
        "connect.sid=s%3Aø.c",
        "session=s%3Aa.b",
        &long,
    ] {
        assert_eq!(beside.get_with(cookie).await, 401, "{cookie}");
    }
    let own = json!({"email": "admin@medusa-test.com", "password": "supersecret"}).to_string();
    let headers = [header("content-type", "application/json"), header("x-forwarded-proto", "https")];
    let login = beside.app.client().send("POST", "/admin/auth", &headers, Some(own.into_bytes())).await;
    let cookie = login.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(beside.get_with(&cookie).await, 200);
    let headers = [header("cookie", &cookie)];
    assert_eq!(beside.app.client().send("DELETE", "/admin/auth", &headers, None).await.status, 200);
    assert_eq!(beside.medusa.asked(), 0);
    // From now on it may be Medusa's, for all that is known: its secret may be the same.
    assert_eq!(beside.get_with(&cookie).await, 401);
    assert_eq!(beside.medusa.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_whom_the_database_does_not_have_is_nobody() {
    let beside = Beside::start().await;
    beside.medusa.inner().sessions.insert(SESSION.to_owned(), "usr_of_another_shop".to_owned());
    assert_eq!(beside.get_with(SESSION).await, 401);
}

fn is_unavailable(response: &HttpResponse) {
    assert_eq!(response.status, 503, "{}", response.text());
    assert_eq!(response.header("retry-after"), Some("1"));
    let body = response.json();
    assert_eq!(body["type"], "unavailable");
    assert!(body["message"].as_str().unwrap().starts_with("Medusa "), "{body}");
    assert!(!response.text().contains("127.0.0.1"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_medusa_is_down_nobody_is_wrongly_refused() {
    let beside = Beside::start().await;
    let address = beside.stop_medusa().await;
    let session = header("cookie", SESSION);
    is_unavailable(&beside.get(std::slice::from_ref(&session)).await);
    // Whoever has another credential needs no Medusa.
    assert_eq!(beside.get(&[session.clone(), token()]).await.status, 200);
    assert_eq!(beside.get(&[token()]).await.status, 200);
    is_unavailable(&beside.get(&[session, header("x-medusa-access-token", "wrong")]).await);
    assert_eq!(beside.get(&[]).await.status, 401);

    beside.medusa.serve(TcpListener::bind(address).await.unwrap());
    assert_eq!(beside.get_with(SESSION).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_medusa_that_answers_nothing_holds_nobody_up_for_long() {
    let beside = Beside::with(|config| config.medusa_timeout = Duration::from_secs(2)).await;
    beside.medusa.set(Mood::Frozen);
    let start = Instant::now();
    is_unavailable(&beside.get(&[header("cookie", SESSION)]).await);
    assert!(start.elapsed() < Duration::from_secs(30));
    beside.medusa.set(Mood::Well);
    assert_eq!(beside.get_with(SESSION).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_answer_of_medusas_is_none() {
    let beside = Beside::start().await;
    for mood in [
        Mood::Odd(StatusCode::FOUND, ""),
        Mood::Odd(StatusCode::INTERNAL_SERVER_ERROR, "{}"),
        Mood::Odd(StatusCode::NOT_FOUND, "<html>"),
        Mood::Odd(StatusCode::OK, "<html>"),
        Mood::Odd(StatusCode::OK, r#"{"user": {"email": "x"}}"#),
        Mood::Odd(StatusCode::OK, r#"{"user": {"id": 1}}"#),
        Mood::Endless,
    ] {
        let before = beside.medusa.asked();
        beside.medusa.set(mood);
        is_unavailable(&beside.get(&[header("cookie", SESSION)]).await);
        // No redirect is followed, and nothing is asked twice.
        assert_eq!(beside.medusa.asked(), before + 1);
    }
    // As Medusa answers where the session's user has been deleted.
    beside.medusa.set(Mood::Odd(StatusCode::BAD_REQUEST, "Bad Request"));
    assert_eq!(beside.get_with(SESSION).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_logs_out_here_is_logged_out_at_medusa() {
    let beside = Beside::start().await;
    let headers = [header("cookie", SESSION)];
    let mut client = beside.app.client();
    assert_eq!(beside.get_with(SESSION).await, 200);
    assert_eq!(client.send("DELETE", "/admin/auth", &headers, None).await.text(), "OK");
    {
        let inner = beside.medusa.inner();
        assert!(inner.sessions.is_empty());
        let last = inner.asked.last().unwrap();
        assert_eq!((&last.method, last.cookie.as_str()), (&Method::DELETE, SESSION));
    }
    assert_eq!(beside.get_with(SESSION).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_that_medusa_does_not_hear_of_fails() {
    let beside = Beside::start().await;
    let headers = [header("cookie", SESSION)];
    assert_eq!(beside.get_with(SESSION).await, 200);
    for mood in [Mood::Odd(StatusCode::INTERNAL_SERVER_ERROR, ""), Mood::Odd(StatusCode::FOUND, "")] {
        beside.medusa.set(mood);
        is_unavailable(
            &beside.app.client().send("DELETE", "/admin/auth", &[headers[0].clone(), token()], None).await,
        );
    }
    beside.medusa.set(Mood::Well);
    assert_eq!(beside.app.client().send("DELETE", "/admin/auth", &headers, None).await.status, 200);
}
