//! What the end-to-end tests, the demo and the benchmark run on: a real control plane, a git
//! server for templates, and our own processes installed beside them.

pub mod checkout;
#[cfg(feature = "cluster")]
pub mod cluster;
pub mod codecs;
pub mod command;
pub mod differential;
#[cfg(feature = "cluster")]
pub mod drills;
pub mod generate;
#[cfg(feature = "cluster")]
pub mod git_server;
pub mod hostile;
pub mod large_chart;
pub mod oracle;
pub mod parity;
pub mod times;
#[cfg(feature = "verdicts")]
pub mod verdicts;
