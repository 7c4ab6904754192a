use std::io;
use std::sync::{Arc, Mutex};

use stheno_client::CreateCustomer;
use tracing_subscriber::fmt::format::FmtSpan;
use wiremock::matchers::any;
use wiremock::{Mock, ResponseTemplate};

use crate::backend::{Backend, recorded};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_span_tells_how_a_call_went_and_no_secrets() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_env_filter("stheno_client=trace")
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let backend = Backend::start().await;
    let busy = ResponseTemplate::new(503).append_header("retry-after", "0");
    backend.mount(Mock::given(any()).respond_with(busy).up_to_n_times(1)).await;
    backend.mount(Mock::given(any()).respond_with(recorded("cg.list.default")).up_to_n_times(1)).await;
    backend.groups().list().q("s3cret-name").await.unwrap();
    let page = ResponseTemplate::new(200).set_body_raw("<h1>Welcome</h1>", "text/html");
    backend.mount(Mock::given(any()).respond_with(page).up_to_n_times(1)).await;
    backend.groups().list().await.unwrap_err();
    backend.mount(Mock::given(any()).respond_with(recorded("cu.create.duplicate_email"))).await;
    let new = CreateCustomer::new("s3cret@example.com", "A", "B", "s3cret");
    backend.customers().create(new).await.unwrap_err();

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for expected in [
        "operation=\"customer_groups.list\"",
        "http.request.method=GET",
        "url.path=\"/admin/customer-groups\"",
        "will be tried again",
        "http.response.status_code=200",
        "attempts=2",
        "error=GET ",
        "but the body is not what it should be",
        "operation=\"customers.create\"",
        "http.response.status_code=422",
        "already has an account",
    ] {
        assert!(log.contains(expected), "no {expected} in {log}");
    }
    for secret in ["test_token", "s3cret"] {
        assert!(!log.contains(secret), "{log}");
    }
}
