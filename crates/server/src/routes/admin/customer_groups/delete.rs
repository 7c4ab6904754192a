//! `DELETE /admin/customer-groups/{id}`

use stheno_api_types::Deleted;

use crate::answer::Answer;
use crate::error::ApiError;
use crate::extract::Call;

/// Deletes for good, with all memberships. A group that is not there is as good as deleted.
pub(crate) async fn handler(call: Call) -> Result<Answer, ApiError> {
    let id = call.id()?;
    call.store.delete_customer_group(&id).await?;
    Answer::json(&Deleted::new("customer_group", id))
}
