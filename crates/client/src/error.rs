use std::error::Error as StdError;
use std::fmt;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderMap, StatusCode};
use stheno_api_types::{ErrorBody, ErrorType};

use crate::request::REQUEST_ID;

/// Why a call failed.
///
/// There is one error type for all calls. Ask it what it is ([`is_not_found`](Self::is_not_found),
/// [`is_duplicate`](Self::is_duplicate), …); whatever the server answered stays at hand
/// ([`status`](Self::status), [`message`](Self::message), [`body`](Self::body), …), also when it was not what it should
/// be. Printed with `{}` or `{:?}`, it is one line with all that matters, the innermost cause included; so `main` may return
/// it. `{:#?}` shows all parts.
///
/// ```
/// # async fn example(groups: stheno_client::CustomerGroups) -> Result<(), stheno_client::Error> {
/// match groups.create("VIP").await {
///     Ok(group) => println!("made {}", group.id),
///     Err(error) if error.is_duplicate() => println!("there is one already"),
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: Kind,
    /// Method and address, without the query.
    call: Option<String>,
    answer: Option<RawAnswer>,
    source: Option<Box<dyn StdError + Send + Sync>>,
    attempts: u32,
    outcome_unknown: bool,
}

#[derive(Debug)]
enum Kind {
    InvalidRequest(String),
    Connect {
        timed_out: bool,
    },
    Timeout,
    Interrupted,
    Status,
    /// `secret`: the body may hold a token.
    Decode {
        secret: bool,
    },
    NotFound(String),
    NoSession,
}

/// An answer before anyone has made sense of its body.
#[derive(Clone, Debug)]
pub(crate) struct RawAnswer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl RawAnswer {
    pub(crate) fn request_id(&self) -> Option<&str> {
        self.headers.get(REQUEST_ID).and_then(|value| value.to_str().ok())
    }

    fn content_type(&self) -> &str {
        self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn error_body(&self) -> Option<ErrorBody> {
        serde_json::from_slice(&self.body).ok()
    }
}

impl Error {
    fn new(kind: Kind) -> Self {
        Self(Box::new(Inner {
            kind,
            call: None,
            answer: None,
            source: None,
            attempts: 1,
            outcome_unknown: false,
        }))
    }

    /// The request cannot be sent as it is.
    pub(crate) fn invalid_request(reason: impl Into<String>) -> Self {
        Self::new(Kind::InvalidRequest(reason.into()))
    }

    /// No connection came about, so nothing was sent.
    pub(crate) fn connect(source: impl Into<Box<dyn StdError + Send + Sync>>, timed_out: bool) -> Self {
        Self::new(Kind::Connect { timed_out }).with_source(source)
    }

    /// Time ran out.
    pub(crate) fn timeout(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Kind::Timeout).with_source(source)
    }

