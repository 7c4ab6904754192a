//! `POST /admin/customer-groups/{id}`

use stheno_store::{CustomerGroupChanges, StoreError};

use super::answer;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::extract::{Call, Input, selection};
use crate::routes::admin::in_words;
use crate::schema::{Schema, Valid, definitions};

pub(crate) struct Query {
    expand: Option<String>,
}

impl Input for Query {
    const SCHEMA: Option<&'static Schema> = Some(&definitions::RETRIEVE_QUERY);

    fn from_valid(mut valid: Valid) -> Self {
        Self { expand: valid.text("expand") }
    }
}

impl Input for CustomerGroupChanges {
    const SCHEMA: Option<&'static Schema> = Some(&definitions::UPDATE_CUSTOMER_GROUP);

    fn from_valid(mut valid: Valid) -> Self {
        Self { name: valid.nullable_text("name"), metadata: valid.object("metadata") }
    }
}

pub(crate) async fn handler(call: Call<Query, CustomerGroupChanges>) -> Result<Answer, ApiError> {
    let id = call.id()?;
    let store = &call.store;
    let expand = call.query.expand.as_deref();
    let selection = selection::customer_groups(store.catalog(), None, expand, false)?;
    let updated =
        store.update_customer_group(&id, call.body, &selection).await.map_err(|error| match error {
            StoreError::Duplicate(duplicate) => ApiError::Duplicate(in_words(&duplicate)),
            other => other.into(),
        })?;
    answer(&id, updated)
}
