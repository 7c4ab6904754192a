//! `/admin/customers`

pub(crate) mod create;
pub(crate) mod list;
pub(crate) mod retrieve;
pub(crate) mod update;

use stheno_store::JsonText;

use crate::answer::Answer;
use crate::error::ApiError;

/// The relations that a single customer is shown with where `expand` does not say otherwise.
const DEFAULT_RELATIONS: &str = "orders,shipping_addresses";

/// The relations asked for. An empty `expand` asks for nothing else than usual.
fn relations(expand: Option<&str>) -> &str {
    expand.filter(|expand| !expand.is_empty()).unwrap_or(DEFAULT_RELATIONS)
}

/// A customer, or Medusa's words for one that is not there.
fn answer(id: &str, customer: Option<JsonText>) -> Result<Answer, ApiError> {
    match customer {
        Some(customer) => Ok(Answer::of("customer", customer)),
        None => Err(ApiError::NotFound(format!("Customer with id: {id} was not found"))),
    }
}
