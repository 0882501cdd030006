//! End-to-end tests: real kubectl against a real API server that asks our webhook.
//!
//! All tests share one cluster, which ends with this process; each uses Modules of its own names.
//! A test that ends or restarts processes has a cluster of its own.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and says where")]

mod bad_input;
mod bypass;
mod chart_repositories;
mod charts;
mod cyclops;
mod drills;
mod environment;
mod escalation;
mod events;
mod fail_closed;
mod generated;
mod helm_charts;
mod messages;
mod parity;
mod passing;
mod plugin;
mod policy_status;
mod private_templates;
mod refusals;
mod resources;
mod serving;
mod tampering;
