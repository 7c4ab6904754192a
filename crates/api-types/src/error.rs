use serde::{Deserialize, Serialize};

use crate::open_enum::open_enum;

/// The body of an answer that is an error.
///
/// Not every error has one: a 401 is the bare text `Unauthorized`, and what Medusa's framework refuses by itself (an unknown
/// path, a body that is not JSON or is too large) is an HTML page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(description = "The body of an answer that is an error."))]
#[non_exhaustive]
pub struct ErrorBody {
    /// A second classification that some errors carry, such as `invalid_request_error` or `unknown_error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub code: Option<String>,
    /// What kind of error it is.
    pub r#type: ErrorType,
    /// What went wrong, for a person. All faults of a request are named, separated by commas.
    #[serde(default)]
    pub message: String,
}

impl ErrorBody {
    /// An error without a code.
    pub fn new(r#type: ErrorType, message: impl Into<String>) -> Self {
        Self { code: None, r#type, message: message.into() }
    }

    /// The same error with a code.
    #[must_use]
    pub fn with_code(self, code: impl Into<String>) -> Self {
        Self { code: Some(code.into()), ..self }
    }
}

open_enum! {
    /// What kind of error an [`ErrorBody`] reports.
    ErrorType {
        /// `conflict`: another request got in the way; the same request may succeed later (status 409).
        Conflict = "conflict",
        /// `database_error`: the database failed (status 500).
        DatabaseError = "database_error",
        /// `duplicate_error`: the name or e-mail address is taken (status 422).
        DuplicateError = "duplicate_error",
        /// `invalid_argument`: an argument is not acceptable (status 500 in Medusa).
        InvalidArgument = "invalid_argument",
        /// `invalid_data`: the request is not acceptable as it is (status 400).
        InvalidData = "invalid_data",
        /// `invalid_request_error`: the request cannot be understood (status 400).
        InvalidRequest = "invalid_request_error",
        /// `not_allowed`: the record does not permit it (status 400).
        NotAllowed = "not_allowed",
        /// `not_found`: there is no such record (status 404).
        NotFound = "not_found",
        /// `unauthorized`: the credentials are missing or not valid (status 401).
        Unauthorized = "unauthorized",
        /// `unexpected_state`: the server found its data in a state it cannot work with (status 500).
        UnexpectedState = "unexpected_state",
        /// `unknown_error`: something else failed (status 500).
        UnknownError = "unknown_error",
    }
}
