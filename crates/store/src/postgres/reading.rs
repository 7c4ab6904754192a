//! Reading rows and lists out of one snapshot each.

use std::sync::Arc;

use deadpool_postgres::{GenericClient, Transaction};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio_postgres::Row;

use super::counts::Counts;
use super::fault;
use super::pool::{Client, Pool};
use super::rows::{self, RowWriter};
use crate::answer::{JsonText, Output, PageHead};
use crate::cursor::{Bookmark, Key};
use crate::entity::{Catalog, Relation};
use crate::selection::{Order, Selection};
use crate::sql::{DEEP, Dialect, ListSource, Statement, TOTAL};
use crate::{StoreError, Window};

/// Pages of up to this many rows are read whole, so that the snapshot does not wait for the reader.
const SMALL_PAGE: u64 = 100;

/// How a page in the order of an index is planned: once, and by that index. PostgreSQL plans without knowing the window, and
/// would otherwise prepare for a large one, each time.
pub(super) const FLAT: &str = "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off";

/// How all is planned on a connection that is shared, for as long as that lives: as [`FLAT`], each row of a page on its own, and
/// a search for groups by its trigrams, since comparing all names costs more than PostgreSQL thinks. What takes long is ended.
pub(super) const SHARED: &str = "
    SET plan_cache_mode = force_generic_plan;
    SET enable_sort = off; SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
    SET max_parallel_workers_per_gather = 0; SET random_page_cost = 1.1; SET cpu_operator_cost = 0.02;
    SET statement_timeout = 500";

/// How a search is planned: for its very term, since one that is rare is found by its trigrams and one that is frequent is not;
/// as for data in memory, so that the few members of a group are looked at one by one; and comparing texts for what it costs.
pub(super) const SEARCH: &str = "SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL random_page_cost = 1.1; \
                                 SET LOCAL cpu_operator_cost = 0.02";

/// A row to read with its relations.
pub(super) struct RowReading {
    pub(super) id: String,
    pub(super) dialect: Dialect,
    pub(super) catalog: Arc<Catalog>,
    pub(super) selection: Selection,
    pub(super) statement: Statement,
}

impl RowReading {
    pub(super) fn write<'a>(
        &'a self,
        mut client: Client,
        output: &'a mut Output<()>,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            let rows = RowWriter::new(self.dialect, &self.catalog, &self.selection, None);
            output.begin(());
            let transaction = client.snapshot().await.map_err(fault)?;
            rows.write_one(&transaction, &self.id, &self.statement, output).await
        }
        .boxed()
    }
}

/// A part of a list to read, and before it the number of all rows.
pub(super) struct ListReading {
    pub(super) dialect: Dialect,
    pub(super) catalog: Arc<Catalog>,
    pub(super) counts: Arc<Counts>,
    pub(super) source: ListSource,
    pub(super) order: Order,
    pub(super) window: Window,
    pub(super) selection: Selection,
    /// The only groups that the relation `groups` of the rows holds, if not all.
    pub(super) only_groups: Option<Vec<String>>,
}

impl ListReading {
    /// The page, where one statement reads all of it at once: on a connection that is shared, if there is room.
    pub(super) async fn look_up(&self, pool: &Pool) -> Result<Option<(PageHead, JsonText)>, StoreError> {
        let Self { catalog, selection, order, window, .. } = self;
        let group = match &selection.relations[..] {
            [] => None,
            // All of these are members of the only group that is asked for.
            [(Relation::Groups, group)] if self.is_the_only_group(group) => Some(group),
            _ => return Ok(None),
        };
        if !self.is_small() {
            return Ok(None);
        }
        let page = self.source.page_and_count(catalog, selection, group, order, *window);
        let Some(page) = page else { return Ok(None) };
        let rows = pool.look_up_beside(&page.text, &rows::parameters(&page)).await?;
        let Some(first) = rows.as_ref().and_then(|rows| rows.first()) else { return Ok(None) };
        let Some(counted) = first.try_get::<_, Option<i64>>(TOTAL).map_err(fault)? else { return Ok(None) };
        let rows = rows.unwrap_or_default();
        let text = match group {
            Some(group) => rows::members(catalog, selection, group, &rows)?,
            None => rows::objects(catalog, selection, 0, &[], &rows)?,
        };
        let Some(text) = pool.whole(text) else { return Ok(None) };
        Ok(Some((self.head_of(counted.unsigned_abs(), &rows)?, text)))
    }

    /// Whether the relation `groups` is one group for all, shown as it is.
    fn is_the_only_group(&self, group: &Selection) -> bool {
        let is_plain = !group.has_relations() && !group.customer_count;
        is_plain && self.only_groups.as_ref().is_some_and(|groups| groups.len() == 1)
    }

    fn is_small(&self) -> bool {
        self.window.limit.is_some_and(|limit| limit <= SMALL_PAGE) && self.window.offset < DEEP
    }

