use std::fmt;

use indexmap::IndexMap;

/// A value in a query string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text; query strings know no other scalar.
    String(String),
    /// A list without gaps.
    Array(Vec<Value>),
    /// Named values.
    Object(Object),
}

impl Value {
    /// The text, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The elements, if this is an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The object, if this is one.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<Vec<Value>> for Value {
    fn from(elements: Vec<Value>) -> Self {
        Self::Array(elements)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

/// Named values, in the order in which JavaScript lists the properties of an object: array indices (`0`, `17`)
/// first, ascending, then all other names in the order they were added.
///
/// Two objects are equal if they have the same properties in the same order.
#[derive(Clone, Default)]
pub struct Object(IndexMap<String, Value>);

impl Object {
    /// An object without properties.
    pub fn new() -> Self {
        Self::default()
    }

    /// An object of properties with different names, in any order.
    pub(crate) fn collect(properties: impl Iterator<Item = (String, Value)>) -> Self {
        let mut properties = properties.collect();
        sort(&mut properties);
        Self(properties)
    }

    /// The number of properties.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no properties.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a property.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// All properties, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Sets a property and returns its value until now. One that was there keeps its place.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        let (name, value) = (name.into(), value.into());
        if let Some(present) = self.0.get_mut(&name) {
            return Some(std::mem::replace(present, value));
        }
        let rank = rank(&name);
        let position = self.0.partition_point(|other, _| self::rank(other) <= rank);
        self.0.shift_insert(position, name, value)
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_slice() == other.0.as_slice()
    }
}

impl Eq for Object {}

impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Object {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(properties: I) -> Self {
        let mut object = Self::new();
        for (name, value) in properties {
            object.insert(name, value);
        }
        object
    }
}

impl IntoIterator for Object {
    type Item = (String, Value);
    type IntoIter = indexmap::map::IntoIter<String, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Brings properties into JavaScript's order.
pub(crate) fn sort<N: AsRef<str> + std::hash::Hash + Eq, V>(properties: &mut IndexMap<N, V>) {
    // Almost always there is nothing to do, and sorting would build the hash table again.
    if !properties.keys().is_sorted_by_key(|name| rank(name.as_ref())) {
        properties.sort_by_key(|name, _| rank(name.as_ref()));
    }
}

/// What JavaScript sorts property names by: the name's value if it is an array index (a number below 2^32 - 1,
/// written without leading zeros), and `u32::MAX` for all others.
pub(crate) fn rank(name: &str) -> u32 {
    match name.as_bytes() {
        [b'0'] => 0,
        [b'1'..=b'9', ..] => name.parse().unwrap_or(u32::MAX),
        _ => u32::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(object: &Object) -> Vec<&str> {
        object.iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn indices_come_first_and_ascending() {
        let object: Object = ["b", "10", "4294967295", "9", "01", "4294967294", "a", "0"]
            .map(|name| (name, ""))
            .into_iter()
            .collect();
        assert_eq!(names(&object), ["0", "9", "10", "4294967294", "b", "4294967295", "01", "a"]);
    }

    #[test]
    fn insert_replaces_in_place() {
        let mut object: Object = [("a", "1"), ("b", "2")].into_iter().collect();
        assert_eq!(object.insert("a", "3"), Some("1".into()));
        assert_eq!(names(&object), ["a", "b"]);
        assert_eq!(object.get("a"), Some(&"3".into()));
    }

    #[test]
    fn equality_minds_the_order() {
        let one: Object = [("a", ""), ("b", "")].into_iter().collect();
        let other: Object = [("b", ""), ("a", "")].into_iter().collect();
        assert_ne!(one, other);
    }
}
