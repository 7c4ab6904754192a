//! Who is at the other end of the connection, and how the request came to it.

use std::net::SocketAddr;

use http::request::Parts;

use crate::app::App;

/// The address of the connection's other end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Whether the client came over https, as a trusted proxy says.
pub(crate) fn is_secure(app: &App, head: &Parts) -> bool {
    let Some(Peer(address)) = head.extensions.get::<Peer>() else {
        return false;
    };
    if !app.config().trust_proxy.trusts(address.ip()) {
        return false;
    }
    let forwarded = head.headers.get("x-forwarded-proto").and_then(|value| value.to_str().ok());
    let first = forwarded.and_then(|value| value.split(',').next());
    first.is_some_and(|protocol| protocol.trim().eq_ignore_ascii_case("https"))
}
