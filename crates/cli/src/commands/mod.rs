//! The commands, a file for each: its flags, and what it does.

pub(crate) mod copy;
pub(crate) mod serve;
pub(crate) mod user;
