//! The first program of the client's README, in a new project in an empty folder, as someone new would have it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use cargo_metadata::Metadata;

use crate::command::{cargo, run as run_command};

const README: &str = "crates/client/README.md";
const API_TOKEN: &str = "a-token-of-the-new-project";

/// Builds the project and runs its program against this server.
pub(crate) fn run(server: &Path, metadata: &Metadata) -> Result<()> {
    let folder = tempfile::tempdir().context("no folder for the project")?;
    let top = metadata.workspace_root.as_std_path();
    write_project(folder.path(), top)?;
    let target = metadata.target_directory.as_std_path();
    let mut build = cargo("build --offline");
    build
        .current_dir(folder.path())
        // What the workspace has built alike is not built again.
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
    run_command(&mut build)?;

    let shop = Shop::start(server, folder.path())?;
    let program = target.join("debug").join(format!("new-project{}", std::env::consts::EXE_SUFFIX));
    let output = Command::new(program)
        .env("MEDUSA_BACKEND_URL", &shop.url)
        .env("MEDUSA_API_KEY", API_TOKEN)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run the program")?;
    let printed = String::from_utf8_lossy(&output.stdout);
    print!("{printed}");
    let lines: Vec<&str> = printed.lines().collect();
    let expected = |index: usize, start: &str, end: &str| {
        lines.get(index).is_some_and(|line| line.starts_with(start) && line.ends_with(end))
    };
    let is_whole = lines.len() == 5
        && expected(0, "made Spring guests (cgrp_", ")")
        && (1..4).all(|index| expected(index, "", " is in"))
        && lines[4].contains("404 Not Found");
    ensure!(output.status.success() && is_whole, "the program of {README} does not do what it is meant to");
    Ok(())
}

/// The manifest has what the README says, with the path to where the client is from here.
fn write_project(folder: &Path, top: &Path) -> Result<()> {
    let readme = fs::read_to_string(top.join(README))?;
    let client = top.join("crates/client");
    let client = client.to_str().context("the workspace's path is no text")?;
    let dependencies = block(&readme, "```toml\n")?;
    ensure!(dependencies.contains("\"crates/client\""), "{README} names another path for the client");
    let dependencies = dependencies.replace("\"crates/client\"", &format!("'{client}'"));
    let manifest = format!("[package]\nname = \"new-project\"\nedition = \"2024\"\n\n{dependencies}");
    fs::write(folder.join("Cargo.toml"), manifest)?;
    // The versions that are here already.
    fs::copy(top.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    fs::create_dir(folder.join("src"))?;
    fs::write(folder.join("src/main.rs"), block(&readme, "```rust,no_run\n")?)?;
    Ok(())
}

/// The first block of code that begins so.
fn block<'a>(readme: &'a str, start: &str) -> Result<&'a str> {
    let found = readme.split_once(start).and_then(|(_, rest)| rest.split_once("```"));
    found.map(|(block, _)| block).with_context(|| format!("{README} has no block {}", start.trim()))
}

/// The demo shop, as long as this is there.
struct Shop {
    url: String,
    server: Child,
}

impl Shop {
    fn start(server: &Path, folder: &Path) -> Result<Self> {
        let mut child = Command::new(server)
            .args(["serve", "--demo", "--port", "0"])
            .current_dir(folder)
            .env("STHENO_ADMIN_API_TOKEN", API_TOKEN)
            .env("DATABASE_URL", "sqlite:stheno.db")
            .env("STHENO_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the server")?;
        let stdout = child.stdout.take().context("the server has no output")?;
        let mut shop = Self { url: String::new(), server: child };
        BufReader::new(stdout).read_line(&mut shop.url)?;
        shop.url.truncate(shop.url.trim_end().len());
        ensure!(!shop.url.is_empty(), "the server did not start");
        Ok(shop)
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
