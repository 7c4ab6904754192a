//! From a URL to its endpoint.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::options;
use http::Uri;
use http::uri::PathAndQuery;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::error::ApiError;
use crate::extract::let_in;
use crate::openapi::introduction;
use crate::routes::admin::{auth, customer_groups, customers};
use crate::routes::{self, docs, health};
use crate::{answer, cors, limits, metrics, observe, position};

/// All endpoints, with what is done around each of them.
pub fn router(app: App) -> Router {
    router_with(app, Router::new())
}

/// The same, with further routes among the endpoints.
pub fn router_with(app: App, further: Router<App>) -> Router {
    let endpoints = if app.config().docs { endpoints().merge(docs()) } else { endpoints() };
    further
        .merge(Router::from(endpoints))
        .route("/health", options(health::options))
        .route("/ready", options(health::options))
        .fallback(no_route)
        .method_not_allowed_fallback(no_route)
        .layer(from_fn_with_state(app.clone(), around))
        .with_state(app)
}

/// What is done around every endpoint, from the outside in. One layer, because each costs two allocations and a clone of
/// all that is within.
async fn around(State(app): State<App>, request: Request, next: Next) -> Response {
    let app = &app;
    let routed = async |request| next.run(request).await;
    let told = async |request| position::tell(request, routed).await;
    let fresh = async |request| answer::not_modified(request, told).await;
    let limited = async |request| limits::calls(app, request, fresh).await;
    let shared = async |request| cors::admin(app, request, limited).await;
    let measured = async |request| metrics::request(app, request, shared).await;
    let observed = async |request| observe::request(request, measured).await;
    #[cfg(feature = "otlp")]
    let observed = async |request| crate::traces::request(request, observed).await;
    limits::busy(app, request, observed).await
}

/// The endpoints, each with its description.
pub(crate) fn endpoints() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(introduction())
        .routes(routes!(customer_groups::list::handler, customer_groups::create::handler))
        .routes(routes!(
            customer_groups::retrieve::handler,
            customer_groups::update::handler,
            customer_groups::delete::handler
        ))
        .routes(routes!(customer_groups::list_customers::handler))
        .routes(routes!(customer_groups::add_customers::handler, customer_groups::remove_customers::handler))
        .routes(routes!(customers::list::handler, customers::create::handler))
        .routes(routes!(customers::retrieve::handler, customers::update::handler))
        .routes(routes!(
            auth::get_session::handler,
            auth::create_session::handler,
            auth::delete_session::handler
        ))
        .routes(routes!(auth::get_token::handler))
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .routes(routes!(routes::metrics::handler))
}

/// The endpoints of the API's description, which describe themselves as well.
pub(crate) fn docs() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(docs::document))
        .routes(routes!(docs::page))
        .routes(routes!(docs::file))
}

/// Whether a path is one of the admin API.
pub(crate) fn is_admin(path: &str) -> bool {
    path == "/admin" || path.starts_with("/admin/")
}

/// What is not there is only said to those who may know.
async fn no_route(State(app): State<App>, request: Request) -> ApiError {
    let path = request.uri().path();
    if is_admin(path)
        && let Err(error) = let_in(&app, request.headers(), request.extensions()).await
    {
        return error;
    }
    ApiError::NotFound(format!("Cannot {} {path}", request.method()))
}

/// Takes a path as Express does: the words of the routes in any case, and, below `/admin`, slashes that double or
/// trail left out. What is not changed is not copied.
pub(crate) fn normalise_path<B>(mut request: http::Request<B>) -> http::Request<B> {
    if let Some(path) = normalised(request.uri().path())
        && let Some(uri) = with_path(request.uri(), path)
    {
        *request.uri_mut() = uri;
    }
    request
}

/// The words of the routes, by their place in the path.
const WORDS: [&[&str]; 5] = [
    &["admin", "docs", "health", "metrics", "openapi.json", "ready"],
    &["auth", "customer-groups", "customers"],
    &["token"],
    &["customers"],
    &["batch"],
];

fn normalised(path: &str) -> Option<String> {
    let mut segments = path.strip_prefix('/')?.split('/');
    let first = segments.next()?;
    let mut text = String::with_capacity(path.len());
    for (place, segment) in
        std::iter::once(first).chain(segments.filter(|segment| !segment.is_empty())).enumerate()
    {
        // Below customer groups and customers the third place is an id, which is left alone.
        let words = match (place, text.as_str()) {
            (2, "/admin/auth") => WORDS[2],
            (2, _) => &[],
            _ => WORDS.get(place).copied().unwrap_or_default(),
        };
        let word = words.iter().find(|word| word.eq_ignore_ascii_case(segment));
        text.push('/');
        text.push_str(word.unwrap_or(&segment));
    }
    (text != path).then_some(text)
}

fn with_path(uri: &Uri, mut path: String) -> Option<Uri> {
    if let Some(query) = uri.query() {
        path.push('?');
        path.push_str(query);
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_as_express_takes_them() {
        for (path, expected) in [
            ("/admin/customer-groups", None),
            ("/Admin/Customer-Groups", Some("/admin/customer-groups")),
            ("/admin//customer-groups", Some("/admin/customer-groups")),
            ("/admin/customer-groups/", Some("/admin/customer-groups")),
            (
                "/admin/customer-groups/cgrp_A/Customers/BATCH/",
                Some("/admin/customer-groups/cgrp_A/customers/batch"),
            ),
            ("/admin/customer-groups/BATCH", None),
            ("/admin/customer-groups//customers", Some("/admin/customer-groups/customers")),
            ("/ADMIN/auth/TOKEN", Some("/admin/auth/token")),
            ("//admin/auth", None),
            ("/Health/", Some("/health")),
            ("/", None),
            ("*", None),
        ] {
            assert_eq!(normalised(path).as_deref(), expected, "{path}");
        }
    }
}
