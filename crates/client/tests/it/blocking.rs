use wiremock::matchers::any;
use wiremock::{Mock, ResponseTemplate};

use crate::backend::{Backend, recorded};

/// On the only thread of a runtime that holds connections of the same client: nothing panics, nothing hangs.
#[tokio::test]
async fn waiting_is_safe_inside_a_runtime() {
    let server = std::thread::spawn(|| {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let backend = runtime.block_on(Backend::answering(recorded("cg.retrieve.ok")));
        (runtime, backend)
    });
    let (_runtime, backend) = server.join().unwrap();
    let groups = backend.groups();
    groups.retrieve("cgrp_1").await.unwrap();
    assert_eq!(groups.retrieve("cgrp_1").wait().unwrap().name, "All Subscribers");
    assert!(groups.retrieve("cgrp_1").optional().wait().unwrap().is_some());
    groups.retrieve("cgrp_1").await.unwrap();
    std::mem::forget(_runtime);
}

#[test]
fn everything_can_be_waited_for() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let backend = runtime.block_on(Backend::start());
    let mount = |answer: ResponseTemplate| {
        runtime.block_on(backend.mount(Mock::given(any()).respond_with(answer).up_to_n_times(1)));
    };
    let groups = backend.groups();

    mount(recorded("cg.add.ok_two"));
    let report = groups.add_customers("cgrp_1", ["cus_1", "cus_2"]).in_batches().wait();
    assert_eq!(report.unwrap().done.len(), 2);

    mount(recorded("cg.list.limit3"));
    mount(recorded("cg.list.limit3_offset2"));
    let names: Result<Vec<_>, _> =
        groups.list().limit(3).iter().take(4).map(|group| group.map(|g| g.name)).collect();
    assert_eq!(names.unwrap().len(), 4);

    mount(recorded("cg.retrieve.not_found"));
    assert!(groups.retrieve("cgrp_nope").wait().unwrap_err().is_not_found());
}
