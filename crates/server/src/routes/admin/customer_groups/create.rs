//! `POST /admin/customer-groups`

use stheno_store::{Metadata, NewCustomerGroup, StoreError};

use crate::answer::Answer;
use crate::error::ApiError;
use crate::extract::{Call, Input};
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
