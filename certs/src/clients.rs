//! Which clients may connect: those that show a certificate of a given authority and, if asked for, of a given name.

use std::sync::Arc;

use rustls::{
    DigitallySignedStruct, DistinguishedName, RootCertStore, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    server::{
        WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use rustls_pki_types::{CertificateDer, UnixTime, pem::PemObject};

use crate::CertificateError;

/// A check of client certificates against the authorities of a PEM file: whoever shows none of theirs is turned away in
/// the handshake. With `names`, the certificate's common name must be one of them, too: the authority of a cluster's
/// client certificates also makes those of its users and nodes.
pub fn client_verifier(
    authorities_pem: &[u8],
    names: Vec<String>,
) -> Result<Arc<dyn ClientCertVerifier>, CertificateError> {
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
    let authority = verifier.map_err(|error| invalid(error.to_string()))?;
    Ok(if names.is_empty() { authority } else { Arc::new(NamedClients { authority, names }) })
}

/// Lets in who is known to an authority by one of some names.
#[derive(Debug)]
struct NamedClients {
    authority: Arc<dyn ClientCertVerifier>,
    names: Vec<String>,
}

impl ClientCertVerifier for NamedClients {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.authority.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let verified = self.authority.verify_client_cert(end_entity, intermediates, now)?;
        if common_name(end_entity).is_some_and(|name| self.names.contains(&name)) {
            Ok(verified)
        } else {
            Err(rustls::CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.authority.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.authority.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authority.supported_verify_schemes()
    }
}

/// The common name of a certificate's subject, if it has exactly one.
fn common_name(certificate: &CertificateDer<'_>) -> Option<String> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let mut names = certificate.subject().iter_common_name();
    match (names.next(), names.next()) {
        (Some(name), None) => name.as_str().ok().map(str::to_owned),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
    use rustls::{ClientConfig, ClientConnection, ServerConnection, pki_types::PrivateKeyDer};

    use super::*;
    use crate::{CertificateBundle, Lifetimes, ReloadableCertificate};

    /// A certificate with its key.
    type Identity = (CertificateDer<'static>, PrivateKeyDer<'static>);

    /// An authority, and a certificate of it for each client: the common names of its subject.
    fn authority<const N: usize>(clients: [&[&str]; N]) -> (String, [Identity; N]) {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let authority = parameters.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(parameters, key);
        let identities = clients.map(|names| {
            let mut client = CertificateParams::default();
            client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            client.distinguished_name = rcgen::DistinguishedName::new();
            for name in names {
                client.distinguished_name.push(DnType::CommonName, *name);
            }
            let key = KeyPair::generate().unwrap();
            let certificate = client.signed_by(&key, &issuer).unwrap().der().clone();
            (certificate, PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        });
        (authority, identities)
    }

    /// Shakes hands in memory.
    fn handshake(clients: Option<&str>, names: &[&str], shown: Option<&Identity>) -> Result<(), rustls::Error> {
        let bundle =
            CertificateBundle::generate(&["localhost".to_owned()], Lifetimes::default(), SystemTime::now()).unwrap();
        let certificate = Arc::new(ReloadableCertificate::new(&bundle.serving).unwrap());
        let verifier = clients.map(|pem| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            client_verifier(pem.as_bytes(), names).unwrap()
        });
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
        let (trusted, [client]) = authority([&["kube-apiserver"]]);
        let (_, [stranger]) = authority([&["kube-apiserver"]]);
        assert_eq!(handshake(None, &[], None), Ok(()));
        assert_eq!(handshake(Some(&trusted), &[], Some(&client)), Ok(()));
        assert_eq!(handshake(Some(&trusted), &[], None), Err(rustls::Error::NoCertificatesPresented));
        let refused = handshake(Some(&trusted), &["kube-apiserver"], Some(&stranger));
        assert!(matches!(refused, Err(rustls::Error::InvalidCertificate(_))), "{refused:?}");
    }

    #[test]
    fn only_certificates_of_the_names_are_let_in() {
        let (trusted, identities) = authority([
            &["kube-apiserver"],
            &["webhook-client"],
            &["kubelet"],
            &["kube-apiserver.example"],
            &["Kube-Apiserver"],
            &[],
        ]);
        let names = ["kube-apiserver", "webhook-client"];
        for (number, identity) in identities.iter().enumerate() {
            let outcome = handshake(Some(&trusted), &names, Some(identity));
            let expected = if number < names.len() {
                Ok(())
            } else {
                Err(rustls::CertificateError::ApplicationVerificationFailure.into())
            };
            assert_eq!(outcome, expected, "{number}");
        }
        assert_eq!(handshake(Some(&trusted), &names, None), Err(rustls::Error::NoCertificatesPresented));
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        for text in ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            assert!(client_verifier(text.as_bytes(), Vec::new()).is_err(), "{text}");
        }
    }
}
