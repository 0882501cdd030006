//! What the crate does as a whole, through its public interface.

mod vectors;
