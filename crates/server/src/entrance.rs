//! Where requests go: to the endpoints, or, as long as there is no store yet, to the answer that says so.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use stheno_store::StoreError;
use tower::Service;

use crate::app::App;
use crate::error::{ApiError, store_answers};
use crate::metrics::metrics_router;
use crate::observe;
use crate::router::router;
use crate::routes::health;

/// Where requests go. Cheap to clone: the clones are one.
#[derive(Debug, Clone)]
pub struct Entrance {
    open: Arc<OnceLock<Router>>,
    closed: Router,
}

impl Entrance {
    /// One behind which there is no app yet: `/health` says that the process lives, all else that it is not available.
    pub fn closed() -> Self {
        Self::closed_but_for(Router::new().route("/health", get(health::health).options(health::options)))
    }

    /// One to the metrics, as [`metrics_router`] has them, behind which there is no app yet: all is not available.
    pub fn closed_to_metrics() -> Self {
        Self::closed_but_for(Router::new())
    }

    fn closed_but_for(endpoints: Router) -> Self {
        Self { open: Arc::default(), closed: endpoints.fallback(starting).layer(from_fn(observed)) }
    }

    /// One to these endpoints.
    pub(crate) fn to(router: Router) -> Self {
        Self { open: Arc::new(OnceLock::from(router)), closed: Router::new() }
    }

    /// Lets the app answer from now on, also on the connections that are there. It stays the first one.
    pub fn open(&self, app: App) {
        // Whoever opened the app has said so.
        store_answers();
        self.open.get_or_init(|| router(app));
    }

    /// The same, to the metrics alone.
    pub fn open_to_metrics(&self, app: App) {
        self.open.get_or_init(|| metrics_router(app));
    }
}

async fn observed(request: Request, next: Next) -> Response {
    observe::request(request, async |request| next.run(request).await).await
}

async fn starting() -> ApiError {
    let reason = "it is starting, and waits for its database";
    ApiError::Store(StoreError::Unavailable { reason, source: None })
}

impl Service<Request<Body>> for Entrance {
    type Response = Response;
    type Error = Infallible;
    type Future = <Router as Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.open.get().unwrap_or(&self.closed).clone().call(request)
    }
}