    pub(super) fn write<'a>(
        &'a self,
        mut client: Client,
        output: &'a mut Output<PageHead>,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            let Self { dialect, catalog, selection, only_groups, order, window, .. } = self;
            let rows = RowWriter::new(*dialect, catalog, selection, only_groups.as_deref());
            let customers = self.source.all_customers(order, *window);
            let comes_at_once = self.is_small() && customers.is_none();
            if comes_at_once && !selection.has_relations() && client.is_direct() {
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ";
                let (counted, page) = self.read_at_once(&*client, begin, "COMMIT").await?;
                drop(client);
                output.begin(self.head_of(counted, &page)?);
                return rows.write_plain(&page, output).await;
            }
            let transaction = client.snapshot().await.map_err(fault)?;
            if comes_at_once {
                let (counted, page) = self.read_at_once(&transaction, "", "").await?;
                output.begin(self.head_of(counted, &page)?);
                return rows.write_page(&transaction, &page, output).await;
            }
            if self.source.searches() {
                transaction.batch_execute(SEARCH).await.map_err(fault)?;
            }
            let counted = self.read_count(&transaction, &self.source.count()).await?;
            let found = match &customers {
                Some(customers) => self.walk(&transaction, counted, customers).await?,
                None => None,
            };
            if self.source.is_flat(order) {
                transaction.batch_execute(FLAT).await.map_err(fault)?;
            }
            let end = match found.as_ref().and_then(|ids| ids.last()) {
                Some(id) if ListSource::may_go_on(counted, *window) => Some(self.source.end_at(order, id)),
                Some(_) => None,
                None => self.source.end_of(counted, order, *window),
            };
            let last = match end {
                Some(end) => {
                    let prepared = transaction.prepare_cached(&end.text).await.map_err(fault)?;
                    transaction.query_opt(&prepared, &rows::parameters(&end)).await.map_err(fault)?
                }
                None => None,
            };
            output.begin(PageHead { count: counted, next: self.cursor(last.as_ref())? });
            let page = match found {
                Some(ids) => Some(self.source.page_of_ids(catalog, selection, order, &ids)),
                None => self.source.page_of(counted, catalog, selection, order, *window),
            };
            let Some(page) = page else { return Ok(()) };
            let portal = rows::bind(&transaction, &page).await?;
            rows.write_all(&transaction, &portal, output).await
            // The transaction ends with its value. Nobody needs to wait for that.
        }
        .boxed()
    }

    /// What the list goes on after behind this row, if there is one.
    fn cursor(&self, last: Option<&Row>) -> Result<Option<String>, StoreError> {
        let Some(last) = last else { return Ok(None) };
        let key: Option<String> = last.try_get("stheno_end").map_err(fault)?;
        let place = Bookmark(key.map_or(Key::Missing, Key::Text), last.try_get(0).map_err(fault)?);
        Ok(Some(self.source.cursor(&place, &self.order)))
    }

    /// What is known of a page that has been read.
    fn head_of(&self, counted: u64, page: &[Row]) -> Result<PageHead, StoreError> {
        let is_full =
            self.window.limit == Some(page.len() as u64) && ListSource::may_go_on(counted, self.window);
        Ok(PageHead { count: counted, next: self.cursor(page.last().filter(|_| is_full))? })
    }

    /// Counts, and reads a page, in one round trip, between what is said first and last.
    async fn read_at_once(
        &self,
        client: &impl GenericClient,
        first: &str,
        last: &str,
    ) -> Result<(u64, Vec<Row>), StoreError> {
        let count = self.source.count();
        let page = self.source.page(&self.catalog, &self.selection, &self.order, self.window);
        let counting = client.prepare_cached(&count.text).await.map_err(fault)?;
        let reading = client.prepare_cached(&page.text).await.map_err(fault)?;
        let (counted_by, paged_by) = (rows::parameters(&count), rows::parameters(&page));
        let mut before = first.to_owned();
        if self.source.searches() {
            before.extend([SEARCH, "; "]);
        }
        if self.source.is_flat(&self.order) {
            before.push_str(FLAT);
        }
        // Each is sent when it is polled first, so that all are under way before the first is answered.
        let (begun, counted, rows, ended) = futures::join!(
            client.batch_execute(&before),
            client.query_one(&counting, &counted_by),
            client.query(&reading, &paged_by),
            async { if last.is_empty() { Ok(()) } else { client.batch_execute(last).await } },
        );
        begun.map_err(fault)?;
        let (counted, rows) = (self.counts.read(&counted.map_err(fault)?)?, rows.map_err(fault)?);
        ended.map_err(fault)?;
        Ok((counted, rows))
    }

    /// The ids of the members on the page, if they were found among the customers.
    async fn walk(
        &self,
        transaction: &Transaction<'_>,
        members: u64,
        customers: &Statement,
    ) -> Result<Option<Vec<String>>, StoreError> {
        let customers = self.read_count(transaction, customers).await?;
        let Some(walk) = self.source.walk(members, customers, &self.order, self.window) else {
            return Ok(None);
        };
        let prepared = transaction.prepare_cached(&walk.statement.text).await.map_err(fault)?;
        let parameters = rows::parameters(&walk.statement);
        let rows = transaction.query(&prepared, &parameters).await.map_err(fault)?;
        let ids = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<_>, _>>().map_err(fault)?;
        Ok(walk.found(ids))
    }

    async fn read_count(&self, transaction: &Transaction<'_>, count: &Statement) -> Result<u64, StoreError> {
        let prepared = transaction.prepare_cached(&count.text).await.map_err(fault)?;
        let row = transaction.query_one(&prepared, &rows::parameters(count)).await.map_err(fault)?;
        self.counts.read(&row)
    }
}
