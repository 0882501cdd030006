//! What the plugin, the webhook and the controller agree on: API types, locks, verdicts, expansion and plans.
//!
//! Pure by design: no cluster, network, disk, clock or environment. Callers fetch templates and objects; this crate
//! decides what a write may do and what it would change.

pub mod annotations;
pub mod api;
pub mod equality;
pub mod expansion;
pub mod lock;
pub mod ownership;
pub mod path;
pub mod plan;
pub mod policy;
pub mod preview;
pub mod requester;
pub mod template;
pub mod verdict;

pub use path::ValuePath;
pub use requester::Requester;
pub use template::Template;
pub use verdict::{Question, Refusal, Verdict, decide};
