//! Timers: tokio's, or JavaScript's in a browser.

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use tokio::time::{Instant, sleep, timeout_at};

#[cfg(target_arch = "wasm32")]
pub(crate) use browser::{Instant, sleep, timeout_at};

/// What of tokio's timers is needed here. Not built yet: see the crate's README.
#[cfg(target_arch = "wasm32")]
mod browser {
    use std::pin::pin;
    use std::time::Duration;

    use futures_util::future::{Either, select};
    use tokio::sync::oneshot;
    pub(crate) use web_time::Instant;

    /// JavaScript's timers stay on their thread; what waits for one may be sent.
    pub(crate) async fn sleep(duration: Duration) {
        let (sender, receiver) = oneshot::channel();
        wasm_bindgen_futures::spawn_local(async move {
            gloo_timers::future::sleep(duration).await;
            // Nobody waits any more.
            let _ = sender.send(());
        });
        // It is over also if the timer is gone.
        let _ = receiver.await;
    }

    pub(crate) async fn timeout_at<F: Future>(
        deadline: Instant,
        future: F,
    ) -> Result<F::Output, &'static str> {
        let rest = deadline.saturating_duration_since(Instant::now());
        match select(pin!(future), pin!(sleep(rest))).await {
            Either::Left((output, _)) => Ok(output),
            Either::Right(_) => Err("deadline has elapsed"),
        }
    }
}
