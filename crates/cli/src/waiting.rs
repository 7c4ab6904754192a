//! A database server that is away when a shop is to be served: it may be starting too, so it is waited for.

use std::time::Duration;

use anyhow::Result;
use stheno_store::StoreError;

use crate::database::Database;

/// The first pause between two tries, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));

/// Whether it may go better another time. What a person must mend does not: a wrong password, a database that is not
/// there, a certificate that nobody trusts.
pub(crate) fn helps(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(StoreError::Unavailable { .. }))
}

/// Tries until `begin` goes well, for as long as it takes, or until waiting does not help any more. `error` is why it has
/// not done so just now.
pub(crate) async fn until_it_goes_well<T>(
    begin: impl AsyncFn() -> Result<T>,
    mut error: anyhow::Error,
    database: &Database,
) -> Result<T> {
    let (mut pause, longest) = PAUSES;
    for tries in 1.. {
        let wait = with_jitter(pause);
        tracing::warn!(
            tries,
            again_in_seconds = (wait.as_secs_f64() * 10.0).round() / 10.0,
            database = %database.shown(),
            error = format!("{error:#}"),
            "cannot reach the database: trying until it is there, and answering 503 to all but /health meanwhile"
        );
        tokio::time::sleep(wait).await;
        match begin().await {
            Err(again) if helps(&again) => error = again,
            begun => {
                tracing::info!(tries = tries + 1, "the database is there");
                return begun;
            }
        }
        pause = longest.min(pause * 2);
    }
    Err(error)
}

/// Between half the pause and all of it, so that many servers do not come at once.
fn with_jitter(pause: Duration) -> Duration {
    let part = getrandom::u32().map_or(0.5, |random| f64::from(random) / f64::from(u32::MAX));
    pause.mul_f64(0.5 + part / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_differ_within_bounds() {
        let pauses: Vec<Duration> = (0..20).map(|_| with_jitter(Duration::from_secs(8))).collect();
        assert!(pauses.iter().all(|pause| (4.0..=8.0).contains(&pause.as_secs_f64())), "{pauses:?}");
        assert!(pauses.iter().any(|pause| *pause != pauses[0]), "{pauses:?}");
    }

    #[test]
    fn what_a_person_must_mend_is_not_waited_for() {
        let unavailable = StoreError::Unavailable { reason: "it is starting", source: None };
        assert!(helps(&unavailable.into()));
        assert!(!helps(&StoreError::Url("the password is wrong".to_owned()).into()));
        assert!(!helps(&anyhow::anyhow!("DATABASE_PASSWORD is empty")));
    }
}
