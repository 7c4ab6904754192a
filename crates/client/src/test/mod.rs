//! A Medusa in memory, for tests: of this crate, and of programs that use it (feature `test`).

mod shop;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde_json::json;
use stheno_api_types::CustomerEnvelope;

use self::shop::Shop;
use crate::error::RawAnswer;
use crate::transport::{Sending, Transport};
use crate::{Client, ClientBuilder, Customer, Error};

/// A Medusa in memory. Its clients send nothing over any network.
///
/// It knows the operations of this crate and answers them as a shop would that begins empty: groups, members and customers
/// are kept, lists are searched, filtered, sorted and cut, names are unique, metadata is merged. Ids and times are the
/// same in every run. It takes any credentials, and knows no price lists, discounts, orders and addresses. The `id` filter,
/// which Medusa refuses, works as with Stheno.
///
/// What is to go wrong can be queued: the next requests then end so, one each, in this order.
///
/// ```
/// use stheno_client::test::{FakeMedusa, Next};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let medusa = FakeMedusa::new();
/// let groups = medusa.client().admin().customer_groups();
/// let guest = medusa.add_guest("ida@example.com");
///
/// let group = groups.create("VIP").await.unwrap();
/// groups.add_customers(&group.id, [&guest.id]).await.unwrap();
/// assert_eq!(groups.list_customers(&group.id).await.unwrap().items[0].email, "ida@example.com");
///
/// medusa.then(Next::Interrupt);
/// assert!(groups.create("Gold").await.unwrap_err().is_outcome_unknown());
/// # });
/// ```
#[derive(Clone, Default)]
pub struct FakeMedusa {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Next>,
    requests: Vec<http::Request<Bytes>>,
    shop: Shop,
}

/// What becomes of the next request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Next {
    /// This answer.
    Answer(http::Response<Bytes>),
    /// No connection comes about.
    Refuse,
    /// The connection breaks after the request was sent.
    Interrupt,
    /// No answer ever comes.
    Hang,
}

impl Next {
    /// An answer with this status and body.
    ///
    /// # Panics
    ///
    /// If there is no such status.
    pub fn answer(status: u16, body: impl Into<Bytes>) -> Self {
        let mut answer = http::Response::new(body.into());
        *answer.status_mut() = http::StatusCode::from_u16(status).expect("a status");
        Self::Answer(answer)
    }
}

impl FakeMedusa {
    /// A shop without anything in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// A client of this shop.
    ///
    /// # Panics
    ///
    /// Never.
    pub fn client(&self) -> Client {
        self.builder().build().expect("an address without faults")
    }

    /// The beginning of a client of this shop.
    pub fn builder(&self) -> ClientBuilder {
        Client::builder("http://medusa.test").transport(Arc::new(self.clone()))
    }

    /// Puts a customer without an account into the shop, as an order by a guest does.
    ///
    /// # Panics
    ///
    /// If there is one of this address already.
    pub fn add_guest(&self, email: &str) -> Customer {
        let answer = self.state().shop.create_customer(&json!({"email": email}));
        let answer: Option<CustomerEnvelope> =
            answer.ok().and_then(|answer| serde_json::from_value(answer).ok());
        answer.expect("an address that no other guest has").customer
    }

    /// Decides what becomes of a request: the next one, or the one after those that are already decided.
    pub fn then(&self, next: Next) {
        self.state().queue.push_back(next);
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<http::Request<Bytes>> {
        self.state().requests.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for FakeMedusa {
    fn send(&self, request: http::Request<Bytes>) -> Sending {
        let mut state = self.state();
        let next = state.queue.pop_front().unwrap_or_else(|| Next::Answer(state.shop.answer(&request)));
        state.requests.push(request);
        Box::pin(async move {
            match next {
                Next::Answer(answer) => {
                    let (head, body) = answer.into_parts();
                    Ok(RawAnswer { status: head.status, headers: head.headers, body })
                }
                Next::Refuse => Err(Error::connect("connection refused", false)),
                Next::Interrupt => Err(Error::interrupted("connection reset")),
                Next::Hang => std::future::pending().await,
            }
        })
    }
}

impl fmt::Debug for FakeMedusa {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FakeMedusa").finish_non_exhaustive()
    }
}
