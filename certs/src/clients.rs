//! Which clients may connect: those that show a certificate of a given authority.

use std::sync::Arc;

use rustls::{
    RootCertStore,
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use rustls_pki_types::{CertificateDer, pem::PemObject};

use crate::CertificateError;

/// A check of client certificates against the authorities of a PEM file: whoever shows none of theirs is turned away in
/// the handshake.
pub fn client_verifier(authorities_pem: &[u8]) -> Result<Arc<dyn ClientCertVerifier>, CertificateError> {
    let invalid = |reason: String| CertificateError::InvalidClientAuthority { reason };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authorities_pem) {
        let certificate = certificate.map_err(|error| invalid(error.to_string()))?;
        roots.add(certificate).map_err(|error| invalid(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(invalid("it holds no certificate".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
    verifier.map_err(|error| invalid(error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
    use rustls::{ClientConfig, ClientConnection, ServerConnection, pki_types::PrivateKeyDer};

    use super::*;
    use crate::{CertificateBundle, Lifetimes, ReloadableCertificate};

    /// An authority, and a certificate of it for a client with its key.
    fn authority() -> (String, (CertificateDer<'static>, PrivateKeyDer<'static>)) {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let authority = parameters.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(parameters, key);
        let mut client = CertificateParams::default();
        client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        let certificate = client.signed_by(&key, &issuer).unwrap().der().clone();
        (authority, (certificate, PrivateKeyDer::try_from(key.serialize_der()).unwrap()))
    }

    /// Shakes hands in memory.
    fn handshake(
        clients: Option<&str>,
        shown: Option<&(CertificateDer<'static>, PrivateKeyDer<'static>)>,
    ) -> Result<(), rustls::Error> {
        let names = ["localhost".to_owned()];
        let bundle = CertificateBundle::generate(&names, Lifetimes::default(), SystemTime::now()).unwrap();
        let certificate = Arc::new(ReloadableCertificate::new(&bundle.serving).unwrap());
        let verifier = clients.map(|pem| client_verifier(pem.as_bytes()).unwrap());
        let mut server = ServerConnection::new(Arc::new(certificate.server_config(verifier).unwrap())).unwrap();

        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(bundle.authorities_pem.as_bytes()) {
            roots.add(certificate.unwrap()).unwrap();
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(roots);
        let config = match shown {
            Some((certificate, key)) => {
                config.with_client_auth_cert(vec![certificate.clone()], key.clone_key()).unwrap()
            }
            None => config.with_no_client_auth(),
        };
        let mut client = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
        while client.wants_write() || server.wants_write() {
            let mut wire = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut wire).unwrap();
            }
            server.read_tls(&mut wire.as_slice()).unwrap();
            server.process_new_packets()?;
            let mut wire = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut wire).unwrap();
            }
            client.read_tls(&mut wire.as_slice()).unwrap();
            client.process_new_packets()?;
        }
        assert!(!server.is_handshaking());
        Ok(())
    }

    #[test]
    fn only_certificates_of_the_authority_are_let_in() {
        let (trusted, client) = authority();
        let (_, stranger) = authority();
        assert_eq!(handshake(None, None), Ok(()));
        assert_eq!(handshake(Some(&trusted), Some(&client)), Ok(()));
        assert_eq!(handshake(Some(&trusted), None), Err(rustls::Error::NoCertificatesPresented));
        let refused = handshake(Some(&trusted), Some(&stranger));
        assert!(matches!(refused, Err(rustls::Error::InvalidCertificate(_))), "{refused:?}");
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        for text in ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            assert!(client_verifier(text.as_bytes()).is_err(), "{text}");
        }
    }
}
