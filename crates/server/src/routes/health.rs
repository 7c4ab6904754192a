//! `GET /health` and `GET /ready`: for load balancers and supervisors.

use axum::extract::State;

use crate::app::App;
use crate::error::ApiError;

/// `GET /health`: the process lives.
pub(crate) async fn health() -> axum::response::Html<&'static str> {
    axum::response::Html("OK")
}

/// `GET /ready`: the store answers.
pub(crate) async fn ready(State(app): State<App>) -> Result<&'static str, ApiError> {
    app.store().ping().await?;
    Ok("OK")
}
