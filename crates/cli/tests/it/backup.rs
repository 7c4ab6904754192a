//! A copy of the database, made while it is served.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{API_TOKEN, Shop, text_of};

#[test]
fn a_backup_under_writers_is_whole_and_can_be_served() {
    let shop = Shop::with_known_credentials();
    let server = shop.serve(["--demo"]);
    let (stop, made) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let (server, stop, made) = (&server, &stop, &made);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let name = format!("Writer {writer}, group {}", made.fetch_add(1, Ordering::Relaxed));
                    let group = server
                        .post("/admin/customer-groups")
                        .with_token(API_TOKEN)
                        .send_json(json!({"name": name}));
                    assert_eq!(group.status, 200);
                }
            });
        }
        let started = Instant::now();
        while made.load(Ordering::Relaxed) < 20 && started.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let before = made.load(Ordering::Relaxed);
        let output = shop.stheno(["backup", "--to", "shop.backup"]).output();
        let during = made.load(Ordering::Relaxed) - before;
        stop.store(true, Ordering::Relaxed);
        // Only now, so that the writers end whatever went wrong.
        let output = output.unwrap();
        assert!(output.status.success(), "{}", text_of(&output));
        assert!(before >= 20, "{before} groups were written in a minute");
        assert!(during > 0, "nobody has written during the backup");
    });
    server.stop();
    assert!(!shop.path("shop.backup.part").exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(shop.path("shop.backup")).unwrap().permissions().mode() & 0o777, 0o600);
    }

    // The copy is served as it is.
    for ending in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(shop.path(&format!("stheno.db{ending}")));
    }
    fs::rename(shop.path("shop.backup"), shop.path("stheno.db")).unwrap();
    let server = shop.serve([]);
    let ask = |path: &str| -> Value { server.get(path).with_token(API_TOKEN).send().body };
    assert_eq!(ask("/admin/customers?limit=1")["count"], 1000);
    let groups = ask("/admin/customer-groups?q=writer&limit=1")["count"].as_u64().unwrap();
    assert!(groups >= 10, "{groups} groups");
    assert_eq!(ask("/admin/customer-groups?limit=1")["count"], groups + 20);
}

#[test]
fn what_cannot_be_backed_up_is_refused_and_leaves_nothing_behind() {
    let shop = Shop::with_database();
    let refused = |arguments: [&str; 5], reason: &str| {
        let output = shop.stheno(arguments).output().unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        assert!(text_of(&output).contains(reason), "{}", text_of(&output));
    };
    let database = "--database";
    refused(["backup", "--to", "x", database, "sqlite:nothing.db"], "there is no database file nothing.db");
    refused(["backup", "--to", "x", database, "postgres://u:secret@localhost/shop"], "use pg_dump");
    refused(["backup", "--to", "no/such/folder", database, "sqlite:stheno.db"], "cannot write");
    refused(
        ["backup", "--overwrite", "--to", "stheno.db", "--database=sqlite:stheno.db"],
        "cannot replace the database itself",
    );
    fs::write(shop.path("taken"), "precious").unwrap();
    refused(["backup", "--to", "taken", database, "sqlite:stheno.db"], "--overwrite");
    assert_eq!(fs::read(shop.path("taken")).unwrap(), b"precious");
    fs::write(shop.path("other.db"), vec![7; 8192]).unwrap();
    refused(["backup", "--to", "x", database, "sqlite:other.db"], "is not a SQLite database");
    assert!(!shop.path("x").exists() && !shop.path("x.part").exists());
    shop.run(["backup", "--to", "taken", "--overwrite"]);
    assert!(fs::read(shop.path("taken")).unwrap().starts_with(b"SQLite format 3"));
}
