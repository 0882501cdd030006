//! How sources work.

use std::path::PathBuf;

use crate::{CertificateAuthorities, SourceLimits};

/// Where and within which limits to fetch.
#[derive(Clone, Debug)]
pub struct SourceOptions {
    /// Folder for what is fetched; created if missing. It may be deleted at any time while nothing runs.
    pub cache_directory: PathBuf,
    /// What one fetch may cost.
    pub limits: SourceLimits,
    /// Whose certificates servers may show, beside those that the system trusts.
    pub authorities: CertificateAuthorities,
}
