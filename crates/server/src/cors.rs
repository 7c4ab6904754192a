//! Which pages may call the admin API: CORS as Medusa answers it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_HEADERS, CONTENT_LENGTH, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use regex::Regex;

use crate::app::App;
use crate::config::SettingError;
use crate::router::is_admin;

const METHODS: HeaderValue = HeaderValue::from_static("GET,HEAD,PUT,PATCH,POST,DELETE");

/// Origins whose pages may call the admin API, as Medusa reads `ADMIN_CORS`: a list with commas of origins such as
/// `https://admin.example.com`, compared exactly, and of regular expressions between slashes.
#[derive(Debug, Clone, Default)]
pub struct AdminCors {
    text: String,
    origins: Arc<[Origin]>,
}

#[derive(Debug)]
enum Origin {
    Exactly(String),
    Matching(Regex),
}

impl AdminCors {
    fn allows(&self, origin: &str) -> bool {
        self.origins.iter().any(|allowed| match allowed {
            Origin::Exactly(text) => text == origin,
            Origin::Matching(pattern) => pattern.is_match(origin),
        })
    }
}

impl AdminCors {
    /// Whether the page that a request says it comes from is one of these.
    pub(crate) fn allows_origin_of(&self, headers: &HeaderMap) -> bool {
        let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
        origin.is_some_and(|origin| self.allows(origin))
    }
}

impl FromStr for AdminCors {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let origins =
            text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(|entry| {
                match entry.strip_prefix('/').and_then(|rest| rest.rsplit_once('/')) {
                    Some((pattern, flags)) => {
                        let pattern =
                            if flags.contains('i') { format!("(?i){pattern}") } else { pattern.to_owned() };
                        Regex::new(&pattern).map(Origin::Matching).map_err(|error| {
                            let reason = error.to_string();
                            let reason =
                                reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
                            SettingError::new(format!("{entry} is no regular expression: {reason}"))
                        })
                    }
                    None => Ok(Origin::Exactly(entry.to_owned())),
                }
            });
        Ok(Self { text: text.to_owned(), origins: origins.collect::<Result<_, _>>()? })
    }
}

impl fmt::Display for AdminCors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// Answers preflights, and adds the headers to every other answer under `/admin`.
pub(crate) async fn admin(
    app: &App,
    request: Request,
    next: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    if !is_admin(request.uri().path()) {
        return next(request).await;
    }
    let allowed = request
        .headers()
        .get(ORIGIN)
        .filter(|origin| origin.to_str().is_ok_and(|origin| app.config().admin_cors.allows(origin)));
    let allowed = allowed.cloned();
    let mut response = if request.method() == Method::OPTIONS {
        preflight(request.headers())
    } else {
        let mut response = next(request).await;
        response.headers_mut().append(VARY, HeaderValue::from_static("Origin"));
        response
    };
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    if let Some(origin) = allowed {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    response
}

fn preflight(request: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("Origin, Access-Control-Request-Headers"));
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    if let Some(asked) = request.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_compare_exactly_or_by_their_expression() {
        let cors: AdminCors = r"http://localhost:7001, /https:\/\/.*\.example\.com$/i".parse().unwrap();
        for (origin, allowed) in [
            ("http://localhost:7001", true),
            ("http://LOCALHOST:7001", false),
            ("http://localhost:70011", false),
            ("https://shop.example.com", true),
            ("https://SHOP.example.com", true),
            ("https://shop.example.com.evil.test", false),
        ] {
            assert_eq!(cors.allows(origin), allowed, "{origin}");
        }
        assert!("/(/".parse::<AdminCors>().is_err());
        assert!(!AdminCors::default().allows("http://localhost:7001"));
    }
}
