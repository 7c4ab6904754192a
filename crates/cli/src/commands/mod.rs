//! The commands, a file for each: its flags, and what it does.

pub(crate) mod migrate;
pub(crate) mod serve;
pub(crate) mod user;
