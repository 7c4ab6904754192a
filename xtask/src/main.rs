//! The one door a contributor needs: `cargo xtask setup`, `cargo xtask test`, `cargo xtask ci`, `cargo xtask deny`,
//! `cargo xtask fuzz`, `cargo xtask bench`, `cargo xtask instructions`, `cargo xtask openapi`.

mod command;
mod count;
mod deny;
mod fuzz;
mod instructions;
mod medusa;
mod new_project;
mod openapi;
mod python;
mod report;
mod setup;
mod test;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
/// Sets up, checks and tests Stheno
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Say what this machine lacks for the tests, and install it
    Setup {
        /// Only say what is there and what is missing; fail if anything is
        #[arg(long)]
        check: bool,
    },
    /// Set up, then run every check and every test
    Test,
    /// What `test` runs, and on demand the long runs
    Ci {
        /// Also run what takes long: the release build against the official JavaScript client, `kill -9` of server and
        /// database many times, a soak, and more random input; and fail where advisories cannot be checked
        #[arg(long)]
        full: bool,
    },
    /// Check what comes in from outside: licences, sources, unwanted crates; advisories where RustSec can be reached
    Deny,
    /// Send random input to whatever reads what anybody can send
    Fuzz {
        /// How long for each target
        #[arg(long, default_value_t = 30)]
        seconds: u64,
    },
    /// Write the API's description, openapi/openapi.json, as the code has it
    Openapi,
    /// Count the instructions that the pieces of a request take, and compare them with the last counts
    Instructions {
        /// Keep the counts: they are the last ones from now on
        #[arg(long)]
        accept: bool,
    },
    /// Measure how fast the server answers; `-- --help` tells what can be set
    Bench {
        /// Handed on to the load driver
        #[arg(last = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(&Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: &Task) -> Result<()> {
    enter_workspace()?;
    match task {
        Task::Setup { check: true } => setup::check(),
        Task::Setup { check: false } => setup::install(),
        Task::Test | Task::Ci { full: false } => test::run(test::Extent::Usual),
        Task::Ci { full: true } => test::run(test::Extent::Full),
        Task::Deny => deny::run(),
        Task::Fuzz { seconds } => {
            let (succeeded, count) = fuzz::run(Duration::from_secs(*seconds))?;
            ensure!(succeeded, "{} of the targets found a fault", count.failed);
            Ok(())
        }
        Task::Openapi => openapi::write(),
        Task::Instructions { accept } => instructions::run(*accept),
        Task::Bench { arguments } => {
            command::run(&mut command::cargo("build --release --locked --package=stheno"))?;
            command::run(command::cargo("run --release --locked --package=stheno-bench --").args(arguments))
        }
    }
}

/// Every task runs from the top of the workspace, wherever it was called.
fn enter_workspace() -> Result<()> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::env::set_current_dir(&top).with_context(|| format!("cannot enter {}", top.display()))
}
