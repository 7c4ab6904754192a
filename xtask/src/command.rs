//! Running other programs, so that whoever runs the task sees their output as they write it.

use std::env;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use anstream::adapter::strip_str;
use anyhow::{Context, Result, bail};

/// The cargo that runs this task, so that one toolchain does all the work; arguments as one would type them.
pub(crate) fn cargo(arguments: &str) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments.split_whitespace());
    command
}

/// What `program --version` prints first, or `None` where the program is missing.
pub(crate) fn version(program: &str) -> Option<String> {
    first_line(Command::new(program).arg("--version"))
}

/// The first line that the command prints, or `None` where it cannot be run or fails.
pub(crate) fn first_line(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.lines().next()?.trim();
    (output.status.success() && !line.is_empty()).then(|| line.to_owned())
}

/// Runs the command; an error if it cannot be started or does not succeed.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    announce(command);
    let status = command.status().with_context(|| format!("cannot run {}", shown(command)))?;
    if !status.success() {
        bail!("{} failed ({status})", shown(command));
    }
    Ok(())
}

/// The stream on which a test runner says how the tests went.
#[derive(Clone, Copy)]
pub(crate) enum Stream {
    Output,
    Error,
}

/// Runs the command, passes its output on, and gives every line of the named stream, without colours, to `read`.
/// Returns whether the command succeeded.
pub(crate) fn follow(command: &mut Command, stream: Stream, read: impl FnMut(&str)) -> Result<bool> {
    announce(command);
    let is_terminal = match stream {
        Stream::Output => io::stdout().is_terminal(),
        Stream::Error => io::stderr().is_terminal(),
    };
    // A runner that writes into our pipe would leave out the colours that a terminal is to show.
    if is_terminal && env::var_os("NO_COLOR").is_none() {
        command.env("CARGO_TERM_COLOR", "always").env("FORCE_COLOR", "1");
    }
    match stream {
        Stream::Output => command.stdout(Stdio::piped()),
        Stream::Error => command.stderr(Stdio::piped()),
    };
    let mut child = command.spawn().with_context(|| format!("cannot run {}", shown(command)))?;
    match (child.stdout.take(), child.stderr.take()) {
        (Some(output), _) => pass_on(output, io::stdout(), read)?,
        (None, Some(error)) => pass_on(error, io::stderr(), read)?,
        (None, None) => {}
    }
    Ok(child.wait()?.success())
}

fn pass_on(from: impl Read, mut to: impl Write, mut read: impl FnMut(&str)) -> io::Result<()> {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line)? > 0 {
        to.write_all(&line)?;
        to.flush()?;
        read(&strip_str(&String::from_utf8_lossy(&line)).to_string());
        line.clear();
    }
    Ok(())
}

fn announce(command: &Command) {
    eprintln!("$ {}", shown(command));
}

/// The command as one would type it; cargo and others without their folder.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(command.get_program()).to_string_lossy();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy());
    std::iter::once(name).chain(arguments).collect::<Vec<_>>().join(" ")
}
