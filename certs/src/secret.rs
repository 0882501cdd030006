//! The Secret that replicas share.

use std::{collections::BTreeMap, time::SystemTime};

use k8s_openapi::{ByteString, api::core::v1::Secret, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use kube::{
    Api,
    api::{Patch, PatchParams, PostParams},
};

use crate::{
    CertificateBundle, CertificateError, Lifetimes, ServingCertificate,
    bundle::{Due, Validity},
};

/// Trusted authorities, the signing one first.
pub const AUTHORITY_CERTIFICATE: &str = "ca.crt";
/// Key of the signing authority.
pub const AUTHORITY_KEY: &str = "ca.key";
/// The served certificate.
pub const SERVING_CERTIFICATE: &str = "tls.crt";
/// Key of the served certificate.
pub const SERVING_KEY: &str = "tls.key";

/// Replicas that start together meet once; more rounds than this mean that something else keeps writing.
const ATTEMPTS: usize = 5;

/// Reads and writes the certificate Secret. Every write is conditional on what was read, so that of several replicas
/// exactly one wins and the others take over its result.
#[derive(Clone)]
pub struct CertificateSecret {
    api: Api<Secret>,
    name: String,
}

impl CertificateSecret {
    /// The Secret `name` of the namespace that `api` addresses.
    pub fn new(api: Api<Secret>, name: impl Into<String>) -> Self {
        Self { api, name: name.into() }
    }

    /// The Secret's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The API that addresses the Secret's namespace.
    pub fn api(&self) -> &Api<Secret> {
        &self.api
    }

    /// Returns certificates that are valid for `names` and not due, making or renewing what is missing. A damaged
    /// Secret is written anew: from `current`, if this process has served good certificates before, so that nothing
    /// that the API server trusts changes.
    pub async fn ensure(
        &self,
        names: &[String],
        lifetimes: Lifetimes,
        current: Option<&CertificateBundle>,
    ) -> Result<CertificateBundle, CertificateError> {
        for _ in 0..ATTEMPTS {
            let now = SystemTime::now();
            let stored = self
                .api
                .get_opt(&self.name)
                .await
                .map_err(|error| CertificateError::kubernetes(format!("read the Secret {}", self.name), error))?;
            let next = successor(stored.as_ref(), names, lifetimes, current, now)?;
            let (bundle, changed) = match next {
                Next::Keep(bundle) => (bundle, false),
                Next::Write(bundle) => (bundle, true),
            };
            if !changed {
                return Ok(bundle);
            }
            match self.write(stored, &bundle).await {
                Ok(()) => return Ok(bundle),
                Err(kube::Error::Api(status)) if status.is_conflict() || status.is_already_exists() => {}
                Err(error) => {
                    return Err(CertificateError::kubernetes(format!("write the Secret {}", self.name), error));
                }
            }
        }
        Err(CertificateError::Contended)
    }

    async fn write(&self, stored: Option<Secret>, bundle: &CertificateBundle) -> Result<(), kube::Error> {
        let data = encode(bundle);
        if let Some(stored) = stored {
            // The resource version makes this fail if another replica wrote in between.
            let patch = serde_json::json!({
                "metadata": {"resourceVersion": stored.metadata.resource_version},
                "data": data,
            });
            self.api.patch(&self.name, &PatchParams::default(), &Patch::Merge(&patch)).await?;
        } else {
            let secret = Secret {
                metadata: ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() },
                type_: Some("kubernetes.io/tls".to_owned()),
                data: Some(data),
                ..Secret::default()
            };
            self.api.create(&PostParams::default(), &secret).await?;
        }
        Ok(())
    }
}

