//! `GET /admin/customer-groups/{id}`

use super::answer;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::extract::{Call, Input, selection};
use crate::schema::{Schema, Valid, definitions};

pub(crate) struct Query {
    expand: Option<String>,
    fields: Option<String>,
}

impl Input for Query {
    const SCHEMA: Option<&'static Schema> = Some(&definitions::RETRIEVE_CUSTOMER_GROUP_QUERY);

    fn from_valid(mut valid: Valid) -> Self {
        Self { expand: valid.text("expand"), fields: valid.text("fields") }
    }
}

pub(crate) async fn handler(call: Call<Query>) -> Result<Answer, ApiError> {
    let id = call.id()?;
    let store = &call.store;
    let Query { expand, fields } = &call.query;
    let selection = selection::customer_groups(store.catalog(), fields.as_deref(), expand.as_deref(), false)?;
    answer(&id, store.retrieve_customer_group(&id, &selection).await?)
}
