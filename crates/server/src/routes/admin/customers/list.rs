//! `GET /admin/customers`

use axum::response::Response;
use http::Uri;
use stheno_api_types as api;
use stheno_store::{CustomerFilter, CustomerList, Order, Page, Store, Table, Window};

use crate::answer::Answer;
use crate::error::ApiError;
use crate::extract::{Call, Input, selection};
use crate::openapi::{NotModified, Refused, describe_query};
use crate::routes::admin::{Paging, with_next};
use crate::schema::{Schema, Valid, definitions};

const PAGE: u64 = 50;

/// A list of customers as it is asked for, of all or of a group's.
pub(crate) struct Listing {
    pub(crate) filter: CustomerFilter,
    paging: Paging,
    order: Option<String>,
    expand: Option<String>,
}

impl Listing {
    pub(crate) fn take(valid: &mut Valid) -> Self {
        Self {
            filter: CustomerFilter {
                q: valid.text("q").filter(|q| !q.is_empty()),
                groups: None,
                has_account: valid.account_filter("has_account"),
                created_at: valid.date_range("created_at"),
                updated_at: valid.date_range("updated_at"),
            },
            paging: Paging::take(valid, PAGE),
            order: valid.text("order"),
            expand: valid.text("expand"),
        }
    }
}

pub(crate) struct Query(Listing);

impl Input for Query {
    const SCHEMA: Option<&'static Schema> = Some(&definitions::LIST_CUSTOMERS_QUERY);

    fn from_valid(mut valid: Valid) -> Self {
        let groups = valid.texts("groups");
        let mut listing = Listing::take(&mut valid);
        listing.filter.groups = groups;
        Self(listing)
    }
}

describe_query!(Query);

/// Lists customers, fifty a page and by their ids unless asked otherwise.
#[utoipa::path(
    get,
    path = "/admin/customers",
    operation_id = "list_customers",
    tag = "Customers",
    params(Query),
    responses(
        (
            status = 200,
            body = api::CustomerList,
            description = "A page of customers.",
            headers(("Link" = String, description = "Where the list goes on, if there may be more: `<?…>; rel=\"next\"`.")),
        ),
        NotModified, Refused
    ),
)]
pub(crate) async fn handler(call: Call<Query>) -> Result<Response, ApiError> {
    let Query(listing) = call.query;
    answer(&call.store, &call.head.uri, listing).await
}

/// Customers that are asked for by their groups are shown with these groups.
pub(crate) async fn answer(store: &Store, uri: &Uri, listing: Listing) -> Result<Response, ApiError> {
    let Listing { filter, paging, order, expand } = listing;
    let mut expand = expand.unwrap_or_default();
    if filter.groups.is_some() {
        expand.push_str(",groups");
    }
    let selection = selection::customers(store.catalog(), &expand)?;
    let order = match order.as_deref() {
        None | Some("") => Order::ascending(store.catalog(), Table::Customer, "id")
            .map_err(|_| ApiError::Internal("customers have no id"))?,
        Some(order) => selection::order(store.catalog(), Table::Customer, order)?,
    };
    let mut list = CustomerList { filter, order, window: Window::from(&paging), selection };
    if let Some(cursor) = paging.cursor()? {
        list = list.after(cursor)?;
    }
    let Page { count, next, rows } = store.list_customers(list).await?;
    let Paging { offset, limit, .. } = paging;
    let behind = format!("],\"count\":{count},\"offset\":{offset},\"limit\":{limit}}}");
    Ok(with_next(Answer::wrapped("{\"customers\":[", rows, &behind), uri, next))
}
