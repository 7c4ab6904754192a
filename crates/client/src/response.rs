use std::fmt;
use std::ops::{Deref, DerefMut};

use http::{HeaderMap, StatusCode};

use crate::error::RawAnswer;

/// What a call brought: the body, which this derefs to, and what came with it.
///
/// ```
/// # async fn example(groups: stheno_client::CustomerGroups) -> Result<(), stheno_client::Error> {
/// let group = groups.retrieve("cgrp_01JBRGKF01104SSAZYSN3KZHD7").await?;
/// println!("{} ({}, request {:?})", group.name, group.status(), group.request_id());
/// let group = group.into_body();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Response<T> {
    body: T,
    answer: RawAnswer,
}

impl<T> Response<T> {
    pub(crate) fn new(body: T, answer: RawAnswer) -> Self {
        Self { body, answer }
    }

    /// The status: 200, or 201 for a customer that was made.
    pub fn status(&self) -> StatusCode {
        self.answer.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.answer.headers
    }

    /// The id under which the server logged the request (`x-request-id`), if it sent one. Stheno does, Medusa does not.
    pub fn request_id(&self) -> Option<&str> {
        self.answer.request_id()
    }

    /// The body as it came over the wire.
    pub fn raw_body(&self) -> &bytes::Bytes {
        &self.answer.body
    }

    pub(crate) fn answer(&self) -> &RawAnswer {
        &self.answer
    }

    pub(crate) fn into_answer(self) -> RawAnswer {
        self.answer
    }

    /// The body alone.
    pub fn into_body(self) -> T {
        self.body
    }
}

impl<T> Deref for Response<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.body
    }
}

impl<T> DerefMut for Response<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.body
    }
}

/// Without headers and the body as it came, which may hold secrets: a cookie, a password's hash.
impl<T: fmt::Debug> fmt::Debug for Response<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Response")
            .field("status", &self.status())
            .field("request_id", &self.request_id())
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

/// The items of a page.
impl<T: IntoIterator> IntoIterator for Response<T> {
    type Item = T::Item;
    type IntoIter = T::IntoIter;

    fn into_iter(self) -> T::IntoIter {
        self.body.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Response<T>
where
    &'a T: IntoIterator,
{
    type Item = <&'a T as IntoIterator>::Item;
    type IntoIter = <&'a T as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        self.body.into_iter()
    }
}
