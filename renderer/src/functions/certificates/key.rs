//! Private keys: RSA and ECDSA on P-256, made from the host's randomness.

use p256::ecdsa::signature::Signer;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey, EncodeRsaPublicKey};
use rsa::rand_core::{Infallible, TryCryptoRng, TryRng};
use rsa::{Pkcs1v15Sign, PrivateKey as RsaKey};
use sha2::{Digest, Sha256};

use super::der::{INTEGER, NULL, OCTET_STRING, bit_string, element, explicit, integer, object_identifier, sequence};
use super::{pem, repeatable};
use crate::functions::{CallError, Context, Host};

/// 1.2.840.113549.1.1.1, rsaEncryption.
const RSA_ENCRYPTION: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
/// 1.2.840.113549.1.1.11, sha256WithRSAEncryption.
const SHA256_WITH_RSA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b";
/// 1.2.840.10045.2.1, id-ecPublicKey.
const EC_PUBLIC_KEY: &[u8] = b"\x2a\x86\x48\xce\x3d\x02\x01";
/// 1.2.840.10045.3.1.7, the curve P-256.
const PRIME256V1: &[u8] = b"\x2a\x86\x48\xce\x3d\x03\x01\x07";
/// 1.2.840.10045.4.3.2, ecdsa-with-SHA256.
const ECDSA_WITH_SHA256: &[u8] = b"\x2a\x86\x48\xce\x3d\x04\x03\x02";
/// 1.3.101.112, Ed25519.
const ED25519: &[u8] = b"\x2b\x65\x70";
/// What stands before a SHA-256 digest in an RSA signature (RFC 8017, 9.2, note 1).
pub(super) const SHA256_DIGEST_INFO: &[u8] =
    b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";

/// Size of the keys of certificates in bits.
// sprig: crypto.go generateCertificateAuthority
pub(super) const CERTIFICATE_KEY_BITS: u32 = 2048;
/// Size of `genPrivateKey "rsa"` in bits.
// sprig: crypto.go generatePrivateKey
const PRIVATE_KEY_BITS: u32 = 4096;

/// Steps for an RSA key of 2048 bits, which takes about a fifth of a second on one core. Far below that time's worth: a
/// chart with a dozen certificates, or with two keys of 4096 bits as bitnami/etcd has, must still render.
const STEPS_PER_2048_BITS: u64 = 1_000_000;
/// Steps for a signature or another key.
pub(super) const STEPS_PER_SIGNATURE: u64 = 200_000;
/// Steps for a key that is any number.
const STEPS_PER_PEM: u64 = 100;

/// The host's randomness in the form that the key generators take.
struct HostRandom<'a>(&'a dyn Host);

impl TryRng for HostRandom<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut word = [0; 4];
        self.0.random(&mut word);
        Ok(u32::from_le_bytes(word))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut word = [0; 8];
        self.0.random(&mut word);
        Ok(u64::from_le_bytes(word))
    }

    fn try_fill_bytes(&mut self, buffer: &mut [u8]) -> Result<(), Infallible> {
        self.0.random(buffer);
        Ok(())
    }
}

impl TryCryptoRng for HostRandom<'_> {}

/// A private key that can sign certificates.
pub(super) enum PrivateKey {
    Rsa(Box<RsaKey>),
    P256(Box<p256::SecretKey>),
}

fn generate_rsa(context: &Context<'_>, bits: u32) -> Result<RsaKey, CallError> {
    let relative = u64::from(bits / 2048);
    context.budget.charge_steps(STEPS_PER_2048_BITS.saturating_mul(relative.pow(3)))?;
    let key = if context.host.is_repeatable() {
        repeatable::key(bits)
    } else {
        RsaKey::new(&mut HostRandom(context.host), bits as usize)
    };
    key.map_err(|error| CallError::message(format!("error generating rsa key: {error}")))
}

fn generate_p256(context: &Context<'_>) -> Result<p256::SecretKey, CallError> {
    context.budget.charge_steps(STEPS_PER_SIGNATURE)?;
    // A number of 32 bytes is no key only if it is zero or above the order of the curve: one in 2^32 draws.
    for _ in 0..64 {
        let mut bytes = [0; 32];
        context.host.random(&mut bytes);
        if let Ok(key) = p256::SecretKey::from_slice(&bytes) {
            return Ok(key);
        }
    }
    Err(CallError::message("failed to generate private key: the host's randomness gives no valid number"))
}

impl PrivateKey {
    /// A new key for a certificate.
    pub(super) fn generate(context: &Context<'_>) -> Result<Self, CallError> {
        generate_rsa(context, CERTIFICATE_KEY_BITS).map(|key| Self::Rsa(Box::new(key)))
    }

