//! Stheno's one program: the server and its command line.
//!
//! `commands` holds a file for each command, with its flags. What they share lies beside it: where the data is
//! (`database`), values that are no flags (`given`), who administers the shop first (`administrator`), the demo shop
//! (`demo`), how long a database is waited for (`waiting`) and what a person reads at the first start (`welcome`); and, for
//! commands that work on a running shop through its API, `remote`.
//!
//! Standard output carries what another program could read; everything that tells a person how it went goes to
//! standard error. A failure is one line that says what to do, and an exit code (`exit`).

mod administrator;
mod commands;
mod credential;
mod database;
mod demo;
mod duration;
mod email;
mod exit;
mod given;
mod origins;
mod password;
mod password_source;
mod remote;
mod secrets;
mod usage;
mod waiting;
mod welcome;

use std::io;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use mimalloc::MiMalloc;

use crate::commands::{
    backup, completions, copy, customers, groups, login, logout, migrate, profiles, serve, user,
};
use crate::exit::Exit;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Customer groups for commerce: a server that answers as Medusa v1 does
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the shop over HTTP
    Serve(Box<serve::Arguments>),
    /// Make, check, mend or remove what Stheno needs in the database
    Migrate(migrate::Arguments),
    /// Manage who may sign in
    User(user::Arguments),
    /// Copy a SQLite database to a file, while it is served
    Backup(backup::Arguments),
    /// Copy a shop from one database to another
    Copy(copy::Arguments),
    /// Work on the customer groups of a running shop, Stheno's or a Medusa v1's
    Groups(groups::Arguments),
    /// Work on the customers of a running shop
    Customers(customers::Arguments),
    /// Sign in at a running shop
    Login(login::Arguments),
    /// Sign out
    Logout(logout::Arguments),
    /// Manage the shops that you have signed in at
    Profiles(profiles::Arguments),
    /// Print what makes a shell complete this program's commands
    Completions(completions::Arguments),
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage::explain(&error),
    };
    match run(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has enough of it, as in `stheno user list | head -1`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            usage::complain(&format!("{error:#}"));
            ExitCode::from(Exit::of(&error) as u8)
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    let mut threads = tokio::runtime::Builder::new_multi_thread();
    if let Command::Serve(arguments) = &command {
        threads.worker_threads(arguments.threads());
    }
    let runtime = threads.enable_all().build().context("cannot start threads")?;
    runtime.block_on(async {
        outlive_limited_files()?;
        match command {
            Command::Serve(arguments) => serve::run(*arguments).await,
            Command::Migrate(arguments) => migrate::run(arguments).await,
            Command::User(arguments) => user::run(arguments).await,
            Command::Backup(arguments) => backup::run(arguments).await,
            Command::Copy(arguments) => copy::run(arguments).await,
            Command::Groups(arguments) => groups::run(arguments).await,
            Command::Customers(arguments) => customers::run(arguments).await,
            Command::Login(arguments) => login::run(arguments).await,
            Command::Logout(arguments) => logout::run(&arguments),
            Command::Profiles(arguments) => profiles::run(arguments),
            Command::Completions(arguments) => completions::run(&arguments),
        }
    })
}

/// A file that may not grow any more is no reason to end: whoever wanted to write is told.
fn outlive_limited_files() -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let number = rustix::process::Signal::XFSZ.as_raw();
        // Once it has been listened to, it ends nobody.
        drop(signal(SignalKind::from_raw(number)).context("cannot listen to signals")?);
    }
    Ok(())
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let cause = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Arguments;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
