//! `/admin/customer-groups`

pub(crate) mod add_customers;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod list_customers;
pub(crate) mod remove_customers;
pub(crate) mod retrieve;
pub(crate) mod update;

use stheno_store::JsonText;

use crate::answer::Answer;
use crate::error::ApiError;

/// A customer group, or Medusa's words for one that is not there.
fn answer(id: &str, group: Option<JsonText>) -> Result<Answer, ApiError> {
    match group {
        Some(group) => Ok(Answer::of("customer_group", group)),
        None => Err(ApiError::NotFound(format!("CustomerGroup with id {id} was not found"))),
    }
}
