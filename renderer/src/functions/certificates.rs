//! sprig's keys and certificates: real ones, from the host's clock and randomness.

mod der;
mod key;
mod pem;
mod repeatable;
mod x509;

use std::any::Any as AnyType;
use std::net::IpAddr;

use super::arguments::{int, text};
use super::encoding::decode_base64;
use super::text::sprint;
use super::time::object;
use super::{CallError, CallResult, Context, Function, Parameter};
use crate::value::{GoString, MethodError, Object, StructField, Value};
use key::{PrivateKey, STEPS_PER_SIGNATURE};
use x509::{Issuer, Template};

use Parameter::{Int, List, String as Text};

/// The Go type of a certificate with its key.
const CERTIFICATE: &str = "sprig.certificate";
const SIGNER: Parameter = Parameter::Object(CERTIFICATE);

/// The functions of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "genPrivateKey", parameters: &[Text], variadic: None, call: gen_private_key },
    Function { name: "genCA", parameters: &[Text, Int], variadic: None, call: gen_ca },
    Function { name: "genCAWithKey", parameters: &[Text, Int, Text], variadic: None, call: gen_ca_with_key },
    Function {
        name: "genSelfSignedCert",
        parameters: &[Text, List, List, Int],
        variadic: None,
        call: gen_self_signed_cert,
    },
    Function {
        name: "genSelfSignedCertWithKey",
        parameters: &[Text, List, List, Int, Text],
        variadic: None,
        call: gen_self_signed_cert_with_key,
    },
    Function {
        name: "genSignedCert",
        parameters: &[Text, List, List, Int, SIGNER],
        variadic: None,
        call: gen_signed_cert,
    },
    Function {
        name: "genSignedCertWithKey",
        parameters: &[Text, List, List, Int, SIGNER, Text],
        variadic: None,
        call: gen_signed_cert_with_key,
    },
    Function { name: "buildCustomCert", parameters: &[Text, Text], variadic: None, call: build_custom_cert },
];

/// A certificate and its private key, both PEM.
#[derive(Clone, Debug)]
struct Certificate {
    certificate: GoString,
    key: GoString,
}

impl Object for Certificate {
    fn type_name(&self) -> &'static str {
        CERTIFICATE
    }

    fn size(&self) -> usize {
        self.certificate.len() + self.key.len()
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Cert" => Some(Value::String(self.certificate.clone())),
            "Key" => Some(Value::String(self.key.clone())),
            _ => None,
        }
    }

    fn call(&self, _: &str, _: &[Value]) -> Result<Value, MethodError> {
        Err(MethodError::Unknown)
    }

    fn to_text(&self) -> Vec<u8> {
        [b"{", self.certificate.as_bytes(), b" ", self.key.as_bytes(), b"}"].concat()
    }

    fn struct_fields(&self) -> Option<Vec<StructField>> {
        let fields = [("Cert", &self.certificate), ("Key", &self.key)];
        Some(fields.into_iter().map(|(name, text)| StructField::new(name, Value::String(text.clone()))).collect())
    }

    fn as_any(&self) -> &dyn AnyType {
        self
    }
}

fn gen_private_key(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    key::generate_pem(context, &text(arguments, 0)?.to_str_lossy()).map(Value::string)
}

/// The given key.
fn given_key(arguments: &[Value], index: usize) -> Result<PrivateKey, CallError> {
    PrivateKey::from_pem(text(arguments, index)?)
        .map_err(|error| CallError::message(format!("parsing private key: {error}")))
}

/// Signs a certificate and puts it beside its key.
fn issued(
    context: &Context<'_>,
    template: &Template,
    key: &PrivateKey,
    issuer: Option<(&Issuer, &PrivateKey)>,
) -> CallResult {
    let der = template.sign(context, key, issuer)?;
    Ok(object(Certificate {
        certificate: GoString::from(pem::encode("CERTIFICATE", &der)),
        key: GoString::from(key.to_pem()?),
    }))
}

fn authority_template(arguments: &[Value]) -> Result<Template, CallError> {
    Ok(Template {
        common_name: text(arguments, 0)?.to_vec(),
        addresses: Vec::new(),
        dns_names: Vec::new(),
        days: int(arguments, 1)?,
        is_authority: true,
    })
}

fn gen_ca(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    issued(context, &authority_template(arguments)?, &PrivateKey::generate(context)?, None)
}

fn gen_ca_with_key(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    issued(context, &authority_template(arguments)?, &given_key(arguments, 2)?, None)
}

