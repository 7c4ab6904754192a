//! The crate against what the npm packages of a real Medusa made (`tests/fixtures/npm.json`), and against chance.

mod fixtures;
mod jwt;
mod password;
mod session;