    /// Reads a key from PEM: PKCS#1, SEC 1 or PKCS#8.
    // sprig: crypto.go parsePrivateKeyPEM
    pub(super) fn from_pem(text: &[u8]) -> Result<Self, String> {
        let block = pem::decode(text).ok_or("no PEM data in input")?;
        let contents = &block.contents;
        match block.label.as_str() {
            "PRIVATE KEY" => {
                use rsa::pkcs8::DecodePrivateKey;
                if let Ok(key) = RsaKey::from_pkcs8_der(contents) {
                    return Ok(Self::Rsa(Box::new(key)));
                }
                p256::SecretKey::from_pkcs8_der(contents)
                    .map(|key| Self::P256(Box::new(key)))
                    .map_err(|error| format!("decoding PEM as PKCS#8: {error}"))
            }
            "RSA PRIVATE KEY" => RsaKey::from_pkcs1_der(contents)
                .map(|key| Self::Rsa(Box::new(key)))
                .map_err(|error| format!("parsing RSA private key from PEM: {error}")),
            "EC PRIVATE KEY" => p256::SecretKey::from_sec1_der(contents)
                .map(|key| Self::P256(Box::new(key)))
                .map_err(|error| format!("parsing EC private key from PEM: {error}")),
            label => match label.strip_suffix(" PRIVATE KEY") {
                Some(kind) => Err(format!("invalid private key type {kind}")),
                None => Err(format!("no private key data in PEM block of type {label}")),
            },
        }
    }

    /// The key as PEM.
    // sprig: crypto.go pemBlockForKey
    pub(super) fn to_pem(&self) -> Result<String, CallError> {
        match self {
            Self::Rsa(key) => {
                let der = key.to_pkcs1_der().map_err(|error| CallError::message(error.to_string()))?;
                Ok(pem::encode("RSA PRIVATE KEY", der.as_bytes()))
            }
            Self::P256(key) => {
                // RFC 5915; Go writes the curve and the public key too.
                let der = sequence(&[
                    element(INTEGER, &[1]),
                    element(OCTET_STRING, &key.to_bytes()),
                    element(explicit(0), &object_identifier(PRIME256V1)),
                    element(explicit(1), &bit_string(&public_point(key))),
                ]);
                Ok(pem::encode("EC PRIVATE KEY", &der))
            }
        }
    }

    /// The public key's bits, as they stand in a certificate and are hashed for its identifier.
    pub(super) fn public_bits(&self) -> Result<Vec<u8>, CallError> {
        match self {
            Self::Rsa(key) => {
                let public = key.as_public_key().to_pkcs1_der();
                Ok(public.map_err(|error| CallError::message(error.to_string()))?.as_bytes().to_vec())
            }
            Self::P256(key) => Ok(public_point(key)),
        }
    }

    /// `SubjectPublicKeyInfo` of RFC 5280.
    pub(super) fn public_key_info(&self) -> Result<Vec<u8>, CallError> {
        let algorithm = match self {
            Self::Rsa(_) => sequence(&[object_identifier(RSA_ENCRYPTION), element(NULL, &[])]),
            Self::P256(_) => sequence(&[object_identifier(EC_PUBLIC_KEY), object_identifier(PRIME256V1)]),
        };
        Ok(sequence(&[algorithm, bit_string(&self.public_bits()?)]))
    }

    /// The `AlgorithmIdentifier` of this key's signatures.
    pub(super) fn signature_algorithm(&self) -> Vec<u8> {
        match self {
            Self::Rsa(_) => sequence(&[object_identifier(SHA256_WITH_RSA), element(NULL, &[])]),
            Self::P256(_) => sequence(&[object_identifier(ECDSA_WITH_SHA256)]),
        }
    }

    /// A signature of the SHA-256 digest of the message.
    pub(super) fn sign(&self, context: &Context<'_>, message: &[u8]) -> Result<Vec<u8>, CallError> {
        context.budget.charge_steps(STEPS_PER_SIGNATURE)?;
        match self {
            Self::Rsa(key) => {
                let digest_info = [SHA256_DIGEST_INFO, &Sha256::digest(message)].concat();
                key.sign(Pkcs1v15Sign::new_unprefixed(), &digest_info)
                    .map_err(|error| CallError::message(format!("error creating certificate: {error}")))
            }
            Self::P256(key) => {
                let signature: p256::ecdsa::DerSignature = p256::ecdsa::SigningKey::from(&**key).sign(message);
                Ok(signature.as_bytes().to_vec())
            }
        }
    }
}

/// The uncompressed public point.
fn public_point(key: &p256::SecretKey) -> Vec<u8> {
    use p256::elliptic_curve::sec1::ToSec1Point;
    key.public_key().to_sec1_point(false).as_bytes().to_vec()
}

/// `genPrivateKey`: a new key of that kind as PEM, or what is wrong with the kind.
// sprig: crypto.go generatePrivateKey
pub(super) fn generate_pem(context: &Context<'_>, kind: &str) -> Result<String, CallError> {
    match kind {
        "" | "rsa" => PrivateKey::Rsa(Box::new(generate_rsa(context, PRIVATE_KEY_BITS)?)).to_pem(),
        "ecdsa" => PrivateKey::P256(Box::new(generate_p256(context)?)).to_pem(),
        "ed25519" => {
            context.budget.charge_steps(STEPS_PER_PEM)?;
            // RFC 8410: the key is any 32 bytes.
            let mut seed = [0; 32];
            context.host.random(&mut seed);
            let der = sequence(&[
                integer(&[0]),
                sequence(&[object_identifier(ED25519)]),
                element(OCTET_STRING, &element(OCTET_STRING, &seed)),
            ]);
            Ok(pem::encode("PRIVATE KEY", &der))
        }
        "dsa" => Err(CallError::message("DSA keys are not supported: use rsa, ecdsa or ed25519")),
        other => Ok(format!("Unknown type {other}")),
    }
}
