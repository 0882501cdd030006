//! Where charts come from: a local directory, a git repository or a Helm repository over HTTP(S), an OCI registry.
//!
//! A source turns what a Module asks for (repository, path or chart, version) into a digest that names content for good,
//! and a digest into the chart's files or its archive. Everything read is bounded by [`SourceLimits`].

#[cfg(feature = "remote")]
mod authorities;
#[cfg(feature = "remote")]
mod blobs;
#[cfg(feature = "remote")]
mod chart_version;
mod error;
mod files;
#[cfg(feature = "remote")]
mod git;
#[cfg(feature = "remote")]
mod helm;
#[cfg(feature = "remote")]
mod http;
mod limits;
mod local;
mod location;
#[cfg(feature = "remote")]
mod oci;
#[cfg(feature = "remote")]
mod options;

#[cfg(feature = "remote")]
pub use authorities::CertificateAuthorities;
pub use error::SourceError;
#[cfg(feature = "remote")]
pub use git::{Access, GitCredentials, GitTemplates, RepositoryScope, ScopeError};
#[cfg(feature = "remote")]
pub use helm::HelmRepositories;
pub use limits::SourceLimits;
pub use local::{LocalTemplates, read_chart_directory};
pub use location::{FetchedTemplate, TemplateLocation};
#[cfg(feature = "remote")]
pub use oci::OciRegistries;
#[cfg(feature = "remote")]
pub use options::SourceOptions;
