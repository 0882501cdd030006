//! What the end-to-end tests, the demo and the benchmark run on: a real control plane, a git
//! server for templates, and our own processes installed beside them.

pub mod checkout;
pub mod cluster;
pub mod command;
pub mod git_server;
pub mod oracle;
pub mod parity;
