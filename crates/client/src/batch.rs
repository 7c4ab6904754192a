//! Adding and removing any number of customers.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::pin::Pin;

use stheno_api_types::{CustomerGroup, CustomerIds};

use crate::call::{Call, CallFuture};
use crate::operation::Operation;
use crate::request::IDEMPOTENCY_KEY;
use crate::{Error, Response};

/// How many customers one request adds or removes, unless the call says so.
const BATCH_SIZE: usize = 1000;

/// How many bytes of ids one request holds, so that its body stays within the 100 kB that Medusa takes.
const BATCH_BYTES: usize = 80_000;

/// What an id costs besides itself: `{"id":""},`.
const ID_BYTES: usize = 10;

/// An operation on some customers of one group.
pub trait Membership: Operation<Answer = CustomerGroup> + Clone {
    #[doc(hidden)]
    fn new(group_id: String, customers: CustomerIds) -> Self;

    #[doc(hidden)]
    fn group_id(&self) -> &str;

    #[doc(hidden)]
    fn customers(&self) -> &CustomerIds;

    #[doc(hidden)]
    fn customer_ids(&self) -> Vec<String> {
        self.customers().customer_ids.iter().map(|customer| customer.id.clone()).collect()
    }

    #[doc(hidden)]
    fn with_customer_ids(&self, ids: &[String]) -> Self {
        Self::new(self.group_id().to_owned(), ids.iter().cloned().collect())
    }
}

/// # Any number of members
impl<O: Membership> Call<O> {
    /// Sends the customers in batches that any server takes, one after the other. An id that comes twice is sent once.
    ///
    /// What comes of it is a [`BatchReport`], or a [`BatchError`] that holds one if it ends early: what went through stays,
    /// and as the operation can be repeated safely, the rest can be sent again.
    ///
    /// Every batch is a write of its own and has an idempotency key of its own; one that was set is not sent.
    ///
    /// ```no_run
    /// # async fn example(groups: stheno_client::CustomerGroups, ids: Vec<String>) -> Result<(), stheno_client::Error> {
    /// let report = groups
    ///     .add_customers("cgrp_01JBRG", ids)
    ///     .in_batches()
    ///     .skip_unknown()
    ///     .on_progress(|progress| eprintln!("{} of {}", progress.done, progress.total))
    ///     .await?;
    /// println!("{} added, {} are no customers", report.done.len(), report.unknown.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn in_batches(self) -> Batches<O> {
        Batches { call: self, size: BATCH_SIZE, skip_unknown: false, on_progress: None }
    }
}

/// Customers on their way in or out, batch by batch: see [`Call::in_batches`].
#[must_use = "nothing is sent until it is awaited"]
pub struct Batches<O> {
    pub(crate) call: Call<O>,
    size: usize,
    skip_unknown: bool,
    on_progress: Option<Box<dyn FnMut(Progress) + Send>>,
}

/// How far a batch operation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many customers are dealt with: sent, or found to be unknown.
    pub done: usize,
    /// How many customers there are to deal with.
    pub total: usize,
}

/// What came of a batch operation.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct BatchReport {
    /// The customers that were added or removed, or were members, or none, already.
    pub done: Vec<String>,
    /// Those that do not exist, if [`skip_unknown`](Batches::skip_unknown) was set.
    pub unknown: Vec<String>,
    /// The group, as the last batch left it; `None` if there was nobody to send.
    pub group: Option<CustomerGroup>,
}

/// A batch operation that ended early. What went through stays.
///
/// Where the caller's error is [`Error`], `?` makes that of it. As that, it is one line with `{}` and `{:?}`, and shows all
/// with `{:#?}`.
pub struct BatchError(Box<Unfinished>);

struct Unfinished {
    error: Error,
    report: BatchReport,
    not_done: Vec<String>,
}

impl BatchError {
    pub(crate) fn new(error: Error, report: BatchReport, not_done: Vec<String>) -> Self {
        Self(Box::new(Unfinished { error, report, not_done }))
    }

    /// Why it ended.
    pub fn error(&self) -> &Error {
        &self.0.error
    }

    /// What came of it until then.
    pub fn report(&self) -> &BatchReport {
        &self.0.report
    }

    /// The customers that it did not come to. If the error's [outcome is unknown](Error::is_outcome_unknown), some may be
    /// done all the same.
    pub fn not_done(&self) -> &[String] {
        &self.0.not_done
    }
}

