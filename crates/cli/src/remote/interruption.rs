//! Ctrl-C in the middle of many.

use stheno_client::Error;

use super::connection::Shop;
use crate::exit::{Exit, failure};

/// Does this, unless Ctrl-C comes first: then it is left where it is.
pub(crate) async fn watched<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Stop> {
    tokio::select! {
        // Listened to before anything is sent.
        biased;
        Ok(()) = tokio::signal::ctrl_c() => Err(Stop::Interrupted),
        result = work => result.map_err(Stop::Failed),
    }
}

/// Why work on many ended early.
#[derive(Debug)]
pub(crate) enum Stop {
    Failed(Error),
    Interrupted,
}

impl Stop {
    /// What happened, and what to do about it.
    pub(crate) fn explain(&self, shop: &Shop) -> anyhow::Error {
        match self {
            Self::Failed(error) => shop.explain(error),
            Self::Interrupted => failure(
                Exit::Interrupted,
                "interrupted; the request that was on its way may be carried out all the same",
            ),
        }
    }
}
