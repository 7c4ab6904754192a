//! What is in the log, and what is not.

use std::io;
use std::sync::{Arc, Mutex};

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
    tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_writer(log.clone()).json().init();
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
    for secret in ["ada", "lovelace", id, "test_token", "s3cret", "connect.sid", "nobody"] {
        assert!(!text.contains(secret), "the log has {secret:?}: {text}");
    }
}
