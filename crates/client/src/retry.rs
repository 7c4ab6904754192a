use std::time::Duration;

use jiff::Timestamp;

use crate::Error;
use crate::error::RawAnswer;

/// When to send a request again, and after how long.
///
/// By default a call is tried up to three times in all. It is tried again after a connection error, a timeout, and the
/// statuses 409, 429, 502, 503 and 504; the wait before the first repetition is up to half a second, and doubles each
/// time up to eight seconds, a random part of it left off so that clients do not all come back at once. If
/// the server says how long to wait (`Retry-After`), that is how long, up to a minute.
///
/// Making a record twice is not the same as making it once, and Medusa does not honour idempotency keys for groups and
/// customers. So `create` is only tried again if the first attempt surely came to nothing: no connection, 409 or 429.
/// Otherwise it ends in an error with [`is_outcome_unknown`](Error::is_outcome_unknown). All other operations can be
/// repeated safely.
#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    rules: Rules,
    max_retries: u32,
    first_delay: Duration,
    max_delay: Duration,
    max_retry_after: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rules {
    Own,
    MedusaJs,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            rules: Rules::Own,
            max_retries: 2,
            first_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(8),
            max_retry_after: Duration::from_secs(60),
        }
    }
}

impl Retry {
    /// Tries once only.
    pub fn never() -> Self {
        Self { max_retries: 0, ..Self::default() }
    }

    /// What the JavaScript client does with `maxRetries`: it tries again without an answer, after 409 and after
    /// 501 to 599, **creates included**; it waits 0.5, 1.5, 3.5, … seconds, or as long as `Retry-After` says, up to five
    /// minutes, and gives up if that header is there and makes no sense.
    ///
    /// That client also has no time limits. This one keeps its own, and gives up rather than wait beyond them: for
    /// exactly the same, lift them with [`timeout(None)`](crate::ClientBuilder::timeout) and a long
    /// [`read_timeout`](crate::ClientBuilder::read_timeout).
    pub fn medusa_js(max_retries: u32) -> Self {
        Self {
            rules: Rules::MedusaJs,
            max_retries,
            first_delay: Duration::from_millis(500),
            max_delay: Duration::MAX,
            max_retry_after: Duration::from_secs(300),
        }
    }

    /// How often to try again, at most.
    #[must_use]
    pub fn max_retries(self, max_retries: u32) -> Self {
        Self { max_retries, ..self }
    }

    /// The longest wait before the first repetition, and before any.
    #[must_use]
    pub fn delay(self, first: Duration, max: Duration) -> Self {
        Self { first_delay: first, max_delay: max, ..self }
    }

    /// The longest `Retry-After` to obey; if the server asks for more, the call fails at once.
    #[must_use]
    pub fn max_retry_after(self, max_retry_after: Duration) -> Self {
        Self { max_retry_after, ..self }
    }

    /// How long to wait before trying again after this failure; `None` to give up. `failures` counts this one; `random` is
    /// from 0 to 1.
    pub(crate) fn wait(
        &self,
        failure: &Failure,
        failures: u32,
        repeatable: bool,
        random: f64,
    ) -> Option<Duration> {
        if failures > self.max_retries
            || failure.error.is_invalid_request()
            || !self.is_worth_it(failure, repeatable)
        {
            return None;
        }
        if let Some(header) = failure.error.answer().and_then(retry_after) {
            return match header {
                Some(wait) => (wait <= self.max_retry_after && self.is_obeyable(wait)).then_some(wait),
                None if self.rules == Rules::MedusaJs => None,
                None => Some(self.backoff(failures, random)),
            };
        }
        Some(self.backoff(failures, random))
    }

    fn is_worth_it(&self, failure: &Failure, repeatable: bool) -> bool {
        let status = failure.error.status().map(|status| status.as_u16());
        match self.rules {
            Rules::MedusaJs => status.is_none_or(|status| matches!(status, 409 | 501..=599)),
            Rules::Own => {
                let passing = status.is_none_or(|status| matches!(status, 409 | 429 | 502..=504));
                passing && (repeatable || !failure.may_be_done())
            }
        }
    }

    /// The JavaScript client takes a wait of nothing for nonsense.
    fn is_obeyable(&self, wait: Duration) -> bool {
        self.rules == Rules::Own || !wait.is_zero()
    }

