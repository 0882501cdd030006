//! Charts from real git repositories over HTTP, served on loopback by git's own server, and from Helm repositories and
//! OCI registries that answer as theirs do, or worse.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod git_server;
mod git_templates;
mod helm_repositories;
mod local_templates;
mod oci_registries;
mod private_repositories;
