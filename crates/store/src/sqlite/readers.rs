//! The connections that read. Look-ups of a row run where they are called; lists run on threads that may block, a
//! bounded number at a time, and large ones of these among themselves.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::connection::Connector;
use crate::StoreError;
use crate::answer::{JsonText, Output, Streaming};
use crate::observe::Load;

#[derive(Debug, Clone)]
pub(super) struct Readers {
    connector: Arc<Connector>,
    /// None, once the store is closed.
    idle: Arc<Mutex<Option<Vec<Connection>>>>,
    running: Arc<Semaphore>,
    at_once: usize,
    streaming: Streaming,
}

impl Readers {
    pub(super) fn new(connector: Connector, at_once: usize, streaming: Streaming) -> Self {
        Self {
            connector: Arc::new(connector),
            idle: Arc::new(Mutex::new(Some(Vec::new()))),
            running: Arc::new(Semaphore::new(at_once)),
            at_once,
            streaming,
        }
    }

    /// Runs `work` here and now. It must be short: a look-up by an index.
    pub(super) fn look_up<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let connection = self.take()?;
        let outcome = work(&connection).map_err(super::fault);
        self.give_back(connection);
        outcome
    }

    /// Runs `work` on a thread that may block, in one snapshot, and answers what it writes.
    pub(super) async fn answer<H: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, &mut Output<H>) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<Option<(H, JsonText)>, StoreError> {
        let permit = Arc::clone(&self.running).acquire_owned().await.map_err(StoreError::internal)?;
        let (mut output, answer) = Output::new(self.streaming.clone(), permit);
        let readers = self.clone();
        tokio::task::spawn_blocking(move || {
            let outcome = readers.take().and_then(|connection| {
                let outcome = in_snapshot(&connection, |connection| work(connection, &mut output));
                readers.give_back(connection);
                outcome
            });
            output.finish_blocking(outcome);
        });
        answer.await.map_err(StoreError::internal)?
    }

    pub(super) fn load(&self) -> Load {
        let busy = self.at_once - self.running.available_permits();
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map_or(0, Vec::len);
        Load { connections: idle + busy, busy, waiting: 0 }
    }

    fn take(&self) -> Result<Connection, StoreError> {
        let idle = match &mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(idle) => idle.pop(),
            None => return Err(super::closed()),
        };
        idle.map_or_else(|| self.connector.open_reader(), Ok)
    }

    fn give_back(&self, connection: Connection) {
        // One that could not end its snapshot would show it to the next reader.
        if connection.is_autocommit()
            && let Some(idle) = &mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner)
        {
            idle.push(connection);
        }
    }

    /// Closes the idle connections, and the others as soon as they are given back. No more are opened.
    pub(super) fn close(&self) {
        drop(self.idle.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

fn in_snapshot(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    connection.execute_batch("BEGIN").map_err(super::fault)?;
    let outcome = work(connection);
    let ended = connection.execute_batch("ROLLBACK").map_err(super::fault);
    outcome.and(ended)
}