    fn backoff(&self, failures: u32, random: f64) -> Duration {
        let exponent = failures.saturating_sub(1).min(30);
        match self.rules {
            Rules::Own => {
                let longest = self.first_delay.saturating_mul(1 << exponent).min(self.max_delay);
                // At least half of it, so that a server that has just come up is not hit at once.
                longest.mul_f64(0.5 + random / 2.0)
            }
            Rules::MedusaJs => {
                let doubled = (1 << (exponent + 1)) - 1;
                self.first_delay.saturating_mul(doubled).min(self.max_delay)
            }
        }
    }
}

/// An attempt that failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Error,
    /// Whether anything of the request itself may have reached the server.
    pub(crate) sent: bool,
}

impl Failure {
    /// Whether the server may have done what it was asked for.
    pub(crate) fn may_be_done(&self) -> bool {
        self.sent && self.error.status().is_none_or(|status| status.is_server_error())
    }

    /// Whether it shows that earlier attempts, which sent the same, came to nothing either. `spent`: whether the server may
    /// refuse it just because one of them was carried out.
    pub(crate) fn settles(&self, spent: bool) -> bool {
        self.sent
            && self.error.status().is_some_and(|status| match status.as_u16() {
                // Of the request itself: its length, address, type or headers.
                411 | 413..=415 | 431 => true,
                // Of the moment.
                408 | 409 | 421 | 423 | 425 | 429 => false,
                _ => status.is_client_error() && !spent,
            })
    }
}

/// What `Retry-After` says, in seconds or as a date, which is read against the server's own clock if it tells the time.
/// The outer `None`: there is no such header; the inner: it makes no sense.
fn retry_after(answer: &RawAnswer) -> Option<Option<Duration>> {
    use http::header::{DATE, RETRY_AFTER};

    let text = answer.headers.get(RETRY_AFTER)?.to_str().unwrap_or_default().trim();
    if let Ok(seconds) = text.parse::<f64>() {
        // What does not fit is too long for anyone.
        let wait = || Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        return Some((seconds >= 0.0).then(wait));
    }
    let time = |text: &str| jiff::fmt::rfc2822::parse(text).map(|zoned| zoned.timestamp()).ok();
    let wait = |until: Timestamp| {
        let date = answer.headers.get(DATE).and_then(|date| time(date.to_str().ok()?));
        // A date that has passed says: now.
        until.duration_since(date.unwrap_or_else(now)).try_into().unwrap_or_default()
    };
    Some(time(text).map(wait))
}

