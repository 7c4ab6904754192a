use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::operation::{Operation, Unreadable};
use crate::request::{Draft, Path};
use crate::{Call, Error};

/// A request that this crate has no method for; see [`Client::request`](crate::Client::request).
pub struct Raw<T> {
    method: Method,
    path: String,
    body: Option<Result<Bytes, String>>,
    answer: PhantomData<fn() -> T>,
}

impl<T> Raw<T> {
    pub(crate) fn new(method: Method, path: String) -> Self {
        Self { method, path, body: None, answer: PhantomData }
    }
}

// Derived, it would ask the same of the answer.
impl<T> Clone for Raw<T> {
    fn clone(&self) -> Self {
        Self {
            method: self.method.clone(),
            path: self.path.clone(),
            body: self.body.clone(),
            answer: PhantomData,
        }
    }
}

/// Without the body and the query, which may hold a password.
impl<T> fmt::Debug for Raw<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Raw")
            .field("method", &self.method)
            .field("path", &self.path.split('?').next().unwrap_or_default())
            .finish_non_exhaustive()
    }
}

/// # Requests this crate has no method for
impl<T> Call<Raw<T>> {
    /// Sends this as the body, as JSON.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).map(Bytes::from).map_err(|error| error.to_string());
        self.operation.body = Some(body);
        self
    }
}

impl<T: DeserializeOwned + Send + 'static> Operation for Raw<T> {
    type Answer = T;

    const NAME: &'static str = "request";

    fn is_repeatable(&self) -> bool {
        self.method.is_idempotent()
    }

    /// What was deleted once may not be found a second time.
    fn is_spent(&self) -> bool {
        true
    }

    fn draft(&self) -> Result<Draft, Error> {
        if !self.path.starts_with('/') {
            return Err(Error::invalid_request(format!(
                "the path `{}` does not begin with a slash",
                self.path
            )));
        }
        let mut draft = Draft::new(self.method.clone(), Path::new(&self.path));
        draft.body = match &self.body {
            Some(Err(error)) => {
                return Err(Error::invalid_request(format!("the body cannot be written as JSON: {error}")));
            }
            Some(Ok(body)) => Some(body.clone()),
            None => None,
        };
        Ok(draft)
    }

    /// No body, as with 204, is read as `null`: as `()`, say.
    fn read(&self, body: &Bytes) -> Result<T, Unreadable> {
        let body = if body.trim_ascii().is_empty() { b"null" } else { &body[..] };
        Ok(serde_json::from_slice(body)?)
    }
}
