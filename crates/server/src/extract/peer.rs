//! Who is at the other end of the connection, and how the request came to it.

use std::net::{IpAddr, SocketAddr};

use http::request::Parts;
use http::{Extensions, HeaderMap};

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

/// The address of the client: of the connection's other end, or, as far as those are trusted that pass requests on, the
/// one that they say it is.
pub(crate) fn client_address(app: &App, extensions: &Extensions, headers: &HeaderMap) -> Option<IpAddr> {
    let Peer(peer) = extensions.get::<Peer>()?;
    let trust = &app.config().trust_proxy;
    let mut address = peer.ip().to_canonical();
    // Only as far as a trusted hop can be read: what is left of it may be anybody's words, in whatever bytes.
    let fields = headers.get_all("x-forwarded-for").iter().rev();
    for hop in fields.flat_map(|field| field.as_bytes().rsplit(|byte| *byte == b',')) {
        let Some(hop) = trust.trusts(address).then(|| forwarded(hop)).flatten() else { break };
        address = hop.to_canonical();
    }
    Some(address)
}

/// An address as proxies write it: bare, or with a port, or in brackets.
fn forwarded(text: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(text.trim_ascii()).ok()?;
    let address = || text.parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    address().or_else(with_port).or_else(bracketed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_proxies_write_it() {
        for (text, address) in [
            ("192.0.2.1", Some("192.0.2.1")),
            ("192.0.2.1:4711", Some("192.0.2.1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("[2001:db8::1]:4711", Some("2001:db8::1")),
            (" 192.0.2.1\t", Some("192.0.2.1")),
            ("unknown", None),
            ("\u{e9}", None),
            ("", None),
        ] {
            assert_eq!(forwarded(text.as_bytes()), address.map(|address| address.parse().unwrap()), "{text}");
        }
    }
}
