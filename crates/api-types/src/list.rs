use serde::{Deserialize, Deserializer, Serialize};

/// A reference to a record, `{"id": "…"}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Id {
    /// The record's id.
    pub id: String,
}

impl<T: Into<String>> From<T> for Id {
    fn from(id: T) -> Self {
        Self { id: id.into() }
    }
}

/// Reads a whole number that Medusa may echo as a fraction, because it takes `limit=1.5` and answers with it.
pub(crate) fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Whole(u64),
        Fraction(f64),
    }

    Ok(match Number::deserialize(deserializer)? {
        Number::Whole(number) => number,
        Number::Fraction(number) => number as u64,
    })
}
