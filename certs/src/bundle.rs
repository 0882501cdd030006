//! Everything that replicas share: the trusted authorities, the one that signs, and the served certificate.

use std::time::{Duration, SystemTime};

use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use crate::{
    Authority, CertificateError, Lifetimes, ServingCertificate,
    secret::{AUTHORITY_CERTIFICATE, SERVING_CERTIFICATE, SERVING_KEY},
};

/// The content of the certificate Secret.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificateBundle {
    /// Trusted authorities in PEM, the signing one first: what `caBundle` holds. More than one while an authority is
    /// being replaced.
    pub authorities_pem: String,
    /// Private key of the signing authority.
    pub authority_key_pem: String,
    /// What is served.
    pub serving: ServingCertificate,
}

/// When a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// First moment.
    pub not_before: SystemTime,
    /// Last moment.
    pub not_after: SystemTime,
}

/// What has to be renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing.
    Nothing,
    /// The served certificate.
    Leaf,
    /// The authority, and with it the served certificate.
    Authority,
}

impl Validity {
    /// Reads the first certificate of a PEM text. `key` names the Secret's entry for the message.
    pub fn of(pem: &str, key: &'static str) -> Result<Self, CertificateError> {
        let invalid = |reason: String| CertificateError::InvalidEntry { key, reason };
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|error| invalid(error.to_string()))?;
        let (_, certificate) = x509_parser::parse_x509_certificate(&der).map_err(|error| invalid(error.to_string()))?;
        let validity = certificate.validity();
        Ok(Self {
            not_before: from_timestamp(validity.not_before.timestamp()),
            not_after: from_timestamp(validity.not_after.timestamp()),
        })
    }

    /// Two thirds of the lifetime: from here on a successor is due.
    pub fn renewal(&self) -> SystemTime {
        let lifetime = self.not_after.duration_since(self.not_before).unwrap_or_default();
        self.not_before + lifetime * 2 / 3
    }
}

impl CertificateBundle {
    /// Makes a new authority and a certificate for `names` under it.
    pub fn generate(names: &[String], lifetimes: Lifetimes, now: SystemTime) -> Result<Self, CertificateError> {
        let authority = Authority::generate("module-webhook authority", lifetimes.authority, now)?;
        let serving = authority.issue(names, lifetimes.leaf, now)?;
        Ok(Self {
            authorities_pem: authority.certificate_pem().to_owned(),
            authority_key_pem: authority.key_pem(),
            serving,
        })
    }

    /// A successor with the same authority and a new served certificate.
    pub fn renew_leaf(
        &self,
        names: &[String],
        lifetimes: Lifetimes,
        now: SystemTime,
    ) -> Result<Self, CertificateError> {
        let serving = self.authority()?.issue(names, lifetimes.leaf, now)?;
        Ok(Self { serving, ..self.clone() })
    }

    /// A successor with a new authority. The previous ones stay trusted as long as they are valid: other replicas
    /// still serve certificates that they signed.
    pub fn renew_authority(
        &self,
        names: &[String],
        lifetimes: Lifetimes,
        now: SystemTime,
    ) -> Result<Self, CertificateError> {
        let mut next = Self::generate(names, lifetimes, now)?;
        for authority in split_pem(&self.authorities_pem) {
            if Validity::of(authority, AUTHORITY_CERTIFICATE)?.not_after > now {
                next.authorities_pem.push_str(authority);
            }
        }
        Ok(next)
    }

    /// The signing authority.
    pub fn authority(&self) -> Result<Authority, CertificateError> {
        Authority::from_pem(&self.authorities_pem, &self.authority_key_pem)
    }

    /// What is due at `now` for a server that answers to `names`.
    pub fn due(&self, names: &[String], now: SystemTime) -> Result<Due, CertificateError> {
        if now >= Validity::of(&self.authorities_pem, AUTHORITY_CERTIFICATE)?.renewal() {
            return Ok(Due::Authority);
        }
        if now >= Validity::of(&self.serving.certificate_pem, SERVING_CERTIFICATE)?.renewal()
            || !self.serving.covers(names)?
        {
            return Ok(Due::Leaf);
        }
        Ok(Due::Nothing)
    }

    /// The end of the served certificate's life.
    pub fn not_after(&self) -> Result<SystemTime, CertificateError> {
        Ok(Validity::of(&self.serving.certificate_pem, SERVING_CERTIFICATE)?.not_after)
    }
}

impl std::fmt::Debug for CertificateBundle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("CertificateBundle").field("authorities", &self.authorities_pem).finish_non_exhaustive()
    }
}

impl ServingCertificate {
    /// The form that TLS serves; fails if certificate and key do not belong together.
    pub fn certified_key(&self) -> Result<rustls::sign::CertifiedKey, CertificateError> {
        let chain = CertificateDer::pem_slice_iter(self.certificate_pem.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| CertificateError::InvalidEntry { key: SERVING_CERTIFICATE, reason: error.to_string() })?;
        let key = PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes())
            .map_err(|error| CertificateError::InvalidEntry { key: SERVING_KEY, reason: error.to_string() })?;
        rustls::sign::CertifiedKey::from_der(chain, key, &rustls::crypto::ring::default_provider())
            .map_err(CertificateError::Unusable)
    }

    fn covers(&self, names: &[String]) -> Result<bool, CertificateError> {
        let invalid = |reason: String| CertificateError::InvalidEntry { key: SERVING_CERTIFICATE, reason };
        let der = CertificateDer::from_pem_slice(self.certificate_pem.as_bytes())
            .map_err(|error| invalid(error.to_string()))?;
        let (_, certificate) = x509_parser::parse_x509_certificate(&der).map_err(|error| invalid(error.to_string()))?;
        let alternatives = certificate.subject_alternative_name().map_err(|error| invalid(error.to_string()))?;
        let present: Vec<String> = alternatives
            .map(|extension| extension.value.general_names.iter().filter_map(general_name).collect())
            .unwrap_or_default();
        Ok(names.iter().all(|name| present.contains(name)))
    }
}

