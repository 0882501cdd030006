//! Runs the built binary as a shell would, in an environment of its own, and compares everything it says.

#![expect(clippy::unwrap_used, clippy::format_push_string, reason = "a test may end in a panic")]

mod check;
mod edit;
mod help;
mod inputs;
mod offline;
mod readme;
mod render;
mod run;
