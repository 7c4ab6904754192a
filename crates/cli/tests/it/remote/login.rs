use regex::Regex;

use super::{Console, hide_now};
use crate::support::{API_TOKEN, EMAIL, PASSWORD, Shop};

/// A shop, and somebody who is not signed in there yet.
fn stranger() -> (Console, crate::support::Server) {
    let shop = Shop::with_known_credentials();
    let server = shop.serve([]);
    let mut console = Console::new(shop);
    console.hide(&server.url, "http://shop.example");
    console.hide(server.address(), "shop.example");
    (console, server)
}

#[test]
fn with_a_token_lasts() {
    let (mut console, server) = stranger();
    console.run_with(&format!("login --url {}/ --api-token-stdin", server.url), &format!("{API_TOKEN}\n"));
    console.run("profiles list --output json");
    console.run("groups create VIP --output csv");
    console.run("groups list --fields name");
    console.run("logout");
    console.run("groups list");
    console.run("profiles list --output csv");
    console.run_with("login --api-token-stdin --profile other", "wrong\n");
    console.run_with(&format!("login --api-token-stdin --profile other --url {}", server.url), "wrong\n");
    console.run("logout --profile other");
    let ids = Regex::new(r"cgrp_[0-9A-Z]{26}|\d{4}-\d\d-\d\dT[^,]*Z").unwrap();
    insta::assert_snapshot!(ids.replace_all(&console.seen(), "[…]"));
}

