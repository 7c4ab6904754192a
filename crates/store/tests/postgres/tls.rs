use std::path::PathBuf;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use stheno_store::{Store, StoreError, StoreOptions};
use stheno_testkit::postgres::PostgresServer;
use tempfile::TempDir;
use tokio_postgres::NoTls;

/// Who vouches for servers and clients.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

/// A certificate and its key, as files hold them.
struct Certified {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    fn certify(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Certified {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Certified { certificate, key: key.serialize_pem() }
    }
}

/// A server, and the files that clients have.
struct Shop {
    server: PostgresServer,
    files: TempDir,
}

impl Shop {
    async fn start() -> Self {
        Self { server: PostgresServer::start("").await, files: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// Has the server speak TLS with this certificate, and only with clients that do, where it says so.
    async fn turn_tls_on(&self, certified: &Certified) {
        let certificate = self.server.write_file("server.crt", &certified.certificate);
        let key = self.server.write_file("server.key", &certified.key);
        self.server.set(&format!(
            "ssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'",
            certificate.display(),
            key.display()
        ));
        self.reload().await;
    }

    /// Has the server read its settings, and waits until those that connect next meet them.
    async fn reload(&self) {
        let loaded = "SELECT pg_conf_load_time()::text";
        let before = self.ask(loaded).await;
        self.server.reload().await;
        for _ in 0..600 {
            if self.ask(loaded).await != before {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the server does not read its settings");
    }

    async fn ask(&self, sql: &str) -> String {
        let (client, connection) =
            tokio_postgres::connect(&self.server.url("postgres"), NoTls).await.unwrap();
        tokio::spawn(connection);
        client.query_one(sql, &[]).await.unwrap().get(0)
    }

    fn url(&self, user: &str, host: &str, parameters: &str) -> String {
        let port = self.server.port();
        format!("postgres://{user}@{host}:{port}/postgres?application_name=shop&{parameters}")
    }

    /// Opens a store, and says whether its connections are encrypted.
    async fn is_encrypted(&self, url: &str) -> bool {
        let store = Store::open(url, StoreOptions::default())
            .await
            .unwrap_or_else(|error| panic!("{url}: {error:?}"));
        let sql = "SELECT bool_and(s.ssl)::text FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)
                   WHERE a.application_name = 'shop'";
        let encrypted = self.ask(sql).await;
        store.close().await;
        encrypted == "true"
    }

    /// Why a store is not opened, in words for a person.
    async fn refusal(&self, url: &str) -> String {
        match Store::open(url, StoreOptions::default()).await {
            Err(error @ StoreError::Url(_)) => {
                assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
                error.to_string()
            }
            other => panic!("{url}: {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_trusted_as_far_as_the_url_demands() {
    let shop = Shop::start().await;
    let user = "postgres:s3cret";
    let plain = |parameters: &str| shop.url(user, "localhost", parameters);
    for parameters in ["", "sslmode=prefer", "sslmode=disable"] {
        assert!(!shop.is_encrypted(&plain(parameters)).await, "{parameters}");
    }
    assert!(shop.refusal(&plain("sslmode=require")).await.contains("does not speak TLS"));
    assert!(shop.refusal(&plain("sslmode=verify-full")).await.contains("does not speak TLS"));

    let authority = Authority::new();
    shop.turn_tls_on(&authority.certify("localhost", |_| {})).await;
    let right = shop.file("right.pem", &authority.certificate);
    let wrong = shop.file("wrong.pem", &Authority::new().certificate);
    for (host, parameters, encrypted) in [
        ("localhost", "", true),
        ("localhost", "sslmode=disable", false),
        ("localhost", "sslmode=prefer", true),
        ("localhost", "sslmode=require", true),
        ("127.0.0.1", "sslmode=require", true),
        ("127.0.0.1", &format!("sslmode=require&sslrootcert={right}"), true),
        ("127.0.0.1", &format!("sslmode=verify-ca&sslrootcert={right}"), true),
        ("localhost", &format!("sslmode=verify-full&sslrootcert={right}"), true),
        ("localhost", &format!("hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert={right}"), true),
    ] {
        let url = shop.url(user, host, parameters);
        assert_eq!(shop.is_encrypted(&url).await, encrypted, "{url}");
    }
    for (host, parameters, word) in [
        ("localhost", format!("sslmode=require&sslrootcert={wrong}"), "authority that is not trusted"),
        ("localhost", format!("sslmode=verify-ca&sslrootcert={wrong}"), "authority that is not trusted"),
        ("localhost", format!("sslmode=verify-full&sslrootcert={wrong}"), "authority that is not trusted"),
        ("127.0.0.1", format!("sslmode=verify-full&sslrootcert={right}"), "for another name"),
        ("localhost", format!("sslmode=verify-full&sslrootcert={right}.old"), "right.pem.old"),
        (
            "localhost",
            format!("sslmode=verify-full&sslrootcert={}", shop.file("empty.pem", "")),
            "no certificate",
        ),
        ("localhost", "sslmode=allow".to_owned(), "verify-full"),
    ] {
        let url = shop.url(user, host, &parameters);
        let text = shop.refusal(&url).await;
        assert!(text.contains(word), "{url}: {text}");
    }

    let old = authority.certify("localhost", |params| params.not_after = date_time_ymd(2000, 1, 1));
    shop.turn_tls_on(&old).await;
    let text = shop.refusal(&plain(&format!("sslmode=verify-ca&sslrootcert={right}"))).await;
    assert!(text.contains("expired"), "{text}");

    // A server of long ago: preferred is not demanded.
    shop.server.set("ssl_min_protocol_version = 'TLSv1'\nssl_max_protocol_version = 'TLSv1.1'");
    shop.reload().await;
    assert!(!shop.is_encrypted(&plain("sslmode=prefer")).await);
    let text = shop.refusal(&plain("sslmode=require")).await;
    assert!(text.contains("no encrypted connection comes about"), "{text}");
    shop.server.set("ssl_min_protocol_version = 'TLSv1.2'\nssl_max_protocol_version = ''");
    shop.reload().await;

    // As one makes it with a single command: it vouches for itself.
    let own = Authority::new();
    let key = own.issuer.key().serialize_pem();
    let file = shop.file("own.pem", &own.certificate);
    shop.turn_tls_on(&Certified { certificate: own.certificate, key }).await;
    assert!(shop.is_encrypted(&plain(&format!("sslmode=verify-ca&sslrootcert={file}"))).await);
    let text = shop.refusal(&plain(&format!("sslmode=verify-full&sslrootcert={file}"))).await;
    assert!(text.contains("for another name"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_known_by_password_or_certificate() {
    let shop = Shop::start().await;
    let authority = Authority::new();
    shop.turn_tls_on(&authority.certify("localhost", |_| {})).await;
    let trusted = shop.server.write_file("clients.crt", &authority.certificate);
    shop.server.set(&format!("ssl_ca_file = '{}'\npassword_encryption = 'scram-sha-256'", trusted.display()));
    shop.reload().await;
    let roles = "CREATE ROLE ada LOGIN SUPERUSER PASSWORD 's3cret'; CREATE ROLE grace LOGIN SUPERUSER";
    let (client, connection) = tokio_postgres::connect(&shop.server.url("postgres"), NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(roles).await.unwrap();
    std::fs::write(
        shop.server.data().join("pg_hba.conf"),
        "host all postgres 127.0.0.1/32 trust\nhostssl all ada 127.0.0.1/32 scram-sha-256\n\
         hostssl all grace 127.0.0.1/32 cert\n",
    )
    .unwrap();
    shop.reload().await;

    let right = shop.file("right.pem", &authority.certificate);
    let secure = format!("sslmode=verify-full&sslrootcert={right}");
    // The password proves that there is nobody between, too.
    let bound = format!("{secure}&channel_binding=require");
    assert!(shop.is_encrypted(&shop.url("ada:s3cret", "localhost", &bound)).await);
    let options = StoreOptions { password: Some("s3cret".into()), ..StoreOptions::default() };
    let url = shop.url("ada", "localhost", &bound);
    Store::open(&url, options.clone()).await.unwrap().close().await;
    assert!(shop.refusal(&shop.url("ada", "localhost", &secure)).await.contains("DATABASE_PASSWORD"));
    let text = shop.refusal(&shop.url("ada:wrong-s3cret", "localhost", &secure)).await;
    assert!(text.contains("password authentication failed for user \"ada\""), "{text}");
    let text = shop.refusal(&shop.url("ada:s3cret", "localhost", "sslmode=disable")).await;
    assert!(text.contains("no encryption"), "{text}");

    let grace = authority.certify("grace", |_| {});
    let certificate = shop.file("grace.pem", &grace.certificate);
    let key = shop.file("grace.key", &grace.key);
    let with = |certificate: &str| format!("{secure}&sslcert={certificate}&sslkey={key}");
    assert!(shop.is_encrypted(&shop.url("grace", "localhost", &with(&certificate))).await);
    let text = shop.refusal(&shop.url("grace", "localhost", &secure)).await;
    assert!(text.contains("certificate"), "{text}");
    let other = shop.file("other.pem", &authority.certify("ada", |_| {}).certificate);
    let text = shop.refusal(&shop.url("grace", "localhost", &with(&other))).await;
    assert!(text.contains("other.pem"), "{text}");
    let text = shop.refusal(&shop.url("grace", "localhost", &with(&key))).await;
    assert!(text.contains("sslcert") && text.contains("no certificate"), "{text}");
}
