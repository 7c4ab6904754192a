//! How many calls one caller may make in a time: by the address they come from, and by the credential they bring.

use std::fmt;
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use http::header::ACCESS_CONTROL_EXPOSE_HEADERS;
use http::{HeaderMap, HeaderName, HeaderValue};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::{one_of, seconds};
use crate::config::SettingError;
use crate::error::ApiError;

/// How many callers are remembered. Of more, those who have not called for longest begin anew.
const CAPACITY: u64 = 100_000;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// How many calls may be made in a time: `100/s`, `600/m` or `5000/h`. As many may come at once; from then on they are
/// given back evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    calls: NonZeroU32,
    unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Second,
    Minute,
    Hour,
}

impl RateLimit {
    fn quota(self) -> Quota {
        match self.unit {
            Unit::Second => Quota::per_second(self.calls),
            Unit::Minute => Quota::per_minute(self.calls),
            Unit::Hour => Quota::per_hour(self.calls),
        }
    }
}

impl FromStr for RateLimit {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text.split_once('/').and_then(|(calls, unit)| {
            let unit = match unit.trim() {
                "s" => Unit::Second,
                "m" => Unit::Minute,
                "h" => Unit::Hour,
                _ => return None,
            };
            Some(Self { calls: calls.trim().parse().ok()?, unit })
        });
        parsed.ok_or_else(|| {
            SettingError::new("give a number of calls in a time, such as 100/s, 600/m or 5000/h")
        })
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Second => "s",
            Unit::Minute => "m",
            Unit::Hour => "h",
        };
        write!(formatter, "{}/{unit}", self.calls)
    }
}

#[derive(Debug)]
pub(super) struct Rates {
    by_address: Option<Callers<IpAddr>>,
    by_credential: Option<Callers<u128>>,
}

impl Rates {
    pub(super) fn new(by_address: Option<RateLimit>, by_credential: Option<RateLimit>) -> Self {
        Self { by_address: by_address.map(Callers::new), by_credential: by_credential.map(Callers::new) }
    }

    /// Counts a call from an address. Answers what is left to it, if calls are so limited.
    pub(super) fn by_address(
        &self,
        address: impl FnOnce() -> Option<IpAddr>,
    ) -> Result<Option<Allowance>, Refusal> {
        let Some(callers) = &self.by_address else { return Ok(None) };
        address().map(|address| callers.check(one_of(address))).transpose()
    }

    /// Whether calls with one credential are limited.
    pub(super) fn limit_credentials(&self) -> bool {
        self.by_credential.is_some()
    }

    /// Counts a call with the credential that has let it in. Answers what is left to it, if calls are so limited.
    pub(super) fn by_credential(&self, credential: u128) -> Result<Option<Allowance>, Refusal> {
        self.by_credential.as_ref().map(|callers| callers.check(credential)).transpose()
    }
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, DefaultClock, StateInformationMiddleware>;

/// Callers of one kind, each with a limit of its own.
struct Callers<Key> {
    limit: RateLimit,
    limiters: Cache<Key, Arc<Limiter>>,
}

impl<Key: Hash + Eq + Send + Sync + 'static> Callers<Key> {
    fn new(limit: RateLimit) -> Self {
        let replenished = limit.quota().burst_size_replenished_in();
        let limiters = Cache::builder()
            .max_capacity(CAPACITY)
            .eviction_policy(EvictionPolicy::lru())
            .time_to_idle(replenished.max(Duration::from_secs(1)));
        Self { limit, limiters: limiters.build() }
    }

    fn check(&self, key: Key) -> Result<Allowance, Refusal> {
        let quota = self.limit.quota();
        let limiter = self.limiters.get_with(key, || Arc::new(RateLimiter::direct(quota).with_middleware()));
        match limiter.check() {
            Ok(state) => {
                let limit = self.limit.calls.get();
                let remaining = state.remaining_burst_capacity();
                let reset = quota.replenish_interval() * limit.saturating_sub(remaining);
                Ok(Allowance { limit, remaining, reset })
            }
            Err(not_until) => {
                let wait = not_until.wait_time_from(DefaultClock::default().now());
                Err(Refusal { limit: self.limit, wait })
            }
        }
    }
}

impl<Key> fmt::Debug for Callers<Key> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Callers").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// What is left to a caller.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    limit: u32,
    remaining: u32,
    /// Until all of it is there again.
    reset: Duration,
}

impl Allowance {
    pub(super) fn lesser(self, other: Self) -> Self {
        if other.remaining < self.remaining { other } else { self }
    }

    /// Adds the headers that say so, for pages of other origins too.
    pub(super) fn tell(self, headers: &mut HeaderMap) {
        headers.insert(LIMIT, self.limit.into());
        headers.insert(REMAINING, self.remaining.into());
        headers.insert(RESET, seconds(self.reset).into());
        let exposed =
            HeaderValue::from_static("ratelimit-limit, ratelimit-remaining, ratelimit-reset, retry-after");
        headers.append(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
}

/// A call of too many.
#[derive(Debug)]
pub(super) struct Refusal {
    limit: RateLimit,
    wait: Duration,
}

impl Refusal {
    pub(super) fn error(&self) -> ApiError {
        ApiError::TooMany { of: format!("calls: {} are allowed", self.limit), wait: self.wait }
    }

    /// What is left: nothing. With `Retry-After`, the time until it is otherwise is the same, as the draft of these headers
    /// asks for (draft-ietf-httpapi-ratelimit-headers), and not the time until all is there again.
    pub(super) fn allowance(&self) -> Allowance {
        Allowance { limit: self.limit.calls.get(), remaining: 0, reset: self.wait }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_of_calls_in_a_time() {
        for text in ["100/s", "600/m", "5000/h"] {
            assert_eq!(text.parse::<RateLimit>().unwrap().to_string(), text);
        }
        for text in ["", "100", "0/s", "-1/s", "1/d", "many/s", "1/s/m"] {
            assert!(text.parse::<RateLimit>().is_err(), "{text}");
        }
    }

    #[test]
    fn each_caller_has_a_limit_of_its_own_and_the_lesser_allowance_is_told() {
        let rates = Rates::new("3/h".parse().ok(), "2/h".parse().ok());
        let call = |address: &str, credential: Option<u128>| {
            let counted = rates.by_address(|| address.parse().ok()).and_then(|left| {
                let of_credential =
                    credential.map(|credential| rates.by_credential(credential)).transpose()?;
                Ok(of_credential.flatten().map_or(left, |lesser| left.map(|left| left.lesser(lesser))))
            });
            match counted {
                Ok(allowance) => allowance.map(|allowance| (allowance.limit, allowance.remaining)),
                Err(refusal) => {
                    assert!(refusal.wait > Duration::from_secs(600), "{:?}", refusal.wait);
                    assert_eq!(refusal.allowance().reset, refusal.wait);
                    None
                }
            }
        };
        assert_eq!(call("192.0.2.1", Some(1)), Some((2, 1)));
        assert_eq!(call("192.0.2.1", None), Some((3, 1)));
        assert_eq!(call("192.0.2.1", Some(2)), Some((3, 0)));
        assert_eq!(call("192.0.2.1", None), None);
        assert_eq!(call("192.0.2.2", Some(1)), Some((2, 0)));
        assert_eq!(call("192.0.2.2", Some(1)), None);
        assert_eq!(call("192.0.2.3", Some(2)), Some((2, 0)));
    }
}
