//! The servers that tests stop, freeze and let others follow.

use std::time::Duration;

use stheno_testkit::postgres::{PostgresServer, Shutdown};
use tokio_postgres::{Client, Error, NoTls};

async fn connect(server: &PostgresServer) -> Result<Client, Error> {
    let (client, connection) = tokio_postgres::connect(&server.url("postgres"), NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn number(client: &Client, sql: &str) -> i32 {
    client.query_one(sql, &[]).await.expect(sql).get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_stops_starts_and_freezes() {
    let server = PostgresServer::start("work_mem = '5MB'").await;
    let client = connect(&server).await.unwrap();
    client.batch_execute("CREATE TABLE kept AS SELECT 7 AS number").await.unwrap();

    server.stop(Shutdown::Immediate).await;
    assert!(connect(&server).await.is_err());
    server.start_again().await;
    let client = connect(&server).await.unwrap();
    assert_eq!(number(&client, "SELECT number FROM kept").await, 7);

    server.freeze().await;
    let asked = tokio::time::timeout(Duration::from_millis(300), client.simple_query("SELECT 1"));
    assert!(asked.await.is_err(), "a frozen server answers");
    server.thaw().await;
    assert_eq!(number(&client, "SELECT 2").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_follows() {
    let server = PostgresServer::start("").await;
    let standby = server.standby("").await;
    let client = connect(&server).await.unwrap();
    client.batch_execute("CREATE TABLE followed AS SELECT 7 AS number").await.unwrap();
    let follower = connect(&standby).await.unwrap();
    let found = "SELECT count(*)::int FROM pg_tables WHERE tablename = 'followed'";
    for _ in 0..600 {
        if number(&follower, found).await == 1 {
            assert_eq!(number(&follower, "SELECT number FROM followed").await, 7);
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the standby does not follow");
}
