//! Passwords, derived away from the threads that serve.

use stheno_auth::password::{self, Cost, Verified};

use crate::app::App;
use crate::error::ApiError;
use crate::limits::work::Permit;
use crate::metrics::Refusal;

/// Waits for a turn at deriving a key.
pub(crate) async fn turn(app: &App) -> Result<Permit, ApiError> {
    app.deriving().begin().await.inspect_err(|_| app.metrics().refuse(Refusal::Busy))
}

/// A container for a new password.
pub(crate) async fn hash(turn: Permit, password: String) -> Result<String, ApiError> {
    derive(turn, move || password::hash(&password, Cost::STANDARD))
        .await?
        .map_err(|_| ApiError::Internal("the system gave no random numbers"))
}

/// Whether a password is the one in the container. It takes as long where there is none.
pub(crate) async fn verify(
    turn: Permit,
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
    turn: Permit,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    let work = move || {
        // Also if the caller has gone: the core is taken until it is done.
        let _turn = turn;
        work()
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| ApiError::Internal("deriving a key failed"))
}
