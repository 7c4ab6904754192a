//! Passwords, derived away from the threads that serve.

use stheno_auth::password::{self, Cost, Verified};

use crate::app::App;
use crate::error::ApiError;

/// A container for a new password.
pub(crate) async fn hash(app: &App, password: String) -> Result<String, ApiError> {
    derive(app, move || password::hash(&password, Cost::STANDARD))
        .await?
        .map_err(|_| ApiError::Internal("the system gave no random numbers"))
}

/// Whether a password is the one in the container. It takes as long where there is none.
pub(crate) async fn verify(
    app: &App,
    password: String,
    container: Option<String>,
) -> Result<Verified, ApiError> {
    let verified =
        derive(app, move || password::verify(&password, container.as_deref(), Cost::STANDARD)).await?;
    Ok(verified.unwrap_or_else(|error| {
        tracing::warn!(%error, "a stored password cannot be read");
        Verified::Mismatch
    }))
}

/// Does work that takes a core for a while, as many at once as there are cores.
async fn derive<T: Send + 'static>(
    app: &App,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    let permit = app.deriving().acquire_owned().await.map_err(|_| ApiError::Internal("shutting down"))?;
    let work = move || {
        let _permit = permit;
        work()
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| ApiError::Internal("deriving a key failed"))
}
