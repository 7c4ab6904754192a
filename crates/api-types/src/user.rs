use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::concealed::Concealed;
use crate::open_enum::open_enum;
use crate::{Extra, Metadata};

/// Someone who works on the shop.
///
/// Medusa puts the user's `api_token` into this answer; it is dropped on reading, and written as null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(
        description = "Someone who works on the shop.",
        examples(json!({
            "id": "usr_01J8ZQ4W3T6V1N9KX2M7P5R0DC",
            "email": "admin@example.com",
            "first_name": null,
            "last_name": null,
            "role": "admin",
            "metadata": null,
            "created_at": "2024-11-03T08:00:00.000Z",
            "updated_at": "2024-11-03T08:00:00.000Z",
            "deleted_at": null
        }))
    )
)]
#[non_exhaustive]
pub struct User {
    /// `usr_` and a ULID, as a rule.
    pub id: String,
    /// E-mail address, in lower case.
    pub email: String,
    /// First name.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub first_name: Option<String>,
    /// Last name.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub last_name: Option<String>,
    /// What the user is.
    pub role: UserRole,
    /// Free data.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>, required))]
    pub metadata: Option<Metadata>,
    /// When the user was made.
    #[serde(with = "crate::timestamp")]
    pub created_at: Timestamp,
    /// When the user was last changed.
    #[serde(with = "crate::timestamp")]
    pub updated_at: Timestamp,
    /// When the user was deleted, if so.
    #[serde(default, with = "crate::timestamp::option")]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub deleted_at: Option<Timestamp>,
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    api_token: Concealed,
    #[serde(default, skip_serializing)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    password_hash: Concealed,
    /// Properties that this type does not know.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Extra,
}

impl User {
    /// A member made at this time, with nothing else known.
    pub fn new(id: impl Into<String>, email: impl Into<String>, created_at: Timestamp) -> Self {
        Self {
            id: id.into(),
            email: email.into(),
            first_name: None,
            last_name: None,
            role: UserRole::Member,
            metadata: None,
            created_at,
            updated_at: created_at,
            deleted_at: None,
            api_token: Concealed,
            password_hash: Concealed,
            extra: Extra::new(),
        }
    }
}

open_enum! {
    /// What a [`User`] is. Medusa v1 stores it and gives it no meaning.
    UserRole {
        /// `admin`
        Admin = "admin",
        /// `member`
        Member = "member",
        /// `developer`
        Developer = "developer",
    }
}

/// An answer that is one user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct UserEnvelope {
    /// The user.
    pub user: User,
}

impl UserEnvelope {
    /// An answer with this user.
    pub fn new(user: User) -> Self {
        Self { user }
    }
}
