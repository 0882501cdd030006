//! Charts from real git repositories over HTTP, served on loopback by git's own server.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod git_server;
mod git_templates;
mod local_templates;
mod private_repositories;
