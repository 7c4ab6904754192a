use bytes::Bytes;

use crate::Error;
use crate::query::Query;
use crate::request::Draft;

/// Something the server can be asked to do: what is sent, and how the answer is read.
///
/// The operations are in [`admin`](crate::admin), and [`Raw`](crate::Raw) for all others. This trait is not meant to be
/// implemented elsewhere.
pub trait Operation: Send + Sync + 'static {
    /// What the server answers.
    type Answer: Send + 'static;

    /// Name in logs.
    #[doc(hidden)]
    const NAME: &'static str;

    /// Whether the client's credentials are sent.
    #[doc(hidden)]
    const AUTHENTICATED: bool = true;

    /// Whether it comes to nothing, for a client with a session, if the answer brings no cookie.
    #[doc(hidden)]
    const BEGINS_SESSION: bool = false;

    /// Whether sending it twice leads to the same state as sending it once.
    #[doc(hidden)]
    fn is_repeatable(&self) -> bool {
        true
    }

    /// Whether sending it twice may be refused for no other reason than that it was carried out the first time.
    #[doc(hidden)]
    fn is_spent(&self) -> bool {
        !self.is_repeatable()
    }

    #[doc(hidden)]
    fn draft(&self) -> Result<Draft, Error>;

    #[doc(hidden)]
    fn read(&self, body: &Bytes) -> Result<Self::Answer, Unreadable>;
}

/// An operation that can bring related records along.
pub trait Expandable: Operation {
    /// What can be brought along.
    type Relation: std::fmt::Display;

    #[doc(hidden)]
    fn query_mut(&mut self) -> &mut Query;
}

/// An operation that answers a list, page by page.
pub trait Listing: Expandable + Operation<Answer = crate::Page<Self::Item>> + Clone {
    /// What is listed.
    type Item: Send + 'static;
    /// What it can be sorted by.
    type Sort: std::fmt::Display;

    /// Whether the `count` of an answer is that of all items.
    #[doc(hidden)]
    fn counts_all(&self) -> bool {
        true
    }
}

/// Why the body of a successful answer is no answer.
#[derive(Debug)]
#[doc(hidden)]
pub enum Unreadable {
    /// It is not what it should be.
    Json(serde_json::Error),
    /// It is Medusa's way to say that there is no such record.
    NotFound(String),
}

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error)
    }
}
