//! What can go wrong with certificates.

/// Why certificates could not be issued, read, stored or published.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// Key generation or signing failed.
    #[error("cannot issue the {what}")]
    Issue {
        /// What was to be issued.
        what: &'static str,
        /// The issuer's reason.
        #[source]
        source: rcgen::Error,
    },
    /// An entry of the Secret is missing.
    #[error("the certificate Secret has no entry {key}")]
    MissingEntry {
        /// Key in the Secret's data.
        key: &'static str,
    },
    /// An entry of the Secret is not what its key says.
    #[error("the entry {key} of the certificate Secret is not valid: {reason}")]
    InvalidEntry {
        /// Key in the Secret's data.
        key: &'static str,
        /// What is wrong with it. Never any key material.
        reason: String,
    },
    /// A certificate and a key that do not fit together, or that the TLS library does not accept.
    #[error("the serving certificate cannot be used")]
    Unusable(#[source] rustls::Error),
    /// The file that clients are checked with is not one of certificate authorities.
    #[error("the certificate authorities of clients cannot be used: {reason}")]
    InvalidClientAuthority {
        /// What is wrong with them.
        reason: String,
    },
    /// A file of the mounted Secret cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// A call to the API server failed.
    #[error("cannot {action}")]
    Kubernetes {
        /// What was being done, such as `read the Secret module-webhook-certificates`.
        action: String,
        /// The client's reason.
        #[source]
        source: Box<kube::Error>,
    },
    /// Other replicas kept changing the Secret.
    #[error("the certificate Secret kept changing while it was written")]
    Contended,
}

impl CertificateError {
    pub(crate) fn kubernetes(action: impl Into<String>, source: kube::Error) -> Self {
        Self::Kubernetes { action: action.into(), source: Box::new(source) }
    }
}
