//! `GET /admin/customer-groups`

use axum::response::Response;
use stheno_api_types::{self as api, PartialCustomerGroup};
use stheno_store::{CustomerGroupFilter, CustomerGroupList, Order, Page, Table, Window};

use crate::answer::Answer;
use crate::error::ApiError;
use crate::extract::{Call, Input, selection};
use crate::openapi::{NotModified, Refused, describe_query};
use crate::routes::admin::{Paging, with_next};
use crate::schema::{Schema, Valid, definitions};

const PAGE: u64 = 10;

pub(crate) struct Query {
    filter: CustomerGroupFilter,
    paging: Paging,
    order: Option<String>,
    expand: Option<String>,
    fields: Option<String>,
}

impl Input for Query {
    const SCHEMA: Option<&'static Schema> = Some(&definitions::LIST_CUSTOMER_GROUPS_QUERY);

    fn from_valid(mut valid: Valid) -> Self {
        let q = valid.text("q").filter(|q| !q.is_empty());
        // A search replaces the filter by names (`cg.list.name_and_q`).
        let names = valid.texts("name").filter(|_| q.is_none());
        Self {
            filter: CustomerGroupFilter {
                q,
                names,
                id: valid.id_filter("id"),
                created_at: valid.date_range("created_at"),
                updated_at: valid.date_range("updated_at"),
                discount_condition_id: valid.text("discount_condition_id"),
            },
            paging: Paging::take(&mut valid, PAGE),
            order: valid.text("order"),
            expand: valid.text("expand"),
            fields: valid.text("fields"),
        }
    }
}

describe_query!(Query);

/// Lists customer groups, ten a page and the youngest first unless asked otherwise.
#[utoipa::path(
    get,
    path = "/admin/customer-groups",
    operation_id = "list_customer_groups",
    tag = "Customer groups",
    params(Query),
    responses(
        (
            status = 200,
            body = api::CustomerGroupList<PartialCustomerGroup>,
            description = "A page of customer groups.",
            headers(("Link" = String, description = "Where the list goes on, if there may be more: `<?…>; rel=\"next\"`.")),
        ),
        NotModified, Refused
    ),
)]
pub(crate) async fn handler(call: Call<Query>) -> Result<Response, ApiError> {
    let store = &call.store;
    let Query { filter, paging, order, expand, fields } = call.query;
    let selection = selection::customer_groups(store.catalog(), fields.as_deref(), expand.as_deref(), true)?;
    let order = match order.as_deref() {
        None | Some("") => Order::descending(store.catalog(), Table::CustomerGroup, "created_at")
            .map_err(|_| ApiError::Internal("customer groups have no time of creation"))?,
        Some(order) => selection::order(store.catalog(), Table::CustomerGroup, order)?,
    };
    let mut list = CustomerGroupList { filter, order, window: Window::from(&paging), selection };
    if let Some(cursor) = paging.cursor()? {
        list = list.after(cursor)?;
    }
    let Page { count, next, rows } = store.list_customer_groups(list).await?;
    let Paging { offset, limit, .. } = paging;
    let before = format!("{{\"count\":{count},\"customer_groups\":[");
    let answer = Answer::wrapped(&before, rows, &format!("],\"offset\":{offset},\"limit\":{limit}}}"));
    Ok(with_next(answer, &call.head.uri, next))
}
