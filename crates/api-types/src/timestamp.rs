//! Times on the wire: what JavaScript's `toISOString()` writes, `2024-11-03T08:00:00.000Z`.
//!
//! Medusa's database holds microseconds and its answers milliseconds, cut off rather than rounded: a record may be up to
//! a millisecond younger than its answer says.
//!
//! For use with `#[serde(with = "stheno_api_types::timestamp")]`.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serializer};

/// Writes a time as `toISOString()` does: UTC, milliseconds, `Z`.
///
/// ```
/// let time: jiff::Timestamp = "2024-11-03T10:00:00.0625+02:00".parse()?;
/// assert_eq!(stheno_api_types::timestamp::to_iso_string(time), "2024-11-03T08:00:00.062Z");
/// # Ok::<(), jiff::Error>(())
/// ```
pub fn to_iso_string(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// Serialises a time.
///
/// # Errors
///
/// Those of the serialiser.
pub fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{time:.3}"))
}

/// Reads a time in any form of RFC 3339.
///
/// # Errors
///
/// If it is not one.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    Timestamp::deserialize(deserializer)
}

/// The same for a time that may be null.
pub mod option {
    use super::{Deserialize, Deserializer, Serializer, Timestamp};

    /// Serialises a time, or null.
    ///
    /// # Errors
    ///
    /// Those of the serialiser.
    pub fn serialize<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => super::serialize(time, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads a time or null.
    ///
    /// # Errors
    ///
    /// If it is neither.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
        Option::deserialize(deserializer)
    }
}

/// The same for a time that may be null, in an answer that may lack it altogether. Skip `None` when writing.
pub mod double_option {
    use super::{Deserialize, Deserializer, Serializer, Timestamp};

    /// Serialises a time, or null.
    ///
    /// # Errors
    ///
    /// Those of the serialiser.
    pub fn serialize<S: Serializer>(
        time: &Option<Option<Timestamp>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        super::option::serialize(&time.flatten(), serializer)
    }

    /// Reads a time or null that is there.
    ///
    /// # Errors
    ///
    /// If it is neither.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Option<Timestamp>>, D::Error> {
        Option::deserialize(deserializer).map(Some)
    }
}
