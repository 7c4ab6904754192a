//! The audit trail: logins, refused ones too, and logouts. A request only notes what has happened; one task writes it down
//! beside the work, and deletes what is old. Nothing that fails here fails a login.
//!
//! Whoever guesses passwords cannot make the trail grow without bounds: what is refused for the same reason is gathered
//! into one entry, and of more entries than some in a time only the number is told.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use governor::clock::DefaultClock;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use http::request::Parts;
use jiff::{SignedDuration, Timestamp};
use stheno_store::{Login, LoginKind, LoginOutcome, Store, StoreError};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::app::App;
use crate::error::{ApiError, Seldom, chain};
use crate::extract::client_address;
use crate::metrics::{AuditEntries, AuditOutcome};

/// How many entries wait to be written at the most.
const WAITING: usize = 4096;

/// How many are written in one unit of work.
const BATCH: usize = 256;

/// How often what waits is written.
const WRITES: Duration = Duration::from_secs(1);

/// How long logins that were not looked at are gathered into one entry.
const GATHERED: Duration = Duration::from_secs(60);

/// How many entries of refused logins are written: so many at once, and from then on one each second, which is 86,400 a day.
const REFUSED: NonZeroU32 = NonZeroU32::new(1000).unwrap();

/// How long what waits may take to be written when the server stops.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often old entries are looked for, and how many are deleted in one unit of work: of more, as many with each write.
const FORGETTING: Duration = Duration::from_secs(60 * 60);
const FORGOTTEN_AT_ONCE: u32 = 1000;

/// The audit trail; none, if it is turned off. What writes it ends with the value.
#[derive(Debug)]
pub(crate) struct Audit(Option<(Arc<Trail>, JoinHandle<()>)>);

#[derive(Debug)]
struct Trail {
    store: Store,
    retention: Duration,
    entries: AuditEntries,
    waiting: Mutex<HashMap<Event, Noted>>,
    refused: RateLimiter<NotKeyed, InMemoryState, DefaultClock>,
    /// Who writes does so alone: whoever waits for it knows that nothing is on its way any more.
    writing: tokio::sync::Mutex<()>,
    dropping: Mutex<Seldom>,
    failing: Mutex<Seldom>,
}

/// What makes an entry of the trail.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Event {
    account: Account,
    kind: LoginKind,
    outcome: LoginOutcome,
    address: Option<IpAddr>,
}

/// Whose account it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Account {
    /// A user's, or nobody's.
    Of(Option<String>),
    /// That of whoever has this e-mail address, which is looked up when it is written and is not written itself.
    Addressed(String),
}

/// How often something has happened, and when it is to be written.
#[derive(Debug, Clone, Copy)]
struct Noted {
    at: Timestamp,
    attempts: u32,
    due: Instant,
}

/// A login under way. One that is broken off, because whoever sent it has gone, has failed.
#[derive(Debug)]
pub(crate) struct Attempt {
    app: App,
    is_noted: bool,
    account: Account,
    kind: LoginKind,
    pub(crate) address: Option<IpAddr>,
}

impl Attempt {
    /// `email` is in lower case.
    pub(crate) fn new(app: &App, head: &Parts, kind: LoginKind, email: &str) -> Self {
        let address = client_address(app, &head.extensions, &head.headers);
        let account = Account::Addressed(email.to_owned());
        Self { app: app.clone(), is_noted: false, account, kind, address }
    }

    /// Says whose account it is; none, if it is nobody's.
    pub(crate) fn is_of(&mut self, user: Option<&str>) {
        self.account = Account::Of(user.map(str::to_owned));
    }

    /// Notes what came of it.
    pub(crate) fn ended<T>(mut self, result: &Result<T, ApiError>) {
        let outcome = match (result, &self.account) {
            (Ok(_), _) => LoginOutcome::Accepted,
            (Err(ApiError::WrongLogin), Account::Of(None)) => LoginOutcome::UnknownUser,
            (Err(ApiError::WrongLogin), _) => LoginOutcome::WrongPassword,
            (Err(ApiError::TooMany { .. }), _) => LoginOutcome::Limited,
            (Err(_), _) => LoginOutcome::Failed,
        };
        self.note(outcome);
    }

