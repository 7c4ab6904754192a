//! What a person at a terminal sees, and what nobody else may see there.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use serde_json::json;

use crate::support::{Call, Shop};

/// A terminal with a program at it.
pub(crate) struct Terminal {
    screen: File,
    /// Without what the terminal obeys.
    seen: String,
    raw: String,
    child: Child,
}

impl Terminal {
    /// Starts the program with a new terminal for input, output and errors.
    pub(crate) fn start(mut command: Command) -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let size = Winsize { ws_row: 24, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&controller, size).unwrap();
        let name = ptsname(&controller, Vec::new()).unwrap();
        let name = std::ffi::OsStr::from_bytes(name.as_bytes());
        let device = File::options().read(true).write(true).open(name).unwrap();
        let stdio = || Stdio::from(OwnedFd::from(device.try_clone().unwrap()));
        let child = command.stdin(stdio()).stdout(stdio()).stderr(stdio()).spawn().unwrap();
        // As long as we hold the device too, reading from it does not end when the program does.
        drop(command);
        Self { screen: controller.into(), seen: String::new(), raw: String::new(), child }
    }

    /// Starts the program at a terminal that is its own, because that is where it asks for passwords.
    pub(crate) fn start_with_its_own(program: &Command) -> Self {
        let mut command = Command::new("setsid");
        command.args(["--ctty", "--wait"]).arg(program.get_program()).args(program.get_args()).env_clear();
        command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("PATH", "/usr/bin:/bin");
        if let Some(folder) = program.get_current_dir() {
            command.current_dir(folder);
        }
        Self::start(command)
    }

    /// Reads on until a text has come.
    pub(crate) fn wait_for(&mut self, text: &str) {
        while !self.seen.contains(text) {
            assert!(self.read(), "the program ended before {text:?} came:\n{}", self.seen);
        }
    }

    /// Reads what there is. Answers whether there can be more.
    fn read(&mut self) -> bool {
        let mut buffer = [0; 4096];
        match self.screen.read(&mut buffer) {
            // Linux says so when the last program has left the terminal.
            Ok(0) | Err(_) => false,
            Ok(count) => {
                let text = String::from_utf8_lossy(&buffer[..count]).replace("\r\n", "\n");
                self.seen.push_str(&anstream::adapter::strip_str(&text).to_string());
                self.raw.push_str(&text);
                true
            }
        }
    }

    /// Waits for a question whose answer the terminal does not show, and answers it.
    pub(crate) fn answer(&mut self, question: &str, answer: &str) {
        self.wait_for(question);
        while tcgetattr(&self.screen).unwrap().local_modes.contains(LocalModes::ECHO) {
            std::thread::sleep(Duration::from_millis(1));
        }
        writeln!(self.screen, "{answer}").unwrap();
    }

    /// Waits for a question whose answer the terminal shows, and answers it.
    pub(crate) fn answer_openly(&mut self, question: &str, answer: &str) {
        self.wait_for(question);
        writeln!(self.screen, "{answer}").unwrap();
    }

    /// Reads to the end, which must be a good one. Returns all that was seen.
    pub(crate) fn end(self) -> String {
        let (seen, code) = self.end_with_code();
        assert_eq!(code, Some(0), "{seen}");
        seen
    }

    /// Reads to the end. Returns all that was seen, and the exit code.
    pub(crate) fn end_with_code(mut self) -> (String, Option<i32>) {
        while self.read() {}
        let code = self.child.wait().unwrap().code();
        (self.seen, code)
    }

    /// Reads to the end. Returns all that came, with what the terminal obeys.
    pub(crate) fn end_raw(mut self) -> String {
        while self.read() {}
        self.child.wait().unwrap();
        self.raw
    }

    /// Stops a server. Returns all that was seen.
    fn stop(mut self) -> String {
        self.wait_for("listening");
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.end()
    }
}

#[test]
fn removing_asks_before_it_drops_anything() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(stheno_testkit::postgres::PostgresDatabase::empty());
    let shop = Shop::new().with("DATABASE_URL", database.url());
    shop.run(["migrate"]);
    for (answer, outcome) in [("no", "nothing was dropped"), ("yes", "dropped table stheno_session")] {
        let mut terminal = Terminal::start(shop.stheno(["migrate", "--remove"]));
        terminal.answer_openly("Type yes to drop it all: ", answer);
        terminal.wait_for(outcome);
        let warning = "All API tokens of Stheno's, open sessions, secrets that were made and the audit trail";
        assert!(
            terminal.seen.contains(warning) && terminal.seen.contains("would drop table stheno_api_token")
        );
        terminal.end_with_code();
    }
    assert!(shop.run(["migrate", "--dry-run"]).contains("would make table stheno_session"));
}

