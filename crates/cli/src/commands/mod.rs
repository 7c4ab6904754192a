//! The commands, a file for each: its flags, and what it does.

pub(crate) mod backup;
pub(crate) mod completions;
pub(crate) mod copy;
pub(crate) mod customers;
pub(crate) mod groups;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod migrate;
pub(crate) mod profiles;
pub(crate) mod serve;
pub(crate) mod user;
