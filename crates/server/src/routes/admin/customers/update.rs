//! `POST /admin/customers/{id}`

use stheno_api_types::CustomerEnvelope;
use stheno_store::{CustomerChanges, StoreError};

use super::retrieve::Query;
use super::{answer, relations};
use crate::answer::Answer;
use crate::error::ApiError;
use crate::extract::{Call, Input, selection};
use crate::openapi::{
    BodyRefused, CustomerId, CustomerMissing, EmailTaken, ReadOnly, Refused, describe_body,
};
use crate::password;
use crate::routes::admin::in_words;
use crate::schema::{Schema, Valid, definitions};

pub(crate) struct Body {
    changes: CustomerChanges,
    password: Option<String>,
}

impl Input for Body {
    const SCHEMA: Option<&'static Schema> = Some(&definitions::UPDATE_CUSTOMER);

    fn from_valid(mut valid: Valid) -> Self {
        Self {
            changes: CustomerChanges {
                email: valid.nullable_text("email"),
                first_name: valid.nullable_text("first_name"),
                last_name: valid.nullable_text("last_name"),
                phone: valid.nullable_text("phone"),
                password_hash: None,
                metadata: valid.object("metadata"),
                groups: valid.ids("groups"),
            },
            password: valid.text("password").filter(|password| !password.is_empty()),
        }
    }
}

describe_body!(Body, "UpdateCustomer");

/// Updates a customer; what is not named stays.
#[utoipa::path(
    post,
    path = "/admin/customers/{id}",
    operation_id = "update_customer",
    tag = "Customers",
    params(CustomerId, Query),
    request_body(
        content = Body,
        example = json!({"first_name": "Emma", "groups": [{"id": "cgrp_01JBRGKF01104SSAZYSN3KZHD7"}]})
    ),
    responses(
        (status = 200, body = CustomerEnvelope, description = "The customer as it is now."),
        CustomerMissing, EmailTaken, ReadOnly, Refused, BodyRefused
    ),
)]
pub(crate) async fn handler(call: Call<Query, Body>) -> Result<Answer, ApiError> {
    let id = call.id()?;
    let store = &call.store;
    let selection = selection::customers(store.catalog(), relations(call.query.expand.as_deref()))?;
    let Body { mut changes, password } = call.body;
    if let Some(password) = password {
        changes.password_hash = Some(password::hash(password::turn(&call.app).await?, password).await?);
    }
    let updated = store.update_customer(&id, changes, &selection).await.map_err(|error| match error {
        StoreError::Duplicate(duplicate) => ApiError::Duplicate(in_words(&duplicate)),
        other => other.into(),
    })?;
    answer(&id, updated)
}
