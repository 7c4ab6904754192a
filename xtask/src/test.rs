//! The README's test command: set-up, checks, tests, and at the end what ran.

use std::iter;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cargo_metadata::{Metadata, MetadataCommand};

use crate::command::{Stream, cargo, follow, run as run_command};
use crate::count::Count;
use crate::report::Report;
use crate::setup::{self, JAVASCRIPT_CLIENT};
use crate::{deny, fuzz, instructions, new_project, openapi};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    Usual,
    /// With the runs that take too long for every change.
    Full,
}

#[derive(Clone, Copy)]
enum Profile {
    Dev,
    Release,
}

/// A failed check ends the run, because the steps after it would only repeat it; tests run to the end, so that every
/// failure is seen.
pub(crate) fn run(extent: Extent) -> Result<()> {
    let mut report = Report::default();
    let ended = steps(extent, &mut report);
    report.close().and(ended)
}

fn steps(extent: Extent, report: &mut Report) -> Result<()> {
    report.check("setup", setup::install)?;
    let metadata = MetadataCommand::new().other_options(["--locked".to_owned()]).exec()?;
    report.check("formatting", formatting)?;
    report.check("dependencies", deny::policy)?;
    report.step("advisories", || deny::advisories(extent));
    report.check("clippy", clippy)?;
    report.check("client features", || client_features(&metadata))?;
    report.check("documentation", documentation)?;
    let binary = report.check("build", || build(Profile::Dev, &metadata))?;
    report.check("the client in a new project", || new_project::run(&binary, &metadata))?;

    if setup::nextest().is_some() {
        report.tests("tests", nextest);
        // Apart, because nextest leaves them out.
        report.tests("documentation tests", || cargo_test(&["--doc"]));
    } else {
        report.tests("tests", || cargo_test(&[]));
    }
    report.check("instructions", || instructions::run(false))?;
    report.tests("JavaScript client", || javascript_client(&binary));
    report.tests("OpenAPI document", || openapi::test(&binary));
    report.tests("fuzzing", || fuzz::run(Duration::from_secs(if extent == Extent::Full { 300 } else { 30 })));

    if extent == Extent::Full {
        let binary = report.check("release build", || build(Profile::Release, &metadata))?;
        report.tests("JavaScript client, release build", || javascript_client(&binary));
        report.tests("kill -9 many times, and a soak", crashes_and_soak);
        report.tests("models, many times", models);
    }
    Ok(())
}

fn formatting() -> Result<()> {
    run_command(&mut cargo("fmt --all --check"))?;
    run_command(&mut cargo("fmt --manifest-path fuzz/Cargo.toml --check"))
}

fn clippy() -> Result<()> {
    run_command(&mut cargo("clippy --workspace --all-targets --all-features --locked -- -Dwarnings"))
}

/// A feature of the client is chosen by its users: each must build alone, and none at all.
fn client_features(metadata: &Metadata) -> Result<()> {
    let packages = metadata.workspace_packages();
    let client = packages.iter().find(|package| package.name == "stheno-client");
    let client = client.context("the workspace has no package stheno-client")?;
    let alone = client.features.keys().map(String::as_str).filter(|feature| *feature != "default");
    for feature in iter::once("").chain(alone) {
        let mut clippy = cargo("clippy --package=stheno-client --no-default-features --locked");
        clippy.arg(format!("--features={feature}")).args(["--", "-Dwarnings"]);
        run_command(&mut clippy)?;
    }
    Ok(())
}

fn documentation() -> Result<()> {
    let mut doc = cargo("doc --workspace --all-features --no-deps --locked");
    run_command(doc.env("RUSTDOCFLAGS", "-Dwarnings"))
}

/// Builds the program as a shop gets it, with its default features, and returns where it is.
fn build(profile: Profile, metadata: &Metadata) -> Result<PathBuf> {
    let (name, folder) = match profile {
        Profile::Dev => ("dev", "debug"),
        Profile::Release => ("release", "release"),
    };
    run_command(cargo("build --package=stheno --locked --profile").arg(name))?;
    let program = format!("stheno{}", std::env::consts::EXE_SUFFIX);
    let path = metadata.target_directory.join(folder).join(program).into_std_path_buf();
    ensure!(path.is_file(), "the build left no program at {}", path.display());
    Ok(path)
}

fn nextest() -> Result<(bool, Count)> {
    let mut count = Count::default();
    let mut nextest = cargo("nextest run --workspace --all-features --locked --no-fail-fast");
    let succeeded = follow(&mut nextest, Stream::Error, |line| count.read_nextest(line))?;
    Ok((succeeded, count))
}

fn cargo_test(selection: &[&str]) -> Result<(bool, Count)> {
    let mut count = Count::default();
    let mut test = cargo("test --workspace --all-features --locked --no-fail-fast");
    test.args(selection);
    let succeeded = follow(&mut test, Stream::Output, |line| count.read_cargo_test(line))?;
    Ok((succeeded, count))
}

/// The program, PostgreSQL and both killed under 16 writers, and both engines at work, as often and as long as takes some
/// minutes. The figures that they print are those of `docs/RELIABILITY.md`.
fn crashes_and_soak() -> Result<(bool, Count)> {
    let mut count = Count::default();
    let mut test =
        cargo("test --package=stheno --locked --test=it -- crash:: soak:: --nocapture --test-threads=1");
    test.env("STHENO_CRASH_ROUNDS", "60").env("STHENO_SOAK_SECONDS", "300");
    let succeeded = follow(&mut test, Stream::Output, |line| count.read_cargo_test(line))?;
    ensure!(!succeeded || count.passed > 0, "no test of kill -9 ran");
    Ok((succeeded, count))
}

/// Ten times as many random calls beside a model as in a usual run.
fn models() -> Result<(bool, Count)> {
    let mut count = Count::default();
    let mut test = cargo("test --package=stheno-store --all-features --locked --test=conformance model::");
    test.env("STHENO_MODEL_TIMES", "10");
    let succeeded = follow(&mut test, Stream::Output, |line| count.read_cargo_test(line))?;
    ensure!(!succeeded || count.passed > 0, "no test beside a model ran");
    Ok((succeeded, count))
}

/// The official client, unmodified, against the program that was built.
fn javascript_client(binary: &Path) -> Result<(bool, Count)> {
    let mut count = Count::default();
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=spec"]).current_dir(JAVASCRIPT_CLIENT);
    // With STHENO_URL the tests would talk to whatever runs there.
    node.env("STHENO_BIN", binary).env_remove("STHENO_URL");
    let succeeded = follow(&mut node, Stream::Output, |line| count.read_node(line))?;
    // Node calls a run that found no test file a success.
    ensure!(!succeeded || count.passed > 0, "no test ran in {JAVASCRIPT_CLIENT}");
    Ok((succeeded, count))
}
