//! The load: requests over keep-alive connections, on one thread of its own.
//!
//! Closed loop tells how much a server can do: a connection sends its next request when the last one is answered. Open
//! loop tells how long one waits at a given rate: requests are due at fixed times, whatever became of those before, and
//! a late one has waited since it was due.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::bail;
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

/// How long somebody waits, in an open loop, before they give up. A request that is due for longer is not sent.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

/// What came of a load.
#[derive(Debug, Clone, Default)]
pub(crate) struct Measured {
    /// Of the requests that were answered as they should be, in ascending order.
    latencies: Vec<Duration>,
    /// How many were answered otherwise, such as with 503.
    pub(crate) refused: usize,
    /// How many were not sent, because somebody would have given up before.
    pub(crate) given_up: usize,
    /// The first thing that went wrong.
    pub(crate) fault: Option<String>,
    pub(crate) time: Duration,
}

impl Measured {
    pub(crate) fn add(&mut self, mut other: Self) {
        self.latencies.append(&mut other.latencies);
        self.latencies.sort_unstable();
        self.refused += other.refused;
        self.given_up += other.given_up;
        self.fault = self.fault.take().or(other.fault);
        self.time += other.time;
    }

    /// How many requests went to the server.
    pub(crate) fn sent(&self) -> usize {
        self.latencies.len() + self.refused
    }

    /// How many requests a second were answered before anybody gave up.
    #[expect(clippy::cast_precision_loss, reason = "a count of requests is far below 2^53")]
    pub(crate) fn in_time(&self) -> f64 {
        let in_time = self.latencies.iter().filter(|latency| **latency <= PATIENCE).count();
        if self.time.is_zero() { 0.0 } else { in_time as f64 / self.time.as_secs_f64() }
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
/// a removal of what was added, may end earlier. What goes wrong is in what was measured.
pub(crate) fn run(
    target: &Target,
    callers: &mut Vec<Caller>,
    call: Call,
    pace: Pace,
    time: Duration,
) -> anyhow::Result<Measured> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut streams = Vec::with_capacity(callers.len());
        for _ in callers.iter() {
            let stream = TcpStream::connect(target.address).await?;
            stream.set_nodelay(true)?;
            streams.push(stream);
        }
        let started = Instant::now();
        let count = callers.len();
        let mut connections = JoinSet::new();
        for (number, (caller, stream)) in callers.drain(..).zip(streams).enumerate() {
            let beat = match pace {
                Pace::Closed => None,
                Pace::Open(rate) => Some(Beat::new(started, rate, number, count)),
            };
            connections.spawn(connection(target.clone(), stream, caller, call, beat, started + time));
        }
        let mut measured = Measured::default();
        while let Some(done) = connections.join_next().await {
            let (caller, of_one) = done?;
            callers.push(caller);
            measured.latencies.extend(of_one.latencies);
            measured.refused += of_one.refused;
            measured.given_up += of_one.given_up;
            measured.fault = measured.fault.or(of_one.fault);
        }
        measured.latencies.sort_unstable();
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

    /// Waits for the next request's time, and answers since when it waits; nothing when that is not before `end`. What
    /// the timer oversleeps is not the server's fault; what the last answer took is.
    async fn wait(&mut self, end: Instant) -> Option<Instant> {
        let due = self.next;
        self.next += self.every;
        if due >= end {
            return None;
        }
        if Instant::now() >= due {
            return Some(due);
        }
        tokio::time::sleep_until(due.into()).await;
        Some(Instant::now())
    }
}

/// The load of one connection. Another is made where the server closes it.
async fn connection(
    target: Target,
    mut stream: TcpStream,
    mut caller: Caller,
    call: Call,
    mut beat: Option<Beat>,
    end: Instant,
) -> (Caller, Measured) {
    let mut measured = Measured::default();
    let mut buffer = Vec::with_capacity(64 * 1024);
    while Instant::now() < end {
        let since = match &mut beat {
            Some(beat) => match beat.wait(end).await {
                Some(since) => since,
                None => break,
            },
            None => Instant::now(),
        };
        if since.elapsed() > PATIENCE {
            measured.given_up += 1;
            continue;
        }
        let Some(request) = caller.request(call) else { break };
        match ask(&mut stream, &request.to_bytes(&target), &mut buffer).await {
            Ok(Answer { is_good: true, .. }) => {
                measured.latencies.push(since.elapsed());
                caller.done(call);
            }
            Ok(Answer { head, .. }) => {
                measured.refused += 1;
                measured.fault.get_or_insert_with(|| {
                    let (said, why) = buffer.split_at(head);
                    let status = String::from_utf8_lossy(said).lines().next().unwrap_or_default().to_owned();
                    format!("{status}: {}", String::from_utf8_lossy(&why[..why.len().min(200)]).trim_end())
                });
            }
            Err(error) => {
                measured.refused += 1;
                measured.fault.get_or_insert_with(|| error.to_string());
                match TcpStream::connect(target.address).await {
                    Ok(new) => stream = new,
                    Err(_) => break,
                }
            }
        }
    }
    (caller, measured)
}

async fn ask(stream: &mut TcpStream, request: &[u8], buffer: &mut Vec<u8>) -> anyhow::Result<Answer> {
    stream.write_all(request).await?;
    read_answer(stream, buffer).await
}

/// Sends one request on a connection of its own, and returns the body of its answer.
pub(crate) async fn send(target: &Target, request: &crate::calls::Request) -> anyhow::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(target.address).await?;
    stream.write_all(&request.to_bytes(target)).await?;
    let mut buffer = Vec::new();
    let Answer { is_good, head } = read_answer(&mut stream, &mut buffer).await?;
    if !is_good {
        bail!("the server answered {}", String::from_utf8_lossy(&buffer));
    }
    Ok(buffer.split_off(head))
}

/// An answer in a buffer.
struct Answer {
    is_good: bool,
    /// Where its body begins.
    head: usize,
}

/// Reads an answer into the buffer.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<Answer> {
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
    let is_good = text.starts_with("HTTP/1.1 200");
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
    Ok(Answer { is_good, head })
}

async fn read_on(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<()> {
    if stream.read_buf(buffer).await? == 0 {
        bail!("the server closed the connection");
    }
    Ok(())
}
