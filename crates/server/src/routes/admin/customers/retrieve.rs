//! `GET /admin/customers/{id}`

use stheno_api_types::CustomerEnvelope;

use super::{answer, relations};
use crate::answer::Answer;
use crate::error::ApiError;
use crate::extract::{Call, Input, selection};
use crate::openapi::{CustomerId, CustomerMissing, NotModified, Refused, describe_query};
use crate::schema::{Schema, Valid, definitions};

/// What of the customer is shown. `fields` is accepted and changes nothing.
pub(crate) struct Query {
    pub(super) expand: Option<String>,
}

impl Input for Query {
    const SCHEMA: Option<&'static Schema> = Some(&definitions::RETRIEVE_QUERY);

    fn from_valid(mut valid: Valid) -> Self {
        Self { expand: valid.text("expand") }
    }
}

describe_query!(Query);

/// Shows a customer.
#[utoipa::path(
    get,
    path = "/admin/customers/{id}",
    operation_id = "retrieve_customer",
    tag = "Customers",
    params(CustomerId, Query),
    responses(
        (status = 200, body = CustomerEnvelope, description = "The customer."),
        NotModified, CustomerMissing, Refused
    ),
)]
pub(crate) async fn handler(call: Call<Query>) -> Result<Answer, ApiError> {
    let id = call.id()?;
    let store = &call.store;
    let selection = selection::customers(store.catalog(), relations(call.query.expand.as_deref()))?;
    answer(&id, store.retrieve_customer(&id, &selection).await?)
}
