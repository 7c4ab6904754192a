//! How many processor instructions the pieces of a request take, compared with those of the last time.
//!
//! A count does not depend on how fast a machine is, nor on what else it does: it tells of small losses that no clock would.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::{iter, thread};

use anyhow::{Context, Result, anyhow, bail, ensure};
use cargo_metadata::MetadataCommand;

use crate::command::{cargo, run as run_command, version};

/// What was counted last, by name.
const COUNTS: &str = "crates/hot/instructions.json";

/// A piece is done as often as takes so many instructions, after the first time has filled caches. Starting and ending, which
/// do not take the same number each time, are little beside that.
const ENOUGH: u64 = 400_000_000;

/// How our own crates are built for it. All else is as in a dev build, whose artefacts are used.
const BUILD: &str = "crates/hot/counted.toml";

/// A change up to this share of the last count is none.
const TOLERANCE: f64 = 0.05;

type Counts = BTreeMap<String, u64>;

/// Counts, and fails where a count is higher than the last one. With `accept` these are the last ones from now on.
pub(crate) fn run(accept: bool) -> Result<()> {
    ensure!(
        cfg!(target_arch = "x86_64"),
        "the counts of {COUNTS} are those of an x86-64; on another processor there is nothing to compare with"
    );
    let last = match fs::read_to_string(COUNTS) {
        Err(error) if accept && error.kind() == ErrorKind::NotFound => Counts::new(),
        text => serde_json::from_str(&text.with_context(|| format!("cannot read {COUNTS}"))?)
            .with_context(|| format!("cannot read {COUNTS}"))?,
    };
    let counted = count_all(&last)?;
    if accept {
        let text = serde_json::to_string_pretty(&counted)? + "\n";
        return fs::write(COUNTS, text).with_context(|| format!("cannot write {COUNTS}"));
    }
    compare(&last, &counted)
}

fn compare(last: &Counts, counted: &Counts) -> Result<()> {
    let mut faults = Vec::new();
    for name in last.keys().filter(|name| !counted.contains_key(*name)) {
        faults.push(format!("{name:?} is not counted any more"));
    }
    for (name, now) in counted {
        let Some(before) = last.get(name) else {
            faults.push(format!("{name:?} was not counted before"));
            continue;
        };
        let change = share(*now, *before);
        println!("{name:35} {now:>10} instructions  {:+.1} %", change * 100.0);
        if change > TOLERANCE {
            faults.push(format!("{name:?} takes {now} instructions, where it took {before}"));
        } else if change < -TOLERANCE {
            println!("{:35} keep it: `cargo xtask instructions --accept`", "");
        }
    }
    if !faults.is_empty() {
        bail!("{}; if that is meant, `cargo xtask instructions --accept`", faults.join("; "));
    }
    Ok(())
}

/// By which share of it a count has grown.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
fn share(now: u64, before: u64) -> f64 {
    now as f64 / before.max(1) as f64 - 1.0
}

fn count_all(last: &Counts) -> Result<Counts> {
    let program = build()?;
    let names = Command::new(&program).output().context("cannot run what is counted")?;
    ensure!(names.status.success(), "what is counted does not say what there is");
    let names = String::from_utf8(names.stdout)?;
    let names = Mutex::new(names.lines());
    let next = || names.lock().unwrap_or_else(PoisonError::into_inner).next();
    let count_some = || -> Result<Counts> {
        iter::from_fn(next)
            .map(|name| Ok((name.to_owned(), count_again(&program, name, last.get(name).copied())?)))
            .collect()
    };
    thread::scope(|scope| {
        let other = scope.spawn(count_some);
        let mut counts = count_some()?;
        counts.extend(other.join().map_err(|_| anyhow!("counting has panicked"))??);
        Ok(counts)
    })
}

/// As [`count`], and once more where the count has grown.
fn count_again(program: &Path, name: &str, last: Option<u64>) -> Result<u64> {
    let counted = count(program, name, last)?;
    // What else a program does now and then only adds to a count: of two, the lower holds.
    if last.is_none_or(|last| share(counted, last) > TOLERANCE) {
        return Ok(counted.min(count(program, name, last)?));
    }
    Ok(counted)
}

fn build() -> Result<PathBuf> {
    let mut build = cargo("build --package=stheno-hot --bin=stheno-hot --locked --config");
    // A build in parts may put other functions together than a whole one.
    run_command(build.arg(BUILD).env("CARGO_INCREMENTAL", "0"))?;
    let metadata = MetadataCommand::new().no_deps().other_options(["--locked".to_owned()]).exec()?;
    Ok(metadata.target_directory.join("debug/stheno-hot").into_std_path_buf())
}

/// How many instructions a piece takes, which took so many the last time.
fn count(program: &Path, name: &str, last: Option<u64>) -> Result<u64> {
    let times = last.map_or(100, |last| (ENOUGH / last.max(1)).clamp(20, 30_000));
    let (once, often) = (run_counted(program, name, 1)?, run_counted(program, name, 1 + times)?);
    Ok(often.saturating_sub(once) / times)
}

/// How many instructions all threads of the program execute, from its start to its end.
fn run_counted(program: &Path, name: &str, times: u64) -> Result<u64> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program);
    let output = valgrind.arg(name).arg(times.to_string()).output().context("cannot run valgrind")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name:?} failed under valgrind: {said}");
    let collected = said.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    collected.with_context(|| format!("valgrind has counted nothing: {said}"))
}

/// The version of valgrind, which counts.
pub(crate) fn valgrind() -> Option<String> {
    version("valgrind")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(counts: &[(&str, u64)]) -> Counts {
        counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }

    #[test]
    fn a_count_may_fall_and_hardly_grow() {
        let last = counts(&[("a", 1000), ("b", 1000)]);
        assert!(compare(&last, &counts(&[("a", 1049), ("b", 400)])).is_ok());
        let grown = compare(&last, &counts(&[("a", 1051), ("b", 1000)])).unwrap_err().to_string();
        assert!(grown.starts_with("\"a\" takes 1051 instructions, where it took 1000;"), "{grown}");
    }

    #[test]
    fn what_is_counted_is_what_was_counted() {
        let (one, two) = (counts(&[("a", 1)]), counts(&[("a", 1), ("b", 1)]));
        assert!(compare(&one, &two).unwrap_err().to_string().contains("\"b\" was not counted before"));
        assert!(compare(&two, &one).unwrap_err().to_string().contains("\"b\" is not counted any more"));
    }
}
