//! What anybody can send, sent at random: the targets of `fuzz/`, each for so long. They are laid out as cargo-fuzz lays them
//! out, and built here without it, because it wants a nightly compiler for what these targets do not need.

use std::env::consts::EXE_SUFFIX;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::command::{cargo, first_line, run as run_command};
use crate::count::Count;

const FOLDER: &str = "fuzz";
const TARGETS: [&str; 4] = ["json_body", "jwt", "password_container", "query_string"];

/// How many targets run at a time: all of them, also on fewer cores, since it is their time that is given.
const AT_ONCE: usize = 4;

/// What the compiler is told so that libFuzzer sees which ways an input takes: the part of cargo-fuzz's flags that a stable
/// compiler knows. Without a sanitizer, since no code here is unsafe.
const WATCHED: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// An input may take so many seconds and MiB before that is a fault.
const LIMITS: [&str; 2] = ["-timeout=10", "-rss_limit_mb=1024"];

const EXCHANGES: &str = "crates/testkit/contract/exchanges.jsonl";
const CREDENTIALS: &str = "crates/auth/tests/fixtures/npm.json";

/// Builds the targets and runs them. Says of each whether it found nothing.
pub(crate) fn run(time: Duration) -> Result<(bool, Count)> {
    let programs = build()?;
    let work = Path::new("target").join(FOLDER);
    plant(&work)?;
    let waiting = Mutex::new(TARGETS.iter());
    let next = || waiting.lock().ok().and_then(|mut waiting| waiting.next());
    let outcomes = thread::scope(|scope| {
        let work_off = || {
            let mut outcomes = Vec::new();
            while let Some(target) = next() {
                outcomes.push(try_one(target, &programs, &work, time));
            }
            outcomes
        };
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work_off)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect::<Vec<_>>()
    });
    ensure!(outcomes.len() == TARGETS.len(), "a target was not run");
    let mut count = Count::default();
    for outcome in outcomes {
        if outcome? {
            count.passed += 1;
        } else {
            count.failed += 1;
        }
    }
    Ok((count.failed == 0, count))
}

/// Returns the folder of the programs.
fn build() -> Result<PathBuf> {
    let host = first_line(Command::new("rustc").args(["--print", "host-tuple"]));
    let host = host.context("rustc does not say what it compiles for")?;
    let folder = Path::new("target").join(FOLDER);
    // For a target that is named, so that build scripts are not watched.
    let mut build = cargo("build --release --locked");
    build.args(["--manifest-path", "fuzz/Cargo.toml", "--target", &host, "--target-dir"]).arg(&folder);
    build.env("RUSTFLAGS", WATCHED);
    run_command(&mut build)?;
    Ok(folder.join(host).join("release"))
}

/// Runs a target; says whether it found nothing.
fn try_one(target: &str, programs: &Path, work: &Path, time: Duration) -> Result<bool> {
    // Where cargo-fuzz leaves them, too.
    let found = Path::new(FOLDER).join("artifacts").join(target);
    fs::create_dir_all(&found)?;
    let log = work.join(format!("{target}.log"));
    let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let status = Command::new(programs.join(format!("{target}{EXE_SUFFIX}")))
        .arg(corpus(work, target))
        .arg(format!("-max_total_time={}", time.as_secs()))
        .arg(format!("-artifact_prefix={}/", found.display()))
        .arg("-print_final_stats=1")
        .args(LIMITS)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(output)
        .status()
        .with_context(|| format!("cannot run the target {target}"))?;
    let said = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    if status.success() {
        let runs = said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
        let runs = runs.with_context(|| format!("{} does not say how often it ran", log.display()))?;
        println!("{target}: {} inputs, none of them a fault", runs.trim());
    } else {
        let reason =
            said.lines().skip_while(|line| !line.contains("panicked at") && !line.contains("ERROR: "));
        let input = said.lines().filter(|line| line.contains("Test unit written to"));
        reason.take(6).chain(input).for_each(|line| println!("    {line}"));
        println!("    the whole of it: {}", log.display());
    }
    Ok(status.success())
}

/// Where the inputs of a target are kept that are worth being tried first the next time.
fn corpus(work: &Path, target: &str) -> PathBuf {
    work.join("corpus").join(target)
}

/// Gives every target something to start from: what was sent to a real Medusa, and the credentials it made.
fn plant(work: &Path) -> Result<()> {
    let mut seeds: Vec<(&str, Vec<u8>)> = Vec::new();
    for line in read(EXCHANGES)?.lines() {
        let exchange: Value = serde_json::from_str(line).with_context(|| format!("{EXCHANGES}: {line}"))?;
        let request = &exchange["request"];
        if let Some((_, query)) = request["path"].as_str().and_then(|path| path.split_once('?')) {
            seeds.push(("query_string", query.into()));
        }
        if !request["body"].is_null() {
            // The first byte stands for no compression.
            seeds.push(("json_body", format!("\0{}", request["body"]).into_bytes()));
        }
    }
    let credentials: Value = serde_json::from_str(&read(CREDENTIALS)?).context(CREDENTIALS)?;
    let texts = |list: &str, name: &str| -> Result<Vec<Vec<u8>>> {
        let found = credentials.pointer(list).and_then(Value::as_array).context("it has no such list");
        let found = found.with_context(|| format!("{CREDENTIALS}: {list}"))?;
        Ok(found.iter().filter_map(|one| one[name].as_str()).map(Vec::from).collect())
    };
    seeds.extend(texts("/passwords", "container")?.into_iter().map(|text| ("password_container", text)));
    // Nine bytes of a cost, and a salt: Medusa's, one out of bounds.
    for cost in [[1, 0, 0, 0, 1, 0, 0, 0, 1], [31, 0, 0, 0, 8, 0, 0, 0, 1]] {
        seeds.push(("password_container", [&cost[..], b"salt and password"].concat()));
    }
    seeds.extend(texts("/tokens/cases", "token")?.into_iter().map(|text| ("jwt", text)));
    for target in TARGETS {
        let folder = corpus(work, target);
        fs::create_dir_all(&folder)?;
        let of_target = seeds.iter().filter(|(of, _)| *of == target);
        let mut planted = 0;
        for (number, (_, seed)) in of_target.enumerate() {
            fs::write(folder.join(format!("seed-{number}")), seed)?;
            planted += 1;
        }
        ensure!(planted > 0, "nothing to start {target} from");
    }
    Ok(())
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {path}"))
}
