//! Work that must not be broken off.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::runtime::Handle;

/// Work that is done by whoever waits for it, which costs no way to another thread and back, and goes on by itself when
/// nobody waits any more.
pub(crate) struct Apart<T: Send + 'static>(Option<BoxFuture<'static, T>>);

impl<T: Send + 'static> Apart<T> {
    pub(crate) fn new(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Some(work.boxed()))
    }
}

impl<T: Send + 'static> Future for Apart<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
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
    async fn whoever_waits_hears_the_outcome_once() {
        let mut work = Apart::new(async { 7 });
        assert_eq!((&mut work).await, 7);
        assert!((&mut work).now_or_never().is_none());
    }
}
