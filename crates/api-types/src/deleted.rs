use serde::{Deserialize, Serialize};

/// The answer to a deletion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(
        examples(json!({"id": "cgrp_01JBRGKF01104SSAZYSN3KZHD7", "object": "customer_group", "deleted": true}))
    )
)]
#[non_exhaustive]
pub struct Deleted {
    /// The id that was asked for, whether there was such a record or not.
    pub id: String,
    /// What it was the id of: `customer_group`.
    pub object: String,
    /// Always true: there is no such record now.
    pub deleted: bool,
}

impl Deleted {
    /// The answer for a record of this kind.
    pub fn new(object: impl Into<String>, id: impl Into<String>) -> Self {
        Self { id: id.into(), object: object.into(), deleted: true }
    }
}
