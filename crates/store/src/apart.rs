//! Work that must not be broken off.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::runtime::Handle;

use crate::StoreError;

/// Work that is done by whoever waits for it, which costs no way to another thread and back, and goes on by itself when
/// nobody waits any more. Should it panic, that is its outcome.
pub(crate) struct Apart<T: Send + 'static>(Option<BoxFuture<'static, Result<T, StoreError>>>);

impl<T: Send + 'static> Apart<T> {
    pub(crate) fn new(work: impl Future<Output = T> + Send + 'static) -> Self {
        let outcome = AssertUnwindSafe(work).catch_unwind();
        Self(Some(
            outcome
                .map(|outcome| outcome.map_err(|_| StoreError::internal("a unit of work panicked")))
                .boxed(),
        ))
    }
}

impl<T: Send + 'static> Future for Apart<T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(work) = &mut self.0 else { return Poll::Pending };
        let outcome = work.poll_unpin(context);
        if outcome.is_ready() {
            self.0 = None;
        }
        outcome
    }
}

impl<T: Send + 'static> Drop for Apart<T> {
    fn drop(&mut self) {
        if let (Some(work), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn work_goes_on_without_whoever_waited_for_it() {
        let (begin, begun) = oneshot::channel();
        let (done, is_done) = oneshot::channel();
        let mut work = Apart::new(async move {
            begun.await.unwrap();
            done.send(7).unwrap();
        });
        assert!((&mut work).now_or_never().is_none());
        drop(work);
        begin.send(()).unwrap();
        assert_eq!(is_done.await, Ok(7));
    }

    #[tokio::test]
    async fn a_panic_is_an_outcome() {
        let fault = Apart::new(async { panic!("it panics") }).await;
        assert!(matches!(fault, Err::<(), _>(StoreError::Internal(_))));
    }

    #[tokio::test]
    async fn whoever_waits_hears_the_outcome_once() {
        let mut work = Apart::new(async { 7 });
        assert_eq!((&mut work).await.unwrap(), 7);
        assert!((&mut work).now_or_never().is_none());
    }
}
