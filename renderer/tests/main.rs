//! What the crate does as a whole, through its public interface.

#![expect(clippy::unwrap_used, reason = "a failed assumption of a test is a failed test")]

mod charts;
mod compatibility;
mod errors;
mod limits;
mod vectors;
