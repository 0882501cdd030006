//! What makes certificates change: those that the webhook keeps in its Secret, and those that are mounted.

use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use certs::{Authority, CertificateBundle, Lifetimes, ServingCertificate};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use serde_json::{Value, json};

use super::replicas::until;
use crate::cluster::{Cluster, NAME, NAMESPACE};
use crate::command;

const SECRET: &str = "module-webhook-certificates";
const DAY: Duration = Duration::from_hours(24);

fn names() -> Vec<String> {
    certs::rotation::service_names(NAME, NAMESPACE)
}

/// The certificates that the webhook makes for itself.
pub(super) struct Stored<'a>(&'a Cluster);

impl<'a> Stored<'a> {
    pub(super) fn new(cluster: &'a Cluster) -> Self {
        Self(cluster)
    }

    /// Puts a certificate into the Secret whose time for renewal has come. Returns what is in the Secret now.
    pub(super) fn make_leaf_due(&self) -> Result<CertificateBundle> {
        let mut bundle = self.read()?;
        let lifetime = Lifetimes::default().leaf;
        bundle.serving = bundle.authority()?.issue(&names(), lifetime, SystemTime::now() - lifetime + DAY)?;
        self.write(&bundle)?;
        Ok(bundle)
    }

    /// The same with an authority.
    pub(super) fn make_authority_due(&self) -> Result<CertificateBundle> {
        let bundle = self.read()?;
        let Lifetimes { authority: lifetime, leaf } = Lifetimes::default();
        let authority = Authority::generate("old authority", lifetime, SystemTime::now() - lifetime + 30 * DAY)?;
        let bundle = CertificateBundle {
            authorities_pem: format!("{}{}", authority.certificate_pem(), bundle.authorities_pem),
            authority_key_pem: authority.key_pem(),
            serving: authority.issue(&names(), leaf, SystemTime::now())?,
        };
        self.write(&bundle)?;
        Ok(bundle)
    }

    /// Waits until the replicas have made a successor of what was due, and all of them serve it.
    pub(super) fn await_served(&self, due: &CertificateBundle, ports: &[u16]) -> Result<()> {
        let due = &due.serving;
        until("the replicas serve a new certificate", || {
            self.read().is_ok_and(|bundle| {
                bundle.serving != *due
                    && ports.iter().all(|port| serves(*port, &bundle.authorities_pem, &bundle.serving))
            })
        })
    }

    fn read(&self) -> Result<CertificateBundle> {
        let mut get = self.0.kubectl("admin");
        get.args(["get", "secret", SECRET, "-n", NAMESPACE, "-o", "json"]);
        let secret: Value = serde_json::from_str(&command::run(&mut get)?.success()?)?;
        let entry = |key: &str| -> Result<String> {
            let text = secret["data"][key].as_str().with_context(|| format!("the Secret lacks {key}"))?;
            Ok(String::from_utf8(BASE64_STANDARD.decode(text)?)?)
        };
        Ok(CertificateBundle {
            authorities_pem: entry("ca.crt")?,
            authority_key_pem: entry("ca.key")?,
            serving: ServingCertificate { certificate_pem: entry("tls.crt")?, key_pem: entry("tls.key")? },
        })
    }

    fn write(&self, bundle: &CertificateBundle) -> Result<()> {
        let data = json!({ "data": {
            "ca.crt": BASE64_STANDARD.encode(&bundle.authorities_pem),
            "ca.key": BASE64_STANDARD.encode(&bundle.authority_key_pem),
            "tls.crt": BASE64_STANDARD.encode(&bundle.serving.certificate_pem),
            "tls.key": BASE64_STANDARD.encode(&bundle.serving.key_pem),
        } });
        let mut patch = self.0.kubectl("admin");
        patch.args(["patch", "secret", SECRET, "-n", NAMESPACE, "--type=merge", "-p", &data.to_string()]);
        command::run(&mut patch)?.success().map(drop)
    }
}

