use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::error::RawAnswer;
use crate::execute::execute;
use crate::operation::{Expandable, Listing, Operation, Unreadable};
use crate::query::Query;
use crate::request::{API_TOKEN, IDEMPOTENCY_KEY};
use crate::{Client, DateRange, Error, Order, Response, Retry};

/// A call that is yet to be made: set what there is to set, then `.await` it.
///
/// What can be set depends on the operation; what is listed first can be set for all of them.
#[must_use = "nothing is sent until the call is awaited"]
pub struct Call<O> {
    pub(crate) client: Client,
    pub(crate) operation: O,
    pub(crate) options: Options,
}

/// What can be set for every call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) headers: HeaderMap,
    /// Parameters that this crate does not know, as they were named.
    query: Vec<(String, String)>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) retry: Option<Retry>,
    /// What was set and cannot be sent.
    fault: Option<String>,
}

impl Options {
    /// Lets the call fail if this parameter was named.
    pub(crate) fn refuse(&mut self, parameter: &str, reason: &str) {
        if self.query.iter().any(|(name, _)| name == parameter) {
            self.fault = Some(format!("the query cannot hold the name `{parameter}` here: {reason}"));
        }
    }
}

/// # Every call
impl<O: Operation> Call<O> {
    pub(crate) fn new(client: &Client, operation: O) -> Self {
        Self { client: client.clone(), operation, options: Options::default() }
    }

    /// The same call for another operation.
    pub(crate) fn map<P>(self, map: impl FnOnce(O) -> P) -> Call<P> {
        Call { client: self.client, operation: map(self.operation), options: self.options }
    }

    /// Sends a header, in place of the one that the client would send.
    pub fn header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        match checked_header(name, value) {
            Ok((name, value)) => drop(self.options.headers.insert(name, value)),
            Err(error) => self.options.fault = Some(error.to_string()),
        }
        self
    }

    /// Sends a query parameter that this crate does not know, for a server that does. Medusa refuses what it does not know.
    ///
    /// A name may have brackets, as in `id[starts_with]`. Of two with the same name, brackets included, the latter remains;
    /// it also replaces what this crate would send.
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let name = name.into();
        self.options.query.retain(|(other, _)| *other != name);
        self.options.query.push((name, value.into()));
        self
    }

    /// How long the call may take with all its attempts, in place of the client's limit.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// When to send the request again, in place of the client's rule.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.options.retry = Some(retry);
        self
    }

    /// The key that marks all attempts as one write. Without this, writes get a random one.
    ///
    /// Medusa takes no notice of it for customer groups and customers; what is between you and Medusa may.
    pub fn idempotency_key(self, key: impl AsRef<str>) -> Self {
        self.header(IDEMPOTENCY_KEY, key.as_ref())
    }

    /// A look-up that answers `None` if there is no such record.
    pub fn optional(self) -> Optional<O> {
        Optional(self)
    }

    /// The request as it would be sent, without the client's credentials and idempotency key.
    ///
    /// With [`read`](Self::read) this allows to use an HTTP stack of your own. Printed with `{:?}`, it shows the body,
    /// which may hold a password.
    ///
    /// # Errors
    ///
    /// [`is_invalid_request`](Error::is_invalid_request) if it cannot be sent.
    pub fn to_request(&self) -> Result<http::Request<Bytes>, Error> {
        if let Some(fault) = &self.options.fault {
            return Err(Error::invalid_request(fault.clone()));
        }
        let mut draft = self.operation.draft()?;
        draft.query.merge(&Query::named(&self.options.query)?);
        let mut headers = self.client.shared.headers.clone();
        for (name, value) in &self.options.headers {
            headers.insert(name, value.clone());
        }
        draft.assemble(&self.client.shared.base, &headers)
    }

    /// Reads an answer to this call.
    ///
    /// # Errors
    ///
    /// If its status is no success, or its body not what it should be.
    pub fn read(&self, answer: http::Response<Bytes>) -> Result<Response<O::Answer>, Error> {
        let (head, body) = answer.into_parts();
        read(&self.operation, RawAnswer { status: head.status, headers: head.headers, body })
    }
}

