//! Why a chart could not be had.

use std::path::PathBuf;
use std::time::Duration;

/// A failed resolution or fetch. Each names the repository and what to look at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// No local folder is known for the repository.
    #[error(
        "no local folder is known for the repository {repo:?}; name one with --template-root {repo}=DIR or in kubectl-module.yaml"
    )]
    NotMapped {
        /// The repository's URL.
        repo: String,
    },
    /// The repository's URL is not an `http://` or `https://` URL.
    #[error("the repository {repo:?} is not an http:// or https:// URL")]
    UnsupportedUrl {
        /// The repository's URL.
        repo: String,
    },
    /// What is to be trusted cannot be read.
    #[error("not a PEM file of certificate authorities: {reason}")]
    InvalidAuthorities {
        /// What is wrong with it.
        reason: String,
    },
    /// The server cannot be reached, or broke off.
    #[error("the repository {repo} cannot be reached")]
    Unreachable {
        /// The repository's URL.
        repo: String,
        /// What the transport reported.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server did not finish in time.
    #[error("the repository {repo} did not answer within {} s", timeout.as_secs())]
    TimedOut {
        /// The repository's URL.
        repo: String,
        /// The time it had.
        timeout: Duration,
    },
    /// The server answers, but not for this repository, or not without credentials.
    #[error("the server knows no repository {repo}, or asks for credentials (HTTP {status})")]
    RepositoryNotFound {
        /// The repository's URL.
        repo: String,
        /// The HTTP status.
        status: u16,
    },
    /// The server does not accept the credentials, or they are not good for this repository.
    #[error(
        "the server refuses the repository {repo} to the credentials for it, or knows none of that name (HTTP {status})"
    )]
    CredentialsRefused {
        /// The repository's URL.
        repo: String,
        /// The HTTP status.
        status: u16,
    },
    /// There is no such branch, tag or commit.
    #[error("the repository {repo} has no branch, tag or commit {version:?}")]
    UnknownVersion {
        /// The repository's URL.
        repo: String,
        /// The version asked for; empty for the default branch.
        version: String,
    },
    /// The version is not a valid reference name.
    #[error("the version {version:?} is not a valid branch, tag or commit name")]
    InvalidVersion {
        /// The version asked for.
        version: String,
    },
    /// A Helm repository or registry has no chart of that name.
    #[error("the repository {repo} has no chart {chart:?}")]
    UnknownChart {
        /// The repository's URL.
        repo: String,
        /// The chart asked for.
        chart: String,
    },
    /// There is no such version of the chart.
    #[error(
        "the repository {repo} has no {} of the chart {chart:?}",
        if version.is_empty() { "release".to_owned() } else { format!("version {version:?}") }
    )]
    UnknownChartVersion {
        /// The repository's URL.
        repo: String,
        /// The chart asked for.
        chart: String,
        /// The version or constraint asked for; empty for the highest release.
        version: String,
    },
    /// The version is neither one that is there nor a constraint.
    #[error("the version {version:?} is none that is there, and no constraint such as ^1.2: {reason}")]
    InvalidConstraint {
        /// The version asked for.
        version: String,
        /// Why it is no constraint, as Helm says it.
        reason: String,
    },
    /// The archive that a Module was admitted with is gone.
    #[error(
        "the repository {repo} no longer has {digest} of the chart {chart:?}: that version was replaced or removed"
    )]
    ReplacedChart {
        /// The repository's URL.
        repo: String,
        /// The chart.
        chart: String,
        /// The digest of its archive or manifest.
        digest: String,
    },
    /// A repository names an archive that its server does not hand out.
    #[error("the repository {repo} names {url}, which cannot be had (HTTP {status})")]
    MissingArchive {
        /// The repository's URL.
        repo: String,
        /// Where the archive should be.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The index of a Helm repository cannot be used.
    #[error("the index.yaml of {repo} cannot be used: {reason}")]
    InvalidIndex {
        /// The repository's URL.
        repo: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An `oci://` URL with a chart that is no name in a registry.
    #[error(
        "{repo:?} with {chart:?} is not the name of a chart in an OCI registry, such as oci://ghcr.io/team and demo"
    )]
    InvalidRegistryName {
        /// The URL.
        repo: String,
        /// The chart asked for.
        chart: String,
    },
    /// What a registry holds is something else than a chart.
    #[error("{repo} is not a Helm chart at {digest}: its manifest names no chart archive")]
    NoChartLayer {
        /// The repository's URL.
        repo: String,
        /// The digest of the manifest.
        digest: String,
    },
    /// The folder does not exist at that commit.
    #[error("the repository {repo} has no folder {path:?} at {digest}")]
    PathNotFound {
        /// The repository's URL.
        repo: String,
        /// The folder asked for.
        path: String,
        /// The commit looked at, or the local folder.
        digest: String,
    },
    /// The path leaves the repository.
    #[error("the path {path:?} must be relative and stay inside the repository")]
    InvalidPath {
        /// The path.
        path: String,
    },
    /// The folder is not a chart.
    #[error("the folder {path:?} of {repo} has no Chart.yaml: it is not a Helm chart")]
    NotAChart {
        /// The repository's URL.
        repo: String,
        /// The folder asked for.
        path: String,
    },
    /// A limit was reached.
    #[error("the template {path:?} of {repo} has more than {limit} {unit}")]
    TooLarge {
        /// The repository's URL.
        repo: String,
        /// The folder or file that is too large.
        path: String,
        /// The limit.
        limit: u64,
        /// What is counted: `files`, `bytes in one file`, `bytes`, `bytes to transfer`, `bytes in one object`.
        unit: &'static str,
    },
    /// A file is neither a regular file nor a folder, or a link leads nowhere or outside.
    #[error("cannot use {path:?} of {repo}: {reason}")]
    IrregularFile {
        /// The repository's URL.
        repo: String,
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// What the repository holds cannot be read.
    #[error("the repository {repo} cannot be read")]
    Corrupt {
        /// The repository's URL.
        repo: String,
        /// What was found.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A local file cannot be read or written.
    #[error("cannot access {path}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system reported.
        #[source]
        source: std::io::Error,
    },
}

impl SourceError {
    /// Whether the same request may succeed later without anybody changing it.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::TimedOut { .. } | Self::Corrupt { .. } | Self::File { .. })
    }
}
