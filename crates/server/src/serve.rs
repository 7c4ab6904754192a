//! Connections: accepted, served, and brought to an end.

use std::future::Future;
use std::io;
use std::net::TcpListener;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::Request;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt as _;

use crate::app::App;
use crate::config::Config;
use crate::entrance::Entrance;
use crate::extract::Peer;
use crate::router::{normalise_path, router};

/// The largest head of a request, in bytes: its URL, which holds the query, and its headers, of which there may be 100.
const HEAD_LIMIT: usize = 64 * 1024;

/// Serves `app` on `listener` until `shutdown` is done. Requests in flight then have some time to finish.
///
/// # Errors
/// If the listener cannot be used.
pub async fn serve(listener: TcpListener, app: App, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let config = app.config().clone();
    let served = serve_router(listener, router(app.clone()), config, shutdown).await;
    app.flush().await;
    served
}

/// Serves a router, made with [`router_with`](crate::router::router_with), as [`serve`] does.
///
/// # Errors
/// If the listener cannot be used.
pub async fn serve_router(
    listener: TcpListener,
    router: Router,
    config: Config,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    serve_entrance(listener, Entrance::to(router), config, shutdown).await
}

/// Serves whatever is behind an entrance, as [`serve`] does.
///
/// # Errors
/// If the listener cannot be used.
pub async fn serve_entrance(
    listener: TcpListener,
    entrance: Entrance,
    config: Config,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = Arc::new(tokio::net::TcpListener::from_std(listener)?);
    let (stop, stopped) = watch::channel(false);
    let shutdown_timeout = config.shutdown_timeout;
    let service = Service::new(entrance, config);
    let mut loops = JoinSet::new();
    for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
        loops.spawn(accept(Arc::clone(&listener), service.clone(), stopped.clone()));
    }
    shutdown.await;
    // Those who hear nothing any more have stopped already.
    let _ = stop.send(true);
    drop(listener);
    let finished =
        tokio::time::timeout(shutdown_timeout, async { while loops.join_next().await.is_some() {} });
    if finished.await.is_err() {
        tracing::warn!("some requests were still in flight and have been broken off");
    }
    Ok(())
}

/// What a connection is served with.
#[derive(Clone)]
struct Service {
    entrance: Entrance,
    config: Config,
    builder: Builder,
}

impl Service {
    fn new(entrance: Entrance, config: Config) -> Self {
        let mut builder = Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(config.header_timeout).max_buf_size(HEAD_LIMIT);
        Self { entrance, config, builder }
    }
}

/// Accepts connections until told to stop, then waits for those that are open. Ended early, it breaks them off.
async fn accept(
    listener: Arc<tokio::net::TcpListener>,
    service: Service,
    mut stopped: watch::Receiver<bool>,
) {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut stop = pin!(async { stopped.wait_for(|stopped| *stopped).await.is_ok() });
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(serve_connection(stream, Peer(peer), &service, &graceful));
                }
                Err(error) => {
                    // Out of descriptors, most likely: one that is closed soon makes room.
                    tracing::warn!(%error, "could not accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
            _ = &mut stop => break,
        }
    }
    drop(listener);
    graceful.shutdown().await;
    while connections.join_next().await.is_some() {}
}

fn serve_connection(
    stream: TcpStream,
    peer: Peer,
    service: &Service,
    graceful: &GracefulShutdown,
) -> impl Future<Output = ()> + Send + use<> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "could not turn off Nagle's algorithm");
    }
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(service.config.write_timeout));
    let requests = service.entrance.clone().map_request(move |request: Request<hyper::body::Incoming>| {
        let mut request = normalise_path(request.map(Body::new));
        request.extensions_mut().insert(peer);
        request
    });
    let io = TokioIo::new(Box::pin(stream));
    let connection = service.builder.serve_connection(io, TowerToHyperService::new(requests));
    let connection = graceful.watch(connection);
    async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}
