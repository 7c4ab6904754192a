//! `GET /metrics`

use axum::extract::{Request, State};
use axum::response::Response;

use crate::app::App;
use crate::error::ApiError;
use crate::extract::let_in;
use crate::metrics;
use crate::openapi::Refused;

/// Shows what the server counts and measures, for Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    tag = "Server",
    responses(
        (
            status = 200,
            body = String,
            content_type = "application/openmetrics-text",
            description = "The metrics, in the text format of OpenMetrics.",
        ),
        Refused
    ),
)]
pub(crate) async fn handler(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    // No call that waits for its turn: they are wanted most when there is much to do.
    let_in(&app, request.headers(), request.extensions()).await?;
    metrics::show(&app).await
}
