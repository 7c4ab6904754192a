//! `POST /admin/customer-groups/{id}/customers/batch`

use stheno_api_types::{CustomerGroup, CustomerGroupEnvelope};

use super::answer;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::extract::{Call, Input};
use crate::openapi::{BodyRefused, CustomerGroupId, CustomerGroupMissing, ReadOnly, Refused, describe_body};
use crate::schema::{Schema, Valid, definitions};

/// The customers that a batch names.
pub(crate) struct Body {
    customer_ids: Vec<String>,
}

impl Input for Body {
    const SCHEMA: Option<&'static Schema> = Some(&definitions::CUSTOMER_BATCH);

    fn from_valid(mut valid: Valid) -> Self {
        Self { customer_ids: valid.ids("customer_ids").unwrap_or_default() }
    }
}

describe_body!(Body, "CustomersToAdd");

/// Adds customers to a group: all of them, or none if one does not exist.
#[utoipa::path(
    post,
    path = "/admin/customer-groups/{id}/customers/batch",
    operation_id = "add_customers_to_group",
    tag = "Customer groups",
    params(CustomerGroupId),
    request_body(
        content = Body,
        example = json!({"customer_ids": [{"id": "cus_01JAA3XBJB4NYBM5RVRKHWKNE1"}]})
    ),
    responses(
        (status = 200, body = CustomerGroupEnvelope<CustomerGroup>, description = "The group."),
        CustomerGroupMissing, ReadOnly, Refused, BodyRefused
    ),
)]
pub(crate) async fn handler(call: Call<(), Body>) -> Result<Answer, ApiError> {
    let id = call.id()?;
    let group = call.store.add_customers_to_group(&id, call.body.customer_ids).await?;
    answer(&id, group)
}
