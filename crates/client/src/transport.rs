//! Sending one request and getting its answer, whole.

use std::error::Error as StdError;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;

use crate::Error;
use crate::error::RawAnswer;

pub(crate) type Sending = Pin<Box<dyn Future<Output = Result<RawAnswer, Error>> + Send>>;

/// Whatever carries a request to a server.
pub(crate) trait Transport: Send + Sync {
    /// Sends a request. An answer of any status is a success here.
    fn send(&self, request: http::Request<Bytes>) -> Sending;
}

impl Transport for reqwest::Client {
    fn send(&self, request: http::Request<Bytes>) -> Sending {
        let exchange = exchange(self.clone(), request);
        #[cfg(not(target_arch = "wasm32"))]
        return Box::pin(exchange);
        #[cfg(target_arch = "wasm32")]
        return in_browser(exchange);
    }
}

/// What JavaScript fetches stays on its thread; what waits for it may be sent. Not built yet: see the crate's README.
#[cfg(target_arch = "wasm32")]
fn in_browser(exchange: impl Future<Output = Result<RawAnswer, Error>> + 'static) -> Sending {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    wasm_bindgen_futures::spawn_local(async move {
        // Nobody waits any more.
        let _ = sender.send(exchange.await);
    });
    Box::pin(async move { receiver.await.unwrap_or_else(|gone| Err(Error::interrupted(gone))) })
}

async fn exchange(http: reqwest::Client, request: http::Request<Bytes>) -> Result<RawAnswer, Error> {
    let request = reqwest::Request::try_from(request).map_err(|error| explain(error.without_url()))?;
    let response = http.execute(request).await.map_err(|error| explain(error.without_url()))?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.bytes().await.map_err(|error| explain(error.without_url()))?;
    Ok(RawAnswer { status, headers, body })
}

fn explain(error: reqwest::Error) -> Error {
    let timed_out = error.is_timeout();
    if error.is_builder() {
        let reason = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        Error::invalid_request(format!("the request cannot be sent: {reason}"))
    } else if is_connect(&error) {
        Error::connect(error, timed_out)
    } else if timed_out {
        Error::timeout(error)
    } else {
        Error::interrupted(error)
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn is_connect(error: &reqwest::Error) -> bool {
    error.is_connect()
}

/// A browser does not say how far it came.
#[cfg(target_arch = "wasm32")]
fn is_connect(_error: &reqwest::Error) -> bool {
    false
}

/// How long to wait for the parts of an exchange.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    pub(crate) connect: Duration,
    pub(crate) read: Duration,
}

/// The HTTP client to use unless the user brings one.
pub(crate) fn http_client(
    timeouts: Timeouts,
    https: bool,
    configure: Option<&(dyn Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send)>,
) -> Result<reqwest::Client, Error> {
    let mut builder = set_up(reqwest::Client::builder(), timeouts, https)?;
    if let Some(configure) = configure {
        builder = configure(builder);
    }
    builder.build().map_err(|error| Error::invalid_request(format!("there can be no HTTP client: {error}")))
}

/// Connections, redirects and TLS are the browser's own.
#[cfg(target_arch = "wasm32")]
fn set_up(
    builder: reqwest::ClientBuilder,
    _timeouts: Timeouts,
    _https: bool,
) -> Result<reqwest::ClientBuilder, Error> {
    Ok(builder)
}

#[cfg(not(target_arch = "wasm32"))]
fn set_up(
    builder: reqwest::ClientBuilder,
    timeouts: Timeouts,
    https: bool,
) -> Result<reqwest::ClientBuilder, Error> {
    let builder = builder
        // The API never redirects; following one would carry the credentials to wherever it points.
        .redirect(reqwest::redirect::Policy::none())
        // Node closes a connection that was idle for five seconds. A request that meets this half-way may have been carried
        // out, for all we know; better to open a new connection before.
        .pool_idle_timeout(Duration::from_secs(4))
        .connect_timeout(timeouts.connect)
        .read_timeout(timeouts.read);
    tls(builder, https)
}

/// With a provider of its own: the process may have none, or one that is not meant for this.
#[cfg(all(feature = "rustls", not(target_arch = "wasm32")))]
fn tls(builder: reqwest::ClientBuilder, _https: bool) -> Result<reqwest::ClientBuilder, Error> {
    use std::sync::Arc;

    use rustls_platform_verifier::BuilderVerifierExt;

    let unusable = |error: rustls::Error| Error::invalid_request(format!("TLS cannot be set up: {error}"));
    let config =
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_platform_verifier()
            .map_err(unusable)?
            .with_no_client_auth();
    Ok(builder.tls_backend_preconfigured(config))
}

#[cfg(all(feature = "native-tls", not(feature = "rustls"), not(target_arch = "wasm32")))]
fn tls(builder: reqwest::ClientBuilder, _https: bool) -> Result<reqwest::ClientBuilder, Error> {
    Ok(builder.tls_backend_native())
}

#[cfg(not(any(feature = "rustls", feature = "native-tls", target_arch = "wasm32")))]
fn tls(builder: reqwest::ClientBuilder, https: bool) -> Result<reqwest::ClientBuilder, Error> {
    if https {
        return Err(Error::invalid_request(
            "https needs the feature rustls or native-tls, or an HTTP client of your own",
        ));
    }
    Ok(builder)
}
