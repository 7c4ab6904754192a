//! `GET /health` and `GET /ready`: for load balancers and supervisors.

use axum::extract::State;
use axum::response::{Html, IntoResponse};
use http::header::ALLOW;

use crate::app::App;
use crate::error::ApiError;
use crate::openapi::NotReady;

/// Says that the process lives.
#[utoipa::path(
    get,
    path = "/health",
    operation_id = "health",
    tag = "Server",
    security(()),
    responses(
        (status = 200, body = String, content_type = "text/html", description = "It does.", example = "OK")
    ),
)]
pub(crate) async fn health() -> Html<&'static str> {
    Html("OK")
}

/// Says that the database answers.
#[utoipa::path(
    get,
    path = "/ready",
    operation_id = "ready",
    tag = "Server",
    security(()),
    responses((status = 200, body = String, description = "It does.", example = "OK"), NotReady),
)]
pub(crate) async fn ready(State(app): State<App>) -> Result<&'static str, ApiError> {
    app.store().ping().await?;
    Ok("OK")
}

/// `OPTIONS` of both, as Express answers it.
pub(crate) async fn options() -> impl IntoResponse {
    const METHODS: &str = "GET,HEAD";
    ([(ALLOW, METHODS)], Html(METHODS))
}
