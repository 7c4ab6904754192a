//! `stheno backup`: a copy of a SQLite database, while it is served.

use std::path::PathBuf;

use anyhow::{Result, bail};
use bytesize::ByteSize;

use crate::database::Database;
use crate::remote::note;

const AFTER_HELP: &str = "\
Works while the server runs. The copy is the database as it is at one moment; it is checked, and only then gets its name. To \
restore it, stop the server, put the copy in the place of the database file, delete the files -wal and -shm beside that, and \
start the server. For PostgreSQL, use pg_dump and pg_restore, and run `stheno migrate --repair` behind them.";

#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// The file to write the copy to
    #[arg(long, value_name = "FILE")]
    to: PathBuf,

    /// Replace the file if it is there
    #[arg(long)]
    overwrite: bool,

    #[command(flatten)]
    database: Database,
}

pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let Arguments { to, overwrite, database } = arguments;
    if database.is_on_a_server() {
        bail!(
            "PostgreSQL has its own tools for backups: use pg_dump and pg_restore, and run `stheno migrate --repair` on the \
             restored database"
        );
    }
    if to.exists() && !overwrite {
        bail!("there is a file {} already: give another one, or --overwrite", to.display());
    }
    let size = stheno_store::back_up(database.url(), &to, overwrite).await?;
    note(&format!("Copied {} to {} ({})", database.shown(), to.display(), ByteSize(size)))
}