#[test]
fn with_a_password_ends() {
    let (mut console, server) = stranger();
    let login = format!("login --url {} --email {EMAIL} --password-stdin", server.url);
    console.run_with(&login, "wrong\n");
    console.run_with(&format!("{login} --profile work"), &format!("{PASSWORD}\n"));
    console.run("profiles list --output csv");
    console.run("groups list");
    console.run(&login.replace(" --password-stdin", ""));
    console.run(&format!("login --url {}", server.url));
    console.run("login");
    // The profile of this server is the one that is current, whatever it is called.
    console.run_with(&login, &format!("{PASSWORD}\n"));
    let file = std::fs::read_to_string(console.shop.path("config/profiles.json")).unwrap();
    assert!(!file.contains(PASSWORD));

    let expired = Regex::new(r#""expires_at": "[^"]+""#).unwrap();
    let expired = expired.replace(&file, r#""expires_at": "2026-01-01T00:00:00.000Z""#);
    std::fs::write(console.shop.path("config/profiles.json"), expired.as_bytes()).unwrap();
    console.run("groups list");
    console.run("logout");
    let ends = Regex::new(r",\d{4}-\d\d-\d\dT[^,]*Z,").unwrap();
    insta::assert_snapshot!(hide_now(&ends.replace_all(&console.seen(), ",[tomorrow],")));
}

#[test]
fn has_profiles_for_several_servers() {
    let (mut console, server) = stranger();
    let (other_console, other_server) = stranger();
    for (name, url) in [("north", &server.url), ("south", &other_server.url)] {
        let login = format!("login --url {url} --api-token-stdin --profile {name}");
        super::pipe(console.command(&login), API_TOKEN);
    }
    drop(other_console);
    console.hide(&other_server.url, "http://south.example");
    console.run("groups create South");
    console.run("profiles use north");
    console.run("groups create North");
    console.run("groups list --fields name --profile south");
    console.run("profiles use east");
    console.run("profiles remove south east");
    console.run("profiles remove north");
    console.run("profiles list --output csv");
    console.run("groups list");
    // The current profile's token is sent to its own server, and to no other.
    super::pipe(console.command(&format!("login --url {} --api-token-stdin", server.url)), API_TOKEN);
    console.run(&format!("groups list --url {} --fields name", server.url));
    console.run(&format!("groups list --url {} --fields name", other_server.url));
    // A name that stands for another server is not taken from it.
    let login = format!("login --url {} --api-token-stdin", other_server.url);
    console.run(&format!("profiles remove {} south", server.address()));
    super::pipe(console.command(&format!("{login} --profile {}", server.address())), API_TOKEN);
    console.run_with(&format!("login --url {} --api-token-stdin", server.url), API_TOKEN);
    let ids = Regex::new(r"cgrp_[0-9A-Z]{26}").unwrap();
    insta::assert_snapshot!(ids.replace_all(&hide_now(&console.seen()), "[id]"));
}

#[cfg(unix)]
#[test]
fn is_kept_where_nobody_else_can_read_it() {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    let (mut console, server) = stranger();
    let login = format!("login --url {} --api-token-stdin", server.url);
    let mode = |path: &str| fs::metadata(console.shop.path(path)).unwrap().permissions().mode() & 0o777;
    super::pipe(console.command(&login), API_TOKEN);
    assert_eq!(mode("config"), 0o700);
    assert_eq!(mode("config/profiles.json"), 0o600);
    // Nothing is left of writing it.
    let mut files: Vec<_> =
        fs::read_dir(console.shop.path("config")).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["profiles.json", "profiles.lock"]);

    // Nor is it put where others could replace it: nothing is sent, even.
    let open = console.shop.path("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, Permissions::from_mode(0o777)).unwrap();
    console.hide(&open.display().to_string(), "[open]");
    console.shop = console.shop.with("STHENO_CONFIG_DIR", open.display().to_string());
    console.run_with("login --url http://127.0.0.1:1 --api-token-stdin --retries 0", API_TOKEN);
    console.run("logout");
    assert_eq!(fs::read_dir(&open).unwrap().count(), 0);
    let config = console.shop.path("config").display().to_string();
    console.shop = console.shop.with("STHENO_CONFIG_DIR", config);

    let (file, folder) = (console.shop.path("config/profiles.json"), console.shop.path("config"));
    let set = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    set(&file, 0o640);
    console.run("groups list");
    console.run("logout");
    set(&file, 0o600);
    set(&folder, 0o770);
    console.run("groups list");
    set(&folder, 0o755);
    console.run("groups list");
    fs::write(console.shop.path("config/profiles.json"), "{").unwrap();
    console.run("groups list");
    insta::assert_snapshot!(console.seen());
}

/// A link, as those who keep their settings in a repository have, stays one.
#[cfg(unix)]
#[test]
fn follows_a_link_to_the_file() {
    let (console, server) = stranger();
    std::fs::create_dir_all(console.shop.path("config")).unwrap();
    std::fs::write(console.shop.path("elsewhere.json"), "{}").unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(console.shop.path("elsewhere.json"), private).unwrap();
    let link = console.shop.path("config/profiles.json");
    std::os::unix::fs::symlink(console.shop.path("elsewhere.json"), &link).unwrap();
    super::pipe(console.command(&format!("login --url {} --api-token-stdin", server.url)), API_TOKEN);
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(std::fs::read_to_string(console.shop.path("elsewhere.json")).unwrap().contains(API_TOKEN));
}

#[cfg(unix)]
#[test]
fn is_kept_in_the_usual_folder() {
    let (console, server) = stranger();
    let login = |variables: &[(&str, &str)]| {
        let mut command = console.command(&format!("login --url {} --api-token-stdin", server.url));
        command.env_remove("STHENO_CONFIG_DIR");
        command.envs(variables.iter().map(|(name, folder)| (name, console.shop.path(folder))));
        assert!(super::pipe(command, API_TOKEN).status.success());
    };
    login(&[("HOME", "home")]);
    assert!(console.shop.path("home/.config/stheno/profiles.json").exists());
    login(&[("HOME", "home"), ("XDG_CONFIG_HOME", "xdg")]);
    assert!(console.shop.path("xdg/stheno/profiles.json").exists());
}

/// Several who sign in at once do not lose each other's profile.
#[test]
fn at_the_same_time_loses_nothing() {
    let (console, server) = stranger();
    std::thread::scope(|scope| {
        for number in 0..6 {
            let login = format!("login --url {} --api-token-stdin --profile p{number}", server.url);
            let command = console.command(&login);
            scope.spawn(move || assert!(super::pipe(command, API_TOKEN).status.success()));
        }
    });
    let output = console.command("profiles list --output csv").output().unwrap();
    assert_eq!(output.stdout.iter().filter(|byte| **byte == b'\n').count(), 1 + 6);
}
