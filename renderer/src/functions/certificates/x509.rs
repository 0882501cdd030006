//! X.509 certificates (RFC 5280) in the shape that Go's `x509.CreateCertificate` gives sprig's templates.

use std::net::IpAddr;

use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, ParsedExtension, X509Certificate};

use super::der::{
    BIT_STRING, BOOLEAN, GENERALIZED_TIME, INTEGER, OCTET_STRING, PRINTABLE_STRING, SET, UTC_TIME, UTF8_STRING,
    bit_string, element, explicit, implicit, integer, object_identifier, sequence,
};
use super::key::PrivateKey;
use crate::functions::time::{Duration, SECOND, Time, Zone};
use crate::functions::{CallError, Context};

/// 2.5.4.3, common name.
const COMMON_NAME: &[u8] = b"\x55\x04\x03";
/// 2.5.29.14, subject key identifier.
const SUBJECT_KEY_IDENTIFIER: &[u8] = b"\x55\x1d\x0e";
/// 2.5.29.15, key usage.
const KEY_USAGE: &[u8] = b"\x55\x1d\x0f";
/// 2.5.29.17, subject alternative name.
const SUBJECT_ALTERNATIVE_NAME: &[u8] = b"\x55\x1d\x11";
/// 2.5.29.19, basic constraints.
const BASIC_CONSTRAINTS: &[u8] = b"\x55\x1d\x13";
/// 2.5.29.35, authority key identifier.
const AUTHORITY_KEY_IDENTIFIER: &[u8] = b"\x55\x1d\x23";
/// 2.5.29.37, extended key usage.
const EXTENDED_KEY_USAGE: &[u8] = b"\x55\x1d\x25";
/// 1.3.6.1.5.5.7.3.1, server authentication.
const SERVER_AUTH: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x03\x01";
/// 1.3.6.1.5.5.7.3.2, client authentication.
const CLIENT_AUTH: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x03\x02";

/// What a certificate is to say.
pub(super) struct Template {
    pub(super) common_name: Vec<u8>,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) dns_names: Vec<Vec<u8>>,
    pub(super) days: i64,
    pub(super) is_authority: bool,
}

/// Who signs: what of its certificate goes into the new one.
pub(super) struct Issuer {
    /// The encoded name.
    name: Vec<u8>,
    key_identifier: Option<Vec<u8>>,
    /// The encoded `SubjectPublicKeyInfo`.
    public_key: Vec<u8>,
}

impl Issuer {
    /// Reads what is needed from a certificate.
    pub(super) fn from_der(der: &[u8]) -> Result<Self, String> {
        let (rest, certificate) = X509Certificate::from_der(der).map_err(|error| error.to_string())?;
        if !rest.is_empty() {
            return Err("x509: trailing data".to_owned());
        }
        let key_identifier = certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(identifier) => Some(identifier.0.to_vec()),
            _ => None,
        });
        Ok(Self {
            name: certificate.subject().as_raw().to_vec(),
            key_identifier,
            public_key: certificate.public_key().raw.to_vec(),
        })
    }
}

fn extension(identifier: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let mut parts = vec![object_identifier(identifier)];
    if critical {
        parts.push(element(BOOLEAN, &[0xff]));
    }
    parts.push(element(OCTET_STRING, value));
    sequence(&parts)
}

/// A name of only a common name, or of nothing.
// Go: crypto/x509/pkix Name.ToRDNSequence
fn name(common_name: &[u8]) -> Vec<u8> {
    if common_name.is_empty() {
        return sequence(&[]);
    }
    let is_printable = common_name.iter().all(|byte| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(byte));
    let tag = if is_printable { PRINTABLE_STRING } else { UTF8_STRING };
    let attribute = sequence(&[object_identifier(COMMON_NAME), element(tag, common_name)]);
    sequence(&[element(SET, &attribute)])
}

/// A moment; two-digit years until 2049 (RFC 5280, 4.1.2.5).
fn time(moment: &Time) -> Vec<u8> {
    let long = moment.format(b"20060102150405Z");
    if long >= b"19500101000000Z".to_vec() && long < b"20500101000000Z".to_vec() {
        element(UTC_TIME, &long[2..])
    } else {
        element(GENERALIZED_TIME, &long)
    }
}

/// An identifier of a public key: RFC 7093, method 1.
// Go: crypto/x509 CreateCertificate
fn key_identifier(public_bits: &[u8]) -> Vec<u8> {
    Sha256::digest(public_bits)[..20].to_vec()
}

