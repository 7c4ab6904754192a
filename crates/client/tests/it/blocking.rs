use std::time::Duration;

use stheno_client::Retry;
use tokio::runtime::Runtime;
use wiremock::matchers::any;
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
