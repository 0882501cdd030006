//! Where charts come from: a local directory, or a git repository over HTTP(S).
//!
//! A source turns a [`TemplateLocation`] (what a Module asks for) into a [`FetchedTemplate`]: the chart's files and the
//! digest that names exactly these files for good. Everything read is bounded by [`SourceLimits`].

mod error;
mod files;
#[cfg(feature = "git")]
mod git;
mod limits;
mod local;
mod location;

pub use error::SourceError;
#[cfg(feature = "git")]
pub use git::{Access, CertificateAuthorities, GitCredentials, GitOptions, GitTemplates, RepositoryScope, ScopeError};
pub use limits::SourceLimits;
pub use local::{LocalTemplates, read_chart_directory};
pub use location::{FetchedTemplate, TemplateLocation};