fn serve_demo(shop: &Shop) -> Command {
    shop.stheno(["serve", "--demo", "--port", "0", "--log", "off,stheno::commands=info"])
}

#[test]
fn the_first_calls_work_as_they_are_printed() {
    let shop = Shop::new();
    let mut terminal = Terminal::start(serve_demo(&shop));
    terminal.wait_for("customer-groups'");
    let mut calls = terminal.seen.lines().filter(|line| line.trim_start().starts_with("curl "));
    let call = calls.next().unwrap();
    let words = shell_words::split(call).unwrap();
    let [_, _, header, url] = words.as_slice() else { panic!("{call}") };
    let (name, token) = header.split_once(": ").unwrap();
    assert_eq!(name, "x-medusa-access-token");
    let answer = Call::new("GET", url).with_token(token).send();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["count"], 20);
    assert_eq!(answer.body["customer_groups"].as_array().unwrap().len(), 3);

    let call = calls.next().unwrap();
    let words = shell_words::split(call).unwrap();
    let [_, _, _, _, content_type, _, body, url] = words.as_slice() else { panic!("{call}") };
    assert_eq!(content_type, "content-type: application/json");
    let body = serde_json::from_str(body).unwrap();
    let answer = Call::new("POST", url).with_token(token).send_json(body);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["customer_group"]["name"], "VIP");

    let password = terminal.seen.lines().find_map(|line| line.trim().strip_prefix("Password ")).unwrap();
    let sign_in = json!({ "email": "admin@example.com", "password": password.trim() });
    let origin = &url[..url.find("/admin").unwrap()];
    assert_eq!(Call::new("POST", format!("{origin}/admin/auth/token")).send_json(sign_in).status, 200);

    let seen = terminal.stop();
    assert!(!shop.path("stheno.db.credentials").exists(), "{seen}");
}

#[test]
fn a_later_start_shows_how_to_get_a_new_token() {
    let shop = Shop::new();
    let first = Terminal::start(serve_demo(&shop)).stop();
    assert!(first.contains("API token      stheno_"), "{first}");
    let second = Terminal::start(serve_demo(&shop)).stop();
    assert!(!second.contains("Password"), "{second}");
    let command = second.lines().find(|line| line.contains(" user token ")).unwrap();
    let words = shell_words::split(command).unwrap();
    let output =
        Command::new(&words[0]).args(&words[1..]).current_dir(shop.folder()).env_clear().output().unwrap();
    assert!(output.stdout.starts_with(b"stheno_"), "{output:?}");
}

#[test]
fn a_password_is_asked_for_and_not_shown() {
    let shop = Shop::with_known_credentials();
    let server = shop.serve([]);
    let mut terminal = ask(&shop);
    terminal.answer("Password", "correct horse battery staple");
    terminal.answer("Once more", "correct horse battery staple");
    let seen = terminal.end();
    assert!(seen.contains("Created grace@example.com (member)"), "{seen}");
    assert!(!seen.contains("horse"), "{seen}");
    let sign_in = json!({ "email": "grace@example.com", "password": "correct horse battery staple" });
    assert_eq!(server.post("/admin/auth/token").send_json(sign_in).status, 200);
}

#[test]
fn a_password_that_was_not_typed_is_made_up() {
    let shop = Shop::with_known_credentials();
    let server = shop.serve([]);
    let mut terminal = ask(&shop);
    terminal.answer("Password", "");
    let seen = terminal.end();
    let password = seen.trim_end().lines().last().unwrap();
    let sign_in = json!({ "email": "grace@example.com", "password": password });
    assert_eq!(server.post("/admin/auth/token").send_json(sign_in).status, 200, "{seen}");
}

#[test]
fn a_copy_shows_how_far_it_is() {
    let shop = Shop::new().with("TERM", "xterm");
    Terminal::start(serve_demo(&shop)).stop();
    let copy = shop.stheno(["copy", "--from", "sqlite:stheno.db", "--to", "sqlite:new.db"]);
    let seen = Terminal::start(copy).end();
    assert!(seen.contains("copying customer ") && seen.contains("of 1,000"), "{seen}");
    assert!(seen.contains("TABLE") && !seen.contains("INFO"), "{seen}");
}

fn ask(shop: &Shop) -> Terminal {
    Terminal::start_with_its_own(&shop.stheno(["user", "create", "--email", "grace@example.com"]))
}