    /// The connection failed after something may have been sent.
    pub(crate) fn interrupted(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Kind::Interrupted).with_source(source)
    }

    /// The server answered with anything but success.
    pub(crate) fn refused(answer: RawAnswer) -> Self {
        Self::new(Kind::Status).with_answer(answer)
    }

    /// The server answered with success and a body that makes no sense. If it may hold a token, nothing of it is shown.
    pub(crate) fn decode(source: serde_json::Error, answer: RawAnswer, secret: bool) -> Self {
        let error = Self::new(Kind::Decode { secret }).with_answer(answer);
        if !secret {
            return error.with_source(source);
        }
        // What it says may quote the body.
        error.with_source(format!("not as expected at line {} column {}", source.line(), source.column()))
    }

    /// The server answered with success, and what it answered means that there is no such record.
    pub(crate) fn not_found(message: String, answer: RawAnswer) -> Self {
        Self::new(Kind::NotFound(message)).with_answer(answer)
    }

    /// The server logged someone in and sent no cookie.
    pub(crate) fn no_session(answer: RawAnswer) -> Self {
        Self::new(Kind::NoSession).with_answer(answer)
    }

    fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    fn with_answer(mut self, answer: RawAnswer) -> Self {
        self.0.answer = Some(answer);
        self
    }

    pub(crate) fn with_call(mut self, call: String) -> Self {
        self.0.call.get_or_insert(call);
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32, outcome_unknown: bool) -> Self {
        self.0.attempts = attempts;
        self.0.outcome_unknown = outcome_unknown;
        self
    }

    /// The status of the answer, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        self.answer().map(|answer| answer.status)
    }

    /// The headers of the answer, if there was one.
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.answer().map(|answer| &answer.headers)
    }

    /// The body of the answer as it came, if there was one.
    pub fn body(&self) -> Option<&Bytes> {
        self.answer().map(|answer| &answer.body)
    }

    /// What the server calls this kind of error, if the answer is one of its own errors.
    pub fn error_type(&self) -> Option<ErrorType> {
        self.error_body().map(|error| error.r#type)
    }

    /// The error's second classification, such as `invalid_request_error`, which some errors carry.
    pub fn code(&self) -> Option<String> {
        self.error_body().and_then(|error| error.code)
    }

    /// What the server has to say: the message of its error, or the text of the page that stands for one.
    pub fn message(&self) -> Option<String> {
        if let Kind::NotFound(message) = &self.0.kind {
            return Some(message.clone());
        }
        let answer = self.answer().filter(|_| matches!(self.0.kind, Kind::Status))?;
        match answer.error_body() {
            Some(error) => Some(error.message),
            None => page_text(answer.content_type(), &String::from_utf8_lossy(&answer.body)),
        }
    }

    /// The id under which the server logged the request (`x-request-id`), if it sent one.
    pub fn request_id(&self) -> Option<&str> {
        self.answer().and_then(RawAnswer::request_id)
    }

    /// How often the request was tried.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Whether there is no such record (`not_found`). A server that does not know the path at all also answers 404, but
    /// not with an error of this type: then the address is wrong, and this is false.
    pub fn is_not_found(&self) -> bool {
        matches!(self.0.kind, Kind::NotFound(_)) || self.error_type() == Some(ErrorType::NotFound)
    }

    /// Whether the name or e-mail address is taken (`duplicate_error`, 422).
    pub fn is_duplicate(&self) -> bool {
        self.error_type() == Some(ErrorType::DuplicateError)
    }

    /// Whether the server refused the request's content (`invalid_data`, 400). The message names all faults.
    pub fn is_validation(&self) -> bool {
        self.error_type() == Some(ErrorType::InvalidData)
    }

    /// Whether the credentials are missing or not valid (401).
    pub fn is_unauthorized(&self) -> bool {
        self.status() == Some(StatusCode::UNAUTHORIZED)
    }

    /// Whether another request got in the way (409).
    pub fn is_conflict(&self) -> bool {
        self.status() == Some(StatusCode::CONFLICT)
    }

    /// Whether the body is larger than the server takes (413); Medusa takes 100 kB.
    pub fn is_too_large(&self) -> bool {
        self.status() == Some(StatusCode::PAYLOAD_TOO_LARGE)
    }

    /// Whether there were too many requests (429).
    pub fn is_rate_limited(&self) -> bool {
        self.status() == Some(StatusCode::TOO_MANY_REQUESTS)
    }

    /// Whether the server failed (500 and above).
    pub fn is_server_error(&self) -> bool {
        self.status().is_some_and(|status| status.is_server_error())
    }

    /// Whether time ran out: for connecting, for the answer, or for the call with all its attempts.
    pub fn is_timeout(&self) -> bool {
        matches!(self.0.kind, Kind::Timeout | Kind::Connect { timed_out: true })
    }

    /// Whether no connection came about. Nothing was sent then.
    pub fn is_connect(&self) -> bool {
        matches!(self.0.kind, Kind::Connect { .. })
    }

    /// Whether the answer is a success, but its body is not what it should be: that of a login page on the way, say, which
    /// carried nothing out. So after a write, [the outcome is unknown](Self::is_outcome_unknown).
    pub fn is_decode(&self) -> bool {
        matches!(self.0.kind, Kind::Decode { .. })
    }

    /// Whether [`create_session`](crate::Auth::create_session) brought no session: e-mail address and password are right,
    /// but no cookie came with the answer, as over plain http.
    pub fn is_session_missing(&self) -> bool {
        matches!(self.0.kind, Kind::NoSession)
    }

    /// Whether the request was refused before it was sent: an id that cannot be one, a header that is none, an address
    /// that makes no sense.
    pub fn is_invalid_request(&self) -> bool {
        matches!(self.0.kind, Kind::InvalidRequest(_))
    }

    /// Whether a write may have been carried out although it ended in this error: the connection broke or time ran out
    /// after it was sent, the server failed on the way, or what answered may not have been the server.
    ///
    /// If a later attempt is refused (413, say), none was carried out, unless it may be refused because an earlier one was:
    /// a `create` that meets its own duplicate.
    ///
    /// Everything but making a record can simply be sent again. After a `create`, look for the record first.
    pub fn is_outcome_unknown(&self) -> bool {
        self.0.outcome_unknown
    }

    pub(crate) fn answer(&self) -> Option<&RawAnswer> {
        self.0.answer.as_ref()
    }

    fn error_body(&self) -> Option<ErrorBody> {
        self.answer().filter(|_| matches!(self.0.kind, Kind::Status)).and_then(RawAnswer::error_body)
    }

    /// The innermost cause: the one that says what happened.
    fn root_cause(&self) -> Option<&(dyn StdError + 'static)> {
        std::iter::successors(self.source(), |&error| error.source()).last()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        if let Some(call) = &inner.call {
            write!(formatter, "{call}: ")?;
        }
        match (&inner.kind, &inner.answer) {
            (Kind::InvalidRequest(reason) | Kind::NotFound(reason), _) => formatter.write_str(reason)?,
            (Kind::Connect { .. }, _) => formatter.write_str("cannot connect")?,
            (Kind::Timeout, _) => formatter.write_str("no answer in time")?,
            (Kind::Interrupted, _) => formatter.write_str("the connection failed")?,
            (Kind::Status, Some(answer)) => self.fmt_status(answer, formatter)?,
            (Kind::NoSession, Some(answer)) => write!(
                formatter,
                "{}, but no session cookie came with it: servers send one only over https, or if a proxy that they trust \
                 says `x-forwarded-proto: https`",
                answer.status
            )?,
            (_, Some(answer)) => {
                write!(formatter, "{}, but the body is not what it should be", answer.status)?;
            }
            (_, None) => formatter.write_str("no answer")?,
        }
        if let Some(cause) = self.root_cause() {
            write!(formatter, ": {}", one_line(&cause.to_string(), 300))?;
        }
        if let (Kind::Decode { secret: false }, Some(answer)) = (&inner.kind, &inner.answer) {
            let start = one_line(&String::from_utf8_lossy(&answer.body), 80);
            write!(formatter, " (it is {} and begins {start:?})", answer.content_type())?;
        }
        if inner.attempts > 1 {
            write!(formatter, ", after {} attempts", inner.attempts)?;
        }
        if inner.outcome_unknown {
            formatter.write_str("; it may have been carried out all the same")?;
        }
        Ok(())
    }
}

