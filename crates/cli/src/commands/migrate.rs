//! `stheno migrate`: what Stheno makes in a database, made, listed, checked, mended and removed.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};

use anyhow::{Context as _, Result, bail, ensure};
use stheno_store::{Difference, Fault, Owner, Progress, Schema};

use crate::database::Database;

const AFTER_HELP: &str = "On a Medusa's database nothing of Medusa's is altered; what is added has the prefix stheno_, \
                          and is made while Medusa works on. Without a flag, what is missing or out of date is made.";

#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(flatten)]
    task: Task,

    /// Remove without asking
    #[arg(long, requires = "remove")]
    yes: bool,

    #[command(flatten)]
    database: Database,
}

#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct Task {
    /// List what would be made, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Check that everything is there, valid and unchanged; fails if it is not
    #[arg(long)]
    verify: bool,

    /// Make anew what is missing, invalid or changed, and check that all is well then
    #[arg(long)]
    repair: bool,

    /// Drop everything that Stheno has made, API tokens and sessions with it; the shop's data stays
    #[arg(long)]
    remove: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let Arguments { task, yes, database } = arguments;
    let schema = database.schema().await?;
    let done = if task.dry_run {
        dry_run(&schema).await
    } else if task.verify {
        verify(&schema, &database).await
    } else if task.remove {
        remove(&schema, yes, &database).await
    } else {
        migrate(&schema, &database, task.repair).await
    };
    schema.close().await;
    done
}

async fn dry_run(schema: &Schema) -> Result<()> {
    line(&match schema.owner().await? {
        Owner::Medusa => "A Medusa v1's database, of which nothing is altered",
        Owner::Nobody => "An empty database",
        _ => "A database of Stheno's own",
    })?;
    let differences = schema.differences().await?;
    for Difference { thing, fault, hindrance, loss } in &differences {
        match hindrance {
            None if *fault == Fault::Missing => line(&format!("would make {thing}"))?,
            None => line(&format!("would make {thing} anew: {}", said(fault)))?,
            Some(hindrance) => line(&format!("cannot make {thing}: {hindrance}{}", so(loss)))?,
        }
    }
    let makeable = differences.iter().filter(|difference| difference.hindrance.is_none()).count();
    line(&match makeable {
        0 => "Nothing would be made".to_owned(),
        count => format!("{} would be made; nothing was changed", things(count)),
    })?;
    // As the work itself would end.
    may_all_be_made(differences.len() - makeable)
}

async fn verify(schema: &Schema, database: &Database) -> Result<()> {
    let differences = schema.differences().await?;
    if differences.is_empty() {
        return line(&"Everything is as Stheno makes it");
    }
    for difference in &differences {
        line(&format!("{}{}", wrong(difference), so(difference.loss)))?;
    }
    let advice = match differences.iter().any(|difference| difference.hindrance.is_none()) {
        true => format!("run `stheno migrate --repair{}`", database.as_flag()),
        false => "the lines before say what hinders from mending it".to_owned(),
    };
    let found = match differences.len() {
        1 => "one thing is not as Stheno makes it".to_owned(),
        count => format!("{count} things are not as Stheno makes them"),
    };
    bail!("{found}: {advice}")
}

async fn migrate(schema: &Schema, database: &Database, repair: bool) -> Result<()> {
    if schema.differences().await?.is_empty() {
        return line(&"Everything is as Stheno makes it; nothing was changed");
    }
    let left = schema.migrate(&tell).await?;
    for Difference { thing, fault, hindrance, loss } in &left {
        let reason = hindrance.as_deref().unwrap_or(said(fault));
        line(&format!("could not make {thing}: {reason}{}", so(loss)))?;
    }
    may_all_be_made(left.len())?;
    // What was made is read back, so that nobody needs to trust that it was.
    if repair { verify(schema, database).await } else { line(&"Everything is as Stheno makes it now") }
}

fn may_all_be_made(left: usize) -> Result<()> {
    ensure!(left == 0, "{} could not be made: the lines before say why", things(left));
    Ok(())
}

async fn remove(schema: &Schema, yes: bool, database: &Database) -> Result<()> {
    let made = schema.made().await?;
    if made.is_empty() {
        return line(&"There is nothing of Stheno's to remove");
    }
    // What Medusa has become since does not keep anybody from removing what is Stheno's.
    let own = schema.owner().await.is_ok_and(|owner| owner == Owner::Stheno);
    for thing in &made {
        line(&format!("{} drop {thing}", if yes { "will" } else { "would" }))?;
    }
    if !yes {
        confirm(own, database)?;
    }
    schema.remove(&tell).await?;
    line(&format!("{} dropped", things(made.len())))?;
    line(&if own {
        "The shop's customers, groups and users are still there, in Medusa's tables; Stheno takes them up again when it \
         is started or migrates"
    } else {
        "Medusa's database is as it was without Stheno"
    })
}

/// Asks whether to go on, at a terminal.
fn confirm(own: bool, database: &Database) -> Result<()> {
    let stays = if own { "The shop's data stays." } else { "Nothing of Medusa's is touched." };
    let warning = format!(
        "All API tokens of Stheno's, open sessions, secrets that were made and the audit trail go with it, and no server may \
         run on {} meanwhile. {stays}",
        database.shown()
    );
    ensure!(
        io::stdin().is_terminal() && io::stdout().is_terminal(),
        "nothing was dropped, as there is no terminal to ask at: give --yes. {warning}"
    );
    let mut stdout = io::stdout().lock();
    write!(stdout, "{warning}\nType yes to drop it all: ")?;
    stdout.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).context("cannot read the answer")?;
    ensure!(answer.trim() == "yes", "nothing was dropped");
    Ok(())
}

/// Writes how the work goes on, as it does.
fn tell(progress: Progress) {
    let text = match progress {
        Progress::Waiting => "waiting for another process that changes the schema".to_owned(),
        Progress::Made(thing) => format!("made {thing}"),
        Progress::Dropped(thing) => format!("dropped {thing}"),
        _ => return,
    };
    // Whoever does not read on wants the work done all the same.
    let _ = line(&text);
}

fn line(text: &dyn Display) -> Result<()> {
    Ok(writeln!(io::stdout(), "{text}")?)
}

fn wrong(Difference { thing, fault, hindrance, .. }: &Difference) -> String {
    let wrong = match fault {
        Fault::Missing => format!("missing: {thing}"),
        Fault::Invalid => format!("invalid: {thing}: {}", said(fault)),
        Fault::Changed(what) => format!("changed: {thing}: {what}"),
        _ => thing.to_string(),
    };
    match hindrance {
        Some(hindrance) => format!("{wrong}; not to be mended: {hindrance}"),
        None => wrong,
    }
}

fn said(fault: &Fault) -> &str {
    match fault {
        Fault::Missing => "it is missing",
        Fault::Invalid => "its building has failed",
        Fault::Changed(what) => what,
        _ => "it is not as it should be",
    }
}

/// What one goes without.
fn so(loss: &str) -> String {
    if loss.is_empty() { String::new() } else { format!("; as long as it is so, {loss}") }
}

fn things(count: usize) -> String {
    if count == 1 { "One thing".to_owned() } else { format!("{count} things") }
}
