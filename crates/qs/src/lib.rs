#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod parse;
mod tree;
mod value;
mod write;

pub use parse::parse;
pub use value::{Object, Value};
pub use write::{WriteError, write};

/// The longest array; a longer one is an object with indices for names (`arrayLimit` of `qs`).
const ARRAY_LIMIT: usize = 1000;

/// How many parameters count (`parameterLimit` of `qs`).
const PARAMETER_LIMIT: usize = 1000;

/// How many bracket groups after a name are read as such (`depth` of `qs`).
const DEPTH_LIMIT: usize = 5;

/// The one name that `qs` never makes a property of.
const FORBIDDEN_NAME: &str = "__proto__";
