//! The load: requests over keep-alive connections, on one thread of its own.
//!
//! Closed loop tells how much a server can do: a connection sends its next request when the last one is answered. Open
//! loop tells how long one waits at a given rate: requests are due at fixed times, whatever became of those before, and
//! a late one has waited since it was due.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::calls::{Call, Caller};

/// A server that is measured.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
}

/// How requests follow each other.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    Closed,
    /// So many a second, over all connections.
    Open(f64),
}

/// What came of a load.
#[derive(Debug, Clone, Default)]
pub(crate) struct Measured {
    latencies: Vec<Duration>,
    time: Duration,
}

impl Measured {
    pub(crate) fn add(&mut self, mut other: Self) {
        self.latencies.append(&mut other.latencies);
        self.latencies.sort_unstable();
        self.time += other.time;
    }

    /// Whether nothing was measured.
    pub(crate) fn is_empty(&self) -> bool {
        self.latencies.is_empty()
    }

    #[expect(clippy::cast_precision_loss, reason = "a count of requests is far below 2^53")]
    pub(crate) fn per_second(&self) -> f64 {
        if self.time.is_zero() { 0.0 } else { self.latencies.len() as f64 / self.time.as_secs_f64() }
    }

    /// The latency, in milliseconds, that this share of the requests did not exceed.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index of a vector, from a share between 0 and 1"
    )]
    pub(crate) fn milliseconds(&self, share: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let latency = self.latencies.get((last as f64 * share) as usize).copied().unwrap_or_default();
        latency.as_secs_f64() * 1e3
    }
}

/// Sends `call` from every caller for `time`, each over a connection of its own. A call that comes to its end, such as
/// a removal of what was added, may end earlier.
pub(crate) fn run(
    target: &Target,
    callers: &mut Vec<Caller>,
    call: Call,
    pace: Pace,
    time: Duration,
) -> anyhow::Result<Measured> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let started = Instant::now();
        let count = callers.len();
        let mut connections = JoinSet::new();
        for (number, caller) in callers.drain(..).enumerate() {
            let beat = match pace {
                Pace::Closed => None,
                Pace::Open(rate) => Some(Beat::new(started, rate, number, count)),
            };
            connections.spawn(connection(target.clone(), caller, call, beat, started + time));
        }
        let mut measured = Measured::default();
        while let Some(done) = connections.join_next().await {
            let (caller, latencies) = done?.with_context(|| format!("{} failed", call.name()))?;
            callers.push(caller);
            measured.latencies.extend(latencies);
        }
        measured.time = started.elapsed();
        Ok(measured)
    })
}

/// When the requests of one connection are due.
struct Beat {
    next: Instant,
    every: Duration,
}

impl Beat {
    #[expect(clippy::cast_precision_loss, reason = "there are a few connections")]
    fn new(started: Instant, rate: f64, number: usize, connections: usize) -> Self {
        let every = Duration::from_secs_f64(connections as f64 / rate);
        Self { next: started + every.mul_f64(number as f64 / connections as f64), every }
    }

    /// Waits for the next request's time, and answers since when it waits. What the timer oversleeps is not the
    /// server's fault; what the last answer took is.
    async fn wait(&mut self) -> Instant {
        let due = self.next;
        self.next += self.every;
        if Instant::now() >= due {
            return due;
        }
        tokio::time::sleep_until(due.into()).await;
        Instant::now()
    }
}

async fn connection(
    target: Target,
    mut caller: Caller,
    call: Call,
    mut beat: Option<Beat>,
    end: Instant,
) -> anyhow::Result<(Caller, Vec<Duration>)> {
    let mut stream = TcpStream::connect(target.address).await?;
    stream.set_nodelay(true)?;
    let mut latencies = Vec::new();
    let mut buffer = Vec::with_capacity(64 * 1024);
    while Instant::now() < end {
        let Some(request) = caller.request(call) else { break };
        let request = request.to_bytes(&target);
        let since = match &mut beat {
            Some(beat) => beat.wait().await,
            None => Instant::now(),
        };
        stream.write_all(&request).await?;
        read_answer(&mut stream, &mut buffer).await?;
        latencies.push(since.elapsed());
        caller.done(call);
    }
    Ok((caller, latencies))
}

/// Sends one request on a connection of its own, and returns the body of its answer.
pub(crate) async fn send(target: &Target, request: &crate::calls::Request) -> anyhow::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(target.address).await?;
    stream.write_all(&request.to_bytes(target)).await?;
    let mut buffer = Vec::new();
    let body = read_answer(&mut stream, &mut buffer).await?;
    Ok(buffer.split_off(body))
}

/// Reads an answer into the buffer, and returns where in it the body begins.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<usize> {
    buffer.clear();
    let head = loop {
        read_on(stream, buffer).await?;
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let text = std::str::from_utf8(&buffer[..head])?;
    let header = |name: &str| {
        let fields = text.lines().filter_map(|line| line.split_once(':'));
        fields.map(|(field, value)| (field, value.trim())).find(|(field, _)| field.eq_ignore_ascii_case(name))
    };
    let length: Option<usize> = header("content-length").map(|(_, value)| value.parse()).transpose()?;
    let status = text.lines().next().unwrap_or_default().to_owned();
    match length {
        Some(length) => {
            while buffer.len() < head + length {
                read_on(stream, buffer).await?;
            }
        }
        // In pieces: the last one is empty.
        None => {
            while !buffer.ends_with(b"\r\n0\r\n\r\n") {
                read_on(stream, buffer).await?;
            }
        }
    }
    if !status.starts_with("HTTP/1.1 200") {
        bail!("the server answered {status}: {}", String::from_utf8_lossy(&buffer[head..]));
    }
    Ok(head)
}

async fn read_on(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<()> {
    if stream.read_buf(buffer).await? == 0 {
        bail!("the server closed the connection");
    }
    Ok(())
}
