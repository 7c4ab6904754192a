//! The servers that are measured, each a process of its own, and what the system says of them.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use stheno_testkit::medusa::{self, Medusa};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::load::Target;

/// The API token that the load is sent with.
const TOKEN: &str = "a-token-for-the-bench";

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(180);

/// A running server. Ends with the value.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) target: Target,
    /// From the start of its process to its first answer; of several starts, the median.
    pub(crate) started_in: Duration,
    process: Process,
}

#[derive(Debug)]
enum Process {
    Ours(Child),
    Medusa(Medusa),
}

impl Server {
    /// Starts a program that serves at this address, and waits for its first answer.
    async fn start(command: &mut Command, address: SocketAddr) -> anyhow::Result<Self> {
        let log = tempfile::tempfile()?;
        let started = Instant::now();
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot run {}", command.get_program().display()))?;
        let target = Target { address, token: TOKEN.to_owned() };
        let mut server = Self { target, started_in: Duration::ZERO, process: Process::Ours(child) };
        while !answers(address).await {
            if let Process::Ours(child) = &mut server.process
                && let Some(status) = child.try_wait()?
            {
                bail!("{} ended with {status}", command.get_program().display());
            }
            if started.elapsed() > PATIENCE {
                bail!("{} does not answer", command.get_program().display());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        server.started_in = started.elapsed();
        Ok(server)
    }

    /// The real Medusa, on a database that it has made.
    pub(crate) async fn medusa(database: &str) -> anyhow::Result<Self> {
        let started = Instant::now();
        let medusa = Medusa::at(database).await;
        ensure!(answers(medusa.address()).await, "Medusa does not answer");
        let target = Target { address: medusa.address(), token: medusa::API_TOKEN.to_owned() };
        Ok(Self { target, started_in: started.elapsed(), process: Process::Medusa(medusa) })
    }

    /// The server whose answer is a constant of so many bytes.
    pub(crate) async fn constant(size: usize) -> anyhow::Result<Self> {
        let address = free_address()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--constant", &address.to_string(), &size.to_string()]);
        Self::start(&mut command, address).await
    }

    /// Stheno on this database. Where nobody may in yet, the token is [`TOKEN`]; on Medusa's it is Medusa's.
    pub(crate) async fn stheno(program: &Path, database: &str, is_medusas: bool) -> anyhow::Result<Self> {
        let address = free_address()?;
        let mut command = Command::new(program);
        command
            .arg("serve")
            .env("DATABASE_URL", database)
            .env("PORT", address.port().to_string())
            .env("STHENO_LOG", "warn");
        if !is_medusas {
            command
                .env("STHENO_ADMIN_EMAIL", "bench@example.com")
                .env("STHENO_ADMIN_PASSWORD", "a-password-for-the-bench")
                .env("STHENO_ADMIN_API_TOKEN", TOKEN);
        }
        let mut server = Self::start(&mut command, address).await?;
        if is_medusas {
            medusa::API_TOKEN.clone_into(&mut server.target.token);
        }
        Ok(server)
    }

    fn id(&self) -> u32 {
        match &self.process {
            Process::Ours(child) => child.id(),
            Process::Medusa(medusa) => medusa.id(),
        }
    }

    /// Forgets what the process has taken at its highest, such as for a password when it started.
    pub(crate) fn forget_memory(&self) -> anyhow::Result<()> {
        let path = format!("/proc/{}/clear_refs", self.id());
        std::fs::write(&path, "5").with_context(|| format!("cannot write {path}"))
    }

    /// The memory that the process takes, in bytes: now, and at its highest.
    pub(crate) fn memory(&self) -> anyhow::Result<Memory> {
        let id = self.id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))
            .context("the memory of a process is only known on Linux")?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
            kibibytes.map(|kibibytes| kibibytes * 1024).with_context(|| format!("no {name} of a process"))
        };
        Ok(Memory { now: field("VmRSS:")?, highest: field("VmHWM:")? })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Process::Ours(child) = &mut self.process {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Resident memory, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) now: u64,
    pub(crate) highest: u64,
}

/// A port of the loopback interface that nobody listens on.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Whether a server says that it lives.
async fn answers(address: SocketAddr) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!("GET /health HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        std::io::Result::Ok(answer.starts_with(b"HTTP/1.1 200"))
    };
    matches!(tokio::time::timeout(Duration::from_secs(10), ask).await, Ok(Ok(true)))
}
