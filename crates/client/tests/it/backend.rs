//! A server that answers what a real Medusa answered, and remembers what it was asked.

use std::sync::LazyLock;

use serde_json::Value;
use stheno_client::admin::{Auth, CustomerGroups, Customers};
use stheno_client::{Client, ClientBuilder};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

static EXCHANGES: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let lines = include_str!("../../../testkit/contract/exchanges.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
});

/// The answer of the recorded exchange of this name.
pub(crate) fn recorded(name: &str) -> ResponseTemplate {
    let exchange =
        EXCHANGES.iter().find(|exchange| exchange["name"] == name).unwrap_or_else(|| panic!("no {name}"));
    let response = &exchange["response"];
    let status = u16::try_from(response["status"].as_u64().unwrap()).unwrap();
    let content_type = response["headers"]["content-type"].as_str().unwrap_or_default();
    let body = match &response["body"] {
        Value::String(text) => text.clone(),
        body => body.to_string(),
    };
    ResponseTemplate::new(status).set_body_raw(body, content_type)
}

/// A request as it arrived: the line `POST /path?query`, and its body.
#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) body: Option<Value>,
}

impl Seen {
    pub(crate) fn new(line: &str) -> Self {
        Self { line: line.to_owned(), body: None }
    }

    pub(crate) fn with(line: &str, body: Value) -> Self {
        Self { line: line.to_owned(), body: Some(body) }
    }
}

pub(crate) struct Backend {
    server: MockServer,
}

impl Backend {
    /// A server that gives this answer to everything.
    pub(crate) async fn answering(answer: ResponseTemplate) -> Self {
        let backend = Self { server: MockServer::start().await };
        backend.mount(Mock::given(any()).respond_with(answer)).await;
        backend
    }

    /// A server without answers.
    pub(crate) async fn start() -> Self {
        Self { server: MockServer::start().await }
    }

    pub(crate) async fn mount(&self, mock: Mock) {
        mock.mount(&self.server).await;
    }

    /// As [`answering`](Self::answering), with the answer of a recorded exchange.
    pub(crate) async fn playing(name: &str) -> Self {
        Self::answering(recorded(name)).await
    }

    pub(crate) fn url(&self) -> String {
        self.server.uri()
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        Client::builder(self.url())
    }

    pub(crate) fn client(&self) -> Client {
        self.builder().api_key("test_token").build().unwrap()
    }

    pub(crate) fn groups(&self) -> CustomerGroups {
        self.client().admin().customer_groups()
    }

    pub(crate) fn customers(&self) -> Customers {
        self.client().admin().customers()
    }

    pub(crate) fn auth(&self) -> Auth {
        self.client().admin().auth()
    }

    pub(crate) async fn requests(&self) -> Vec<Request> {
        self.server.received_requests().await.unwrap()
    }

    /// The only request, after a look at what all requests have in common.
    pub(crate) async fn seen(&self) -> Seen {
        let [request] = <[Request; 1]>::try_from(self.requests().await).unwrap();
        let header = |name: &str| request.headers.get(name).map(|value| value.to_str().unwrap());
        assert_eq!(header("accept"), Some("application/json"));
        assert_eq!(header("user-agent"), Some(concat!("stheno-client/", env!("CARGO_PKG_VERSION"))));
        assert_eq!(header("idempotency-key").is_some(), request.method != "GET", "a key for every write");
        assert_eq!(header("content-type"), (!request.body.is_empty()).then_some("application/json"));

        let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        Seen {
            line: format!("{} {}{query}", request.method, request.url.path()),
            body: (!request.body.is_empty()).then(|| serde_json::from_slice(&request.body).unwrap()),
        }
    }

    /// As [`seen`](Self::seen), having made sure that the API key came along.
    pub(crate) async fn seen_with_key(&self) -> Seen {
        assert_eq!(self.requests().await[0].headers["x-medusa-access-token"], "test_token");
        self.seen().await
    }
}
