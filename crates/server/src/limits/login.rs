//! The guessing of passwords: logins that fail are counted, by the account and the address, by the account alone, and by
//! the address alone, whether there is such an account or not. Logins that succeed cost nothing, so that whoever knows
//! the password is not held up by their own; and who guesses from elsewhere uses up another's count but slowly.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use xxhash_rust::xxh3::xxh3_128;

use super::one_of;
use crate::error::ApiError;

/// How many accounts and addresses are remembered. Of more, those heard of longest ago are forgotten.
const CAPACITY: u64 = 100_000;

/// How many logins may fail at once, and how long it takes until one more may.
#[derive(Debug, Clone, Copy)]
struct Limit {
    failures: u32,
    each: Duration,
}

/// For an account, from one address.
const HERE: Limit = Limit { failures: 10, each: Duration::from_secs(30) };
/// For an account, from anywhere: many addresses together guess no faster. High, since it holds up the owner too.
const ACCOUNT: Limit = Limit { failures: 100, each: Duration::from_secs(10) };
/// For all accounts, from one address.
const ADDRESS: Limit = Limit { failures: 100, each: Duration::from_secs(3) };

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Subject {
    Here(u128, IpAddr),
    Account(u128),
    Address(IpAddr),
}

/// The failed logins of the last time.
#[derive(Debug)]
pub(crate) struct Logins {
    counts: Cache<Subject, Arc<Mutex<Count>>>,
}

impl Default for Logins {
    fn default() -> Self {
        let forgotten = [HERE, ACCOUNT, ADDRESS].map(|limit| limit.each * limit.failures).into_iter().max();
        let counts = Cache::builder()
            .max_capacity(CAPACITY)
            .eviction_policy(EvictionPolicy::lru())
            .time_to_idle(forgotten.unwrap_or_default());
        Self { counts: counts.build() }
    }
}

/// What has failed, less what time has given back.
#[derive(Debug)]
struct Count {
    failures: f64,
    at: Instant,
}

impl Count {
    fn settle(&mut self, limit: Limit, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.failures = (self.failures - passed / limit.each.as_secs_f64()).max(0.0);
        self.at = now;
    }

    /// How long to wait until one more may fail.
    fn wait(&mut self, limit: Limit, now: Instant) -> Option<Duration> {
        self.settle(limit, now);
        let over = self.failures + 1.0 - f64::from(limit.failures);
        (over > 0.0).then(|| limit.each.mul_f64(over))
    }

    fn add(&mut self, limit: Limit, now: Instant) {
        self.settle(limit, now);
        self.failures += 1.0;
    }
}

/// Whose login it is, and from where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Login {
    subjects: [Option<(Subject, Limit)>; 3],
}

impl Login {
    /// Into an account, which need not exist.
    pub(crate) fn new(email: &str, address: Option<IpAddr>) -> Self {
        let account = xxh3_128(email.as_bytes());
        let address = address.map(one_of);
        Self {
            subjects: [
                address.map(|address| (Subject::Here(account, address), HERE)),
                Some((Subject::Account(account), ACCOUNT)),
                address.map(|address| (Subject::Address(address), ADDRESS)),
            ],
        }
    }
}

impl Logins {
    /// Refuses a login where too many have failed.
    pub(crate) fn check(&self, login: Login) -> Result<(), ApiError> {
        self.check_at(login, Instant::now())
    }

    /// Counts a login whose password was wrong, or whose account does not exist.
    pub(crate) fn failed(&self, login: Login) {
        self.failed_at(login, Instant::now());
    }

    fn check_at(&self, login: Login, now: Instant) -> Result<(), ApiError> {
        let waits = login.subjects.into_iter().flatten().filter_map(|(subject, limit)| {
            let count = self.counts.get(&subject)?;
            count.lock().unwrap_or_else(PoisonError::into_inner).wait(limit, now)
        });
        match waits.max() {
            Some(wait) => Err(ApiError::TooMany { of: "failed logins".to_owned(), wait }),
            None => Ok(()),
        }
    }

    fn failed_at(&self, login: Login, now: Instant) {
        for (subject, limit) in login.subjects.into_iter().flatten() {
            let fresh = || Arc::new(Mutex::new(Count { failures: 0.0, at: now }));
            let count = self.counts.get_with(subject, fresh);
            count.lock().unwrap_or_else(PoisonError::into_inner).add(limit, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many seconds a login would be let in; if at once, it fails.
    fn guess(logins: &Logins, email: &str, address: &str, now: Instant) -> Option<u64> {
        let login = Login::new(email, address.parse().ok());
        match logins.check_at(login, now) {
            Ok(()) => {
                logins.failed_at(login, now);
                None
            }
            Err(ApiError::TooMany { wait, .. }) => Some(wait.as_secs()),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn who_guesses_is_held_up_and_others_are_not() {
        let (logins, start) = (Logins::default(), Instant::now());
        let guess = |email: &str, address: &str, seconds: u64| {
            guess(&logins, email, address, start + Duration::from_secs(seconds))
        };
        for _ in 0..10 {
            assert_eq!(guess("a@shop.example", "192.0.2.1", 0), None);
        }
        assert_eq!(guess("a@shop.example", "192.0.2.1", 0), Some(30));
        // A refused one does not count, and time gives back one after the other.
        assert_eq!(guess("a@shop.example", "192.0.2.1", 20), Some(10));
        assert_eq!(guess("a@shop.example", "192.0.2.1", 30), None);
        assert_eq!(guess("a@shop.example", "192.0.2.1", 32), Some(28));
        // The owner elsewhere, and another account here.
        assert_eq!(guess("a@shop.example", "192.0.2.2", 32), None);
        assert_eq!(guess("b@shop.example", "192.0.2.1", 32), None);
    }

    #[test]
    fn many_addresses_guess_an_account_no_faster_and_one_address_no_number_of_accounts() {
        let (by_account, by_address, now) = (Logins::default(), Logins::default(), Instant::now());
        for number in 0..100 {
            assert_eq!(guess(&by_account, "a@shop.example", &format!("192.0.2.{number}"), now), None);
            assert_eq!(guess(&by_address, &format!("{number}@shop.example"), "192.0.2.1", now), None);
        }
        assert_eq!(guess(&by_account, "a@shop.example", "198.51.100.1", now), Some(10));
        assert_eq!(guess(&by_account, "b@shop.example", "198.51.100.1", now), None);
        assert_eq!(guess(&by_address, "new@shop.example", "192.0.2.1", now), Some(3));
        assert_eq!(guess(&by_address, "new@shop.example", "192.0.2.2", now), None);
    }
}