/// Makes sense of an answer.
pub(crate) fn read<O: Operation>(operation: &O, answer: RawAnswer) -> Result<Response<O::Answer>, Error> {
    if !answer.status.is_success() {
        return Err(Error::refused(answer));
    }
    match operation.read(&answer.body) {
        Ok(body) => Ok(Response::new(body, answer)),
        Err(Unreadable::Json(error)) => Err(Error::decode(error, answer, !O::AUTHENTICATED)),
        Err(Unreadable::NotFound(message)) => Err(Error::not_found(message, answer)),
    }
}

/// # Operations that can bring related records along
impl<O: Expandable> Call<O> {
    /// Brings related records along: these, in place of those that were set before.
    pub fn expand(mut self, relations: impl IntoIterator<Item = O::Relation>) -> Self {
        self.operation.query_mut().set_joined("expand", relations);
        self
    }
}

/// # Lists
impl<O: Listing> Call<O> {
    /// Searches: for customer groups in the name, for customers in e-mail address, first and last name; upper and lower
    /// case are the same.
    ///
    /// In Medusa `%` stands for any text and `_` for any character; in Stheno they stand for themselves.
    pub fn q(mut self, text: impl Into<String>) -> Self {
        self.operation.query_mut().set("q", text.into());
        self
    }

    /// Only what was made in this time.
    pub fn created_at(mut self, range: impl Into<DateRange>) -> Self {
        self.operation.query_mut().set_range("created_at", &range.into());
        self
    }

    /// Only what was last changed in this time.
    pub fn updated_at(mut self, range: impl Into<DateRange>) -> Self {
        self.operation.query_mut().set_range("updated_at", &range.into());
        self
    }

    /// Sorts, ascending by a column alone.
    pub fn order(mut self, order: impl Into<Order<O::Sort>>) -> Self {
        self.operation.query_mut().set("order", order.into().to_string());
        self
    }

    /// How many items a page holds: by default 10 customer groups, 50 customers. 0 means all there are.
    pub fn limit(mut self, limit: u64) -> Self {
        self.operation.query_mut().set("limit", limit.to_string());
        self
    }

    /// How many items to leave out at the beginning.
    pub fn offset(mut self, offset: u64) -> Self {
        self.operation.query_mut().set("offset", offset.to_string());
        self
    }
}

impl<O: Clone> Clone for Call<O> {
    fn clone(&self) -> Self {
        Self { client: self.client.clone(), operation: self.operation.clone(), options: self.options.clone() }
    }
}

impl<O: fmt::Debug> fmt::Debug for Call<O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Call")
            .field("operation", &self.operation)
            .field("options", &self.options)
            .field("client", &self.client)
            .finish()
    }
}

/// What a call becomes when it is awaited.
pub type CallFuture<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

impl<O: Operation> IntoFuture for Call<O> {
    type Output = Result<Response<O::Answer>, Error>;
    type IntoFuture = CallFuture<Response<O::Answer>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(execute(self))
    }
}

/// A call to which "there is no such record" is an answer: see [`Call::optional`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until the call is awaited"]
pub struct Optional<O>(pub(crate) Call<O>);

impl<O: Operation> IntoFuture for Optional<O> {
    type Output = Result<Option<Response<O::Answer>>, Error>;
    type IntoFuture = CallFuture<Option<Response<O::Answer>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            match self.0.await {
                Ok(response) => Ok(Some(response)),
                Err(error) if error.is_not_found() => Ok(None),
                Err(error) => Err(error),
            }
        })
    }
}

/// A header that can be sent, and that no log shows if it is a secret.
pub(crate) fn checked_header<N, V>(name: N, value: V) -> Result<(HeaderName, HeaderValue), Error>
where
    N: TryInto<HeaderName>,
    V: TryInto<HeaderValue>,
{
    let name = name.try_into().map_err(|_| Error::invalid_request("a header's name is none"))?;
    let mut value: HeaderValue = value
        .try_into()
        .map_err(|_| Error::invalid_request(format!("the value of the header {name} cannot be sent")))?;
    if [API_TOKEN, AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION].contains(&name) {
        value.set_sensitive(true);
    }
    Ok((name, value))
}