#[expect(clippy::disallowed_methods, reason = "the date is that of a server, which knows no clock of ours")]
fn now() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::header::{DATE, RETRY_AFTER};
    use http::{HeaderMap, StatusCode};

    use super::*;

    fn status(status: u16, headers: &[(http::HeaderName, &str)]) -> Failure {
        let status = StatusCode::from_u16(status).unwrap();
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        Failure { error: Error::refused(RawAnswer { status, headers, body: Bytes::new() }), sent: true }
    }

    fn refused() -> Failure {
        Failure { error: Error::connect("refused", false), sent: false }
    }

    fn interrupted() -> Failure {
        Failure { error: Error::interrupted("reset"), sent: true }
    }

    fn seconds(seconds: f64) -> Option<Duration> {
        Some(Duration::from_secs_f64(seconds))
    }

    /// Which failures are tried again: of what can be repeated, of what cannot, and by the JavaScript client.
    #[test]
    fn the_table() {
        let expected = [
            (refused(), [true, true, true]),
            (interrupted(), [true, false, true]),
            (Failure { error: Error::timeout("slow"), sent: true }, [true, false, true]),
            (status(400, &[]), [false, false, false]),
            (status(401, &[]), [false, false, false]),
            (status(404, &[]), [false, false, false]),
            (status(409, &[]), [true, true, true]),
            (status(422, &[]), [false, false, false]),
            (status(429, &[]), [true, true, false]),
            (status(500, &[]), [false, false, false]),
            (status(501, &[]), [false, false, true]),
            (status(502, &[]), [true, false, true]),
            (status(503, &[]), [true, false, true]),
            (status(504, &[]), [true, false, true]),
            (status(505, &[]), [false, false, true]),
            (Failure { error: Error::invalid_request("no"), sent: false }, [false, false, false]),
        ];
        for (failure, expected) in expected {
            let found = [
                Retry::default().wait(&failure, 1, true, 0.5).is_some(),
                Retry::default().wait(&failure, 1, false, 0.5).is_some(),
                Retry::medusa_js(3).wait(&failure, 1, false, 0.5).is_some(),
            ];
            assert_eq!(found, expected, "{:?}", failure.error);
        }
    }

    /// Which failures leave no doubt about earlier attempts: if they would not come of one that was carried out, and if
    /// they might.
    #[test]
    fn what_settles_earlier_attempts() {
        let expected = [
            (status(400, &[]), [true, false]),
            (status(401, &[]), [true, false]),
            (status(404, &[]), [true, false]),
            (status(408, &[]), [false, false]),
            (status(409, &[]), [false, false]),
            (status(413, &[]), [true, true]),
            (status(415, &[]), [true, true]),
            (status(422, &[]), [true, false]),
            (status(429, &[]), [false, false]),
            (status(307, &[]), [false, false]),
            (status(500, &[]), [false, false]),
            (status(503, &[]), [false, false]),
            (refused(), [false, false]),
            (interrupted(), [false, false]),
            // Of the token, before the request itself was sent.
            (Failure { sent: false, ..status(401, &[]) }, [false, false]),
        ];
        for (failure, expected) in expected {
            assert_eq!([false, true].map(|spent| failure.settles(spent)), expected, "{:?}", failure.error);
        }
    }

    #[test]
    fn waits_grow_to_a_limit() {
        let retry = Retry::default().max_retries(100);
        let waits =
            |random| [1, 2, 3, 5, 6, 100].map(|failures| retry.wait(&refused(), failures, true, random));
        assert_eq!(waits(1.0), [0.5, 1.0, 2.0, 8.0, 8.0, 8.0].map(seconds));
        assert_eq!(waits(0.0), [0.25, 0.5, 1.0, 4.0, 4.0, 4.0].map(seconds));
        assert_eq!(retry.wait(&refused(), 101, true, 0.5), None);
    }

    #[test]
    fn the_javascript_client_waits_so_long() {
        let waits = [1, 2, 3, 4, 5].map(|failures| Retry::medusa_js(4).wait(&refused(), failures, true, 0.3));
        assert_eq!(waits, [seconds(0.5), seconds(1.5), seconds(3.5), seconds(7.5), None]);
    }

    #[test]
    fn the_server_may_say_how_long() {
        let wait = |retry: Retry, after| retry.wait(&status(503, &[(RETRY_AFTER, after)]), 1, true, 1.0);
        assert_eq!(wait(Retry::default(), "3"), seconds(3.0));
        assert_eq!(wait(Retry::default(), "0"), seconds(0.0));
        assert_eq!(wait(Retry::default(), "61"), None, "too long");
        assert_eq!(wait(Retry::default().max_retry_after(Duration::from_secs(61)), "61"), seconds(61.0));
        for absurd in ["99999999999999999999999", "1e400"] {
            assert_eq!(
                wait(Retry::default().max_retry_after(Duration::from_secs(61)), absurd),
                None,
                "too long"
            );
        }
        for nonsense in ["soon", "-1", "NaN", ""] {
            assert_eq!(wait(Retry::default(), nonsense), seconds(0.5), "as if it were not there");
        }
        assert_eq!(wait(Retry::medusa_js(1), "1.5"), seconds(1.5));
        assert_eq!(wait(Retry::medusa_js(1), "300"), seconds(300.0));
        assert_eq!(wait(Retry::medusa_js(1), "301"), None);
        assert_eq!(wait(Retry::medusa_js(1), "0"), None);
        assert_eq!(wait(Retry::medusa_js(1), "soon"), None);
    }

    #[test]
    fn the_server_may_say_until_when() {
        let wait = |date, after| {
            Retry::default().wait(&status(503, &[(DATE, date), (RETRY_AFTER, after)]), 1, true, 1.0)
        };
        let now = "Mon, 23 Nov 2026 12:47:51 GMT";
        assert_eq!(wait(now, "Mon, 23 Nov 2026 12:48:01 GMT"), seconds(10.0));
        assert_eq!(wait(now, "Mon, 23 Nov 2026 12:47:41 GMT"), seconds(0.0), "it has passed");
        assert_eq!(wait(now, "tomorrow"), seconds(0.5), "as if it were not there");
    }

    #[test]
    fn by_our_own_clock_if_the_server_tells_no_time() {
        let wait = |headers: &[_]| {
            let retry = Retry::medusa_js(1).max_retry_after(Duration::from_secs(2 * 3600));
            retry.wait(&status(503, headers), 1, true, 1.0)
        };
        let soon = super::now() + jiff::SignedDuration::from_secs(3600);
        let soon = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&soon).unwrap();
        for headers in [&[(RETRY_AFTER, soon.as_str())][..], &[(RETRY_AFTER, &soon), (DATE, "today")]] {
            let wait = wait(headers).unwrap().as_secs();
            assert!((3000..=3600).contains(&wait), "{wait}");
        }
    }
}
