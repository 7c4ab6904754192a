//! The limit: a route of the same server, behind the same layers, that answers a constant.

use std::net::{SocketAddr, TcpListener};

use axum::Router;
use axum::routing::get;
use http::header::CONTENT_TYPE;
use stheno_auth::secret::{Secret, SigningKeys};
use stheno_server::{App, Config, Secrets, router_with, serve_router};
use stheno_store::{Store, StoreOptions};

/// Serves at `address` until it is ended: at `/static` an answer of so many bytes.
pub(crate) async fn serve(address: SocketAddr, size: usize) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite:{}", folder.path().join("empty.db").display());
    let store = Store::open(&url, StoreOptions::default()).await?;
    let keys = SigningKeys::from(Secret::generate()?);
    let config = Config::default();
    let app = App::new(store, Secrets { jwt: keys.clone().into(), cookie: keys.into() }, config.clone());
    let filling = size.saturating_sub(r#"{"constant":""}"#.len());
    let constant = axum::body::Bytes::from(format!(r#"{{"constant":"{}"}}"#, "x".repeat(filling)));
    let further = Router::new().route(
        "/static",
        get(async move || ([(CONTENT_TYPE, "application/json; charset=utf-8")], constant.clone())),
    );
    let listener = TcpListener::bind(address)?;
    serve_router(listener, router_with(app, further), config, std::future::pending()).await?;
    Ok(())
}