/// Certificates that somebody else makes, in folders as the kubelet mounts them.
pub(super) struct Mounted {
    root: PathBuf,
    bundle: CertificateBundle,
    states: usize,
}

impl Mounted {
    /// Makes an authority, has the API server trust it, and mounts a certificate in two folders.
    pub(super) fn new(cluster: &Cluster) -> Result<Self> {
        let bundle = CertificateBundle::generate(&names(), Lifetimes::default(), SystemTime::now())?;
        for kind in ["validatingwebhookconfiguration", "mutatingwebhookconfiguration"] {
            let mut get = cluster.kubectl("admin");
            let text = command::run(get.args(["get", kind, NAME, "-o", "json"]))?.success()?;
            let mut configuration: Value = serde_json::from_str(&text)?;
            for webhook in configuration["webhooks"].as_array_mut().into_iter().flatten() {
                webhook["clientConfig"]["caBundle"] = json!(BASE64_STANDARD.encode(&bundle.authorities_pem));
            }
            let mut replace = cluster.kubectl("admin");
            command::run_with_input(replace.args(["replace", "-f", "-"]), &configuration.to_string())?.success()?;
        }
        let mut mounted = Self { root: cluster.layout().path("mounted"), bundle, states: 0 };
        for folder in 0..2 {
            mounted.project(folder)?;
        }
        Ok(mounted)
    }

    pub(super) fn folder(&self, number: usize) -> PathBuf {
        self.root.join(number.to_string())
    }

    /// Makes another certificate, which is not mounted yet.
    pub(super) fn renew(&mut self) -> Result<()> {
        self.bundle = self.bundle.renew_leaf(&names(), Lifetimes::default(), SystemTime::now())?;
        Ok(())
    }

    /// Mounts the certificate as the kubelet does: in a folder of its own, to which a link is renamed.
    pub(super) fn project(&mut self, number: usize) -> Result<()> {
        self.states += 1;
        let folder = self.folder(number);
        let state = format!("..state-{}", self.states);
        std::fs::create_dir_all(folder.join(&state))?;
        let serving = &self.bundle.serving;
        for (name, text) in [("tls.crt", &serving.certificate_pem), ("tls.key", &serving.key_pem)] {
            std::fs::write(folder.join(&state).join(name), text)?;
            let link = folder.join(name);
            if !link.is_symlink() {
                symlink(format!("..data/{name}"), link)?;
            }
        }
        let before = folder.join("..data").read_link();
        symlink(&state, folder.join("..data_tmp"))?;
        std::fs::rename(folder.join("..data_tmp"), folder.join("..data"))?;
        if let Ok(before) = before {
            std::fs::remove_dir_all(folder.join(before))?;
        }
        Ok(())
    }

    pub(super) fn await_served(&self, port: u16) -> Result<()> {
        until("the replica serves what is mounted", || serves(port, &self.bundle.authorities_pem, &self.bundle.serving))
    }
}

/// Whether a replica shows this certificate.
fn serves(port: u16, authorities_pem: &str, certificate: &ServingCertificate) -> bool {
    let expected = CertificateDer::from_pem_slice(certificate.certificate_pem.as_bytes());
    expected.is_ok_and(|expected| shown(port, authorities_pem).is_ok_and(|shown| shown == expected))
}

/// The certificate that a server shows.
fn shown(port: u16, authorities_pem: &str) -> Result<CertificateDer<'static>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authorities_pem.as_bytes()) {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(format!("{NAME}.{NAMESPACE}.svc"))?;
    let mut connection = ClientConnection::new(Arc::new(config), name)?;
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    while connection.is_handshaking() {
        connection.complete_io(&mut stream)?;
    }
    let certificates = connection.peer_certificates().context("no certificate was shown")?;
    Ok(certificates.first().context("no certificate was shown")?.clone().into_owned())
}
