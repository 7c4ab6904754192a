//! Whole lists, page by page or item by item.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_util::future::FutureExt;
use futures_util::stream::{FuturesOrdered, StreamExt};
use http::HeaderMap;
use http::header::LINK;

use crate::call::Call;
use crate::operation::Listing;
use crate::{Error, Page, Response};

/// How many items a page of a stream holds, unless the call says so.
const PAGE_SIZE: u64 = 100;

/// # Whole lists
impl<O: Listing> Call<O> {
    /// All items of the list, as a stream.
    ///
    /// Pages are fetched as they are needed, the next one already while the items of one are being looked at; `limit` is
    /// the size of a page (100 if not set), `offset` where to begin. Unless `order` is set, the order is that of
    /// the ids, since the servers' own order may show an item twice, or not at all, when times are equal. So may any
    /// `order` by what several items have in common, such as a last name.
    ///
    /// Where the server says how to go on, with a cursor, each page begins where the one before it ended: one after the other,
    /// whatever others change meanwhile, and the last as quick as the first. Stheno does; Medusa does not: there
    /// a list that others change moves under the stream. To change or delete what it shows, collect it first.
    /// The first error ends the stream.
    ///
    /// ```no_run
    /// # async fn example(groups: stheno_client::CustomerGroups) -> Result<(), stheno_client::Error> {
    /// let mut customers = groups.list_customers("cgrp_01JBRG").stream();
    /// while let Some(customer) = customers.next().await {
    ///     println!("{}", customer?.email);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream(self) -> Items<O> {
        Items { pages: self.pages(), items: Vec::new().into_iter() }
    }

    /// All pages of the list, as a stream. All that is said of [`stream`](Self::stream) is true of this.
    pub fn pages(mut self) -> Pages<O> {
        self.options.refuse("limit", "use the method `limit`: pages are counted by it");
        self.options.refuse("offset", "use the method `offset`: pages are counted by it");
        let query = self.operation.query_mut();
        if !query.contains("order") {
            query.set("order", "id");
        }
        let limit = query.number("limit").unwrap_or(PAGE_SIZE);
        let offset = query.number("offset").unwrap_or(0);
        Pages {
            call: self.limit(limit),
            limit,
            prefetch: 1,
            count: None,
            next: Some(Start::Offset(offset)),
            running: FuturesOrdered::new(),
            ready: VecDeque::new(),
            again: None,
        }
    }

    /// All items of the list, in one vector. See [`stream`](Self::stream).
    ///
    /// # Errors
    ///
    /// That of the first page that cannot be had.
    ///
    /// ```no_run
    /// # async fn example(groups: stheno_client::CustomerGroups) -> Result<(), stheno_client::Error> {
    /// let all = groups.list().all().await?;
    /// println!("{} groups", all.len());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn all(self) -> Result<Vec<O::Item>, Error> {
        let mut pages = self.pages();
        let mut all = Vec::new();
        while let Some(page) = pages.next().await {
            all.extend(page?);
        }
        Ok(all)
    }
}

/// The pages of a list: see [`Call::pages`].
#[must_use = "a stream does nothing until it is polled"]
pub struct Pages<O: Listing> {
    call: Call<O>,
    limit: u64,
    prefetch: usize,
    /// How many items there are in all, once that is known.
    count: Option<u64>,
    /// Where the next page to ask for begins.
    next: Option<Start>,
    running: FuturesOrdered<Asking<O>>,
    /// Pages that came while an earlier one was being looked at.
    ready: VecDeque<Arrival<O>>,
    /// The page that is next, if it has to be asked for once more.
    again: Option<Asking<O>>,
}

type Asking<O> = Pin<Box<dyn Future<Output = Arrival<O>> + Send>>;

/// Where a page begins.
#[derive(Clone, Debug)]
enum Start {
    /// Behind so many items.
    Offset(u64),
    /// Where the page before it ended, as the server said.
    Cursor(String),
}

/// What came of asking for a page.
struct Arrival<O: Listing> {
    page: Result<Response<Page<O::Item>>, Error>,
    start: Start,
    /// Whether it was asked for before anyone waited for it.
    ahead: bool,
}

impl<O: Listing> Arrival<O> {
    /// Whether time may have run out only because nobody looked whether it had come.
    fn is_stale(&self) -> bool {
        self.ahead && self.page.as_ref().is_err_and(Error::is_timeout)
    }
}