impl fmt::Display for BatchError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Unfinished { error, report, not_done } = &*self.0;
        let done = report.done.len() + report.unknown.len();
        write!(formatter, "{error} ({done} of {} customers were done before)", done + not_done.len())
    }
}

/// The line that `{}` prints, since `main` prints what it returns with `{:?}`; the parts with `{:#?}`.
impl fmt::Debug for BatchError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !formatter.alternate() {
            return fmt::Display::fmt(self, formatter);
        }
        let Unfinished { error, report, not_done } = &*self.0;
        formatter
            .debug_struct("BatchError")
            .field("error", error)
            .field("report", report)
            .field("not_done", not_done)
            .finish()
    }
}

impl std::error::Error for BatchError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0.error)
    }
}

impl From<BatchError> for Error {
    fn from(unfinished: BatchError) -> Self {
        unfinished.0.error
    }
}

impl<O: Membership> Batches<O> {
    /// How many customers one request holds at most: 1000 if not set.
    pub fn size(self, customers: usize) -> Self {
        Self { size: customers.max(1), ..self }
    }

    /// Goes on if some customers do not exist, and reports them. Otherwise the operation ends at the first batch that
    /// holds one, and that batch is not done.
    ///
    /// The server's answer names them, but Medusa also names customers that do exist, beyond the first 50 that it found. So
    /// those not named are sent, and those named are sent again without them, until none of them is found. With Stheno,
    /// this costs two requests more for a batch that holds some. A server that names none has such a batch halved.
    pub fn skip_unknown(self) -> Self {
        Self { skip_unknown: true, ..self }
    }

    /// Is told how far it has come, after every request that brought it further.
    pub fn on_progress(self, on_progress: impl FnMut(Progress) + Send + 'static) -> Self {
        Self { on_progress: Some(Box::new(on_progress)), ..self }
    }

    async fn run(mut self) -> Result<BatchReport, BatchError> {
        let ids = unique(self.call.operation.customer_ids());
        // The call is cloned for each batch, and had better not bring all of them along.
        self.call = self.call.map(|operation| operation.with_customer_ids(&[]));
        // Whoever honours the key would answer the second batch with what came of the first.
        self.call.options.headers.remove(IDEMPOTENCY_KEY);
        let total = ids.len();
        let mut report = BatchReport::default();
        let mut batches = split(ids, self.size);
        let mut group_exists = false;
        let mut told = 0;
        while let Some(mut batch) = batches.pop_front() {
            let error = match self.send(&batch).await {
                Ok(answer) => {
                    report.group = Some(answer.into_body());
                    report.done.append(&mut batch);
                    None
                }
                Err(error) if error.is_not_found() && self.skip_unknown => {
                    let (named, others) = part(&batch, &named(&error));
                    if named.is_empty() {
                        // One look is enough to go on, but before a customer is called unknown, another: the group may be
                        // gone by now.
                        let look = !group_exists || batch.len() == 1;
                        let group = if look { self.find_group().await.map(drop) } else { Ok(()) };
                        group_exists = group.is_ok();
                        group.err()
                    } else if others.is_empty() {
                        // The server found none of them, so there is none.
                        report.unknown.append(&mut batch);
                        None
                    } else {
                        // If it found few, as Medusa does, more of those named may exist; else most likely none does.
                        let in_doubt = named.len() > others.len();
                        let again = if in_doubt { Vec::from(halve(named)) } else { vec![named] };
                        again.into_iter().rev().for_each(|part| batches.push_front(part));
                        batches.push_front(others);
                        batch.clear();
                        None
                    }
                }
                // Someone on the way takes less than Medusa does.
                Err(error) if error.is_too_large() && batch.len() > 1 => None,
                Err(error) => Some(error),
            };
            if let Some(error) = error {
                let not_done = batch.into_iter().chain(batches.into_iter().flatten()).collect();
                return Err(BatchError::new(error, report, not_done));
            }
            // Who is left in the batch was not taken; halves of it tell who the reason is.
            match batch.len() {
                0 => {}
                1 => report.unknown.append(&mut batch),
                _ => halve(batch).into_iter().rev().for_each(|half| batches.push_front(half)),
            }
            let done = report.done.len() + report.unknown.len();
            if let Some(on_progress) = &mut self.on_progress
                && done > told
            {
                told = done;
                on_progress(Progress { done, total });
            }
        }
        Ok(report)
    }

