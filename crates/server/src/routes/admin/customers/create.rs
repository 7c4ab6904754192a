//! `POST /admin/customers`

use stheno_api_types::CustomerEnvelope;
use stheno_store::{Metadata, NewCustomer, StoreError};

use crate::answer::Answer;
use crate::error::ApiError;
use crate::extract::{Call, Input};
use crate::openapi::{BodyRefused, EmailTaken, ReadOnly, Refused, describe_body};
use crate::password;
use crate::schema::{Schema, Valid, definitions};

pub(crate) struct Body {
    email: String,
    first_name: Option<String>,
    last_name: Option<String>,
    password: String,
    phone: Option<String>,
    metadata: Option<Metadata>,
}

impl Input for Body {
    const SCHEMA: Option<&'static Schema> = Some(&definitions::CREATE_CUSTOMER);

    fn from_valid(mut valid: Valid) -> Self {
        Self {
            email: valid.text("email").unwrap_or_default(),
            first_name: valid.text("first_name"),
            last_name: valid.text("last_name"),
            password: valid.text("password").unwrap_or_default(),
            phone: valid.text("phone"),
            metadata: valid.object("metadata"),
        }
    }
}

describe_body!(Body, "CreateCustomer");

/// Creates a customer with an account; a guest, if the password is empty.
#[utoipa::path(
    post,
    path = "/admin/customers",
    operation_id = "create_customer",
    tag = "Customers",
    request_body(
        content = Body,
        example = json!({
            "email": "emma.smith@example.com",
            "first_name": "Emma",
            "last_name": "Smith",
            "password": "a-long-password",
        })
    ),
    responses(
        (status = 201, body = CustomerEnvelope, description = "The new customer."),
        EmailTaken, ReadOnly, Refused, BodyRefused
    ),
)]
pub(crate) async fn handler(call: Call<(), Body>) -> Result<Answer, ApiError> {
    let Body { email, first_name, last_name, password, phone, metadata } = call.body;
    let password_hash = match password.as_str() {
        "" => None,
        _ => Some(password::hash(password::turn(&call.app).await?, password).await?),
    };
    let has_account = password_hash.is_some();
    let email = email.to_lowercase();
    let customer = NewCustomer { email, first_name, last_name, phone, password_hash, metadata };
    let created = call.store.create_customer(customer).await.map_err(|error| match error {
        StoreError::Duplicate(_) if has_account => ApiError::Duplicate(
            "A customer with the given email already has an account. Log in instead".to_owned(),
        ),
        StoreError::Duplicate(_) => {
            ApiError::Duplicate("Guest customer with email already exists".to_owned())
        }
        other => other.into(),
    })?;
    Ok(Answer::of("customer", created).created())
}
