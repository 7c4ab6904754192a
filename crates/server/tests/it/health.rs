use stheno_testkit::{TestApp, TestAppOptions};

#[tokio::test(flavor = "multi_thread")]
async fn ready_looks_at_the_store_and_health_does_not() {
    let app = TestApp::empty(TestAppOptions::default()).await;
    let mut client = app.client();
    assert_eq!(client.send("GET", "/ready", &[], None).await.status, 200);
    assert_eq!(client.send("GET", "/health", &[], None).await.text(), "OK");

    std::fs::remove_file(app.database()).unwrap();
    app.store.close().await;
    let response = client.send("GET", "/ready", &[], None).await;
    assert!(response.status.is_server_error(), "{}", response.status);
    assert!(!response.text().contains("sqlite"), "{}", response.text());
    assert_eq!(client.send("GET", "/health", &[], None).await.status, 200);
}
