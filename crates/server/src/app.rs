//! What every request works with.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use stheno_store::{Caller, Store};

use crate::audit::Audit;
use crate::config::{Config, Secrets};
use crate::credentials::Credentials;
use crate::limits::Limits;
use crate::limits::work::Work;
use crate::metrics::Metrics;
use crate::position;

/// How many derivations of keys wait for their turn, and for how long; more are refused.
const DERIVATIONS_WAITING: usize = 64;
const DERIVATION_PATIENCE: Duration = Duration::from_secs(15);

/// The server's state. Cheap to clone: the clones are one.
#[derive(Debug, Clone)]
pub struct App(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    config: Config,
    credentials: Credentials,
    callers: Cache<Arc<str>, Caller>,
    deriving: Work,
    limits: Limits,
    metrics: Metrics,
    audit: Audit,
}

impl App {
    /// A server of `store`. It is made within a runtime, where what is noted of logins is written.
    pub fn new(store: Store, secrets: Secrets, config: Config) -> Self {
        let metrics = Metrics::new();
        let store = store.observed_by(metrics.observer());
        let credentials = Credentials::new(store.clone(), secrets, &config);
        // Deriving a key takes a core and 32 MiB for a quarter of a second. It has a queue of its own: logins, for which
        // nobody needs a credential, are in the way of nothing else.
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let deriving = Work::new(cores, DERIVATIONS_WAITING, DERIVATION_PATIENCE);
        let callers = position::callers();
        let limits = Limits::new(&config);
        let audit = Audit::start(store.clone(), config.audit_retention, metrics.audit_entries());
        Self(Arc::new(Inner { store, config, credentials, callers, deriving, limits, metrics, audit }))
    }

    /// Writes what is yet to be written of the audit trail. To be called when no more requests come, and before the store is
    /// closed.
    pub async fn flush(&self) {
        self.0.audit.flush().await;
    }

    /// The shop's data.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    pub(crate) fn credentials(&self) -> &Credentials {
        &self.0.credentials
    }

    /// The users who have called of late, by their ids.
    pub(crate) fn callers(&self) -> &Cache<Arc<str>, Caller> {
        &self.0.callers
    }

    /// What is refused so that others are served.
    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// What is counted and measured.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// What is written down of logins.
    pub(crate) fn audit(&self) -> &Audit {
        &self.0.audit
    }

    /// The turns at deriving keys from passwords.
    pub(crate) fn deriving(&self) -> &Work {
        &self.0.deriving
    }
}
