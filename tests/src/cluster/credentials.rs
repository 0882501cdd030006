//! The certificate authority of a cluster, its certificates, and kubeconfig files.

use std::fs;

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use serde_json::{Value, json};

use super::layout::Layout;

/// The authority that the API server trusts for client certificates and serves with.
pub(super) struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its private key, both as PEM.
pub(super) struct Identity {
    certificate: String,
    key: String,
}

impl Authority {
    /// Makes an authority and everything the API server needs, and writes it below `credentials/`.
    pub(super) fn create(layout: &Layout) -> Result<Self> {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, "module-cluster");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let certificate = parameters.self_signed(&key)?.pem();
        let authority = Self { certificate, issuer: Issuer::new(parameters, key) };

        let server = authority.issue(
            "kube-apiserver",
            None,
            &["127.0.0.1", "localhost", "kubernetes.default.svc"],
            ExtendedKeyUsagePurpose::ServerAuth,
        )?;
        layout.write("credentials/ca.crt", &authority.certificate)?;
        layout.write("credentials/server.crt", &server.certificate)?;
        layout.write("credentials/server.key", &server.key)?;
        let tokens = KeyPair::generate()?;
        layout.write("credentials/service-account.key", &tokens.serialize_pem())?;
        layout.write("credentials/service-account.pub", &tokens.public_key_pem())?;
        Ok(authority)
    }

    /// Issues a client certificate for a user of a group.
    pub(super) fn client(&self, user: &str, group: &str) -> Result<Identity> {
        self.issue(user, Some(group), &[], ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn issue(
        &self,
        name: &str,
        group: Option<&str>,
        hosts: &[&str],
        purpose: ExtendedKeyUsagePurpose,
    ) -> Result<Identity> {
        let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
        let mut parameters = CertificateParams::new(hosts)?;
        parameters.distinguished_name.push(DnType::CommonName, name);
        if let Some(group) = group {
            parameters.distinguished_name.push(DnType::OrganizationName, group);
        }
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![purpose];
        let key = KeyPair::generate()?;
        let certificate = parameters.signed_by(&key, &self.issuer)?;
        Ok(Identity { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

/// How a kubeconfig's user proves who it is.
pub(super) enum Proof {
    /// A client certificate.
    Certificate(Identity),
    /// A bearer token.
    Token(String),
}

/// Writes a kubeconfig with one context a user; the first one is current.
pub(super) fn write_kubeconfig(layout: &Layout, file: &str, port: u16, users: &[(&str, &Proof)]) -> Result<()> {
    let authority = layout.path("credentials/ca.crt");
    let authority = fs::read(&authority).with_context(|| format!("{} could not be read", authority.display()))?;
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "name": "module-cluster",
            "cluster": {
                "server": format!("https://127.0.0.1:{port}"),
                "certificate-authority-data": BASE64_STANDARD.encode(authority),
            },
        }],
        "users": users.iter().map(|(name, proof)| json!({ "name": name, "user": proof.to_json() })).collect::<Vec<_>>(),
        "contexts": users.iter().map(|(name, _)| json!({
            "name": name,
            "context": { "cluster": "module-cluster", "user": name, "namespace": "team-a" },
        })).collect::<Vec<_>>(),
        "current-context": users.first().map(|(name, _)| name),
    });
    layout.write(file, &serde_yaml::to_string(&config)?)
}

impl Proof {
    fn to_json(&self) -> Value {
        match self {
            Self::Certificate(identity) => json!({
                "client-certificate-data": BASE64_STANDARD.encode(&identity.certificate),
                "client-key-data": BASE64_STANDARD.encode(&identity.key),
            }),
            Self::Token(token) => json!({ "token": token }),
        }
    }
}
