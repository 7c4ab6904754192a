//! `POST /admin/customer-groups/{id}`

use stheno_api_types::{CustomerGroup, CustomerGroupEnvelope};
use stheno_store::{CustomerGroupChanges, StoreError};

use super::answer;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::extract::{Call, Input, selection};
use crate::openapi::{
    BodyRefused, CustomerGroupId, CustomerGroupMissing, NameTaken, ReadOnly, Refused, describe_body,
    describe_query,
};
use crate::routes::admin::in_words;
use crate::schema::{Schema, Valid, definitions};

pub(crate) struct Query {
    expand: Option<String>,
}

impl Input for Query {
    const SCHEMA: Option<&'static Schema> = Some(&definitions::UPDATE_CUSTOMER_GROUP_QUERY);

    fn from_valid(mut valid: Valid) -> Self {
        Self { expand: valid.text("expand") }
    }
}

describe_query!(Query);

pub(crate) struct Body(CustomerGroupChanges);

impl Input for Body {
    const SCHEMA: Option<&'static Schema> = Some(&definitions::UPDATE_CUSTOMER_GROUP);

    fn from_valid(mut valid: Valid) -> Self {
        Self(CustomerGroupChanges { name: valid.nullable_text("name"), metadata: valid.object("metadata") })
    }
}

describe_body!(Body, "UpdateCustomerGroup");

/// Updates a customer group; what is not named stays.
#[utoipa::path(
    post,
    path = "/admin/customer-groups/{id}",
    operation_id = "update_customer_group",
    tag = "Customer groups",
    params(CustomerGroupId, Query),
    request_body(
        content = Body,
        example = json!({"name": "Wholesale EU", "metadata": {"discount": "15%", "old": ""}})
    ),
    responses(
        (status = 200, body = CustomerGroupEnvelope<CustomerGroup>, description = "The group as it is now."),
        CustomerGroupMissing, NameTaken, ReadOnly, Refused, BodyRefused
    ),
)]
pub(crate) async fn handler(call: Call<Query, Body>) -> Result<Answer, ApiError> {
    let id = call.id()?;
    let store = &call.store;
    let Body(changes) = call.body;
    let expand = call.query.expand.as_deref();
    let selection = selection::customer_groups(store.catalog(), None, expand, false)?;
    let updated =
        store.update_customer_group(&id, changes, &selection).await.map_err(|error| match error {
            StoreError::Duplicate(duplicate) => ApiError::Duplicate(in_words(&duplicate)),
            other => other.into(),
        })?;
    answer(&id, updated)
}
