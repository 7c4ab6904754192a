//! What went wrong, in one line on standard error.

use std::env;
use std::io::Write as _;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Command, CommandFactory as _};

use crate::Arguments;

/// Prints an error as one line.
pub(crate) fn complain(message: &str) {
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    // Where standard error is closed there is nobody left to tell.
    let _ = writeln!(
        anstream::stderr(),
        "{RED}error:{RED:#} {message}",
        RED = anstyle::AnsiColor::Red.on_default().bold()
    );
}

/// Prints the help that was asked for, or what is wrong with the command line.
pub(crate) fn explain(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            // As above.
            let _ = error.print();
        }
        _ => complain(&format!(
            "{}; see `{} --help`",
            what_is_wrong(&with_variables(error)),
            command_named(env::args().skip(1))
        )),
    }
    if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS }
}

/// What clap says, which names a flag even where its value comes from a variable; so the variable is named too.
fn with_variables(error: &clap::Error) -> String {
    let mut rendered = error.render().to_string();
    if !matches!(
        error.kind(),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation | ErrorKind::ArgumentConflict
    ) {
        return rendered;
    }
    for argument in command_of(env::args().skip(1)).get_arguments() {
        let (Some(variable), Some(long)) = (argument.get_env(), argument.get_long()) else { continue };
        let flag = format!("--{long}");
        let is_given = |word: String| word.split('=').next() == Some(&flag);
        if env::var_os(variable).is_some() && !env::args().any(is_given) {
            let shown = format!("'{argument}'");
            let named = format!("{shown} (from the variable {})", variable.display());
            rendered = rendered.replace(&shown, &named);
        }
    }
    rendered
}

/// What clap says over several lines, without its heading and the usage, which `--help` shows in full.
fn what_is_wrong(rendered: &str) -> String {
    let text = rendered.strip_prefix("error: ").unwrap_or(rendered);
    let mut said = String::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("Usage:") || line.starts_with("For more information") {
            break;
        }
        match said.chars().last() {
            _ if line.is_empty() => {}
            None => said.push_str(line),
            Some(':') => said.extend([" ", line]),
            Some(_) => said.extend(["; ", line]),
        }
    }
    said
}

/// The name of the command that the words of a command line lead to: `stheno user create` for `user create --email`.
fn command_named(words: impl Iterator<Item = String>) -> String {
    let command = command_of(words);
    command.get_bin_name().unwrap_or(command.get_name()).to_owned()
}

/// The command that the words of a command line lead to.
fn command_of(words: impl Iterator<Item = String>) -> Command {
    let mut program = Arguments::command();
    program.build();
    let mut command = &program;
    for word in words {
        // The help of `help` is of no use to anybody.
        let Some(next) = command.find_subcommand(&word).filter(|next| next.get_name() != "help") else {
            break;
        };
        command = next;
    }
    command.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clap_says_becomes_one_line() {
        let rendered = "error: the following required arguments were not provided:\n  --email <EMAIL>\n\n\
                        Usage: stheno user create --email <EMAIL>\n\nFor more information, try '--help'.\n";
        assert_eq!(
            what_is_wrong(rendered),
            "the following required arguments were not provided: --email <EMAIL>"
        );
        let rendered = "error: unexpected argument '--prot' found\n\n  tip: a similar argument exists: '--port'\n\n\
                        Usage: stheno serve --port <PORT>\n";
        assert_eq!(
            what_is_wrong(rendered),
            "unexpected argument '--prot' found; tip: a similar argument exists: '--port'"
        );
    }

    #[test]
    fn the_help_that_is_named_is_that_of_the_command() {
        let named = |words: &str| command_named(words.split(' ').map(str::to_owned));
        assert_eq!(named("user create --email"), "stheno user create");
        assert_eq!(named("serve --port x"), "stheno serve");
        assert_eq!(named("server"), "stheno");
        assert_eq!(named("help serv"), "stheno");
    }
}