    fn send(&self, ids: &[String]) -> CallFuture<Response<CustomerGroup>> {
        self.call.clone().map(|operation| operation.with_customer_ids(ids)).into_future()
    }

    /// Tells an unknown customer from an unknown group.
    fn find_group(&self) -> CallFuture<Response<CustomerGroup>> {
        let groups = self.call.client.admin().customer_groups();
        groups.retrieve(self.call.operation.group_id()).into_future()
    }
}

impl<O: Membership> IntoFuture for Batches<O> {
    type Output = Result<BatchReport, BatchError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<O: fmt::Debug> fmt::Debug for Batches<O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Batches")
            .field("call", &self.call)
            .field("size", &self.size)
            .field("skip_unknown", &self.skip_unknown)
            .finish_non_exhaustive()
    }
}

/// The customers that do not exist, by what the server says of it. An id that holds `, ` is not among them.
fn named(error: &Error) -> HashSet<String> {
    let message = error.message().unwrap_or_default();
    let list = message.strip_prefix("The following customer ids do not exist: ");
    let list: Option<String> = list.and_then(|list| serde_json::from_str(list).ok());
    list.iter().flat_map(|list| list.split(", ")).map(str::to_owned).collect()
}

/// Those named, and the others.
fn part(ids: &[String], named: &HashSet<String>) -> (Vec<String>, Vec<String>) {
    ids.iter().cloned().partition(|id| named.contains(id))
}

fn halve(mut ids: Vec<String>) -> [Vec<String>; 2] {
    let second = ids.split_off(ids.len() / 2);
    [ids, second]
}

fn unique(ids: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::with_capacity(ids.len());
    ids.into_iter().filter(|id| seen.insert(id.clone())).collect()
}

