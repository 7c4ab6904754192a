//! Calls without `async` (feature `blocking`).
//!
//! All work is done by one thread in the background, with connections of its own. So nothing panics if a call is waited for
//! inside an async runtime, and nothing waits for connections whose runtime is being waited in; it only holds up the
//! thread that waits.

use std::cell::Cell;
use std::fmt;
use std::sync::mpsc::channel;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::{Builder, Handle};

use crate::operation::{Listing, Operation};
use crate::{BatchError, BatchReport, Batches, Call, Error, Items, Membership, Optional, Response};

/// # Without `async`
impl<O: Operation> Call<O> {
    /// Makes the call and waits for the answer. Needs no async runtime, and does no harm inside one but to hold up the
    /// thread.
    ///
    /// # Errors
    ///
    /// Those of the call, and [`is_invalid_request`](Error::is_invalid_request) inside
    /// [`on_progress`](Batches::on_progress) of batches that are waited for: the thread that would make the call is the
    /// one that would wait.
    ///
    /// ```no_run
    /// # fn example(groups: stheno_client::CustomerGroups) -> Result<(), stheno_client::Error> {
    /// let page = groups.list().q("vip").limit(20).wait()?;
    /// println!("{} groups", page.count);
    /// # Ok(())
    /// # }
    /// ```
    pub fn wait(self) -> Result<Response<O::Answer>, Error> {
        wait(self.in_background().into_future())?
    }

    fn in_background(self) -> Self {
        Self { client: self.client.in_background(), ..self }
    }
}

impl<O: Operation> Optional<O> {
    /// Makes the call and waits for the answer: see [`Call::wait`].
    ///
    /// # Errors
    ///
    /// Those of the call.
    pub fn wait(self) -> Result<Option<Response<O::Answer>>, Error> {
        wait(Self(self.0.in_background()).into_future())?
    }
}

impl<O: Membership> Batches<O> {
    /// Sends all batches and waits for the end: see [`Call::wait`].
    ///
    /// # Errors
    ///
    /// If it ends early.
    pub fn wait(mut self) -> Result<BatchReport, BatchError> {
        let ids = self.call.operation.customer_ids();
        self.call = self.call.in_background();
        wait(self.into_future())
            .unwrap_or_else(|error| Err(BatchError::new(error, BatchReport::default(), ids)))
    }
}

/// # Whole lists without `async`
impl<O: Listing> Call<O> {
    /// All items of the list, one after the other: what [`stream`](Self::stream) is, for `for`.
    ///
    /// ```no_run
    /// # fn example(groups: stheno_client::CustomerGroups) -> Result<(), stheno_client::Error> {
    /// for customer in groups.list_customers("cgrp_01JBRG").iter() {
    ///     println!("{}", customer?.email);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn iter(self) -> Iter<O> {
        Iter { items: Some(self.in_background().stream()) }
    }
}

/// The items of a list: see [`Call::iter`].
#[must_use = "an iterator does nothing until it is asked for an item"]
pub struct Iter<O: Listing> {
    /// On loan to the background while it fetches.
    items: Option<Items<O>>,
}

impl<O: Listing> Iterator for Iter<O> {
    type Item = Result<O::Item, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut items = self.items.take()?;
        let next = async move {
            let item = items.next().await;
            (items, item)
        };
        match wait(next) {
            Ok((items, item)) => {
                self.items = Some(items);
                item
            }
            Err(error) => Some(Err(error)),
        }
    }
}

impl<O: Listing> fmt::Debug for Iter<O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Iter").field("items", &self.items).finish()
    }
}

/// Has a future run in the background, and waits for it without telling the runtime around, if there is one.
fn wait<F>(future: F) -> Result<F::Output, Error>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    if IS_BACKGROUND.get() {
        return Err(Error::invalid_request(
            "cannot wait inside of what is waited for: do it after that, or spawn a thread",
        ));
    }
    let (sender, receiver) = channel();
    background()?.spawn(async move {
        // Nobody to send it to: the one who waited is gone.
        drop(sender.send(future.await));
    });
    receiver.recv().map_err(Error::interrupted)
}

thread_local! {
    static IS_BACKGROUND: Cell<bool> = const { Cell::new(false) };
}

/// The runtime in the background, which is started when it is first needed and lives as long as the program.
fn background() -> Result<Handle, Error> {
    static BACKGROUND: Mutex<Option<Handle>> = Mutex::new(None);

    let mut background = BACKGROUND.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*background {
        return Ok(handle.clone());
    }
    let unable = |error: std::io::Error| Error::invalid_request(format!("no thread can be started: {error}"));
    let runtime = Builder::new_current_thread().enable_all().build().map_err(unable)?;
    let handle = runtime.handle().clone();
    std::thread::Builder::new()
        .name("stheno-client".to_owned())
        .spawn(move || {
            IS_BACKGROUND.set(true);
            runtime.block_on(std::future::pending::<()>());
        })
        .map_err(unable)?;
    Ok(background.insert(handle).clone())
}
