//! Certificate authorities that are trusted beside those of the system.

use crate::SourceError;

/// Authorities of servers that no public authority knows. None by default.
#[derive(Clone, Debug, Default)]
pub struct CertificateAuthorities(Vec<reqwest::Certificate>);

impl CertificateAuthorities {
    /// Reads a PEM file of one or more certificates. Needs the process's TLS provider to be installed.
    pub fn from_pem(pem: &[u8]) -> Result<Self, SourceError> {
        let invalid = |reason: String| SourceError::InvalidAuthorities { reason };
        let unusable = |error: reqwest::Error| {
            let error: &dyn std::error::Error = &error;
            invalid(error.source().unwrap_or(error).to_string())
        };
        let certificates = reqwest::Certificate::from_pem_bundle(pem).map_err(unusable)?;
        if certificates.is_empty() {
            return Err(invalid("it holds no certificate".to_owned()));
        }
        // A client reads them when it is made.
        reqwest::Client::builder().tls_certs_only(certificates.iter().cloned()).build().map_err(unusable)?;
        Ok(Self(certificates))
    }

    pub(crate) fn certificates(&self) -> &[reqwest::Certificate] {
        &self.0
    }
}
