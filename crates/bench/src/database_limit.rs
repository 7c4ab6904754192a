//! What PostgreSQL itself can do: `pgbench` with the very statements, as the server of PostgreSQL logs them.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use anyhow::{Context as _, ensure};
use regex::Regex;
use stheno_testkit::postgres::PostgresServer;

use crate::calls::Request;
use crate::load::{self, Target};

/// What begins each entry of the log.
pub(crate) const LOG_MARK: &str = "@entry@";

/// How often a request is sent until the log tells the same twice.
const TRIES: usize = 5;

/// A prepared statement, and the values of its parameters.
#[derive(Debug, PartialEq, Eq)]
struct Execution {
    text: String,
    parameters: Vec<String>,
}

/// How many times a second `pgbench` runs, over so many connections, what a request has the database do.
pub(crate) async fn measure(
    server: &PostgresServer,
    database: &str,
    target: &Target,
    request: &Request,
    connections: usize,
    seconds: f64,
) -> anyhow::Result<f64> {
    let Replay { settings, executions } = replay(server, database, target, request).await?;
    let mut script = String::new();
    let mut values = Vec::new();
    // What reads more than once does so in one round trip, out of one snapshot.
    let is_transaction = executions.len() > 1;
    if is_transaction {
        script.push_str("\\startpipeline\nBEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\n");
    }
    let place = Regex::new(r"\$(\d+)")?;
    for (index, Execution { text, parameters }) in executions.iter().enumerate() {
        script.push_str(&place.replace_all(text, format!(":p{index}_$1")));
        script.push_str(";\n");
        for (number, value) in (1..).zip(parameters) {
            values.push(format!("p{index}_{number}={value}"));
        }
    }
    if is_transaction {
        script.push_str("COMMIT;\n\\endpipeline\n");
    }
    let file = tempfile::NamedTempFile::new()?;
    fs::write(file.path(), script)?;
    let mut pgbench = Command::new(server.program("pgbench"));
    pgbench.args([
        "--no-vacuum",
        "--protocol=prepared",
        "--jobs=1",
        "--host=127.0.0.1",
        "--username=postgres",
    ]);
    pgbench.arg(format!("--port={}", server.port())).arg(format!("--client={connections}"));
    pgbench.arg(format!("--time={}", seconds.ceil())).arg("--file").arg(file.path());
    for value in &values {
        pgbench.arg("--define").arg(value);
    }
    // Set once for all, which costs less than the server's own way.
    let settings: Vec<_> = settings.iter().map(|(name, value)| format!("-c {name}={value}")).collect();
    pgbench.env("PGOPTIONS", settings.join(" "));
    let output = pgbench.arg(database).output().context("cannot run pgbench")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let rate = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    rate.with_context(|| format!("pgbench failed: {said}{}", String::from_utf8_lossy(&output.stderr)))
}

/// What a request has the database do.
#[derive(Debug, PartialEq, Eq)]
struct Replay {
    /// How it has statements planned.
    settings: Vec<(String, String)>,
    executions: Vec<Execution>,
}

/// What a request has the database do, read from the server's log.
async fn replay(
    server: &PostgresServer,
    database: &str,
    target: &Target,
    request: &Request,
) -> anyhow::Result<Replay> {
    // Once before, so that credentials are known and statements are prepared.
    load::send(target, request).await?;
    server.set("log_min_duration_statement = 0");
    server.reload().await;
    // Connections that are made from now on tell the log how they are set, and one that many requests share is so once for all.
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()";
    server.connect().await.execute(end, &[&database]).await?;
    let beginning = fs::read_to_string(server.log())?.len();
    // The servers' processes read their settings between two statements.
    for _ in 0..40 {
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        load::send(target, request).await?;
    }
    // What the server does beside is told by the log as well, but not twice.
    let mut replay = replay_once(server, target, request).await?;
    let mut is_sure = false;
    for _ in 0..TRIES {
        let again = replay_once(server, target, request).await?;
        is_sure = again == replay;
        replay = again;
        if is_sure {
            break;
        }
    }
    server.set("log_min_duration_statement = -1");
    server.reload().await;
    ensure!(is_sure, "the request has the database do something else each time");
    ensure!(!replay.executions.is_empty(), "the request had the database do nothing");
    // What stands alone goes by a connection that is shared.
    if replay.executions.len() == 1 {
        let log = fs::read_to_string(server.log())?;
        replay.settings = settings(&log[beginning..], "SET")?;
    }
    Ok(replay)
}

