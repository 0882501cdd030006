//! The certificate authority and the certificates it signs: ECDSA P-256 with SHA-256.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, date_time_ymd,
};
use rustls_pki_types::{CertificateDer, pem::PemObject};

use crate::{
    CertificateError,
    secret::{AUTHORITY_CERTIFICATE, AUTHORITY_KEY},
};

/// Replicas and the API server do not share a clock: certificates are valid from a little before they were made.
const CLOCK_SKEW: Duration = Duration::from_mins(5);

/// One year, as cert-manager's own authority.
const AUTHORITY_LIFETIME: Duration = Duration::from_hours(365 * 24);

/// Seven days: a stolen key is soon worthless, and a weekend without a running replica is survived.
const LEAF_LIFETIME: Duration = Duration::from_hours(7 * 24);

/// How long certificates are valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Of the authority.
    pub authority: Duration,
    /// Of the served certificate.
    pub leaf: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self { authority: AUTHORITY_LIFETIME, leaf: LEAF_LIFETIME }
    }
}

/// A certificate authority with its signing key.
pub struct Authority {
    certificate_pem: String,
    key: KeyPair,
}

/// A served certificate and its key, in PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct ServingCertificate {
    /// The certificate.
    pub certificate_pem: String,
    /// Its private key, PKCS#8.
    pub key_pem: String,
}

impl Authority {
    /// Makes a new authority, valid from `now`.
    pub fn generate(common_name: &str, lifetime: Duration, now: SystemTime) -> Result<Self, CertificateError> {
        let issue = |source| CertificateError::Issue { what: "certificate authority", source };
        let mut parameters = validity(CertificateParams::default(), lifetime, now);
        parameters.distinguished_name = name(common_name);
        // No intermediate authority below this one.
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(issue)?;
        let certificate = parameters.self_signed(&key).map_err(issue)?;
        Ok(Self { certificate_pem: certificate.pem(), key })
    }

    /// Reads an authority from PEM.
    pub fn from_pem(certificate_pem: &str, key_pem: &str) -> Result<Self, CertificateError> {
        let key = KeyPair::from_pem(key_pem)
            .map_err(|error| CertificateError::InvalidEntry { key: AUTHORITY_KEY, reason: error.to_string() })?;
        let invalid = |reason: String| CertificateError::InvalidEntry { key: AUTHORITY_CERTIFICATE, reason };
        let der =
            CertificateDer::from_pem_slice(certificate_pem.as_bytes()).map_err(|error| invalid(error.to_string()))?;
        let (_, certificate) = x509_parser::parse_x509_certificate(&der).map_err(|error| invalid(error.to_string()))?;
        if certificate.public_key().subject_public_key.data.as_ref() != key.public_key_raw() {
            return Err(invalid("the key belongs to another certificate".to_owned()));
        }
        Issuer::from_ca_cert_pem(certificate_pem, &key).map_err(|error| invalid(error.to_string()))?;
        Ok(Self { certificate_pem: certificate_pem.to_owned(), key })
    }

    /// The authority's certificate.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The authority's private key, PKCS#8.
    pub fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    /// Issues a server certificate for DNS names or IP addresses, valid from `now`.
    pub fn issue(
        &self,
        names: &[String],
        lifetime: Duration,
        now: SystemTime,
    ) -> Result<ServingCertificate, CertificateError> {
        let issue = |source| CertificateError::Issue { what: "serving certificate", source };
        let issuer = Issuer::from_ca_cert_pem(&self.certificate_pem, &self.key).map_err(issue)?;
        let mut parameters = validity(CertificateParams::new(names.to_vec()).map_err(issue)?, lifetime, now);
        parameters.distinguished_name = name(names.first().map_or("module-webhook", String::as_str));
        parameters.use_authority_key_identifier_extension = true;
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(issue)?;
        let certificate = parameters.signed_by(&key, &issuer).map_err(issue)?;
        Ok(ServingCertificate { certificate_pem: certificate.pem(), key_pem: key.serialize_pem() })
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ServingCertificate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ServingCertificate").finish_non_exhaustive()
    }
}

fn name(common_name: &str) -> DistinguishedName {
    // X.520 limits a common name to 64 characters; the names that count are the subject alternative names.
    const COMMON_NAME_LIMIT: usize = 64;
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name.chars().take(COMMON_NAME_LIMIT).collect::<String>());
    name
}

fn validity(mut parameters: CertificateParams, lifetime: Duration, now: SystemTime) -> CertificateParams {
    let epoch = date_time_ymd(1970, 1, 1);
    let since_epoch = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    parameters.not_before = epoch + since_epoch.saturating_sub(CLOCK_SKEW);
    parameters.not_after = epoch + since_epoch + lifetime;
    parameters
}
