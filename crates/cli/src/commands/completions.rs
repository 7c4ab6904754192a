//! `stheno completions`: what makes a shell complete the commands and flags of this program.

use std::io::{self, Write as _};

use anyhow::Result;
use clap::CommandFactory as _;
use clap_complete::Shell;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
bash:  stheno completions bash > ~/.local/share/bash-completion/completions/stheno
zsh:   stheno completions zsh > \"${fpath[1]}/_stheno\"
fish:  stheno completions fish > ~/.config/fish/completions/stheno.fish")]
pub(crate) struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut crate::Arguments::command(), "stheno", &mut script);
    Ok(io::stdout().write_all(&script)?)
}
