//! `/admin`

pub(crate) mod auth;
pub(crate) mod customer_groups;
pub(crate) mod customers;

use axum::response::{IntoResponse as _, Response};
use http::header::{ACCESS_CONTROL_EXPOSE_HEADERS, LINK};
use http::{HeaderValue, Uri};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use stheno_store::{Duplicate, Window};

use crate::answer::Answer;
use crate::error::ApiError;
use crate::schema::Valid;

/// Which page of a list is asked for. A limit of 0 means all.
#[derive(Debug, Clone)]
pub(crate) struct Paging {
    pub(crate) offset: u64,
    pub(crate) limit: u64,
    pub(crate) cursor: Option<String>,
}

impl Paging {
    fn take(valid: &mut Valid, limit: u64) -> Self {
        Self {
            offset: valid.number("offset").unwrap_or(0),
            limit: valid.number("limit").unwrap_or(limit),
            cursor: valid.text("cursor"),
        }
    }

    /// The cursor, if one is given. It says where to begin, and so it goes with no offset.
    fn cursor(&self) -> Result<Option<&str>, ApiError> {
        if self.cursor.is_some() && self.offset > 0 {
            return Err(ApiError::Invalid("offset must be left out where cursor is given".to_owned()));
        }
        Ok(self.cursor.as_deref())
    }
}

impl From<&Paging> for Window {
    fn from(paging: &Paging) -> Self {
        Self { offset: paging.offset, limit: (paging.limit > 0).then_some(paging.limit) }
    }
}

/// Adds where the list goes on to the answer, for pages of other origins too: everything as it was asked for, but from there.
fn with_next(answer: Answer, uri: &Uri, next: Option<String>) -> Response {
    let mut response = answer.into_response();
    let Some(next) = next else { return response };
    let asked = uri.query().unwrap_or_default().split('&').filter(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        let name = percent_decode_str(name).decode_utf8_lossy();
        !pair.is_empty() && !["cursor", "offset"].contains(&&*name)
    });
    let query: Vec<_> = asked.map(in_reference).chain([format!("cursor={next}")]).collect();
    if let Ok(link) = HeaderValue::try_from(format!("<?{}>; rel=\"next\"", query.join("&"))) {
        let headers = response.headers_mut();
        headers.append(LINK, link);
        headers.append(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from(LINK));
    }
    response
}

/// What of a query a header could not hold, or would end the reference in it, with percent signs.
fn in_reference(pair: &str) -> String {
    const UNFIT: &AsciiSet = &CONTROLS
        .add(b' ')
        .add(b'<')
        .add(b'>')
        .add(b'"')
        .add(b'\\')
        .add(b'^')
        .add(b'`')
        .add(b'{')
        .add(b'|')
        .add(b'}');
    utf8_percent_encode(pair, UNFIT).to_string()
}

/// A unique value that is taken, in the words with which Medusa refuses an update: parentheses are left out and
/// equals signs are spaces, also those in the value (`cg.update.duplicate_name_paren`).
fn in_words(duplicate: &Duplicate) -> String {
    let Duplicate { table, columns, values } = duplicate;
    let table = table.name();
    let (first, rest) = table.split_at(1);
    let detail = format!("{} {} already exists.", columns.join(", "), values.join(", "));
    let detail = detail.replace(['(', ')'], "").replace('=', " ");
    format!("{}{rest} with {detail}", first.to_uppercase())
}
