//! `DELETE /admin/customer-groups/{id}/customers/batch`

use super::add_customers::Body;
use super::answer;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::extract::Call;

pub(crate) async fn handler(call: Call<(), Body>) -> Result<Answer, ApiError> {
    let id = call.id()?;
    let group = call.app.store().remove_customers_from_group(&id, call.body.customer_ids).await?;
    answer(&id, group)
}
