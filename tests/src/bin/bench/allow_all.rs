//! The peer of the webhook: a server with the same HTTP and TLS that reads a review and allows everything.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Json;
use axum::routing::post;
use axum_server::tls_rustls::RustlsConfig;
use rcgen::CertifiedKey;
use serde_json::{Value, json};

/// The name of its Service.
pub(crate) const ALLOW_ALL: &str = "allow-all";

/// The running server; it ends with this value.
pub(crate) struct AllowAll {
    child: Child,
    /// Its port on the loopback interface.
    pub(crate) port: u16,
    /// Its certificate, as PEM, which is its own authority.
    pub(crate) authority: String,
}

impl AllowAll {
    /// Starts the server, as another process like the webhook, with a certificate for `host`.
    pub(crate) async fn start(folder: &Path, host: &str) -> Result<Self> {
        let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed([host.to_owned()])?;
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let (certificate, key) = (folder.join("allow-all.crt"), folder.join("allow-all.key"));
        std::fs::write(&certificate, cert.pem())?;
        std::fs::write(&key, signing_key.serialize_pem())?;
        let child = Command::new(std::env::current_exe()?)
            .args(["serve-nothing", &format!("127.0.0.1:{port}")])
            .args([&certificate, &key])
            .stdin(Stdio::null())
            .spawn()
            .context("the server that allows everything could not be started")?;
        let server = Self { child, port, authority: cert.pem() };
        for _ in 0..100 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(server);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("the server that allows everything does not listen")
    }

    /// The id of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for AllowAll {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Parses each review, as every handler has to, and allows it.
pub(crate) async fn serve(address: SocketAddr, certificate: &Path, key: &Path) -> Result<()> {
    let answer = |Json(review): Json<Value>| async move {
        Json(json!({
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "response": { "uid": review["request"]["uid"], "allowed": true },
        }))
    };
    let config = RustlsConfig::from_pem_file(certificate, key).await?;
    let router = axum::Router::new().fallback(post(answer));
    axum_server::bind_rustls(address, config).serve(router.into_make_service()).await?;
    Ok(())
}