impl Error {
    /// `404 Not Found: CustomerGroup with id x was not found (not_found, request id …)`
    fn fmt_status(&self, answer: &RawAnswer, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", answer.status)?;
        if let Some(location) = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok()) {
            write!(formatter, " to {location}, which is not followed: is the server's address right?")?;
        }
        let status = answer.status.to_string();
        let message = self.message().filter(|message| !status.ends_with(message));
        if let Some(message) = message {
            write!(formatter, ": {}", one_line(&message, 500))?;
        }
        let mut details = Vec::new();
        details.extend(self.error_type().map(|kind| kind.to_string()));
        details.extend(self.code().filter(|code| Some(code) != details.first()));
        details.extend(self.request_id().map(|id| format!("request id {id}")));
        if !details.is_empty() {
            write!(formatter, " ({})", details.join(", "))?;
        }
        Ok(())
    }
}

/// The line that `{}` prints, since `main` prints what it returns with `{:?}`; the parts with `{:#?}`.
impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !formatter.alternate() {
            return fmt::Display::fmt(self, formatter);
        }
        // An answer that is what it should be is about a user, and no part of what went wrong; another may hold a token.
        let hidden = matches!(self.0.kind, Kind::NoSession | Kind::Decode { secret: true });
        let body = self.body().filter(|_| !hidden);
        let body = body.map(|body| one_line(&String::from_utf8_lossy(body), 1000));
        formatter
            .debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("call", &self.0.call)
            .field("status", &self.status())
            .field("error_type", &self.error_type())
            .field("code", &self.code())
            .field("message", &self.message())
            .field("request_id", &self.request_id())
            .field("body", &body)
            .field("attempts", &self.0.attempts)
            .field("outcome_unknown", &self.0.outcome_unknown)
            .field("source", &self.0.source)
            .finish()
    }
}

/// What an answer that is no JSON says: a short text itself, or the heart of an error page.
fn page_text(content_type: &str, body: &str) -> Option<String> {
    let text = if content_type.starts_with("text/html") || body.trim_start().starts_with('<') {
        let heart = between(body, "<pre>", "</pre>").or_else(|| between(body, "<title>", "</title>"))?;
        let first_line = heart.split("<br>").next().unwrap_or(heart);
        first_line
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&")
    } else {
        body.to_owned()
    };
    let text = one_line(&text, 500);
    (!text.is_empty()).then_some(text)
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(inner, _)| inner)
}