    fn note(&mut self, outcome: LoginOutcome) {
        if std::mem::replace(&mut self.is_noted, true) {
            return;
        }
        let Self { account, kind, address, .. } = &*self;
        self.app.audit().note(Event { account: account.clone(), kind: *kind, outcome, address: *address });
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.note(LoginOutcome::Failed);
    }
}

impl Audit {
    /// Begins to write the trail, whose entries are kept for the time of `retention`.
    pub(crate) fn start(store: Store, retention: Option<Duration>, entries: AuditEntries) -> Self {
        Self(retention.map(|retention| {
            let trail = Arc::new(Trail {
                store,
                retention,
                entries,
                waiting: Mutex::default(),
                refused: RateLimiter::direct(Quota::per_second(NonZeroU32::MIN).allow_burst(REFUSED)),
                writing: tokio::sync::Mutex::default(),
                dropping: Mutex::default(),
                failing: Mutex::default(),
            });
            (Arc::clone(&trail), tokio::spawn(async move { trail.keep().await }))
        }))
    }

    /// Notes that a session of `user` was closed.
    pub(crate) fn log_out(&self, user: &str, address: Option<IpAddr>) {
        let account = Account::Of(Some(user.to_owned()));
        self.note(Event { account, kind: LoginKind::Logout, outcome: LoginOutcome::Accepted, address });
    }

    fn note(&self, event: Event) {
        if let Some((trail, _)) = &self.0 {
            trail.note(event, Instant::now());
        }
    }

    /// Writes what waits, for as long as that may take.
    pub(crate) async fn flush(&self) {
        if let Some((trail, _)) = &self.0
            && timeout(PATIENCE, trail.write(true)).await.is_err()
        {
            tracing::warn!("the audit trail could not be written to its end in time");
        }
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        if let Some((_, keeping)) = &self.0 {
            keeping.abort();
        }
    }
}

impl Trail {
    fn note(&self, event: Event, now: Instant) {
        let is_refused = event.outcome != LoginOutcome::Accepted;
        let is_looked_at = !matches!(event.outcome, LoginOutcome::Limited | LoginOutcome::Failed);
        let due = if is_looked_at { now } else { now + GATHERED };
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(noted) = waiting.get_mut(&event) {
            noted.attempts = noted.attempts.saturating_add(1);
        } else if waiting.len() < WAITING && !(is_refused && self.refused.check().is_err()) {
            waiting.insert(event, Noted { at: self.store.clock().now(), attempts: 1, due });
        } else {
            drop(waiting);
            self.entries.count(AuditOutcome::Dropped, 1);
            let seldom = self.dropping.lock().unwrap_or_else(PoisonError::into_inner).ask(now);
            if let Some(kept_back) = seldom {
                tracing::warn!(kept_back, "there are too many logins: some are left out of the audit trail");
            }
        }
    }

    /// Writes what is due, and deletes what is old, for ever.
    async fn keep(&self) {
        let mut ticks = interval(WRITES);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut forgetting = Instant::now();
        loop {
            ticks.tick().await;
            self.write(false).await;
            if forgetting <= Instant::now() && self.forget().await {
                forgetting = Instant::now() + FORGETTING;
            }
        }
    }

    /// Writes what is due, or `all`.
    async fn write(&self, all: bool) {
        let _alone = self.writing.lock().await;
        loop {
            let batch = self.take(all);
            if batch.is_empty() {
                return;
            }
            match self.write_batch(&batch).await {
                Ok(()) => self.entries.count(AuditOutcome::Written, batch.len()),
                // It may be there again in a moment.
                Err(error @ StoreError::Unavailable { .. }) if !all => {
                    self.complain(&error, 0);
                    let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                    for (event, Noted { at, attempts, due }) in batch {
                        let noted = waiting.entry(event).or_insert(Noted { at, attempts: 0, due });
                        *noted = Noted { at, attempts: noted.attempts.saturating_add(attempts), due };
                    }
                    return;
                }
                Err(error) => {
                    self.entries.count(AuditOutcome::Failed, batch.len());
                    self.complain(&error, batch.len());
                }
            }
        }
    }

