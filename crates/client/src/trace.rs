//! What a call tells those who listen: a span with its course, and an event for every repetition.
//!
//! Neither holds headers, bodies or queries, since these may hold secrets and people's names.

#[cfg(feature = "tracing")]
pub(crate) use real::Trace;
#[cfg(not(feature = "tracing"))]
pub(crate) use silent::Trace;

#[cfg(feature = "tracing")]
mod real {
    use std::time::Duration;

    use bytes::Bytes;
    use tracing::field::Empty;
    use tracing::{Instrument, Span, debug, info_span, warn};

    use crate::Error;
    use crate::error::RawAnswer;

    pub(crate) struct Trace(Span);

    impl Trace {
        pub(crate) fn begin(operation: &'static str, request: &http::Request<Bytes>) -> Self {
            Self(info_span!(
                "medusa",
                operation,
                http.request.method = %request.method(),
                server.address = request.uri().host(),
                url.path = request.uri().path(),
                http.response.status_code = Empty,
                request_id = Empty,
                attempts = Empty,
                error = Empty,
            ))
        }

        pub(crate) async fn follow<F: Future>(&self, call: F) -> F::Output {
            call.instrument(self.0.clone()).await
        }

        pub(crate) fn answered(&self, answer: &RawAnswer, attempts: u32) {
            self.0.record("http.response.status_code", answer.status.as_u16());
            self.0.record("attempts", attempts);
            if let Some(id) = answer.request_id() {
                self.0.record("request_id", id);
            }
            debug!(status = answer.status.as_u16(), attempts, "medusa answered");
        }

        pub(crate) fn will_retry(&self, error: &Error, wait: Duration) {
            warn!(%error, ?wait, "medusa call failed, will be tried again");
        }

        pub(crate) fn failed(&self, error: &Error) {
            if let Some(answer) = error.answer() {
                self.answered(answer, error.attempts());
            }
            self.0.record("error", tracing::field::display(error));
            debug!(%error, "medusa call failed");
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod silent {
    use std::time::Duration;

    use bytes::Bytes;

    use crate::Error;
    use crate::error::RawAnswer;

    pub(crate) struct Trace;

    impl Trace {
        pub(crate) fn begin(_: &'static str, _: &http::Request<Bytes>) -> Self {
            Self
        }

        pub(crate) async fn follow<F: Future>(&self, call: F) -> F::Output {
            call.await
        }

        pub(crate) fn answered(&self, _: &RawAnswer, _: u32) {}

        pub(crate) fn will_retry(&self, _: &Error, _: Duration) {}

        pub(crate) fn failed(&self, _: &Error) {}
    }
}
