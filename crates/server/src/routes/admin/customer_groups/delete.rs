//! `DELETE /admin/customer-groups/{id}`

use stheno_api_types::Deleted;

use crate::answer::Answer;
use crate::error::ApiError;
use crate::extract::Call;
use crate::openapi::{CustomerGroupId, ReadOnly, Refused};

/// Deletes a customer group for good, with all memberships. A group that is not there is as good as deleted.
#[utoipa::path(
    delete,
    path = "/admin/customer-groups/{id}",
    operation_id = "delete_customer_group",
    tag = "Customer groups",
    params(CustomerGroupId),
    responses((status = 200, body = Deleted, description = "The group is not there any more."), ReadOnly, Refused),
)]
pub(crate) async fn handler(call: Call) -> Result<Answer, ApiError> {
    let id = call.id()?;
    call.store.delete_customer_group(&id).await?;
    Answer::json(&Deleted::new("customer_group", id))
}
