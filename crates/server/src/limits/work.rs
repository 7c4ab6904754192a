//! How much is worked on at once. More waits its turn, a while; beyond that, a call is refused at once, so that those that
//! are accepted are served as fast as ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use stheno_store::StoreError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::ApiError;

#[derive(Debug)]
pub(crate) struct Work {
    permits: Arc<Semaphore>,
    at_once: usize,
    waiting: AtomicUsize,
    queue: usize,
    patience: Duration,
}

/// The right to work, until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    _permit: OwnedSemaphorePermit,
}

impl Work {
    pub(crate) fn new(at_once: usize, queue: usize, patience: Duration) -> Self {
        let permits = Arc::new(Semaphore::new(at_once));
        Self { permits, at_once, waiting: AtomicUsize::new(0), queue, patience }
    }

    /// Waits for its turn to work. Those who have waited longer come first.
    pub(crate) async fn begin(&self) -> Result<Permit, ApiError> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(Permit { _permit: permit });
        }
        let _waiting = Waiting::join(&self.waiting, self.queue).ok_or_else(refusal)?;
        let turn = tokio::time::timeout(self.patience, Arc::clone(&self.permits).acquire_owned()).await;
        let permit = turn.map_err(|_| refusal())?.map_err(|_| ApiError::Internal("shutting down"))?;
        Ok(Permit { _permit: permit })
    }

    /// Whether a call that came now would be refused.
    pub(crate) fn is_full(&self) -> bool {
        self.permits.available_permits() == 0 && self.waiting() >= self.queue
    }

    /// How many calls are being worked on.
    pub(crate) fn running(&self) -> usize {
        self.at_once - self.permits.available_permits()
    }

    /// How many calls wait for their turn.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// What is said to a call that is not worked on. Nothing has been done for it.
pub(crate) fn refusal() -> ApiError {
    let reason = "it has more to do than it can, and did nothing for this call";
    ApiError::Store(StoreError::Unavailable { reason, source: None })
}

/// A place in the queue, until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn join(waiting: &'a AtomicUsize, queue: usize) -> Option<Self> {
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        let place = Self(waiting);
        (before < queue).then_some(place)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn what_cannot_be_done_at_once_waits_its_turn_and_what_cannot_wait_is_refused() {
        let work = Work::new(1, 1, Duration::from_millis(50));
        let first = work.begin().await.unwrap();
        assert!(!work.is_full());
        let mut second = Box::pin(work.begin());
        assert!((&mut second).now_or_never().is_none());
        assert_eq!((work.running(), work.waiting()), (1, 1));
        assert!(work.is_full());
        assert!(matches!(work.begin().now_or_never(), Some(Err(_))));
        assert!(second.await.is_err());
        assert_eq!((work.running(), work.waiting()), (1, 0));
        let mut third = Box::pin(work.begin());
        assert!((&mut third).now_or_never().is_none());
        drop(first);
        assert!(third.now_or_never().unwrap().is_ok());
        assert_eq!(work.running(), 0);
    }

    #[tokio::test]
    async fn whoever_goes_away_leaves_the_queue() {
        let work = Work::new(1, 5, Duration::from_secs(60));
        let _first = work.begin().await.unwrap();
        let mut waiting = Box::pin(work.begin());
        assert!((&mut waiting).now_or_never().is_none());
        drop(waiting);
        assert_eq!(work.waiting(), 0);
    }
}
