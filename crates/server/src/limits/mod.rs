//! What is refused so that others are served: work beyond what can be done, more calls than one caller may make, and the
//! guessing of passwords.

pub(crate) mod login;
mod rate;
pub(crate) mod work;

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use http::header::ORIGIN;
use http::{Extensions, HeaderValue};

use self::login::Logins;
pub use self::rate::RateLimit;
use self::rate::{Allowance, Rates};
use self::work::Work;
use crate::app::App;
use crate::config::Config;
use crate::error::ApiError;
use crate::extract::client_address;
use crate::metrics;
use crate::router::is_admin;

#[derive(Debug)]
pub(crate) struct Limits {
    pub(crate) work: Work,
    pub(crate) logins: Logins,
    rates: Rates,
}

impl Limits {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            work: Work::new(config.concurrency, config.queue, config.queue_timeout),
            logins: Logins::default(),
            rates: Rates::new(config.rate_limit_address, config.rate_limit_credential),
        }
    }
}

/// Refuses a call that could not be worked on in time, as cheaply as can be: what refusals cost is missing where work is
/// done. It is counted, and neither timed nor logged one by one. A page of a browser could not read such an answer, so its
/// calls go on to [`calls`].
pub(crate) async fn busy(
    app: &App,
    request: Request,
    next: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    let is_full = app.limits().work.is_full();
    if is_full && is_admin(request.uri().path()) && !request.headers().contains_key(ORIGIN) {
        return refuse_busy(app);
    }
    next(request).await
}

fn refuse_busy(app: &App) -> Response {
    app.metrics().refuse(metrics::Refusal::Busy);
    ApiError::Busy.into_response()
}

/// What the limit of calls with one credential leaves of it, which is known once the credential is.
#[derive(Debug, Clone, Default)]
struct ByCredential(Arc<OnceLock<Allowance>>);

/// Refuses a call under `/admin`, or one for the metrics, before anything is done for it: one of too many from an
/// address; and of those under `/admin` one that could not be worked on in time. What tells how the server is, such as
/// `/health`, is always answered.
pub(crate) async fn calls(
    app: &App,
    mut request: Request,
    next: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    let is_admin = is_admin(request.uri().path());
    if !is_admin && request.uri().path() != "/metrics" {
        return next(request).await;
    }
    let limits = app.limits();
    let address = || client_address(app, request.extensions(), request.headers());
    let left = match limits.rates.by_address(address) {
        Ok(left) => left,
        Err(refusal) => {
            app.metrics().refuse(metrics::Refusal::RateLimit);
            let mut response = refusal.error().into_response();
            refusal.allowance().tell(response.headers_mut());
            return response;
        }
    };
    let by_credential = limits.rates.limit_credentials().then(ByCredential::default);
    let mut response = if is_admin && limits.work.is_full() {
        refuse_busy(app)
    } else {
        if let Some(by_credential) = &by_credential {
            request.extensions_mut().insert(by_credential.clone());
        }
        next(request).await
    };
    let by_credential = by_credential.and_then(|told| told.0.get().copied());
    let lesser = match (left, by_credential) {
        (Some(left), Some(other)) => Some(left.lesser(other)),
        (left, other) => left.or(other),
    };
    if let Some(allowance) = lesser {
        allowance.tell(response.headers_mut());
    }
    response
}

/// Counts a call with the credential that has let it in, and refuses it if it is one of too many.
pub(crate) fn with_credential(app: &App, credential: u128, extensions: &Extensions) -> Result<(), ApiError> {
    let counted = app.limits().rates.by_credential(credential);
    let allowance = match &counted {
        Ok(left) => *left,
        Err(refusal) => Some(refusal.allowance()),
    };
    if let (Some(allowance), Some(told)) = (allowance, extensions.get::<ByCredential>()) {
        // A call is let in once.
        let _ = told.0.set(allowance);
    }
    counted.map(drop).map_err(|refusal| {
        app.metrics().refuse(metrics::Refusal::RateLimit);
        refusal.error()
    })
}

/// Whoever has one of these addresses counts as one: an address of IPv4, or a network of IPv6 as providers give them to a
/// household.
fn one_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into()),
        address => address,
    }
}

/// The value of `Retry-After`: whole seconds, at least one.
pub(crate) fn retry_after(wait: Duration) -> HeaderValue {
    seconds(wait).max(1).into()
}

/// Whole seconds, rounded up.
fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_in_a_network_of_ipv6_are_one() {
        let address = |text: &str| one_of(text.parse().unwrap());
        assert_eq!(address("2001:db8:1:2::1"), address("2001:db8:1:2:ffff::9"));
        assert_ne!(address("2001:db8:1:2::1"), address("2001:db8:1:3::1"));
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
        assert_ne!(address("192.0.2.1"), address("192.0.2.2"));
    }

    #[test]
    fn a_time_to_wait_is_never_told_too_short() {
        assert_eq!(retry_after(Duration::from_millis(1)), "1");
        assert_eq!(retry_after(Duration::ZERO), "1");
        assert_eq!(retry_after(Duration::from_millis(2001)), "3");
    }
}
