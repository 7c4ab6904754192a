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
        let closed = Router::new()
            .route("/health", get(health::health).options(health::options))
            .fallback(starting)
            .layer(from_fn(async |request: Request, next: Next| {
                observe::request(request, async |request| next.run(request).await).await
            }));
        Self { open: Arc::default(), closed }
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