/// Text from elsewhere, fit for one line: without line breaks and other control characters, and not too long.
fn one_line(text: &str, limit: usize) -> String {
    let text = text.trim();
    let mut line: String =
        text.chars().take(limit).map(|char| if char.is_control() { ' ' } else { char }).collect();
    if text.chars().nth(limit).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, content_type: &'static str, body: &'static str) -> RawAnswer {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
        RawAnswer {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    fn status(status: u16, content_type: &'static str, body: &'static str) -> Error {
        Error::refused(answer(status, content_type, body)).with_call("GET http://h/x".to_owned())
    }

    #[test]
    fn errors_of_the_server() {
        let mut answer = answer(
            422,
            "application/json; charset=utf-8",
            r#"{"code":"invalid_request_error","type":"duplicate_error","message":"Key (name)=(VIP) already exists."}"#,
        );
        answer.headers.insert(REQUEST_ID, "01H".parse().unwrap());
        let error = Error::refused(answer).with_call("POST http://h/x".to_owned());
        assert!(error.is_duplicate() && !error.is_not_found());
        assert_eq!(error.code().as_deref(), Some("invalid_request_error"));
        assert_eq!(error.request_id(), Some("01H"));
        assert_eq!(
            error.to_string(),
            "POST http://h/x: 422 Unprocessable Entity: Key (name)=(VIP) already exists. \
             (duplicate_error, invalid_request_error, request id 01H)"
        );
    }

    #[test]
    fn what_main_prints_is_one_line() {
        let error = status(422, "application/json", r#"{"type":"duplicate_error","message":"taken"}"#);
        let line = "GET http://h/x: 422 Unprocessable Entity: taken (duplicate_error)";
        assert_eq!(format!("{error:?}"), line);
        let boxed: Box<dyn StdError> = Box::new(error);
        assert_eq!(format!("{boxed:?}"), line);
        let parts = format!("{boxed:#?}");
        assert!(parts.starts_with("Error {\n") && parts.contains("outcome_unknown: false"), "{parts}");
    }

    #[test]
    fn bare_text() {
        let error = status(401, "text/plain; charset=utf-8", "Unauthorized");
        assert!(error.is_unauthorized());
        assert_eq!(error.message().as_deref(), Some("Unauthorized"));
        assert_eq!(error.to_string(), "GET http://h/x: 401 Unauthorized");
    }

    #[test]
    fn html_pages() {
        let page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<title>Error</title>\n</head>\n<body>\n\
                    <pre>SyntaxError: Unexpected token &#39;b&#39;<br> &nbsp; at parse</pre>\n</body>\n</html>\n";
        let error = status(400, "text/html; charset=utf-8", page);
        assert_eq!(error.to_string(), "GET http://h/x: 400 Bad Request: SyntaxError: Unexpected token 'b'");
        assert!(!error.is_validation());

        let error = status(404, "text/html; charset=utf-8", "<pre>Cannot GET /nope</pre>");
        assert!(!error.is_not_found(), "the path is unknown, not the record");
        assert_eq!(error.status(), Some(StatusCode::NOT_FOUND));

        let error = status(502, "text/html", "<html><head><title>502 Bad Gateway</title></head></html>");
        assert_eq!(error.to_string(), "GET http://h/x: 502 Bad Gateway");
        assert!(error.is_server_error());
    }

    #[test]
    fn success_that_makes_no_sense() {
        let source = serde_json::from_str::<u8>("<").unwrap_err();
        let error = Error::decode(source, answer(200, "text/html", "<h1>\nLog in</h1>"), false);
        assert!(error.is_decode());
        assert_eq!(
            error.to_string(),
            "200 OK, but the body is not what it should be: expected value at line 1 column 1 \
             (it is text/html and begins \"<h1> Log in</h1>\")"
        );
    }

    #[test]
    fn nothing_is_shown_of_what_may_hold_a_token() {
        let body = r#""s3cret""#;
        let source = serde_json::from_str::<u8>(body).unwrap_err();
        assert!(source.to_string().contains("s3cret"));
        let error = Error::decode(source, answer(200, "application/json", body), true);
        assert!(!format!("{error} {error:#?}").contains("s3cret"), "{error:#?}");
        assert_eq!(error.body().unwrap(), body, "who asks is told");
    }

    #[test]
    fn redirects() {
        let mut answer = answer(301, "text/html", "");
        answer.headers.insert(LOCATION, "https://h/x".parse().unwrap());
        let text = Error::refused(answer).to_string();
        assert_eq!(
            text,
            "301 Moved Permanently to https://h/x, which is not followed: is the server's address right?"
        );
    }

    #[test]
    fn no_answer() {
        let error = Error::interrupted(std::io::Error::other("reset\nby peer")).with_attempts(3, true);
        assert_eq!(
            error.to_string(),
            "the connection failed: reset by peer, after 3 attempts; it may have been carried out all the same"
        );
        assert!(error.is_outcome_unknown() && !error.is_connect());
    }
}
