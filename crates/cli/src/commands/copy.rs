//! `stheno copy`: moves a shop between databases.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Error, Result, anyhow};
use clap::ValueEnum;
use comfy_table::{CellAlignment, Table};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use stheno_server::telemetry::{self, LogFormat};
use stheno_store::copy::{self, CopyError, CopyOptions, CopyReport, Progress, Step};

/// How often a log says how far a copy is.
const LOGGED_EVERY: Duration = Duration::from_secs(5);

const AFTER_HELP: &str = "\
The source is read as it is at one moment; what is written to it later is not in the copy. A copy that was broken off goes \
on when it is run again. Sessions and signing secrets are not copied: whoever signed in does so again. A URL with a password \
in it belongs into the variables, as everyone on a machine can read the command lines of others.";

#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// The database to copy: `sqlite:PATH` or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, Stheno's or a Medusa v1's. It
    /// is only read
    #[arg(long, env = "STHENO_COPY_FROM", hide_env_values = true, value_name = "URL")]
    from: String,

    /// The database to copy into, of either kind: an empty one, unless there is --merge
    #[arg(long, env = "STHENO_COPY_TO", hide_env_values = true, value_name = "URL")]
    to: String,

    /// Add to a database that has rows, all or nothing. Equal rows are passed over; those that are in each other's way are
    /// listed, and none is overwritten
    #[arg(long)]
    merge: bool,

    /// Copy the others where rows cannot be copied, instead of failing. Those left out are listed
    #[arg(long)]
    skip_conflicts: bool,

    /// Copy the others where the source has columns of its own that the target lacks, instead of failing
    #[arg(long)]
    leave_columns: bool,

    /// How the result is written, to standard output
    #[arg(long = "output", value_name = "FORMAT", value_enum, default_value_t = OutputFormat::Text)]
    output: OutputFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OutputFormat {
    Text,
    Json,
}

pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let at_terminal = io::stderr().is_terminal();
    let filter = if at_terminal { "warn" } else { "info" };
    telemetry::init(LogFormat::Text, filter).context("cannot start the log")?;
    let options = CopyOptions {
        merge: arguments.merge,
        skip_conflicts: arguments.skip_conflicts,
        leave_columns: arguments.leave_columns,
        ..CopyOptions::default()
    };
    let mut shown = if at_terminal { Shown::bar() } else { Shown::log() };
    let copied =
        copy::copy(&arguments.from, &arguments.to, &options, |progress| shown.update(progress)).await;
    shown.end();
    match copied {
        Ok(report) => write(&report, true, arguments.output),
        Err(CopyError::Conflicts(report)) => {
            write(&report, false, arguments.output)?;
            Err(cannot_be_copied(&report, arguments.merge))
        }
        Err(CopyError::Theirs(report)) => {
            write(&report, false, arguments.output)?;
            Err(with_advice(CopyError::Theirs(report)))
        }
        Err(error) => Err(with_advice(error)),
    }
}

fn cannot_be_copied(report: &CopyReport, merge: bool) -> Error {
    let count = report.conflicts.len();
    let (rows, those) = if count == 1 { ("row", "it") } else { ("rows", "them") };
    let state = if merge {
        "nothing was written"
    } else {
        "the copy is not finished, and goes on when it is run again"
    };
    anyhow!(
        "{count} {rows} cannot be copied: {state}; mend {those} on either side, or leave {those} out with --skip-conflicts"
    )
}

/// What went wrong, and what to do.
fn with_advice(error: CopyError) -> Error {
    let advice = match error {
        CopyError::Same => "give two",
        CopyError::NotEmpty(_) => "give an empty database, or add to this one with --merge",
        CopyError::Unfinished => "run that copy again, without --merge, or give another target",
        CopyError::OtherSource => "run that copy again, or give an empty database",
        CopyError::Theirs(_) => {
            "nothing was written now; make the two sides alike in these, or begin anew with an empty database"
        }
        CopyError::Overtaken => "it does the rest",
        CopyError::Columns(_) => "add them there, or leave them behind with --leave-columns",
        CopyError::Check { .. } => {
            "see that nothing else writes to the target, and run the same command again"
        }
        error => return error.into(),
    };
    anyhow!("{error}: {advice}")
}

/// How a person, or a log, sees how far it is.
enum Shown {
    Bar(ProgressBar),
    Log { last: Option<(Step, &'static str)>, written: Instant },
}

impl Shown {
    fn bar() -> Self {
        let bar = ProgressBar::no_length();
        if let Ok(style) =
            ProgressStyle::with_template("{msg:45} {wide_bar} {human_pos:>11} of {human_len} {eta:>4}")
        {
            bar.set_style(style);
        }
        Self::Bar(bar)
    }

    fn log() -> Self {
        Self::Log { last: None, written: Instant::now() }
    }

    fn update(&mut self, Progress { step, name, done, total }: Progress) {
        let step_name = match step {
            Step::Comparing => "comparing",
            Step::Copying => "copying",
            Step::Checking => "checking",
        };
        match self {
            Self::Bar(bar) => {
                if done == 0 {
                    bar.reset();
                    bar.set_message(format!("{step_name} {name}"));
                }
                bar.set_length(total);
                bar.set_position(done);
            }
            Self::Log { last, written } => {
                let is_other = *last != Some((step, name));
                if is_other || written.elapsed() > LOGGED_EVERY {
                    tracing::info!(done, total, "{step_name} {name}");
                    *last = Some((step, name));
                    *written = Instant::now();
                }
            }
        }
    }

    fn end(self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// Writes what was copied, and what was not.
fn write(report: &CopyReport, is_done: bool, format: OutputFormat) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match format {
        OutputFormat::Json => writeln!(stdout, "{:#}", json_of(report, is_done))?,
        OutputFormat::Text => {
            for column in &report.left_behind {
                writeln!(stdout, "column {column}: left behind")?;
            }
            for conflict in &report.conflicts {
                writeln!(stdout, "{} {}: {}", conflict.name, conflict.key, conflict.reason)?;
            }
            if is_done {
                writeln!(stdout, "{}", table(report))?;
            }
        }
    }
    Ok(())
}

fn json_of(report: &CopyReport, is_done: bool) -> Value {
    json!({
        "done": is_done,
        "continued": report.continued,
        "tables": report.tables.iter().map(|table| json!({
            "name": table.name,
            "rows": table.rows,
            "written": table.written,
            "present": table.present,
            "left_out": table.left_out,
        })).collect::<Value>(),
        "conflicts": report.conflicts.iter().map(|conflict| json!({
            "name": conflict.name,
            "key": conflict.key,
            "reason": conflict.reason.kind(),
            "text": conflict.reason.to_string(),
        })).collect::<Value>(),
        "left_behind": report.left_behind.iter().map(|column| json!({
            "table": column.table,
            "column": column.column,
        })).collect::<Value>(),
    })
}

fn table(report: &CopyReport) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["TABLE", "ROWS", "WRITTEN", "THERE BEFORE", "LEFT OUT"]);
    for copied in &report.tables {
        let counts = [copied.rows, copied.written, copied.present, copied.left_out];
        table.add_row(std::iter::once(copied.name.to_owned()).chain(counts.map(|count| count.to_string())));
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if index > 0 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}
