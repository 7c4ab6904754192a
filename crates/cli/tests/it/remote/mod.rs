//! Commands that talk to a running shop.

mod completions;
mod customers;
mod errors;
mod groups;
mod help;
mod login;
mod members;
mod stub;
#[cfg(target_os = "linux")]
mod terminal;

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use regex::Regex;

use crate::support::{API_TOKEN, Server, Shop};

/// Somebody who types commands, and what came of them: standard output, standard error and exit code of each.
pub(crate) struct Console {
    pub(crate) shop: Shop,
    text: String,
    hidden: Vec<(String, String)>,
}

impl Console {
    /// Somebody who is signed in nowhere, with a folder for profiles.
    pub(crate) fn new(shop: Shop) -> Self {
        let folder = shop.path("config").display().to_string();
        let shop = shop.with("STHENO_CONFIG_DIR", &folder);
        Self { shop, text: String::new(), hidden: vec![(folder, "[folder]".to_owned())] }
    }

    /// The demo shop, and somebody who has its token in the environment.
    pub(crate) fn at_demo_shop() -> (Self, Server) {
        let shop = Shop::with_known_credentials();
        let server = shop.serve(["--demo"]);
        (Self::new(shop).at(&server.url), server)
    }

    /// With a token for the shop at this address in the environment.
    pub(crate) fn at(mut self, url: &str) -> Self {
        self.hide(url, "http://shop.example");
        self.shop = self.shop.with("STHENO_URL", url).with("STHENO_API_TOKEN", API_TOKEN);
        self
    }

    /// Replaces a text that changes from run to run in what is shown.
    pub(crate) fn hide(&mut self, text: &str, name: &str) {
        self.hidden.push((text.to_owned(), name.to_owned()));
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = self.shop.stheno([]);
        command.args(shell_words::split(line).unwrap());
        command
    }

    /// Types a command. Returns what it wrote to standard output.
    pub(crate) fn run(&mut self, line: &str) -> String {
        let output = self.command(line).output().unwrap();
        self.note(line, output)
    }

    /// Types a command that reads this text from standard input.
    pub(crate) fn run_with(&mut self, line: &str, input: &str) -> String {
        let output = pipe(self.command(line), input);
        self.note(&format!("{line} < {} lines", input.lines().count()), output)
    }

    pub(crate) fn note(&mut self, line: &str, output: Output) -> String {
        let [stdout, stderr] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        let code = output.status.code().unwrap();
        self.text.push_str(&format!("$ stheno {line}\n{stdout}"));
        if !stderr.is_empty() {
            let marked: Vec<String> = stderr.lines().map(|line| format!("! {line}\n")).collect();
            self.text.push_str(&marked.concat());
        }
        self.text.push_str(&format!("exit code {code}\n\n"));
        stdout
    }

    /// All that was seen so far, with what changes from run to run replaced.
    pub(crate) fn seen(&self) -> String {
        let mut text = self.text.clone();
        for (hidden, name) in &self.hidden {
            text = text.replace(hidden, name);
        }
        for (pattern, name) in [
            (r"request id req_[0-9a-f]{16}", "request id [id]"),
            (r"[0-9a-z]{5}(-[0-9a-z]{5}){3}", "[password]"),
        ] {
            text = Regex::new(pattern).unwrap().replace_all(&text, name).into_owned();
        }
        text
    }
}

/// Runs a command with this text on standard input.
pub(crate) fn pipe(mut command: Command, input: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // From a thread, because the program may write before it has read all.
    let writer = std::thread::spawn(move || {
        // A program that reads nothing may have ended.
        let _ = stdin.write_all(input.as_bytes());
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// The first id of this kind in a text.
pub(crate) fn id_in(text: &str, prefix: &str) -> String {
    let pattern = Regex::new(&format!("{prefix}_[0-9A-Z]{{26}}")).unwrap();
    pattern.find(text).unwrap_or_else(|| panic!("no {prefix}_… in {text}")).as_str().to_owned()
}

/// The columns of a record that was made just now, which differ from run to run.
pub(crate) fn hide_now(text: &str) -> String {
    let pattern =
        Regex::new(r"(CREATED \(UTC\)|UPDATED \(UTC\)|ends at) +\d{4}-\d\d-\d\d \d\d:\d\d").unwrap();
    pattern.replace_all(text, "$1 [now]").into_owned()
}
