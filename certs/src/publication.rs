//! The `caBundle` of the webhook configurations: published, watched, and repaired.

use std::fmt::Debug;

use k8s_openapi::{
    ByteString,
    api::admissionregistration::v1::{
        MutatingWebhookConfiguration, ValidatingWebhookConfiguration, WebhookClientConfig,
    },
    serde::de::DeserializeOwned,
};
use kube::{
    Api, Client, Resource,
    api::{Patch, PatchParams},
};

use crate::CertificateError;

/// Field manager of the `caBundle` fields.
pub const FIELD_MANAGER: &str = "module-webhook";

/// What became of a publication.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Something was written.
    pub changed: bool,
    /// Something else was trusted before.
    pub replaced: bool,
}

/// The webhook configurations that trust our authority.
#[derive(Clone)]
pub struct WebhookConfigurations {
    /// Validating configurations.
    pub validating: Api<ValidatingWebhookConfiguration>,
    /// Mutating configurations.
    pub mutating: Api<MutatingWebhookConfiguration>,
    /// Name of both.
    pub name: String,
}

impl WebhookConfigurations {
    /// The pair of configurations called `name`.
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { validating: Api::all(client.clone()), mutating: Api::all(client), name: name.into() }
    }

    /// Writes `authorities_pem` into every webhook of both configurations that holds something else. A configuration
    /// that does not exist is left alone: it is installed with the manifests.
    pub async fn publish(&self, authorities_pem: &str) -> Result<Published, CertificateError> {
        let validating = self.publish_in(&self.validating, authorities_pem, |found| {
            let hooks = found.webhooks.into_iter().flatten();
            hooks.map(|hook| (hook.name, hook.client_config)).collect()
        });
        let validating = validating.await?;
        let mutating = self.publish_in(&self.mutating, authorities_pem, |found| {
            let hooks = found.webhooks.into_iter().flatten();
            hooks.map(|hook| (hook.name, hook.client_config)).collect()
        });
        let mutating = mutating.await?;
        Ok(Published {
            changed: validating.changed || mutating.changed,
            replaced: validating.replaced || mutating.replaced,
        })
    }

    async fn publish_in<K>(
        &self,
        api: &Api<K>,
        authorities_pem: &str,
        hooks: impl FnOnce(K) -> Vec<(String, WebhookClientConfig)>,
    ) -> Result<Published, CertificateError>
    where
        K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug,
    {
        let found = api.get_opt(&self.name).await.map_err(|error| {
            CertificateError::kubernetes(format!("read the webhook configurations {}", self.name), error)
        })?;
        let Some(found) = found else { return Ok(Published::default()) };
        let hooks = hooks(found);
        let hooks = || hooks.iter().map(|(name, client)| (name.as_str(), client));
        let replaced = hooks().any(|(_, client)| trusts_another(client, authorities_pem));
        let patch = patch(&K::kind(&()), &self.name, hooks(), authorities_pem);
        if let Some(patch) = &patch {
            let parameters = PatchParams::apply(FIELD_MANAGER).force();
            api.patch(&self.name, &parameters, &Patch::Apply(patch)).await.map_err(|error| {
                let action = format!("write caBundle of the webhook configurations {}", self.name);
                CertificateError::kubernetes(action, error)
            })?;
        }
        Ok(Published { changed: patch.is_some(), replaced })
    }
}

fn trusts_another(client: &WebhookClientConfig, authorities_pem: &str) -> bool {
    client.ca_bundle.as_ref().is_some_and(|bundle| !bundle.0.is_empty() && bundle.0 != authorities_pem.as_bytes())
}

/// The server-side apply that gives every webhook our authority, or nothing if all have it.
fn patch<'a>(
    kind: &str,
    name: &str,
    hooks: impl Iterator<Item = (&'a str, &'a WebhookClientConfig)>,
    authorities_pem: &str,
) -> Option<serde_json::Value> {
    let bundle = ByteString(authorities_pem.as_bytes().to_vec());
    let mut webhooks = Vec::new();
    let mut differs = false;
    for (hook, client) in hooks {
        differs |= client.ca_bundle.as_ref() != Some(&bundle);
        webhooks.push(serde_json::json!({"name": hook, "clientConfig": {"caBundle": bundle}}));
    }
    differs.then(|| {
        serde_json::json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": kind,
            "metadata": {"name": name},
            "webhooks": webhooks,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_difference_is_written_and_only_the_bundle() {
        let stale = WebhookClientConfig { ca_bundle: Some(ByteString(b"old".to_vec())), ..Default::default() };
        let fresh = WebhookClientConfig { ca_bundle: Some(ByteString(b"new".to_vec())), ..Default::default() };
        let missing = WebhookClientConfig::default();
        let patch = |hooks: &[(&str, &WebhookClientConfig)]| {
            patch("ValidatingWebhookConfiguration", "module-webhook", hooks.iter().copied(), "new")
        };
        assert_eq!(patch(&[("a", &fresh), ("b", &fresh)]), None);
        let expected = serde_json::json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "module-webhook"},
            "webhooks": [
                {"name": "a", "clientConfig": {"caBundle": "bmV3"}},
                {"name": "b", "clientConfig": {"caBundle": "bmV3"}},
            ],
        });
        assert_eq!(patch(&[("a", &fresh), ("b", &stale)]), Some(expected.clone()));
        assert_eq!(patch(&[("a", &missing), ("b", &fresh)]), Some(expected));
    }
}