async fn replay_once(server: &PostgresServer, target: &Target, request: &Request) -> anyhow::Result<Replay> {
    let before = fs::read_to_string(server.log())?.len();
    load::send(target, request).await?;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let log = fs::read_to_string(server.log())?;
    read_log(&log[before..])
}

/// The executions of prepared statements in a log, but for those that begin and end transactions, and the settings that
/// were made for them.
fn read_log(log: &str) -> anyhow::Result<Replay> {
    let executed = Regex::new(r"(?s)^LOG:\s+duration: [0-9.]+ ms  execute [^:]+: (.+)$")?;
    let parameter = Regex::new(r"\$\d+ = (?:'((?:[^']|'')*)'|NULL)")?;
    let mut executions: Vec<Execution> = Vec::new();
    // The parameters are told behind what was executed, and behind what they were bound to too.
    let mut is_executed = false;
    for entry in log.split(LOG_MARK).map(str::trim) {
        if let Some(details) = entry.strip_prefix("DETAIL:") {
            if let Some(last) = executions.last_mut().filter(|_| is_executed) {
                let values = parameter.captures_iter(details).map(|found| found.get(1));
                let values = values
                    .map(|value| value.map_or_else(String::new, |value| value.as_str().replace("''", "'")));
                last.parameters = values.collect();
            }
        } else if let Some(found) = executed.captures(entry) {
            let text = found[1].split_whitespace().collect::<Vec<_>>().join(" ");
            executions.push(Execution { text, parameters: Vec::new() });
            is_executed = true;
        } else {
            is_executed = false;
        }
    }
    Ok(Replay { settings: settings(log, "SET LOCAL")?, executions })
}

/// What is set by these words in a log, each once. Who sets anything does so by a statement that is not prepared.
fn settings(log: &str, words: &str) -> anyhow::Result<Vec<(String, String)>> {
    let set = Regex::new(&format!(r"\b{words} (\w+) = (\S+?)(?:;|\s|$)"))?;
    let mut settings = BTreeMap::new();
    for statement in log.split(LOG_MARK).filter_map(|entry| Some(entry.split_once("  statement: ")?.1)) {
        settings.extend(set.captures_iter(statement).map(|found| (found[1].to_owned(), found[2].to_owned())));
    }
    Ok(settings.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_and_their_parameters_are_read_from_a_log() {
        let log = "@entry@LOG:  duration: 0.012 ms  statement: BEGIN; SET LOCAL enable_sort = off; SET LOCAL random_page_cost = 1.1
@entry@LOG:  duration: 0.020 ms  bind s1: SELECT 1
@entry@DETAIL:  parameters: $1 = 'bound'
@entry@LOG:  duration: 0.034 ms  execute s1: SELECT r.id FROM customer_group r
\tWHERE r.name = $1 LIMIT $2
@entry@DETAIL:  parameters: $1 = 'it''s', $2 = '50'
@entry@LOG:  duration: 0.020 ms  bind s2: SELECT 2
@entry@DETAIL:  parameters: $1 = 'bound'
@entry@LOG:  duration: 0.012 ms  statement: COMMIT
";
        let expected = Execution {
            text: "SELECT r.id FROM customer_group r WHERE r.name = $1 LIMIT $2".to_owned(),
            parameters: vec!["it's".to_owned(), "50".to_owned()],
        };
        let settings = [("enable_sort", "off"), ("random_page_cost", "1.1")];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        assert_eq!(read_log(log).ok(), Some(Replay { settings, executions: vec![expected] }));
    }
}
