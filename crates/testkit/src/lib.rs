//! Test app, throw-away databases and the contract replayer.
