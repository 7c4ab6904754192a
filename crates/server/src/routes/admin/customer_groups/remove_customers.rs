//! `DELETE /admin/customer-groups/{id}/customers/batch`

use super::answer;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::extract::{Call, Input};
use crate::schema::{Schema, Valid, definitions};

pub(crate) struct Body {
    customer_ids: Vec<String>,
}

impl Input for Body {
    const SCHEMA: Option<&'static Schema> = Some(&definitions::CUSTOMER_BATCH_REMOVAL);

    fn from_valid(mut valid: Valid) -> Self {
        Self { customer_ids: valid.ids("customer_ids").unwrap_or_default() }
    }
}

pub(crate) async fn handler(call: Call<(), Body>) -> Result<Answer, ApiError> {
    let id = call.id()?;
    let group = call.store.remove_customers_from_group(&id, call.body.customer_ids).await?;
    answer(&id, group)
}
