//! Comparing values under locks.