impl<O: Listing> Pages<O> {
    /// How many pages to ask for ahead of the one that is being looked at: 1 if not set.
    pub fn prefetch(self, pages: usize) -> Self {
        Self { prefetch: pages, ..self }
    }

    /// How many items there are in all, as the last page said; `None` before the first.
    pub fn total(&self) -> Option<u64> {
        self.count
    }

    /// The next page; `None` after the last.
    pub async fn next(&mut self) -> Option<Result<Response<Page<O::Item>>, Error>> {
        StreamExt::next(self).await
    }

    /// Asks for pages until so many are under way, or have come; for one only as long as nobody knows how many there are.
    /// `ahead`: nobody waits even for the first of them.
    fn ask(&mut self, most: usize, ahead: bool) {
        let most = if self.count.is_some() { most } else { 1 };
        while self.under_way() < most
            && let Some(start) = self.next.take()
        {
            let ahead = ahead || self.under_way() > 0;
            self.running.push_back(self.fetch(start.clone(), ahead));
            self.next = match start {
                Start::Offset(offset) => self.following(offset).map(Start::Offset),
                // Known when this page has come.
                Start::Cursor(_) => None,
            };
        }
    }

    fn under_way(&self) -> usize {
        self.running.len() + self.ready.len() + usize::from(self.again.is_some())
    }

    fn fetch(&self, start: Start, ahead: bool) -> Asking<O> {
        let mut call = self.call.clone();
        match &start {
            Start::Offset(offset) => call = call.offset(*offset),
            Start::Cursor(cursor) => {
                let query = call.operation.query_mut();
                query.remove("offset");
                query.set("cursor", cursor.clone());
            }
        }
        Box::pin(async move { Arrival { page: call.await, start, ahead } })
    }

    /// Takes in what has come. Unless this happens now and then, a page that was asked for ahead runs out of time, however
    /// soon the server answered.
    fn receive(&mut self, context: &mut Context<'_>) {
        while let Poll::Ready(Some(arrival)) = self.running.poll_next_unpin(context) {
            self.ready.push_back(arrival);
        }
    }

    fn poll_arrival(&mut self, context: &mut Context<'_>) -> Poll<Option<Arrival<O>>> {
        if let Some(again) = &mut self.again {
            let arrival = ready!(again.poll_unpin(context));
            self.again = None;
            return Poll::Ready(Some(arrival));
        }
        match self.ready.pop_front() {
            Some(arrival) => Poll::Ready(Some(arrival)),
            None => self.running.poll_next_unpin(context),
        }
    }

    /// Where the page after the one at this offset begins, if there may be one.
    fn following(&self, offset: u64) -> Option<u64> {
        let next = offset.checked_add(self.limit)?;
        let more = match self.count {
            Some(count) if self.call.operation.counts_all() => next < count,
            _ => true,
        };
        (more && self.limit > 0).then_some(next)
    }

    /// Takes note of what a page says about the list.
    fn note(&mut self, arrival: &Arrival<O>) {
        match &arrival.page {
            Ok(page) => {
                self.count = Some(page.count);
                let next = next_cursor(page.headers());
                let offset = match (&arrival.start, next) {
                    (_, Some(cursor)) => {
                        self.next = Some(Start::Cursor(cursor));
                        return;
                    }
                    (Start::Cursor(_), None) => return,
                    (Start::Offset(offset), None) => *offset,
                };
                let came = page.items.len() as u64;
                if !self.call.operation.counts_all() {
                    if came < self.limit {
                        self.next = None;
                    }
                } else if came != self.limit {
                    // The last page, or a server with a limit of its own: the next page begins where this one ended.
                    let end = offset.saturating_add(came);
                    self.forget();
                    self.next = (came > 0 && end < page.count).then_some(Start::Offset(end));
                    self.limit = came;
                    self.call = self.call.clone().limit(came);
                } else if matches!(self.next, Some(Start::Offset(next)) if next >= page.count) {
                    self.next = None;
                }
            }
            Err(_) => {
                self.next = None;
                self.forget();
            }
        }
    }

    /// Gives up all pages that are under way.
    fn forget(&mut self) {
        self.running = FuturesOrdered::new();
        self.ready.clear();
    }
}