/// The certificates of a PEM text, each with its line break.
fn split_pem(text: &str) -> impl Iterator<Item = &str> {
    const END: &str = "-----END CERTIFICATE-----\n";
    text.split_inclusive(END).filter(|part| part.ends_with(END))
}

fn general_name(name: &x509_parser::extensions::GeneralName<'_>) -> Option<String> {
    use x509_parser::extensions::GeneralName;
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(octets) => match octets.len() {
            4 => <[u8; 4]>::try_from(*octets).ok().map(|octets| std::net::Ipv4Addr::from(octets).to_string()),
            16 => <[u8; 16]>::try_from(*octets).ok().map(|octets| std::net::Ipv6Addr::from(octets).to_string()),
            _ => None,
        },
        _ => None,
    }
}

fn from_timestamp(seconds: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    fn names() -> Vec<String> {
        vec!["module-webhook.module-system.svc".to_owned(), "localhost".to_owned(), "127.0.0.1".to_owned()]
    }

    fn start() -> SystemTime {
        SystemTime::UNIX_EPOCH + 20_000 * DAY
    }

    fn bundle() -> CertificateBundle {
        CertificateBundle::generate(&names(), Lifetimes::default(), start()).unwrap()
    }

    #[test]
    fn leaf_is_due_at_two_thirds_of_its_life_and_authority_stays() {
        let bundle = bundle();
        assert_eq!(bundle.due(&names(), start() + 4 * DAY).unwrap(), Due::Nothing);
        assert_eq!(bundle.due(&names(), start() + 5 * DAY).unwrap(), Due::Leaf);
        let renewed = bundle.renew_leaf(&names(), Lifetimes::default(), start() + 5 * DAY).unwrap();
        assert_eq!(renewed.authorities_pem, bundle.authorities_pem);
        assert_ne!(renewed.serving, bundle.serving);
        assert_eq!(renewed.due(&names(), start() + 9 * DAY).unwrap(), Due::Nothing);
        assert_eq!(renewed.due(&names(), start() + 300 * DAY).unwrap(), Due::Authority);
    }

    #[test]
    fn a_new_authority_signs_while_the_old_one_stays_trusted_until_it_expires() {
        let first = bundle();
        let second = first.renew_authority(&names(), Lifetimes::default(), start() + 300 * DAY).unwrap();
        assert!(second.authorities_pem.ends_with(&first.authorities_pem));
        assert!(!second.authorities_pem.starts_with(&first.authorities_pem));
        second.authority().unwrap();
        assert_eq!(second.due(&names(), start() + 301 * DAY).unwrap(), Due::Nothing);
        let third = second.renew_authority(&names(), Lifetimes::default(), start() + 600 * DAY).unwrap();
        assert_eq!(split_pem(&third.authorities_pem).count(), 2);
        assert!(!third.authorities_pem.contains(&first.authorities_pem));
    }

    #[test]
    fn a_missing_name_makes_the_leaf_due() {
        let mut more = names();
        more.push("module-webhook.module-system.svc.cluster.local".to_owned());
        assert_eq!(bundle().due(&more, start()).unwrap(), Due::Leaf);
    }

    #[test]
    fn a_client_that_trusts_the_authority_accepts_the_leaf_for_its_names_only() {
        use rustls::client::{WebPkiServerVerifier, danger::ServerCertVerifier};
        let bundle = bundle();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(bundle.authorities_pem.as_bytes()).unwrap()).unwrap();
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider).build().unwrap();
        let leaf = CertificateDer::from_pem_slice(bundle.serving.certificate_pem.as_bytes()).unwrap();
        let verify = |name: &str, at: SystemTime| {
            let time = rustls_pki_types::UnixTime::since_unix_epoch(at.duration_since(SystemTime::UNIX_EPOCH).unwrap());
            verifier.verify_server_cert(&leaf, &[], &name.to_owned().try_into().unwrap(), &[], time)
        };
        assert!(verify("module-webhook.module-system.svc", start()).is_ok());
        assert!(verify("127.0.0.1", start()).is_ok());
        assert!(verify("module-webhook.other.svc", start()).is_err());
        assert!(verify("localhost", start() + 8 * DAY).is_err());
        // A clock that is a little behind must not refuse a fresh certificate.
        assert!(verify("localhost", start() - Duration::from_secs(200)).is_ok());
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let mut mixed = bundle().serving;
        mixed.key_pem = bundle().serving.key_pem;
        assert!(matches!(mixed.certified_key(), Err(CertificateError::Unusable(_))));
    }

    #[test]
    fn debug_output_holds_no_key() {
        let bundle = bundle();
        assert!(!format!("{bundle:?} {:?} {:?}", bundle.serving, bundle.authority().unwrap()).contains("PRIVATE"));
    }
}
