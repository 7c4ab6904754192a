//! Passwords, derived away from the threads that serve.

use stheno_auth::password::{self, Cost, Verified};
use tokio::sync::OwnedSemaphorePermit;

use crate::app::App;
use crate::error::ApiError;

/// A turn at deriving keys, which takes a core and 32 MiB for a while: there are as many at once as there are cores.
#[derive(Debug)]
pub(crate) struct Turn {
    _permit: OwnedSemaphorePermit,
}

impl Turn {
    pub(crate) async fn begin(app: &App) -> Result<Self, ApiError> {
        let permit = app.deriving().acquire_owned().await;
        permit.map(|permit| Self { _permit: permit }).map_err(|_| ApiError::Internal("shutting down"))
    }
}

/// A container for a new password.
pub(crate) async fn hash(turn: Turn, password: String) -> Result<String, ApiError> {
    derive(turn, move || password::hash(&password, Cost::STANDARD))
        .await?
        .map_err(|_| ApiError::Internal("the system gave no random numbers"))
}

/// Whether a password is the one in the container. It takes as long where there is none.
pub(crate) async fn verify(
    turn: Turn,
    password: String,
    container: Option<String>,
) -> Result<Verified, ApiError> {
    let verified =
        derive(turn, move || password::verify(&password, container.as_deref(), Cost::STANDARD)).await?;
    Ok(verified.unwrap_or_else(|error| {
        tracing::warn!(%error, "a stored password cannot be read");
        Verified::Mismatch
    }))
}

/// Does work that takes a core for a while.
async fn derive<T: Send + 'static>(
    turn: Turn,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    let work = move || {
        // Also if the caller has gone: the core is taken until it is done.
        let _turn = turn;
        work()
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| ApiError::Internal("deriving a key failed"))
}
