//! Go's `fmt`.
