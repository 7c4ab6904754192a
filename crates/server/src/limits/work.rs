//! How much is worked on at once. More waits its turn, a while; beyond that, a call is refused at once, so that those that
//! are accepted are served as fast as ever.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::error::ApiError;

#[derive(Debug)]
pub(crate) struct Work(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    at_once: usize,
    queue: usize,
    patience: Duration,
    turns: Mutex<Turns>,
    waiting: AtomicUsize,
}

#[derive(Debug, Default)]
struct Turns {
    running: usize,
    /// From the one that has waited longest. Some may have gone away.
    waiting: VecDeque<oneshot::Sender<Permit>>,
}

/// The right to work, until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit(Option<Arc<Inner>>);

impl Work {
    pub(crate) fn new(at_once: usize, queue: usize, patience: Duration) -> Self {
        let (turns, waiting) = (Mutex::default(), AtomicUsize::new(0));
        Self(Arc::new(Inner { at_once, queue, patience, turns, waiting }))
    }

    /// Waits for its turn to work.
    ///
    /// Those who have waited longest come first, as long as no more wait than can be worked on. Where more do, the newest
    /// come first: they are answered in time, while of many that come by turns each would be answered too late.
    pub(crate) async fn begin(&self) -> Result<Permit, ApiError> {
        let inner = &self.0;
        let (turn, _waiting) = {
            let mut turns = inner.turns();
            if turns.running < inner.at_once {
                turns.running += 1;
                return Ok(Permit(Some(Arc::clone(inner))));
            }
            let waiting = Waiting::join(&inner.waiting, inner.queue).ok_or(ApiError::Busy)?;
            while turns.waiting.front().is_some_and(oneshot::Sender::is_closed) {
                turns.waiting.pop_front();
            }
            let (sender, turn) = oneshot::channel();
            turns.waiting.push_back(sender);
            (turn, waiting)
        };
        let turn = tokio::time::timeout(inner.patience, turn).await;
        turn.map_err(|_| ApiError::Busy)?.map_err(|_| ApiError::Internal("shutting down"))
    }

    /// Whether a call that came now would be refused.
    pub(crate) fn is_full(&self) -> bool {
        self.waiting() >= self.0.queue && self.running() >= self.0.at_once
    }

    /// How many calls are being worked on.
    pub(crate) fn running(&self) -> usize {
        self.0.turns().running
    }

    /// How many calls wait for their turn.
    pub(crate) fn waiting(&self) -> usize {
        self.0.waiting.load(Ordering::Relaxed)
    }
}

impl Inner {
    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose turn it is when a call is done; nobody's, if none waits.
    fn next(&self) -> Option<oneshot::Sender<Permit>> {
        let mut turns = self.turns();
        let next = if turns.waiting.len() > self.at_once {
            turns.waiting.pop_back()
        } else {
            turns.waiting.pop_front()
        };
        if next.is_none() {
            turns.running -= 1;
        }
        next
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(inner) = self.0.take() else { return };
        while let Some(next) = inner.next() {
            match next.send(Permit(Some(Arc::clone(&inner)))) {
                Ok(()) => return,
                // It has gone away, and leaves its turn to the one after it.
                Err(mut permit) => drop(permit.0.take()),
            }
        }
    }
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
    async fn the_newest_come_first_where_more_wait_than_can_be_worked_on() {
        let work = Work::new(2, 10, Duration::from_secs(60));
        let mut running = vec![work.begin().await.unwrap(), work.begin().await.unwrap()];
        let mut waiting: Vec<_> = (0..4).map(|_| Box::pin(work.begin())).collect();
        assert!(waiting.iter_mut().all(|turn| turn.now_or_never().is_none()));
        let mut order = Vec::new();
        for _ in 0..4 {
            drop(running.pop());
            let ready = waiting.iter_mut().enumerate().filter(|(number, _)| !order.contains(number));
            let ready: Vec<_> =
                ready.filter_map(|(number, turn)| Some((number, turn.now_or_never()?))).collect();
            assert_eq!(ready.len(), 1);
            for (number, permit) in ready {
                order.push(number);
                running.push(permit.unwrap());
            }
        }
        assert_eq!(order, [3, 2, 0, 1]);
    }

    #[tokio::test]
    async fn a_turn_that_nobody_takes_goes_to_the_next() {
        let work = Work::new(1, 5, Duration::from_secs(60));
        let first = work.begin().await.unwrap();
        let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(work.begin())).collect();
        assert!(waiting.iter_mut().all(|turn| turn.now_or_never().is_none()));
        drop(waiting.pop());
        drop(first);
        // It was given to the second, who does not look, and goes away with it.
        drop(waiting.pop());
        let third = waiting.pop().unwrap().now_or_never().unwrap().unwrap();
        assert_eq!((work.running(), work.waiting()), (1, 0));
        drop(third);
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