/// The items of a list that must all be strings.
fn strings(context: &Context<'_>, value: Option<&Value>, refusal: &str) -> Result<Vec<GoString>, CallError> {
    let Some(Value::List(list)) = value else { return Ok(Vec::new()) };
    context.budget.charge_bytes(list.len() as u64 * 32)?;
    list.iter()
        .map(|item| match item {
            Value::String(text) => Ok(text.clone()),
            other => {
                let printed = sprint(context, other)?;
                Err(CallError::message(format!("{refusal}: {} is not a string", String::from_utf8_lossy(&printed))))
            }
        })
        .collect()
}

/// What the first four arguments say: common name, addresses, DNS names, days.
// sprig: crypto.go getBaseCertTemplate
fn leaf_template(context: &Context<'_>, arguments: &[Value]) -> Result<Template, CallError> {
    let addresses = strings(context, arguments.get(1), "error parsing ip")?
        .into_iter()
        .map(|address| {
            let parsed = address.as_str().and_then(|address| address.parse::<IpAddr>().ok());
            parsed.ok_or_else(|| CallError::message(format!("error parsing ip: {address}")))
        })
        .collect::<Result<_, _>>()?;
    let dns_names = strings(context, arguments.get(2), "error processing alternate dns name")?;
    Ok(Template {
        common_name: text(arguments, 0)?.to_vec(),
        addresses,
        dns_names: dns_names.iter().map(|name| name.to_vec()).collect(),
        days: int(arguments, 3)?,
        is_authority: false,
    })
}

fn gen_self_signed_cert(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let template = leaf_template(context, arguments)?;
    issued(context, &template, &PrivateKey::generate(context)?, None)
}

fn gen_self_signed_cert_with_key(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let key = given_key(arguments, 4)?;
    issued(context, &leaf_template(context, arguments)?, &key, None)
}

/// The certificate of the fifth argument as an issuer, with its key.
// sprig: crypto.go generateSignedCertificateWithKeyInternal
fn signer(arguments: &[Value]) -> Result<(Issuer, PrivateKey), CallError> {
    let Some(Value::Object(signer)) = arguments.get(4) else {
        return Err(CallError::message(format!("argument 5 is not a {CERTIFICATE}")));
    };
    let Some(signer) = signer.as_any().downcast_ref::<Certificate>() else {
        return Err(CallError::message(format!("argument 5 is not a {CERTIFICATE}")));
    };
    let block = pem::decode(&signer.certificate).ok_or_else(|| CallError::message("unable to decode certificate"))?;
    let issuer = Issuer::from_der(&block.contents)
        .map_err(|error| CallError::message(format!("error parsing certificate: decodedSignerCert.Bytes: {error}")))?;
    let key = PrivateKey::from_pem(&signer.key)
        .map_err(|error| CallError::message(format!("error parsing private key: {error}")))?;
    Ok((issuer, key))
}

fn gen_signed_cert(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let (issuer, signing_key) = signer(arguments)?;
    let template = leaf_template(context, arguments)?;
    issued(context, &template, &PrivateKey::generate(context)?, Some((&issuer, &signing_key)))
}

fn gen_signed_cert_with_key(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let key = given_key(arguments, 5)?;
    let (issuer, signing_key) = signer(arguments)?;
    issued(context, &leaf_template(context, arguments)?, &key, Some((&issuer, &signing_key)))
}

// sprig: crypto.go buildCustomCertificate
fn build_custom_cert(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let (encoded_certificate, encoded_key) = (text(arguments, 0)?, text(arguments, 1)?);
    context.budget.charge_bytes((encoded_certificate.len() + encoded_key.len()) as u64)?;
    context.budget.charge_steps(STEPS_PER_SIGNATURE)?;
    let certificate =
        decode_base64(encoded_certificate).map_err(|_| CallError::message("unable to decode base64 certificate"))?;
    let key = decode_base64(encoded_key).map_err(|_| CallError::message("unable to decode base64 private key"))?;
    let block = pem::decode(&certificate).ok_or_else(|| CallError::message("unable to decode certificate"))?;
    Issuer::from_der(&block.contents)
        .map_err(|error| CallError::message(format!("error parsing certificate: decodedCert.Bytes: {error}")))?;
    PrivateKey::from_pem(&key).map_err(|error| CallError::message(format!("error parsing private key: {error}")))?;
    Ok(object(Certificate { certificate: GoString::from(certificate), key: GoString::from(key) }))
}

#[cfg(test)]
mod tests {
    use rsa::Pkcs1v15Sign;
    use sha2::{Digest, Sha256};
    use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