/// Reads the certificates that a Secret holds and checks that they can be served.
pub fn decode(secret: &Secret) -> Result<CertificateBundle, CertificateError> {
    let entry = |key: &'static str| {
        let bytes =
            secret.data.as_ref().and_then(|data| data.get(key)).ok_or(CertificateError::MissingEntry { key })?;
        String::from_utf8(bytes.0.clone())
            .map_err(|_| CertificateError::InvalidEntry { key, reason: "not text".to_owned() })
    };
    let bundle = CertificateBundle {
        authorities_pem: entry(AUTHORITY_CERTIFICATE)?,
        authority_key_pem: entry(AUTHORITY_KEY)?,
        serving: ServingCertificate { certificate_pem: entry(SERVING_CERTIFICATE)?, key_pem: entry(SERVING_KEY)? },
    };
    bundle.authority()?;
    Validity::of(&bundle.authorities_pem, AUTHORITY_CERTIFICATE)?;
    Validity::of(&bundle.serving.certificate_pem, SERVING_CERTIFICATE)?;
    bundle.serving.certified_key()?;
    Ok(bundle)
}

fn encode(bundle: &CertificateBundle) -> BTreeMap<String, ByteString> {
    [
        (AUTHORITY_CERTIFICATE, &bundle.authorities_pem),
        (AUTHORITY_KEY, &bundle.authority_key_pem),
        (SERVING_CERTIFICATE, &bundle.serving.certificate_pem),
        (SERVING_KEY, &bundle.serving.key_pem),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), ByteString(value.clone().into_bytes())))
    .collect()
}

#[derive(Debug)]
enum Next {
    Keep(CertificateBundle),
    Write(CertificateBundle),
}

fn successor(
    stored: Option<&Secret>,
    names: &[String],
    lifetimes: Lifetimes,
    current: Option<&CertificateBundle>,
    now: SystemTime,
) -> Result<Next, CertificateError> {
    let (bundle, intact) = match stored.map(decode) {
        Some(Ok(bundle)) => (Some(bundle), true),
        Some(Err(error)) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "the certificate Secret is damaged");
            (current.cloned(), false)
        }
        None => (current.cloned(), false),
    };
    let Some(bundle) = bundle else {
        return Ok(Next::Write(CertificateBundle::generate(names, lifetimes, now)?));
    };
    match bundle.due(names, now)? {
        Due::Nothing if intact => Ok(Next::Keep(bundle)),
        Due::Nothing => Ok(Next::Write(bundle)),
        Due::Leaf => Ok(Next::Write(bundle.renew_leaf(names, lifetimes, now)?)),
        Due::Authority => Ok(Next::Write(bundle.renew_authority(names, lifetimes, now)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        vec!["localhost".to_owned()]
    }

    fn generated() -> CertificateBundle {
        CertificateBundle::generate(&names(), Lifetimes::default(), SystemTime::now()).unwrap()
    }

    fn secret(bundle: &CertificateBundle) -> Secret {
        Secret { data: Some(encode(bundle)), ..Secret::default() }
    }

    fn next(stored: Option<&Secret>, current: Option<&CertificateBundle>) -> Next {
        successor(stored, &names(), Lifetimes::default(), current, SystemTime::now()).unwrap()
    }

    #[test]
    fn a_stored_bundle_is_kept() {
        let bundle = generated();
        assert!(matches!(next(Some(&secret(&bundle)), None), Next::Keep(kept) if kept == bundle));
    }

    #[test]
    fn a_damaged_or_deleted_secret_is_restored_from_what_is_served() {
        let bundle = generated();
        for key in [AUTHORITY_CERTIFICATE, AUTHORITY_KEY, SERVING_CERTIFICATE, SERVING_KEY] {
            for damage in [None, Some("garbage"), Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")]
            {
                let mut damaged = secret(&bundle);
                let data = damaged.data.as_mut().unwrap();
                match damage {
                    None => data.remove(key),
                    Some(text) => data.insert(key.to_owned(), ByteString(text.as_bytes().to_vec())),
                };
                assert!(
                    matches!(next(Some(&damaged), Some(&bundle)), Next::Write(written) if written == bundle),
                    "{key} {damage:?}"
                );
                assert!(matches!(next(Some(&damaged), None), Next::Write(written) if written != bundle));
            }
        }
        assert!(matches!(next(None, Some(&bundle)), Next::Write(written) if written == bundle));
    }

    #[test]
    fn the_key_of_another_authority_is_noticed() {
        let mut mixed = generated();
        mixed.authority_key_pem = generated().authority_key_pem;
        assert!(matches!(decode(&secret(&mixed)), Err(CertificateError::InvalidEntry { .. })));
    }
}
