//! Random charts and values, aimed at the template language, at YAML, and at how Helm lays values over each other.

mod chart;
mod corpus;
mod expression;
mod functions;
mod random;
mod template;
mod values;

pub use chart::case;
pub use random::Random;
