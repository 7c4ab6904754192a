//! Secrets that Medusa puts into answers, and that a value which may be printed or logged should not hold.

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Reads anything, keeps nothing, writes null.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Concealed;

impl Serialize for Concealed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_none()
    }
}

impl<'de> Deserialize<'de> for Concealed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}
