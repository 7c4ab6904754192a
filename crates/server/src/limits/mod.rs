//! What is refused so that others are served: work beyond what can be done, more calls than one caller may make, and the
//! guessing of passwords.

pub(crate) mod login;
mod rate;
pub(crate) mod work;

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::HeaderValue;
use http::header::ORIGIN;

use self::login::Logins;
pub use self::rate::RateLimit;
use self::rate::{Rated, Rates};
use self::work::Work;
use crate::app::App;
use crate::config::Config;
use crate::extract::client_address;
use crate::metrics;

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

/// Whether calls of this path are limited. What tells how the server is, such as `/health`, is always answered.
fn is_limited(path: &str) -> bool {
    path == "/admin" || path.starts_with("/admin/")
}

/// Refuses a call that could not be worked on in time, as cheaply as can be: what refusals cost is missing where work is
/// done. It is counted, and neither timed nor logged one by one. A page of a browser could not read such an answer, so its
/// calls go on to [`admin`].
pub(crate) async fn busy(State(app): State<App>, request: Request, next: Next) -> Response {
    if app.limits().work.is_full()
        && is_limited(request.uri().path())
        && !request.headers().contains_key(ORIGIN)
    {
        return refuse_busy(&app);
    }
    next.run(request).await
}

fn refuse_busy(app: &App) -> Response {
    app.metrics().refuse(metrics::Refusal::Busy);
    work::refusal().into_response()
}

/// Refuses a call before anything is done for it: one of too many, or one that could not be worked on in time.
pub(crate) async fn admin(State(app): State<App>, request: Request, next: Next) -> Response {
    if !is_limited(request.uri().path()) {
        return next.run(request).await;
    }
    let limits = app.limits();
    let rated = limits
        .rates
        .check(request.headers(), || client_address(&app, request.extensions(), request.headers()));
    let mut response = match rated {
        Rated::Refused(refusal) => {
            app.metrics().refuse(metrics::Refusal::RateLimit);
            return refusal.into_response();
        }
        Rated::Passed(_) if limits.work.is_full() => refuse_busy(&app),
        Rated::Passed(_) => next.run(request).await,
    };
    if let Rated::Passed(Some(allowance)) = rated {
        allowance.tell(response.headers_mut());
    }
    response
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