    fn take(&self, all: bool) -> Vec<(Event, Noted)> {
        let now = Instant::now();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extract_if(|_, noted| all || noted.due <= now).take(BATCH).collect()
    }

    async fn write_batch(&self, batch: &[(Event, Noted)]) -> Result<(), StoreError> {
        let mut logins = Vec::with_capacity(batch.len());
        for (event, noted) in batch {
            let user_id = match &event.account {
                Account::Of(user) => user.clone(),
                Account::Addressed(email) => self.store.user_by_email(email).await?.map(|user| user.id),
            };
            let Event { kind, outcome, address, .. } = *event;
            let Noted { at, attempts, .. } = *noted;
            logins.push(Login { at, user_id, kind, outcome, address, attempts });
        }
        logins.sort_by_key(|login| login.at);
        self.store.record_logins(logins).await
    }

    /// Deletes some of what is old. Answers whether that is all that can be done.
    async fn forget(&self) -> bool {
        let age = SignedDuration::try_from(self.retention).unwrap_or(SignedDuration::MAX);
        let before = self.store.clock().now().checked_sub(age).unwrap_or(Timestamp::MIN);
        match self.store.forget_logins(before, FORGOTTEN_AT_ONCE).await {
            Ok(forgotten) => forgotten < u64::from(FORGOTTEN_AT_ONCE),
            Err(error) => {
                tracing::warn!(error = %chain(&error), "could not delete what is old in the audit trail");
                true
            }
        }
    }

    fn complain(&self, error: &StoreError, lost: usize) {
        let seldom = self.failing.lock().unwrap_or_else(PoisonError::into_inner).ask(Instant::now());
        if let Some(kept_back) = seldom {
            tracing::warn!(error = %chain(error), lost, kept_back, "could not write the audit trail");
        }
    }
}

#[cfg(test)]
mod tests {
    use stheno_testkit::{TestApp, TestAppOptions};

    use super::*;

    fn event(outcome: LoginOutcome, number: u8) -> Event {
        let account = Account::Of(Some(format!("usr_{number}")));
        let address = Some(IpAddr::from([192, 0, 2, number]));
        Event { account, kind: LoginKind::Token, outcome, address }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_guesses_neither_fills_the_trail_nor_keeps_others_out_of_it() {
        let store = TestApp::empty(TestAppOptions::default()).await.store;
        let entries = AuditEntries::default();
        let audit = Audit::start(store.clone(), Some(Duration::from_secs(3600)), entries.clone());
        let guess = |account: u32| {
            let account = Account::Addressed(format!("{account}@shop.example"));
            audit.note(Event { account, ..event(LoginOutcome::Limited, 1) });
        };
        (0..1500).for_each(guess);
        (0..10).for_each(|_| guess(0));
        for number in 0..100 {
            audit.note(event(LoginOutcome::Accepted, number));
        }
        audit.flush().await;
        let written = store.logins(Default::default(), 10_000).await.unwrap();
        let of = |outcome| written.iter().filter(move |entry| entry.login.outcome == outcome);
        assert_eq!(of(LoginOutcome::Accepted).count(), 100);
        // One more each second.
        assert!((1000..1100).contains(&of(LoginOutcome::Limited).count()));
        assert!(of(LoginOutcome::Limited).any(|entry| entry.login.attempts == 11));
        let mut text = String::new();
        let mut registry = prometheus_client::registry::Registry::default();
        entries.register(&mut registry);
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        let told = |outcome: &str| {
            let series = format!("audit_entries_total{{outcome=\"{outcome}\"}} ");
            text.lines().find_map(|line| line.strip_prefix(&series)?.parse::<usize>().ok()).unwrap()
        };
        assert_eq!(told("written"), written.len());
        assert_eq!(told("written") + told("dropped"), 1600);
    }
}
