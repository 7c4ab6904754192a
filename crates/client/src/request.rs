//! From a typed call to an HTTP request. Nothing in here talks to anyone.

use std::fmt;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::Error;
use crate::query::Query;

/// The header that carries a user's API token.
pub(crate) const API_TOKEN: HeaderName = HeaderName::from_static("x-medusa-access-token");
/// The header that marks repetitions of one write.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The header by which an answer and the server's log are brought together.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const AGENT: HeaderValue = HeaderValue::from_static(concat!("stheno-client/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// All that RFC 3986 calls unreserved may stand in a path as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A request without what belongs to the client: its address, headers and credentials.
#[derive(Clone)]
pub struct Draft {
    pub(crate) method: Method,
    pub(crate) path: Path,
    pub(crate) query: Query,
    pub(crate) body: Option<Bytes>,
}

impl Draft {
    pub(crate) fn new(method: Method, path: Path) -> Self {
        Self { method, path, query: Query::default(), body: None }
    }

    pub(crate) fn query(self, query: &Query) -> Self {
        Self { query: query.clone(), ..self }
    }

    pub(crate) fn json(self, body: &impl Serialize) -> Result<Self, Error> {
        let body = serde_json::to_vec(body).map_err(|error| {
            Error::invalid_request(format!("the body cannot be written as JSON: {error}"))
        })?;
        Ok(Self { body: Some(body.into()), ..self })
    }

    /// The request, with the headers given last winning over those that every request has.
    pub(crate) fn assemble(
        &self,
        base: &BaseUrl,
        headers: &HeaderMap,
    ) -> Result<http::Request<Bytes>, Error> {
        let mut target = format!("{}{}", base.0, self.path.0);
        let query = self.query.write()?;
        if !query.is_empty() {
            target.push(if target.contains('?') { '&' } else { '?' });
            target.push_str(&query);
        }
        let uri = Uri::try_from(target)
            .map_err(|error| Error::invalid_request(format!("the address cannot be written: {error}")))?;

        let mut request = http::Request::new(self.body.clone().unwrap_or_default());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = uri;
        let all = request.headers_mut();
        all.insert(ACCEPT, JSON);
        all.insert(USER_AGENT, AGENT);
        if self.body.is_some() {
            all.insert(CONTENT_TYPE, JSON);
        }
        for (name, value) in headers {
            all.insert(name, value.clone());
        }
        Ok(request)
    }
}

/// Without the body, which may hold a password.
impl fmt::Debug for Draft {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Draft")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// A path that is safe to send: every id in it is one segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path(String);

impl Path {
    pub(crate) fn new(path: &str) -> Self {
        Self(path.to_owned())
    }

    /// Adds an id. Without the check, `delete("..")` would be a request for quite another resource.
    pub(crate) fn id(mut self, id: &str) -> Result<Self, Error> {
        if matches!(id, "" | "." | "..") {
            return Err(Error::invalid_request(format!("`{id}` cannot be an id")));
        }
        self.0.push('/');
        self.0.extend(utf8_percent_encode(id, ESCAPED));
        Ok(self)
    }

    pub(crate) fn then(mut self, path: &str) -> Self {
        self.0.push_str(path);
        self
    }
}

/// Where the server is: scheme, host, port, and perhaps a path that all others are under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BaseUrl(String);

impl BaseUrl {
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let invalid = |reason: &str| Error::invalid_request(format!("the server's address {reason}"));
        let uri: Uri = text.trim().parse().map_err(|_| invalid("is not a URL"))?;
        let authority = uri
            .authority()
            .ok_or_else(|| invalid("needs a scheme and a host, as in https://shop.example"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(invalid("must begin with http:// or https://"));
        }
        if authority.as_str().contains('@') {
            return Err(invalid("must not hold a user name; give credentials to the builder"));
        }
        if uri.query().is_some() {
            return Err(invalid("must not hold a query"));
        }
        // The parser cuts it off, and what is cut off would be missed: all paths would come after it.
        if text.contains('#') {
            return Err(invalid("must not hold a `#`: give the server's address, not that of a page"));
        }
        Ok(Self(text.trim().trim_end_matches('/').to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_https(&self) -> bool {
        self.0.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> Result<String, String> {
        BaseUrl::parse(text).map(|base| base.0).map_err(|error| error.to_string())
    }

    #[test]
    fn ids_are_one_segment() {
        let path = Path::new("/admin/customer-groups").id("a b/ç\"<x>?#%2e.").unwrap().then("/customers");
        assert_eq!(path.0, "/admin/customer-groups/a%20b%2F%C3%A7%22%3Cx%3E%3F%23%252e./customers");
        for id in ["", ".", ".."] {
            assert!(Path::new("/admin/customer-groups").id(id).unwrap_err().is_invalid_request());
        }
    }

    #[test]
    fn addresses_are_checked() {
        assert_eq!(base("http://localhost:9000").unwrap(), "http://localhost:9000");
        assert_eq!(base(" https://shop.example/medusa/ ").unwrap(), "https://shop.example/medusa");
        for wrong in [
            "",
            "shop.example",
            "/admin",
            "ftp://shop.example",
            "https://a:b@shop.example",
            "http://x?y=z",
            "https://shop.example/#/login",
        ] {
            assert!(base(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn everything_comes_together() {
        let mut query = Query::default();
        query.set("q", "süß & salzig");
        let draft = Draft::new(Method::POST, Path::new("/admin/x")).query(&query).json(&[1]).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static("shop/1"));
        let request = draft.assemble(&BaseUrl::parse("http://h/base/").unwrap(), &headers).unwrap();
        assert_eq!(request.uri(), "http://h/base/admin/x?q=s%C3%BC%C3%9F%20%26%20salzig");
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.body(), "[1]");
        assert_eq!(request.headers()[USER_AGENT], "shop/1");
        assert_eq!(request.headers()[CONTENT_TYPE], "application/json");
    }
}