/// Batches of so many ids at most, none of them too large for a request.
fn split(ids: Vec<String>, size: usize) -> VecDeque<Vec<String>> {
    let mut batches = VecDeque::new();
    let mut batch: Vec<String> = Vec::new();
    let mut bytes = 0;
    for id in ids {
        if batch.len() == size || (bytes + id.len() + ID_BYTES > BATCH_BYTES && !batch.is_empty()) {
            batches.push_back(std::mem::take(&mut batch));
            bytes = 0;
        }
        bytes += id.len() + ID_BYTES;
        batch.push(id);
    }
    if !batch.is_empty() {
        batches.push_back(batch);
    }
    batches
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::*;
    use crate::Client;
    use crate::test::{FakeMedusa, Next};
    use crate::transport::{Sending, Transport};

    fn group() -> Next {
        let group = json!({
            "id": "cgrp_1", "name": "VIP", "metadata": null,
            "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z",
        });
        Next::answer(200, json!({"customer_group": group}).to_string())
    }

    fn not_found() -> Next {
        Next::answer(404, r#"{"type": "not_found", "message": "no"}"#)
    }

    fn medusa(nexts: impl IntoIterator<Item = Next>) -> FakeMedusa {
        let medusa = FakeMedusa::new();
        nexts.into_iter().for_each(|next| medusa.then(next));
        medusa
    }

    /// How many ids each request held; 0 for one without a body.
    fn sizes(medusa: &FakeMedusa) -> Vec<usize> {
        let size = |body: &[u8]| {
            let body: Value = serde_json::from_slice(body).unwrap_or_default();
            body["customer_ids"].as_array().map_or(0, Vec::len)
        };
        medusa.requests().iter().map(|request| size(request.body())).collect()
    }

    fn ids(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("cus_{number}")).collect()
    }

    #[tokio::test]
    async fn any_number_goes_through() {
        let medusa = medusa([group(), group(), group()]);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let told = seen.clone();
        let groups = medusa.client().admin().customer_groups();
        let report = groups
            .remove_customers("cgrp_1", ids(2500).iter().chain(&ids(10)))
            .in_batches()
            .on_progress(move |progress| told.lock().unwrap().push((progress.done, progress.total)))
            .await
            .unwrap();
        assert_eq!(report.done, ids(2500));
        assert_eq!(report.group.unwrap().name, "VIP");
        assert!(report.unknown.is_empty());
        assert_eq!(sizes(&medusa), [1000, 1000, 500]);
        assert_eq!(*seen.lock().unwrap(), [(1000, 2500), (2000, 2500), (2500, 2500)]);
    }

    #[tokio::test]
    async fn nobody_needs_no_request() {
        let medusa = medusa([]);
        let report =
            medusa.client().admin().customer_groups().add_customers("cgrp_1", [""; 0]).in_batches().await;
        assert!(report.unwrap().done.is_empty());
    }

    #[test]
    fn batches_fit_into_a_request() {
        let long = "x".repeat(30_000);
        let sizes = |ids: Vec<String>, size| split(ids, size).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(vec![long.clone(), long.clone(), long.clone()], 10), [2, 1]);
        assert_eq!(sizes(vec!["x".repeat(200_000), long], 10), [1, 1], "the server may decide about that");
        assert_eq!(sizes(ids(7), 3), [3, 3, 1]);
    }

    #[tokio::test]
    async fn it_ends_at_an_error_and_says_what_is_left() {
        let medusa = medusa([group(), Next::answer(400, ""), group()]);
        let groups = medusa.client().admin().customer_groups();
        let unfinished = groups.add_customers("cgrp_1", ids(5)).in_batches().size(2).await.unwrap_err();
        assert_eq!(unfinished.report().done, ["cus_0", "cus_1"]);
        assert_eq!(unfinished.not_done(), ["cus_2", "cus_3", "cus_4"]);
        assert!(unfinished.to_string().ends_with("400 Bad Request (2 of 5 customers were done before)"));
        assert_eq!(format!("{unfinished:?}"), unfinished.to_string(), "what `main` prints");
        assert!(format!("{unfinished:#?}").contains("cus_4"));
        assert_eq!(Error::from(unfinished).status().unwrap(), 400);
    }

    #[tokio::test]
    async fn the_unknown_are_found_and_passed_over() {
        // Of four, the third is unknown: all, (the group), first half, second half, third, (the group), fourth.
        let medusa = medusa([not_found(), group(), group(), not_found(), not_found(), group(), group()]);
        let groups = medusa.client().admin().customer_groups();
        let report = groups.add_customers("cgrp_1", ids(4)).in_batches().skip_unknown().await.unwrap();
        assert_eq!(report.done, ["cus_0", "cus_1", "cus_3"]);
        assert_eq!(report.unknown, ["cus_2"]);
        assert_eq!(sizes(&medusa), [4, 0, 2, 2, 1, 0, 1]);
    }

    /// A server that knows all customers but some, and finds so many at most before it names the others.
    struct Finding {
        unknown: HashSet<String>,
        most: usize,
        added: Mutex<Vec<String>>,
        sizes: Mutex<Vec<usize>>,
    }

    impl Transport for Finding {
        fn send(&self, request: http::Request<Bytes>) -> Sending {
            // Without a body, it is a look at the group.
            let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
            let ids = body["customer_ids"].as_array().into_iter().flatten();
            let ids: Vec<String> = ids.map(|id| id["id"].as_str().unwrap().to_owned()).collect();
            self.sizes.lock().unwrap().push(ids.len());
            let exist = ids.iter().rev().filter(|id| !self.unknown.contains(*id));
            let found: HashSet<_> = exist.take(self.most).collect();
            let not_found: Vec<&str> =
                ids.iter().filter(|id| !found.contains(id)).map(String::as_str).collect();
            let next = if ids.iter().any(|id| self.unknown.contains(id)) {
                let list = json!(not_found.join(", "));
                let message = format!("The following customer ids do not exist: {list}");
                Next::answer(404, json!({"type": "not_found", "message": message}).to_string())
            } else {
                self.added.lock().unwrap().extend(ids);
                group()
            };
            let medusa = medusa([next]);
            medusa.send(request)
        }
    }

    /// Sends this many customers to it, and returns the sizes of its requests.
    async fn find(customers: &[String], unknown: &[String], most: usize) -> Vec<usize> {
        let server = Arc::new(Finding {
            unknown: unknown.iter().cloned().collect(),
            most,
            added: Mutex::default(),
            sizes: Mutex::default(),
        });
        let client = Client::builder("http://medusa.test").transport(server.clone()).build().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let told = seen.clone();
        let mut report = client
            .admin()
            .customer_groups()
            .add_customers("cgrp_1", customers)
            .in_batches()
            .skip_unknown()
            .on_progress(move |progress| told.lock().unwrap().push(progress.done))
            .await
            .unwrap();

        let mut expected: Vec<_> = customers.iter().filter(|id| !unknown.contains(id)).cloned().collect();
        let mut added = server.added.lock().unwrap().clone();
        [&mut expected, &mut added, &mut report.done, &mut report.unknown]
            .into_iter()
            .for_each(|ids| ids.sort());
        let mut unknown = unknown.to_vec();
        unknown.sort();
        assert_eq!((&report.done, &added, &report.unknown), (&expected, &expected, &unknown));
        let seen = seen.lock().unwrap();
        assert!(seen.is_sorted_by(|before, after| before < after), "{seen:?}");
        assert_eq!(seen.last(), Some(&customers.len()));
        server.sizes.lock().unwrap().clone()
    }

    #[tokio::test]
    async fn the_unknown_are_taken_out_as_the_server_names_them() {
        let two = ["cus_17".to_owned(), "cus_900".to_owned()];
        assert_eq!(find(&ids(1000), &two, usize::MAX).await, [1000, 998, 2], "Stheno");
        assert_eq!(find(&ids(5), &ids(5), usize::MAX).await, [5]);
        assert_eq!(find(&ids(5), &ids(4), usize::MAX).await, [5, 1, 2, 2]);
        let sizes = find(&ids(1000), &two, 50).await;
        assert!(sizes.len() < 30, "Medusa: {sizes:?}");
    }

    #[tokio::test]
    async fn the_unknown_are_found_wherever_they_are() {
        let customers = ids(173);
        for most in [1, 2, 50, usize::MAX] {
            for step in [1, 2, 3, 7, 50, 51, 172] {
                for start in [0, 1, 49, 50, 51, 172] {
                    let unknown: Vec<_> = customers.iter().skip(start).step_by(step).cloned().collect();
                    find(&customers, &unknown, most).await;
                }
            }
        }
        // What cannot be told from the message.
        let odd: Vec<String> = ["a, b", "a", "b", "", "c\"d", ", "].map(str::to_owned).into();
        for mask in 0..1_u32 << odd.len() {
            let unknown = odd.iter().enumerate().filter(|(index, _)| mask >> index & 1 == 1);
            let unknown: Vec<_> = unknown.map(|(_, id)| id.clone()).collect();
            find(&odd, &unknown, usize::MAX).await;
            find(&odd, &unknown, 1).await;
        }
    }

    #[tokio::test]
    async fn what_is_too_large_is_halved() {
        let medusa =
            medusa([Next::answer(413, ""), group(), Next::answer(413, ""), group(), Next::answer(413, "")]);
        let groups = medusa.client().admin().customer_groups();
        let unfinished = groups.add_customers("cgrp_1", ids(4)).in_batches().await.unwrap_err();
        assert_eq!(sizes(&medusa), [4, 2, 2, 1, 1]);
        assert_eq!(unfinished.report().done, ["cus_0", "cus_1", "cus_2"]);
        assert!(unfinished.error().is_too_large(), "one customer alone");
    }

    #[tokio::test]
    async fn an_unknown_group_is_an_error() {
        let medusa = medusa([not_found(), not_found()]);
        let groups = medusa.client().admin().customer_groups();
        let unfinished =
            groups.add_customers("cgrp_1", ids(4)).in_batches().skip_unknown().await.unwrap_err();
        assert_eq!(unfinished.not_done(), ids(4));
        assert!(unfinished.error().is_not_found());
    }

    #[tokio::test]
    async fn a_group_that_vanishes_is_an_error() {
        let medusa = medusa([not_found(), group(), group()]);
        (0..9).for_each(|_| medusa.then(not_found()));
        let groups = medusa.client().admin().customer_groups();
        let unfinished =
            groups.add_customers("cgrp_1", ids(4)).in_batches().skip_unknown().await.unwrap_err();
        assert!(unfinished.error().is_not_found());
        assert_eq!(unfinished.report().done, ["cus_0", "cus_1"]);
        assert_eq!(unfinished.not_done(), ["cus_2", "cus_3"]);
    }

    #[tokio::test]
    async fn no_two_batches_have_the_same_key() {
        let medusa = medusa([group(), group()]);
        let groups = medusa.client().admin().customer_groups();
        let call = groups.add_customers("cgrp_1", ids(4)).idempotency_key("import-17");
        call.in_batches().size(2).await.unwrap();
        let requests = medusa.requests();
        let keys: HashSet<_> = requests.iter().map(|request| &request.headers()[IDEMPOTENCY_KEY]).collect();
        assert_eq!(keys.len(), 2);
    }
}