    use super::*;
    use crate::functions::testing::{call, message};

    fn part(certificate: &Value, name: &str) -> GoString {
        let Value::Object(object) = certificate else { panic!("{certificate:?}") };
        let Some(Value::String(text)) = object.field(name) else { panic!("no {name}") };
        text
    }

    fn der(certificate: &Value) -> Vec<u8> {
        pem::decode(&part(certificate, "Cert")).unwrap().contents
    }

    fn strings(items: &[&str]) -> Value {
        Value::list(items.iter().map(|item| Value::string(*item)).collect())
    }

    #[test]
    fn an_authority_signs_certificates_that_say_what_was_asked() {
        let authority = call("genCA", &[Value::string("test-ca"), Value::Int(10)]).unwrap();
        let arguments = [
            Value::string("service"),
            strings(&["10.0.0.1", "2001:db8::1", "::ffff:10.0.0.2"]),
            strings(&["service.default.svc"]),
            Value::Int(5),
            authority.clone(),
        ];
        let signed = call("genSignedCert", &arguments).unwrap();
        assert!(part(&signed, "Key").starts_with(b"-----BEGIN RSA PRIVATE KEY-----\n"));

        let (authority_der, der) = (der(&authority), der(&signed));
        let (rest, issuer) = X509Certificate::from_der(&authority_der).unwrap();
        assert!(rest.is_empty() && issuer.is_ca());
        let (rest, certificate) = X509Certificate::from_der(&der).unwrap();
        assert!(rest.is_empty() && !certificate.is_ca());
        assert_eq!(certificate.subject().to_string(), "CN=service");
        assert_eq!(certificate.issuer().as_raw(), issuer.subject().as_raw());
        // The host of unit tests is at the start of the epoch.
        assert_eq!(certificate.validity().not_before.timestamp(), 0);
        assert_eq!(certificate.validity().not_after.timestamp(), 5 * 24 * 3600);
        let names = certificate.subject_alternative_name().unwrap().unwrap();
        assert_eq!(
            names.value.general_names,
            [
                GeneralName::DNSName("service.default.svc"),
                GeneralName::IPAddress(&[10, 0, 0, 1]),
                GeneralName::IPAddress(&[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
                GeneralName::IPAddress(&[10, 0, 0, 2]),
            ]
        );

        let Ok(PrivateKey::Rsa(key)) = PrivateKey::from_pem(&part(&authority, "Key")) else { panic!("no RSA key") };
        let signature = certificate.signature_value.as_ref();
        let digest_info = [key::SHA256_DIGEST_INFO, &Sha256::digest(certificate.tbs_certificate.as_ref())].concat();
        key.as_public_key().verify(Pkcs1v15Sign::new_unprefixed(), &digest_info, signature).unwrap();
    }

    #[test]
    fn given_keys_are_used() {
        let key = call("genPrivateKey", &[Value::string("ecdsa")]).unwrap();
        let authority = call("genCAWithKey", &[Value::string("ca"), Value::Int(1), key.clone()]).unwrap();
        let Value::String(pem) = &key else { panic!("{key:?}") };
        assert_eq!(part(&authority, "Key"), *pem);
        let base64 = |part: GoString| call("b64enc", &[Value::String(part)]).unwrap();
        let custom = call("buildCustomCert", &[base64(part(&authority, "Cert")), base64(pem.clone())]).unwrap();
        assert_eq!(part(&custom, "Cert"), part(&authority, "Cert"));
    }

    #[test]
    fn what_cannot_be_certified_is_refused() {
        let authority = || {
            call(
                "genCAWithKey",
                &[Value::string("ca"), Value::Int(1), call("genPrivateKey", &[Value::string("ecdsa")]).unwrap()],
            )
            .unwrap()
        };
        let leaf = |addresses: Value, names: Value| {
            message("genSignedCert", &[Value::string("x"), addresses, names, Value::Int(1), authority()])
        };
        assert_eq!(leaf(strings(&["bad"]), strings(&[])), "error parsing ip: bad");
        assert_eq!(leaf(Value::list(vec![Value::Int(1)]), strings(&[])), "error parsing ip: 1 is not a string");
        assert_eq!(
            leaf(strings(&[]), strings(&["é"])),
            "error creating certificate: x509: \"é\" cannot be encoded as an IA5String"
        );
        assert_eq!(
            message("genCAWithKey", &[Value::string("x"), Value::Int(1), Value::string("no key")]),
            "parsing private key: no PEM data in input"
        );
    }
}
