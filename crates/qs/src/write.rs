use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{ARRAY_LIMIT, DEPTH_LIMIT, FORBIDDEN_NAME, Object, PARAMETER_LIMIT, Value, value};

/// The characters that RFC 3986 reserves for no purpose are all that stays unescaped.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Why an object cannot be a query string. `path` is where, as in `a[b][0]`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// An array or object without content, which leaves no trace in a query string.
    #[error("`{path}` is empty, which a query string cannot say")]
    Empty {
        /// The array or object.
        path: String,
    },
    /// A property name that is not read back as the same name: it is empty, holds a bracket, is `__proto__`, or is, in
    /// an object below the top, a number that would make an array of the object.
    #[error("`{path}` ends in a name that a query string cannot hold")]
    Name {
        /// The property.
        path: String,
    },
    /// A value more than five levels below the top.
    #[error("`{path}` is too deep for a query string")]
    Depth {
        /// The value.
        path: String,
    },
    /// There are more than 1000 texts in all.
    #[error("a query string holds no more than {PARAMETER_LIMIT} values")]
    Length,
}

/// Writes a query string, without the `?`, that [`parse`](crate::parse) reads back as the same object.
///
/// # Errors
///
/// [`WriteError`] if the object holds something that would not come back the same.
pub fn write(object: &Object) -> Result<String, WriteError> {
    let mut writer = Writer::default();
    for (name, value) in object.iter() {
        if !is_name(name) {
            return Err(WriteError::Name { path: name.to_owned() });
        }
        writer.path.push_str(name);
        writer.value(value, 0)?;
        writer.path.clear();
    }
    Ok(writer.query)
}

#[derive(Default)]
struct Writer {
    query: String,
    parameters: usize,
    /// Where the value being written is.
    path: String,
}

impl Writer {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), WriteError> {
        if depth > DEPTH_LIMIT {
            return Err(WriteError::Depth { path: self.path.clone() });
        }
        match value {
            Value::String(text) => self.parameter(text),
            Value::Array(elements) if elements.is_empty() => {
                Err(WriteError::Empty { path: self.path.clone() })
            }
            Value::Object(object) if object.is_empty() => Err(WriteError::Empty { path: self.path.clone() }),
            Value::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    self.within(&index.to_string(), |writer| writer.value(element, depth + 1))?;
                }
                Ok(())
            }
            Value::Object(object) => {
                for (name, value) in object.iter() {
                    self.within(name, |writer| {
                        if !is_name(name) || (value::rank(name) as usize) < ARRAY_LIMIT {
                            return Err(WriteError::Name { path: writer.path.clone() });
                        }
                        writer.value(value, depth + 1)
                    })?;
                }
                Ok(())
            }
        }
    }

    /// Writes something that is one bracket group further down.
    fn within(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut Self) -> Result<(), WriteError>,
    ) -> Result<(), WriteError> {
        let length = self.path.len();
        self.path.extend(["[", name, "]"]);
        write(self)?;
        self.path.truncate(length);
        Ok(())
    }

    fn parameter(&mut self, text: &str) -> Result<(), WriteError> {
        if self.parameters == PARAMETER_LIMIT {
            return Err(WriteError::Length);
        }
        if self.parameters > 0 {
            self.query.push('&');
        }
        self.parameters += 1;
        self.query.extend(utf8_percent_encode(&self.path, ESCAPED));
        self.query.push('=');
        self.query.extend(utf8_percent_encode(text, ESCAPED));
        Ok(())
    }
}

/// Whether a name comes back as itself, wherever it stands.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name != FORBIDDEN_NAME && !name.contains(['[', ']'])
}
