//! `GET /admin/customer-groups/{id}/customers`

use axum::response::Response;
use stheno_api_types::CustomerList;

use crate::error::ApiError;
use crate::extract::{Call, Input};
use crate::openapi::{CustomerGroupId, NotModified, Refused, describe_query};
use crate::routes::admin::customers::list::{Listing, answer};
use crate::schema::{Schema, Valid, definitions};

pub(crate) struct Query(Listing);

impl Input for Query {
    const SCHEMA: Option<&'static Schema> = Some(&definitions::LIST_MEMBERS_QUERY);

    fn from_valid(mut valid: Valid) -> Self {
        Self(Listing::take(&mut valid))
    }
}

describe_query!(Query);

/// Lists the members of a group. A group that is not there has none.
#[utoipa::path(
    get,
    path = "/admin/customer-groups/{id}/customers",
    operation_id = "list_customers_of_group",
    tag = "Customer groups",
    params(CustomerGroupId, Query),
    responses(
        (
            status = 200,
            body = CustomerList,
            description = "A page of customers; none, if there is no such group.",
            headers(("Link" = String, description = "Where the list goes on, if there may be more: `<?…>; rel=\"next\"`.")),
        ),
        NotModified, Refused
    ),
)]
pub(crate) async fn handler(call: Call<Query>) -> Result<Response, ApiError> {
    let id = call.id()?;
    let Query(mut listing) = call.query;
    listing.filter.groups = Some(vec![id]);
    answer(&call.store, &call.head.uri, listing).await
}
