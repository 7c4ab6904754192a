//! `DELETE /admin/customer-groups/{id}/customers/batch`

use stheno_api_types::{CustomerGroup, CustomerGroupEnvelope};

use super::answer;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::extract::{Call, Input};
use crate::openapi::{BodyRefused, CustomerGroupId, CustomerGroupMissing, ReadOnly, Refused, describe_body};
use crate::schema::{Schema, Valid, definitions};

pub(crate) struct Body {
    customer_ids: Vec<String>,
}

impl Input for Body {
    const SCHEMA: Option<&'static Schema> = Some(&definitions::CUSTOMER_BATCH_REMOVAL);

    fn from_valid(mut valid: Valid) -> Self {
        Self { customer_ids: valid.ids("customer_ids").unwrap_or_default() }
    }
}

describe_body!(Body, "CustomersToRemove");

/// Removes customers from a group; those who are not in it are passed over.
#[utoipa::path(
    delete,
    path = "/admin/customer-groups/{id}/customers/batch",
    operation_id = "remove_customers_from_group",
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
    let group = call.store.remove_customers_from_group(&id, call.body.customer_ids).await?;
    answer(&id, group)
}
