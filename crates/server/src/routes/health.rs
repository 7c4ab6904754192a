//! `GET /health` and `GET /ready`: for load balancers and supervisors.

use axum::extract::State;
use axum::response::{Html, IntoResponse};
use http::header::ALLOW;

use crate::app::App;
use crate::error::ApiError;

/// `GET /health`: the process lives.
pub(crate) async fn health() -> Html<&'static str> {
    Html("OK")
}

/// `GET /ready`: the store answers.
pub(crate) async fn ready(State(app): State<App>) -> Result<&'static str, ApiError> {
    app.store().ping().await?;
    Ok("OK")
}

/// `OPTIONS` of both, as Express answers it.
pub(crate) async fn options() -> impl IntoResponse {
    const METHODS: &str = "GET,HEAD";
    ([(ALLOW, METHODS)], Html(METHODS))
}