/// The cursor in the header `Link` that says where the next page is, if the server sends one.
fn next_cursor(headers: &HeaderMap) -> Option<String> {
    headers.get_all(LINK).iter().find_map(|link| {
        let (reference, parameters) = link.to_str().ok()?.split_once('>')?;
        parameters.split(';').find(|parameter| {
            let parameter = parameter.trim();
            ["rel=\"next\"", "rel=next"].iter().any(|next| parameter.eq_ignore_ascii_case(next))
        })?;
        let query = reference.split_once('?')?.1;
        stheno_qs::parse(query).get("cursor")?.as_str().map(str::to_owned)
    })
}

impl<O: Listing> Unpin for Pages<O> {}

impl<O: Listing> Stream for Pages<O> {
    type Item = Result<Response<Page<O::Item>>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let prefetch = self.prefetch;
        self.ask(1 + prefetch, false);
        let arrival = loop {
            match ready!(self.poll_arrival(context)) {
                Some(arrival) if arrival.is_stale() => {
                    self.again = Some(self.fetch(arrival.start, false));
                }
                Some(arrival) => break arrival,
                None => return Poll::Ready(None),
            }
        };
        self.note(&arrival);
        self.ask(prefetch, true);
        // Sends what was just asked for: nothing would, while this page is being looked at.
        self.receive(context);
        Poll::Ready(Some(arrival.page))
    }
}

impl<O: Listing> fmt::Debug for Pages<O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Pages")
            .field("count", &self.count)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

/// The items of a list: see [`Call::stream`].
#[must_use = "a stream does nothing until it is polled"]
pub struct Items<O: Listing> {
    pages: Pages<O>,
    items: std::vec::IntoIter<O::Item>,
}

impl<O: Listing> Items<O> {
    /// How many pages to ask for ahead of the one whose items are being looked at: 1 if not set.
    pub fn prefetch(self, pages: usize) -> Self {
        Self { pages: self.pages.prefetch(pages), ..self }
    }

    /// How many items there are in all, as the last page said; `None` before the first item.
    pub fn total(&self) -> Option<u64> {
        self.pages.total()
    }

    /// The next item; `None` after the last.
    pub async fn next(&mut self) -> Option<Result<O::Item, Error>> {
        StreamExt::next(self).await
    }
}

impl<O: Listing> Unpin for Items<O> {}

