//! The served certificate, replaceable while connections are open.

use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::{
    ServerConfig,
    server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier, danger::ClientCertVerifier},
    sign::CertifiedKey,
};

use crate::{CertificateError, ServingCertificate};

/// Hands every new TLS handshake the current certificate.
pub struct ReloadableCertificate(ArcSwap<CertifiedKey>);

impl ReloadableCertificate {
    /// Starts with one certificate.
    pub fn new(certificate: &ServingCertificate) -> Result<Self, CertificateError> {
        Ok(Self(ArcSwap::from_pointee(certificate.certified_key()?)))
    }

    /// Serves another certificate from now on. If it cannot be used, the current one stays.
    pub fn replace(&self, certificate: &ServingCertificate) -> Result<(), CertificateError> {
        self.0.store(Arc::new(certificate.certified_key()?));
        Ok(())
    }

    /// A TLS configuration that serves this certificate: TLS 1.2 and 1.3, `h2` and `http/1.1`. `clients`: how clients
    /// are checked; none: anybody may connect.
    pub fn server_config(
        self: &Arc<Self>,
        clients: Option<Arc<dyn ClientCertVerifier>>,
    ) -> Result<ServerConfig, CertificateError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(CertificateError::Unusable)?
            .with_client_cert_verifier(clients.unwrap_or_else(WebPkiClientVerifier::no_client_auth))
            .with_cert_resolver(Arc::<Self>::clone(self));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

#[cfg(test)]
impl ReloadableCertificate {
    /// Whether this is what is served.
    pub(crate) fn serves(&self, certificate: &ServingCertificate) -> bool {
        self.0.load().cert == certificate.certified_key().unwrap().cert
    }
}

impl ResolvesServerCert for ReloadableCertificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl std::fmt::Debug for ReloadableCertificate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ReloadableCertificate").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::{CertificateBundle, Lifetimes};

    #[test]
    fn an_unusable_certificate_leaves_the_current_one() {
        let names = ["localhost".to_owned()];
        let now = SystemTime::now();
        let first = CertificateBundle::generate(&names, Lifetimes::default(), now).unwrap();
        let second = first.renew_leaf(&names, Lifetimes::default(), now).unwrap();
        let served = ReloadableCertificate::new(&first.serving).unwrap();
        let before = served.0.load().cert.clone();
        let mut broken = second.serving.clone();
        broken.certificate_pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned();
        assert!(served.replace(&broken).is_err());
        assert_eq!(served.0.load().cert, before);
        served.replace(&second.serving).unwrap();
        assert_ne!(served.0.load().cert, before);
    }
}
