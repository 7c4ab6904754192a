use std::sync::mpsc::channel;
use std::time::Duration;

use serde_json::json;
use stheno_client::Retry;
use tokio::runtime::Runtime;
use wiremock::matchers::{any, path};
use wiremock::{Mock, ResponseTemplate};

use crate::backend::{Backend, recorded};

/// On the only thread of a runtime that holds a connection of the same client: nothing panics, nothing hangs.
#[test]
fn waiting_is_safe_inside_a_runtime() {
    let elsewhere = Runtime::new().unwrap();
    let backend = elsewhere.block_on(Backend::answering(recorded("cg.retrieve.ok")));
    let builder = backend.builder().read_timeout(Duration::from_secs(3)).retry(Retry::never());
    let groups = builder.build().unwrap().admin().customer_groups();

    let here = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    here.block_on(async {
        groups.retrieve("cgrp_1").await.unwrap();
        assert_eq!(groups.retrieve("cgrp_1").wait().unwrap().name, "All Subscribers");
        assert!(groups.retrieve("cgrp_1").optional().wait().unwrap().is_some());
        groups.retrieve("cgrp_1").await.unwrap();
    });
}

#[test]
fn everything_can_be_waited_for() {
    let runtime = Runtime::new().unwrap();
    let backend = runtime.block_on(Backend::start());
    let once = |answer: ResponseTemplate| {
        runtime.block_on(backend.mount(Mock::given(any()).respond_with(answer).up_to_n_times(1)));
    };
    let groups = backend.groups();

    once(recorded("cg.add.ok_two"));
    let report = groups.add_customers("cgrp_1", ["cus_1", "cus_2"]).in_batches().wait();
    assert_eq!(report.unwrap().done.len(), 2);

    once(recorded("cg.list.expand_both"));
    let all: Result<Vec<_>, _> = groups.list().iter().collect();
    assert_eq!(all.unwrap().len(), 1);

    once(recorded("cg.retrieve.not_found"));
    assert!(groups.retrieve("cgrp_nope").wait().unwrap_err().is_not_found());
}

/// Whoever waits for itself waits for ever.
#[test]
fn waiting_inside_of_what_is_waited_for_is_refused() {
    let runtime = Runtime::new().unwrap();
    let backend = runtime.block_on(Backend::answering(recorded("cg.add.ok_two")));
    let groups = backend.groups();
    let (sender, receiver) = channel();
    let inner = groups.retrieve("cgrp_1");
    let batches = groups.add_customers("cgrp_1", ["cus_1"]).in_batches();
    let batches = batches.on_progress(move |_| sender.send(inner.clone().wait()).unwrap());
    std::thread::spawn(move || batches.wait());
    let inner = receiver.recv_timeout(Duration::from_secs(60)).expect("it ends");
    assert!(inner.unwrap_err().is_invalid_request());
}

/// A task that waits holds up another of its thread, which may be fetching a token.
#[test]
fn waiting_needs_no_token_of_another_task() {
    let elsewhere = Runtime::new().unwrap();
    let backend = elsewhere.block_on(Backend::start());
    let token = ResponseTemplate::new(200).set_body_json(json!({"access_token": "abc"}));
    let fetch =
        Mock::given(path("/admin/auth/token")).respond_with(token.set_delay(Duration::from_millis(200)));
    elsewhere.block_on(backend.mount(fetch));
    elsewhere.block_on(backend.mount(Mock::given(any()).respond_with(recorded("cg.retrieve.ok"))));
    let builder = backend.builder().email_and_password("admin@medusa-test.com", "supersecret");
    let groups = builder.timeout(Duration::from_secs(60)).build().unwrap().admin().customer_groups();

    let here = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    here.block_on(async {
        let fetching = tokio::spawn(groups.retrieve("cgrp_1").into_future());
        while backend.requests().await.is_empty() {
            tokio::task::yield_now().await;
        }
        groups.retrieve("cgrp_1").wait().unwrap();
        fetching.await.unwrap().unwrap();
    });
}
