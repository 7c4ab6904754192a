//! What is in the log, and what is not.

use std::io;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use stheno_testkit::TestApp;
use tracing_subscriber::fmt::MakeWriter;

use crate::{header, token};

/// A log that is kept in memory.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_has_the_route_and_the_request_but_no_personal_data() {
    let log = Log::default();
    let filter = "debug,stheno_server=trace,stheno_store=trace,stheno_auth=trace";
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(log.clone()).json().init();
    let app = TestApp::with_contract_data().await;
    let mut client = app.client();
    let headers =
        [token(), header("x-request-id", "the-request"), header("cookie", "connect.sid=s:secret.sig")];
    let id = "cus_01J94J3Q6Z9Q9S5PFSTJH29KRS";
    client.send("GET", "/admin/customers?q=ada.lovelace%40example.com", &headers, None).await;
    client.send("GET", &format!("/admin/customers/{id}?expand=groups"), &headers, None).await;
    client.send("GET", "/admin/nobody/knows/ada.lovelace", &headers, None).await;
    let body = br#"{"email":"ada.lovelace@example.com","password":"s3cret-password"}"#.to_vec();
    let login = [header("content-type", "application/json")];
    client.send("POST", "/admin/auth", &login, Some(body)).await;
    // Every operation, with a mark wherever a client can put something.
    let description: Value = serde_json::from_str(stheno_server::openapi::document()).unwrap();
    for (path, item) in description["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().map(|method| method.to_uppercase()) {
            let path = format!("{}?q=Lovelace&name=Lovelace", path.replace("{id}", "Lovelace"));
            let body = json!({"name": "Lovelace", "email": "lovelace@shop.example", "password": "s3cret-password",
                "metadata": {"lovelace": 1}, "customer_ids": [{"id": "Lovelace"}]});
            let headers =
                [token(), header("content-type", "application/json"), header("user-agent", "Lovelace")];
            client.send(&method, &path, &headers, Some(body.to_string().into_bytes())).await;
        }
    }
    let metrics = client.send("GET", "/metrics", &headers, None).await.text();
    assert!(metrics.contains("stheno_http_requests_total"), "{metrics}");
    app.stop().await;

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let answered = |route: &str| {
        let mut lines = text.lines().filter(|line| line.contains("\"answered\""));
        lines.any(|line| line.contains(&format!("\"route\":\"{route}\"")))
    };
    assert!(
        answered("/admin/customers") && answered("/admin/customers/{id}") && answered("/admin/auth"),
        "{text}"
    );
    assert!(text.contains("the-request") && text.contains("admin_user"), "{text}");
    for secret in ["ada.", "lovelace", &id.to_lowercase(), "test_token", "s3cret", "connect.sid", "nobody"] {
        assert!(!text.to_lowercase().contains(secret), "the log has {secret:?}: {text}");
        assert!(!metrics.to_lowercase().contains(secret), "the metrics have {secret:?}: {metrics}");
    }
}
