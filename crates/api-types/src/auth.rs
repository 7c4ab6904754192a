use std::fmt;

use serde::{Deserialize, Serialize};

/// What logs a user in, for a token or for a session.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Credentials {
    /// The user's e-mail address, in any case.
    pub email: String,
    /// The password.
    pub password: String,
}

impl Credentials {
    /// Credentials of a user.
    pub fn new(email: impl Into<String>, password: impl Into<String>) -> Self {
        Self { email: email.into(), password: password.into() }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Credentials").field("email", &self.email).finish_non_exhaustive()
    }
}

/// The answer to a request for a token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(
        examples(json!({"access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9…"}))
    )
)]
#[non_exhaustive]
pub struct AccessToken {
    /// A JSON Web Token to be sent as `Authorization: Bearer …`, good for 24 hours.
    pub access_token: String,
}

impl AccessToken {
    /// An answer with this token.
    pub fn new(access_token: impl Into<String>) -> Self {
        Self { access_token: access_token.into() }
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AccessToken").finish_non_exhaustive()
    }
}