impl Template {
    fn extensions(
        &self,
        subject_identifier: Option<&[u8]>,
        authority_identifier: Option<&[u8]>,
    ) -> Result<Vec<u8>, CallError> {
        // Digital signature, key encipherment and, for an authority, certificate signing.
        let usage: [u8; 2] = if self.is_authority { [2, 0b1010_0100] } else { [5, 0b1010_0000] };
        let authority = if self.is_authority { element(BOOLEAN, &[0xff]) } else { Vec::new() };
        let purposes = sequence(&[object_identifier(SERVER_AUTH), object_identifier(CLIENT_AUTH)]);
        let mut extensions = vec![
            extension(KEY_USAGE, true, &element(BIT_STRING, &usage)),
            extension(EXTENDED_KEY_USAGE, false, &purposes),
            extension(BASIC_CONSTRAINTS, true, &sequence(&[authority])),
        ];
        if let Some(identifier) = subject_identifier {
            extensions.push(extension(SUBJECT_KEY_IDENTIFIER, false, &element(OCTET_STRING, identifier)));
        }
        if let Some(identifier) = authority_identifier {
            let identifier = sequence(&[element(implicit(0), identifier)]);
            extensions.push(extension(AUTHORITY_KEY_IDENTIFIER, false, &identifier));
        }
        if !self.dns_names.is_empty() || !self.addresses.is_empty() {
            let mut names = Vec::new();
            for dns_name in &self.dns_names {
                if !dns_name.is_ascii() {
                    return Err(CallError::message(format!(
                        "error creating certificate: x509: {} cannot be encoded as an IA5String",
                        crate::quote::quote(dns_name)
                    )));
                }
                names.push(element(implicit(2), dns_name));
            }
            for address in &self.addresses {
                names.push(match address.to_canonical() {
                    IpAddr::V4(address) => element(implicit(7), &address.octets()),
                    IpAddr::V6(address) => element(implicit(7), &address.octets()),
                });
            }
            // Critical if nothing else names the subject.
            extensions.push(extension(SUBJECT_ALTERNATIVE_NAME, self.common_name.is_empty(), &sequence(&names)));
        }
        Ok(element(explicit(3), &sequence(&extensions)))
    }

    /// The certificate for the key, signed by the issuer or by itself.
    // sprig: crypto.go getCertAndKey; Go: crypto/x509 CreateCertificate
    pub(super) fn sign(
        &self,
        context: &Context<'_>,
        key: &PrivateKey,
        issuer: Option<(&Issuer, &PrivateKey)>,
    ) -> Result<Vec<u8>, CallError> {
        if std::str::from_utf8(&self.common_name).is_err() {
            return Err(CallError::message("error creating certificate: asn1: string not valid UTF-8"));
        }
        let subject = name(&self.common_name);
        let public_key = key.public_key_info()?;
        let subject_identifier = if self.is_authority { Some(key_identifier(&key.public_bits()?)) } else { None };
        let (issuer_name, authority_identifier, signing_key) = match issuer {
            None => (subject.clone(), None, key),
            Some((issuer, signing_key)) => {
                if issuer.public_key != signing_key.public_key_info()? {
                    return Err(CallError::message(
                        "error creating certificate: x509: provided PrivateKey doesn't match parent's PublicKey",
                    ));
                }
                let identifier = issuer.key_identifier.as_deref().filter(|_| issuer.name != subject);
                (issuer.name.clone(), identifier, signing_key)
            }
        };
        let mut serial = [0; 16];
        context.host.random(&mut serial);
        let now = Time::from_nanoseconds(context.host.now()).in_zone(Zone::Utc);
        let validity = Duration(self.days.wrapping_mul(24 * 3600).wrapping_mul(SECOND));
        let algorithm = signing_key.signature_algorithm();
        let body = sequence(&[
            // Version 3.
            element(explicit(0), &element(INTEGER, &[2])),
            integer(&serial),
            algorithm.clone(),
            issuer_name,
            sequence(&[time(&now), time(&now.add(validity))]),
            subject,
            public_key,
            self.extensions(subject_identifier.as_deref(), authority_identifier)?,
        ]);
        let signature = signing_key.sign(context, &body)?;
        Ok(sequence(&[body, algorithm, bit_string(&signature)]))
    }
}
