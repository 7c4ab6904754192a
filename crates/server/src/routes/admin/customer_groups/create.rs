//! `POST /admin/customer-groups`

use stheno_api_types::{CustomerGroup, CustomerGroupEnvelope};
use stheno_store::{Metadata, NewCustomerGroup, StoreError};

use crate::answer::Answer;
use crate::error::ApiError;
use crate::extract::{Call, Input};
use crate::openapi::{BodyRefused, NameTaken, ReadOnly, Refused, describe_body};
use crate::schema::{Schema, Valid, definitions};

pub(crate) struct Body {
    name: String,
    metadata: Option<Metadata>,
}

impl Input for Body {
    const SCHEMA: Option<&'static Schema> = Some(&definitions::CREATE_CUSTOMER_GROUP);

    fn from_valid(mut valid: Valid) -> Self {
        Self { name: valid.text("name").unwrap_or_default(), metadata: valid.object("metadata") }
    }
}

describe_body!(Body, "CreateCustomerGroup");

/// Creates a customer group.
#[utoipa::path(
    post,
    path = "/admin/customer-groups",
    operation_id = "create_customer_group",
    tag = "Customer groups",
    request_body(content = Body, example = json!({"name": "Wholesale", "metadata": {"discount": "12%"}})),
    responses(
        (status = 200, body = CustomerGroupEnvelope<CustomerGroup>, description = "The new group."),
        NameTaken, ReadOnly, Refused, BodyRefused
    ),
)]
pub(crate) async fn handler(call: Call<(), Body>) -> Result<Answer, ApiError> {
    let Body { name, metadata } = call.body;
    let created = call.store.create_customer_group(NewCustomerGroup { name, metadata }).await;
    let group = created.map_err(|error| match error {
        StoreError::Duplicate(duplicate) => {
            ApiError::Duplicate(format!("Key (name)=({}) already exists.", duplicate.values.concat()))
        }
        other => other.into(),
    })?;
    Ok(Answer::of("customer_group", group))
}
