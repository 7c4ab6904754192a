//! The connection that writes, on a thread of its own. Units of work that wait while the disk is busy are committed
//! together: each in a savepoint, so that one that fails leaves nothing behind, and none is answered before the
//! commit that holds it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::{mpsc, oneshot};

use super::closed;
use crate::StoreError;

/// How many units of work wait at the most before callers do.
const QUEUE: usize = 1024;

/// How many units of work are committed together at the most.
const BATCH: usize = 256;

/// How long units of work are gathered before those at hand are committed.
const BATCH_TIME: Duration = Duration::from_millis(5);

/// Tells the caller what became of its unit of work, given what became of the commit.
type Reply = Box<dyn FnOnce(Result<(), CommitFault>) + Send>;
type Job = Box<dyn FnOnce(&Connection) -> Reply + Send>;

/// Why units of work were not committed. Each of those that waited for the commit is told so.
#[derive(Debug, Clone, Copy)]
enum CommitFault {
    /// Another process held the lock for too long.
    Locked,
    Full,
    Failed,
}

impl From<CommitFault> for StoreError {
    fn from(fault: CommitFault) -> Self {
        match fault {
            CommitFault::Locked => {
                Self::Unavailable { reason: "another process is writing to it", source: None }
            }
            CommitFault::Full => Self::Full,
            CommitFault::Failed => {
                Self::Unavailable { reason: "a write could not be committed", source: None }
            }
        }
    }
}

#[derive(Debug)]
pub(super) struct Writer {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(connection: Connection) -> Result<Self, StoreError> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("stheno-writer".to_owned())
            .spawn(move || run(&connection, queue))
            .map_err(StoreError::internal)?;
        Ok(Self { jobs: Mutex::new(Some(jobs)), thread: Mutex::new(Some(thread)) })
    }

    /// Does `work` in a transaction, all of it or nothing, and answers when it is on the disk.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, outcome) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let done = in_savepoint(connection, work);
            Box::new(move |commit| {
                // A caller that has gone does not need to be told.
                let _ = sender.send(settle(done, commit));
            })
        });
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(jobs) = jobs else { return Err(closed()) };
        jobs.send(job).await.map_err(|_| closed())?;
        outcome.await.map_err(|_| closed())?
    }

    /// How many units of work wait.
    pub(super) fn waiting(&self) -> usize {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.as_ref().map_or(0, |jobs| jobs.max_capacity() - jobs.capacity())
    }

    /// Finishes what waits and closes the connection.
    pub(super) fn close(&self) {
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the writing thread panicked");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

/// What a caller is told. A refusal may rest on work that was then not committed, so a failed commit outweighs it.
fn settle<T>(done: Result<T, StoreError>, commit: Result<(), CommitFault>) -> Result<T, StoreError> {
    match (done, commit) {
        (done, Ok(())) => done,
        (Err(own @ (StoreError::Full | StoreError::Internal(_))), Err(_)) => Err(own),
        (_, Err(fault)) => Err(fault.into()),
    }
}

fn run(connection: &Connection, mut queue: mpsc::Receiver<Job>) {
    while let Some(first) = queue.blocking_recv() {
        let (replies, commit) = commit_together(connection, first, &mut queue);
        let commit = commit.map_err(|error| {
            tracing::error!(%error, units = replies.len(), "could not commit");
            match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => CommitFault::Locked,
                _ if super::is_full(&error) => CommitFault::Full,
                _ => CommitFault::Failed,
            }
        });
        for reply in replies {
            reply(commit);
        }
    }
    if let Err(error) = connection.execute_batch("PRAGMA optimize") {
        tracing::warn!(%error, "could not update the statistics of the database");
    }
}

/// Does the first unit of work and those that wait behind it in one transaction.
fn commit_together(
    connection: &Connection,
    first: Job,
    queue: &mut mpsc::Receiver<Job>,
) -> (Vec<Reply>, rusqlite::Result<()>) {
    let begun = connection.execute_batch("BEGIN IMMEDIATE");
    let started = Instant::now();
    let mut replies = vec![first(connection)];
    if begun.is_err() {
        // Those behind have waited for the lock as well. Were each to wait anew, the last would hear of it too late.
        while let Ok(job) = queue.try_recv() {
            replies.push(job(connection));
        }
        return (replies, begun);
    }
    // SQLite ends the transaction by itself where the disk fails: no more may be done in its name then.
    while !connection.is_autocommit() && replies.len() < BATCH && started.elapsed() < BATCH_TIME {
        let Ok(job) = queue.try_recv() else { break };
        replies.push(job(connection));
    }
    let commit = connection.execute_batch("COMMIT");
    if commit.is_err() && !connection.is_autocommit() {
        // Nothing of a transaction that could not be committed may reach the next one.
        if let Err(error) = connection.execute_batch("ROLLBACK") {
            tracing::error!(%error, "could not roll back");
        }
    }
    (replies, commit)
}

fn in_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    if connection.is_autocommit() {
        // The transaction could not be begun. What the caller hears is why.
        return Err(CommitFault::Failed.into());
    }
    connection.execute_batch("SAVEPOINT unit").map_err(super::fault)?;
    let outcome = catch_unwind(AssertUnwindSafe(|| work(connection)))
        .unwrap_or_else(|_| Err(StoreError::internal("a unit of work panicked")));
    if !connection.is_autocommit() {
        let end = if outcome.is_ok() { "RELEASE unit" } else { "ROLLBACK TO unit; RELEASE unit" };
        if let Err(error) = connection.execute_batch(end) {
            // Half a unit must not be committed with the others: all of them are given up, and hear of it.
            tracing::error!(%error, "could not end a unit of work");
            connection.execute_batch("ROLLBACK").map_err(super::fault)?;
            return Err(super::fault(error));
        }
    }
    outcome
}
