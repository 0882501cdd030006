//! The admission webhook and the controller for Modules.
//!
//! The webhook decides every write of a Module: locks, template, schema, what it expands to, and whether somebody may
//! create that. The controller applies what was admitted. Both use the crate `module`, as the plugin does.

pub mod access;
pub mod admission;
pub mod arguments;
mod bounded;
pub mod controller;
pub mod credentials;
pub mod events;
pub mod health;
pub mod host;
pub mod installation;
pub mod kinds;
pub mod lease;
pub mod metrics;
pub mod policies;
pub mod serve;
mod shortened;
pub mod templates;
pub mod workers;

pub use arguments::Arguments;
pub use serve::run;
