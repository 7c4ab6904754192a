//! `GET /admin/customer-groups/{id}/customers`

use crate::answer::Answer;
use crate::error::ApiError;
use crate::extract::{Call, Input};
use crate::routes::admin::customers::list::{Listing, answer};
use crate::schema::{Schema, Valid, definitions};

pub(crate) struct Query(Listing);

impl Input for Query {
    const SCHEMA: Option<&'static Schema> = Some(&definitions::LIST_MEMBERS_QUERY);

    fn from_valid(mut valid: Valid) -> Self {
        Self(Listing::take(&mut valid))
    }
}

/// Lists the members of a group. A group that is not there has none.
pub(crate) async fn handler(call: Call<Query>) -> Result<Answer, ApiError> {
    let id = call.id()?;
    let Query(mut listing) = call.query;
    listing.filter.groups = Some(vec![id]);
    answer(&call.store, listing).await
}
