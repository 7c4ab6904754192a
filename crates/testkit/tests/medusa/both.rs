//! The same calls at both.

use serde_json::{Value, json};
use stheno_testkit::medusa::{API_TOKEN, BesideMedusa, EMAIL, PASSWORD};
use stheno_testkit::{HttpClient, HttpResponse, contract};

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Medusa,
    Stheno,
}

impl Side {
    pub(crate) const EACH: [Self; 2] = [Self::Medusa, Self::Stheno];

    pub(crate) fn other(self) -> Self {
        match self {
            Self::Medusa => Self::Stheno,
            Self::Stheno => Self::Medusa,
        }
    }
}

pub(crate) type Header = (String, String);

/// Clients of both, with one credential.
pub(crate) struct Both {
    medusa: HttpClient,
    stheno: HttpClient,
    credential: Vec<Header>,
}

impl Both {
    pub(crate) fn new(beside: &BesideMedusa) -> Self {
        let credential = vec![header("x-medusa-access-token", API_TOKEN)];
        Self { medusa: beside.medusa.client(), stheno: beside.stheno.client(), credential }
    }

    pub(crate) fn with(&mut self, credential: Vec<Header>) {
        self.credential = credential;
    }

    pub(crate) async fn call(
        &mut self,
        side: Side,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> HttpResponse {
        let mut headers = self.credential.clone();
        if body.is_some() {
            headers.push(header("content-type", "application/json"));
        }
        self.send(side, method, path, &headers, body).await
    }

    async fn send(
        &mut self,
        side: Side,
        method: &str,
        path: &str,
        headers: &[Header],
        body: Option<Value>,
    ) -> HttpResponse {
        let client = match side {
            Side::Medusa => &mut self.medusa,
            Side::Stheno => &mut self.stheno,
        };
        client.send(method, path, headers, body.map(|body| body.to_string().into_bytes())).await
    }

    /// A call that changes nothing must be answered alike by both. Returns the answer.
    pub(crate) async fn same(&mut self, method: &str, path: &str, body: Option<Value>) -> HttpResponse {
        let medusa = self.call(Side::Medusa, method, path, body.clone()).await;
        let stheno = self.call(Side::Stheno, method, path, body).await;
        let differences = contract::differences(&medusa, &stheno);
        assert!(differences.is_empty(), "{method} {path}: {differences:#?}");
        medusa
    }

    /// A bearer token of the administrator.
    pub(crate) async fn token(&mut self, side: Side) -> String {
        let login = Some(json!({"email": EMAIL, "password": PASSWORD}));
        let headers = [header("content-type", "application/json")];
        let answer = self.send(side, "POST", "/admin/auth/token", &headers, login).await;
        assert_eq!(answer.status, 200, "{side:?}: {}", answer.text());
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// The cookie of a new session of the administrator.
    pub(crate) async fn session(&mut self, side: Side) -> Header {
        let login = Some(json!({"email": EMAIL, "password": PASSWORD}));
        let headers = [header("content-type", "application/json"), header("x-forwarded-proto", "https")];
        let answer = self.send(side, "POST", "/admin/auth", &headers, login).await;
        assert_eq!(answer.status, 200, "{side:?}: {}", answer.text());
        let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap();
        header("cookie", cookie)
    }
}

pub(crate) fn header(name: &str, value: &str) -> Header {
    (name.to_owned(), value.to_owned())
}
