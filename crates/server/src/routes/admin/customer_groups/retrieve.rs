//! `GET /admin/customer-groups/{id}`

use stheno_api_types::{CustomerGroupEnvelope, PartialCustomerGroup};

use super::answer;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::extract::{Call, Input, selection};
use crate::openapi::{CustomerGroupId, CustomerGroupMissing, NotModified, Refused, describe_query};
use crate::schema::{Schema, Valid, definitions};

pub(crate) struct Query {
    expand: Option<String>,
    fields: Option<String>,
}

impl Input for Query {
    const SCHEMA: Option<&'static Schema> = Some(&definitions::RETRIEVE_CUSTOMER_GROUP_QUERY);

    fn from_valid(mut valid: Valid) -> Self {
        Self { expand: valid.text("expand"), fields: valid.text("fields") }
    }
}

describe_query!(Query);

/// Shows a customer group.
#[utoipa::path(
    get,
    path = "/admin/customer-groups/{id}",
    operation_id = "retrieve_customer_group",
    tag = "Customer groups",
    params(CustomerGroupId, Query),
    responses(
        (status = 200, body = CustomerGroupEnvelope<PartialCustomerGroup>, description = "The group."),
        NotModified, CustomerGroupMissing, Refused
    ),
)]
pub(crate) async fn handler(call: Call<Query>) -> Result<Answer, ApiError> {
    let id = call.id()?;
    let store = &call.store;
    let Query { expand, fields } = &call.query;
    let selection = selection::customer_groups(store.catalog(), fields.as_deref(), expand.as_deref(), false)?;
    answer(&id, store.retrieve_customer_group(&id, &selection).await?)
}
