//! The files that people deploy with: what they name is there.

use std::fs;
use std::path::Path;

use regex::Regex;

use crate::support::Shop;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Every variable that a file sets is one that `serve` knows.
#[test]
fn what_is_set_is_a_setting() {
    let help = Shop::new().run(["serve", "--help"]);
    let variables =
        Regex::new(r"\b(STHENO_[A-Z_]+|DATABASE_[A-Z_]+|[A-Z]+_SECRET|PORT|ADMIN_CORS)=").unwrap();
    let files = ["Dockerfile", "deploy/stheno.service", "examples/many-servers/stheno.env"];
    for file in files {
        let text = read(file);
        let found: Vec<_> = variables.captures_iter(&text).map(|found| found[1].to_owned()).collect();
        assert!(!found.is_empty(), "{file} sets nothing");
        for variable in found {
            assert!(help.contains(&variable), "{file} sets {variable}, which `stheno serve` does not know");
        }
    }
}

/// The program can be built from what the image's context lets in.
#[test]
fn the_image_is_built_from_all_that_the_workspace_needs() {
    let ignored = read(".dockerignore");
    assert!(ignored.lines().any(|line| line == "*"));
    let context = tempfile::tempdir().unwrap();
    for name in ignored.lines().filter_map(|line| line.strip_prefix('!')) {
        assert!(root().join(name).exists(), "{name} is not there");
        let copied =
            std::process::Command::new("cp").arg("-r").arg(root().join(name)).arg(context.path()).status();
        assert!(copied.unwrap().success());
    }
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let metadata = std::process::Command::new(cargo)
        .args(["metadata", "--locked", "--offline", "--format-version=1", "--no-deps"])
        .current_dir(context.path())
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    // Files that are part of the program.
    let included = Regex::new(r#"include_(?:str|bytes|dir)!\("((?:\.\./)+[^"]+)"\)"#).unwrap();
    let mut seen = 0;
    for folder in [
        "crates/cli/src",
        "crates/server/src",
        "crates/store/src",
        "crates/client/src",
        "crates/api-types/src",
    ] {
        for path in sources(&root().join(folder)) {
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap();
            for name in included.captures_iter(text).map(|found| path.parent().unwrap().join(&found[1])) {
                let name = name.canonicalize().unwrap();
                let within = name.strip_prefix(root().canonicalize().unwrap()).unwrap();
                assert!(
                    context.path().join(within).exists(),
                    "{} lacks {}",
                    path.display(),
                    within.display()
                );
                seen += 1;
            }
        }
    }
    assert!(seen > 0);
    let toolchain = Regex::new(r#"(?m)^rust-version = "([\d.]+)""#).unwrap();
    let version = toolchain.captures(&read("Cargo.toml")).unwrap()[1].to_owned();
    assert!(
        read("Dockerfile").contains(&format!("FROM rust:{version}-")),
        "the image is built with another Rust"
    );
}

/// What the image takes out of its first stage is what the build command there makes.
#[test]
fn the_image_holds_what_its_build_makes() {
    let text = read("Dockerfile");
    let build = Regex::new(r"(?m)^RUN cargo (build .*)$").unwrap();
    let build = build.captures(&text).unwrap()[1].to_owned();
    let flag = |name: &str| {
        let value = build.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        value.unwrap_or_else(|| panic!("`cargo {build}` has no {name}=")).to_owned()
    };
    let (package, profile) = (flag("--package"), flag("--profile"));
    assert!(build.split(' ').any(|word| word == "--locked"), "{build}");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    // Says what would be built, in a moment, and refuses what it does not know.
    let plan = std::process::Command::new(cargo)
        .args(["tree", "--locked", "--offline", "--edges=no-dev", "--depth=0", "--package", &package])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(plan.status.success(), "{}", String::from_utf8_lossy(&plan.stderr));

    let source =
        Regex::new(r"(?m)^WORKDIR (/\S+)\nCOPY \. \.$").unwrap().captures(&text).unwrap()[1].to_owned();
    let program = format!("{source}/target/{profile}/{package}");
    let copied = Regex::new(r"(?m)^COPY --from=build (?:--chown=\S+ )?(\S+) (\S+)$").unwrap();
    let copied: Vec<(String, String)> =
        copied.captures_iter(&text).map(|found| (found[1].to_owned(), found[2].to_owned())).collect();
    let (_, at) = copied.iter().find(|(from, _)| *from == program).expect("the program is not copied");
    assert!(text.contains(&format!("ENTRYPOINT [\"{at}\"]")), "{text}");
    // The rest is made, or brought by a package that is installed, in the first stage.
    let first = text.split("FROM scratch").next().unwrap();
    for (from, _) in copied.iter().filter(|(from, _)| *from != program) {
        let is_brought = from.contains("/ca-certificates")
            && first.contains("apk add --no-cache build-base ca-certificates");
        assert!(is_brought || first.contains(&format!("mkdir -p {}", from.trim_end_matches('/'))), "{from}");
    }
}

fn sources(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// Links of the documents lead somewhere.
#[test]
fn documents_link_to_what_is_there() {
    let link = Regex::new(r"\]\(([^)#\s]+)(?:#[^)]*)?\)").unwrap();
    let mut documents: Vec<_> =
        fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    documents.extend(["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|name| root().join(name)));
    let mut seen = 0;
    for document in documents.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "md"))
    {
        let text = fs::read_to_string(&document).unwrap();
        for target in link.captures_iter(&text).map(|found| found[1].to_owned()) {
            if !target.contains("://") {
                assert!(
                    document.parent().unwrap().join(&target).exists(),
                    "{}: {target}",
                    document.display()
                );
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "{seen} links");
}

/// Every test that a document names is one of the project's.
#[test]
fn documents_name_tests_that_there_are() {
    let name = Regex::new("`([a-z0-9_]+)`").unwrap();
    let crates = fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let code: String = crates
        .flat_map(|path| [path.join("src"), path.join("tests")])
        .filter(|path| path.is_dir())
        .flat_map(|path| sources(&path))
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let check = |text: &str| {
        let tests: Vec<_> = name.captures_iter(text).map(|found| found[1].to_owned()).collect();
        assert!(!tests.is_empty(), "no test is named: {text}");
        for test in tests {
            assert!(code.contains(&format!("fn {test}(")), "there is no test {test}");
        }
    };
    let text = read("docs/SECURITY.md");
    let (_, attacks) = text.split_once("\n## Attacks").unwrap();
    let (attacks, rest) = attacks.split_once("\n## ").unwrap();
    let rows: Vec<_> = attacks.lines().filter(|line| line.starts_with("| ")).skip(2).collect();
    assert!(rows.len() > 20, "{} attacks", rows.len());
    rows.iter().map(|row| row.trim_end_matches([' ', '|']).rsplit(" | ").next().unwrap()).for_each(check);
    let (_, rights) = rest.split_once("Rights of the database's user are tried in").unwrap();
    check(rights);

    let text = read("docs/RELIABILITY.md");
    let heads = ["| killed ", "| on ", "| fault ", "| --- "];
    let is_row = |line: &&str| line.starts_with("| ") && !heads.iter().any(|head| line.starts_with(head));
    let rows: Vec<_> = text.lines().filter(is_row).collect();
    assert!(rows.len() > 20, "{} faults", rows.len());
    rows.into_iter().for_each(check);
    let (_, random) = text.split_once("\n## Random input").unwrap();
    check(random);
}