impl<O: Listing> Stream for Items<O> {
    type Item = Result<O::Item, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(item) = self.items.next() {
                self.pages.receive(context);
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(self.pages.poll_next_unpin(context)) {
                Some(Ok(page)) => self.items = page.into_iter(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<O: Listing> fmt::Debug for Items<O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Items").field("pages", &self.pages).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use bytes::Bytes;
    use futures_util::{FutureExt, TryStreamExt};
    use http::header::LINK;
    use serde_json::json;
    use tokio::time::{Instant, sleep, sleep_until};

    use crate::test::{FakeMedusa, Next};
    use crate::transport::{Sending, Transport};
    use crate::{Client, Error, Retry};

    /// A page of the customers `from..to` of `count`.
    fn page(from: u64, to: u64, count: u64, limit: u64) -> Next {
        let customers: Vec<_> = (from..to)
            .map(|number| {
                json!({
                    "id": format!("cus_{number}"), "email": "a@b.c", "first_name": null, "last_name": null,
                    "billing_address_id": null, "phone": null, "has_account": true, "metadata": null,
                    "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z",
                })
            })
            .collect();
        let body = json!({"customers": customers, "count": count, "offset": from, "limit": limit});
        Next::answer(200, body.to_string())
    }

    fn medusa(pages: impl IntoIterator<Item = Next>) -> FakeMedusa {
        let medusa = FakeMedusa::new();
        pages.into_iter().for_each(|page| medusa.then(page));
        medusa
    }

    fn queries(medusa: &FakeMedusa) -> Vec<String> {
        medusa.requests().iter().map(|request| request.uri().query().unwrap().to_owned()).collect()
    }

    #[tokio::test]
    async fn all_items_come_once() {
        let medusa = medusa([page(0, 2, 5, 2), page(2, 4, 5, 2), page(4, 5, 5, 2)]);
        let stream = medusa.client().admin().customers().list().q("a").limit(2).stream();
        let ids: Vec<String> = stream.map_ok(|customer| customer.id).try_collect().await.unwrap();
        assert_eq!(ids, ["cus_0", "cus_1", "cus_2", "cus_3", "cus_4"]);
        assert_eq!(
            queries(&medusa),
            [
                "q=a&limit=2&order=id&offset=0",
                "q=a&limit=2&order=id&offset=2",
                "q=a&limit=2&order=id&offset=4",
            ]
        );
    }

    #[tokio::test]
    async fn pages_begin_where_the_server_says() {
        let linked = |page: Next, link: &str| {
            let Next::Answer(mut answer) = page else { unreachable!() };
            answer.headers_mut().insert(LINK, link.parse().unwrap());
            Next::Answer(answer)
        };
        // One comes meanwhile, and the last page may be empty.
        let medusa = medusa([
            linked(page(0, 2, 4, 2), "<?limit=2&q=a&cursor=AQ-_>; rel=\"next\""),
            linked(page(2, 4, 5, 2), "</admin/customers?cursor=Ag&limit=2>;title=x; rel=next"),
            page(4, 4, 5, 2),
        ]);
        let all = medusa.client().admin().customers().list().q("a").limit(2).all().await.unwrap();
        assert_eq!(all.len(), 4);
        assert_eq!(
            queries(&medusa),
            [
                "q=a&limit=2&order=id&offset=0",
                "q=a&limit=2&order=id&cursor=AQ-_",
                "q=a&limit=2&order=id&cursor=Ag",
            ]
        );
    }

    #[tokio::test]
    async fn a_full_last_page_is_the_last() {
        let medusa = medusa([page(0, 2, 4, 2), page(2, 4, 4, 2)]);
        let all = medusa.client().admin().customers().list().limit(2).all().await.unwrap();
        assert_eq!((all.len(), medusa.requests().len()), (4, 2));
    }

    #[tokio::test]
    async fn begins_at_the_offset_and_keeps_the_order() {
        use crate::admin::customers::CustomerSort;

        let medusa = medusa([page(3, 4, 4, 100)]);
        let list = medusa.client().admin().customers().list().offset(3).order(CustomerSort::Email);
        assert_eq!(list.all().await.unwrap().len(), 1);
        assert_eq!(queries(&medusa), ["offset=3&order=email&limit=100"]);
    }

    #[tokio::test]
    async fn without_a_limit_there_is_one_page() {
        let medusa = medusa([page(0, 3, 3, 0)]);
        assert_eq!(medusa.client().admin().customers().list().limit(0).all().await.unwrap().len(), 3);
        assert_eq!(medusa.requests().len(), 1);
    }

    #[tokio::test]
    async fn pages_are_fetched_ahead() {
        for (prefetch, expected) in
            [(0, [1, 2, 3, 4]), (1, [2, 3, 4, 4]), (2, [3, 4, 4, 4]), (9, [4, 4, 4, 4])]
        {
            let medusa = medusa((0..4).map(|number| page(number, number + 1, 4, 1)));
            let mut pages = medusa.client().admin().customers().list().limit(1).pages().prefetch(prefetch);
            assert_eq!(pages.total(), None);
            for expected in expected {
                let page = pages.next().now_or_never().unwrap().unwrap().unwrap();
                assert_eq!(page.items.len(), 1);
                assert_eq!(medusa.requests().len(), expected, "prefetch {prefetch}");
            }
            assert_eq!(pages.total(), Some(4));
            assert!(pages.next().await.is_none());
        }
    }

    #[tokio::test]
    async fn a_server_may_send_less_than_it_was_asked_for() {
        let medusa = medusa([page(0, 2, 5, 2), page(2, 4, 5, 2), page(4, 5, 5, 2)]);
        let all = medusa.client().admin().customers().list().all().await.unwrap();
        let ids: Vec<_> = all.iter().map(|customer| customer.id.as_str()).collect();
        assert_eq!(ids, ["cus_0", "cus_1", "cus_2", "cus_3", "cus_4"]);
        assert_eq!(
            queries(&medusa),
            ["order=id&limit=100&offset=0", "order=id&limit=2&offset=2", "order=id&limit=2&offset=4"]
        );
    }

    #[tokio::test]
    async fn a_server_may_send_more_than_it_was_asked_for() {
        let medusa = medusa([page(0, 3, 4, 3), page(3, 4, 4, 3)]);
        let all = medusa.client().admin().customers().list().limit(1).all().await.unwrap();
        assert_eq!((all.len(), medusa.requests().len()), (4, 2));
    }

    #[tokio::test]
    async fn a_count_that_is_never_reached_ends() {
        let medusa = medusa([page(0, 2, 9, 2), page(2, 2, 9, 2)]);
        assert_eq!(medusa.client().admin().customers().list().limit(2).all().await.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn what_pages_are_counted_by_has_a_method() {
        for name in ["limit", "offset"] {
            let medusa = medusa([]);
            let list = medusa.client().admin().customers().list().query(name, "1");
            let error = list.all().await.unwrap_err();
            assert!(error.is_invalid_request() && error.to_string().contains(name), "{error}");
            assert!(medusa.requests().is_empty());
        }
    }

    #[tokio::test]
    async fn an_error_ends_it() {
        let medusa = medusa([page(0, 1, 3, 1), Next::answer(500, ""), page(2, 3, 3, 1)]);
        let mut items = medusa.client().admin().customers().list().limit(1).stream();
        assert!(items.next().await.unwrap().is_ok());
        assert!(items.next().await.unwrap().unwrap_err().is_server_error());
        assert!(items.next().await.is_none());
    }

    #[tokio::test]
    async fn a_count_of_the_page_is_not_believed() {
        let group = json!({
            "id": "cgrp_1", "name": "VIP", "metadata": null,
            "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z",
        });
        let page = |groups: &[_], offset| {
            let body =
                json!({"customer_groups": groups, "count": groups.len(), "offset": offset, "limit": 1});
            Next::answer(200, body.to_string())
        };
        let medusa = medusa([page(&[&group], 0), page(&[&group], 1), page(&[], 2), page(&[], 3)]);
        let list =
            medusa.client().admin().customer_groups().list().discount_condition_id("discon_1").limit(1);
        assert_eq!(list.all().await.unwrap().len(), 2);
    }

    /// Answers after a second, and like reqwest looks at the clock before it looks at the answer.
    struct Punctual(FakeMedusa);

    impl Transport for Punctual {
        fn send(&self, request: http::Request<Bytes>) -> Sending {
            let answer = self.0.send(request);
            Box::pin(async move {
                let late = sleep_until(Instant::now() + Duration::from_secs(30));
                tokio::select! {
                    biased;
                    () = late => Err(Error::timeout("late")),
                    () = sleep(Duration::from_secs(1)) => answer.await,
                }
            })
        }
    }

    /// A server with so many customers.
    async fn punctual(customers: usize) -> (FakeMedusa, Client) {
        let medusa = FakeMedusa::new();
        (0..customers).for_each(|number| drop(medusa.add_guest(&format!("{number}@example.com"))));
        let transport = Arc::new(Punctual(medusa.clone()));
        (medusa, Client::builder("http://medusa.test").transport(transport).build().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn items_may_be_looked_at_for_long() {
        let (medusa, client) = punctual(100).await;
        let mut items = client.admin().customers().list().limit(25).stream();
        let mut seen = 0;
        while let Some(item) = items.next().await {
            item.unwrap();
            seen += 1;
            sleep(Duration::from_secs(10)).await;
        }
        assert_eq!((seen, medusa.requests().len()), (100, 4), "no answer is thrown away");
    }

    #[tokio::test(start_paused = true)]
    async fn pages_may_be_looked_at_for_longer_than_a_call_may_take() {
        let (_, client) = punctual(100).await;
        for retry in [Retry::default(), Retry::never()] {
            let mut pages = client.admin().customers().list().limit(10).retry(retry).pages().prefetch(3);
            let mut seen = 0;
            while let Some(page) = pages.next().await {
                seen += page.unwrap().items.len();
                sleep(Duration::from_secs(1000)).await;
            }
            assert_eq!(seen, 100);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_that_does_not_come_is_asked_for_once_more() {
        let medusa = medusa([page(0, 1, 3, 1), Next::Hang, Next::Hang, Next::Hang]);
        let mut pages = medusa.client().admin().customers().list().limit(1).pages();
        assert!(pages.next().await.unwrap().is_ok());
        assert!(pages.next().await.unwrap().unwrap_err().is_timeout());
        let asked = queries(&medusa);
        let second: Vec<_> = asked.iter().filter(|query| query.ends_with("offset=1")).collect();
        assert_eq!(second.len(), 2, "{asked:?}");
        assert!(pages.next().await.is_none());
    }
}
