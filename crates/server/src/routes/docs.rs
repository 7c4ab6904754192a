//! `GET /openapi.json`, the API's description, and `GET /docs`, a page to read and try it. Neither needs anything from
//! outside, nor a credential: they hold no secrets.

use std::sync::{Arc, LazyLock};

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use utoipa_swagger_ui::Config;

use crate::answer::JSON;
use crate::error::ApiError;
use crate::openapi;

/// Where the page is. It lies in a folder, since it names its files relative to itself.
const PAGE: &str = "/docs/index.html";

/// What the page may load: its own files, and the pictures in its styles.
const POLICY: &str =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

/// Describes the API: this document, OpenAPI 3.1.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "openapi",
    tag = "Server",
    security(()),
    responses((status = 200, body = Object, description = "The document.")),
)]
pub(crate) async fn document() -> impl IntoResponse {
    ([(CONTENT_TYPE, JSON)], openapi::document())
}

/// Leads to the page to read and try the API.
#[utoipa::path(
    get,
    path = "/docs",
    operation_id = "docs",
    tag = "Server",
    security(()),
    responses((status = 303, description = "To the page.", headers(("Location" = String)))),
)]
pub(crate) async fn page() -> Redirect {
    Redirect::to(PAGE)
}

/// Serves the page and its files.
#[utoipa::path(
    get,
    path = "/docs/{file}",
    operation_id = "docs_file",
    tag = "Server",
    security(()),
    params(("file" = String, Path, description = "The name of the file.", example = "index.html")),
    responses(
        (
            status = 200,
            description = "The file.",
            content((String = "text/html"), (String = "text/css"), (String = "text/javascript"), (String = "image/png"))
        ),
        (status = 404, body = stheno_api_types::ErrorBody, description = "There is no such file."),
    ),
)]
pub(crate) async fn file(Path(name): Path<String>) -> Result<Response, ApiError> {
    static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
        let config = Config::from("../openapi.json").use_base_layout().validator_url("none");
        Arc::new(config.display_request_duration(true).filter(true))
    });
    match utoipa_swagger_ui::serve(&name, Arc::clone(&CONFIG)) {
        Ok(Some(file)) => {
            let headers = [(CONTENT_TYPE, file.content_type), (CONTENT_SECURITY_POLICY, POLICY.to_owned())];
            Ok((headers, file.bytes.into_owned()).into_response())
        }
        Ok(None) => Err(ApiError::NotFound(format!("Cannot GET /docs/{name}"))),
        Err(_) => Err(ApiError::Internal("a file of the page cannot be made")),
    }
}
