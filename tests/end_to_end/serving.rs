//! How the webhook's port is served.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion, version};
use tests::cluster::{NAME, NAMESPACE};

use crate::environment::{Environment, shared};

/// A connection that offers one version of TLS and one protocol.
fn connect(
    environment: &Environment,
    version: &'static SupportedProtocolVersion,
    protocol: &str,
) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&environment.cluster.webhook_authority().unwrap()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[version]).unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let name = format!("{NAME}.{NAMESPACE}.svc").try_into().unwrap();
    let stream = TcpStream::connect(("127.0.0.1", environment.cluster.description().ports.webhook)).unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), stream)
}

#[test]
fn both_versions_of_http_are_spoken_over_both_of_tls() {
    let environment = shared();
    for version in [&version::TLS12, &version::TLS13] {
        let mut first = connect(environment, version, "http/1.1");
        write!(first, "POST /validate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{{}}").unwrap();
        let mut answer = [0; 12];
        first.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 400");

        let mut second = connect(environment, version, "h2");
        // The preface and an empty frame of settings (RFC 9113, 3.4); the answer is a frame of settings too.
        second.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
        let mut frame = [0; 9];
        second.read_exact(&mut frame).unwrap();
        assert_eq!(frame[3], 4, "{frame:?}");
    }
}

#[test]
fn older_versions_of_tls_are_not() {
    // A ClientHello of TLS 1.1 with one cipher suite and no extensions (RFC 4346, 7.4.1.2).
    let head: &[u8] = &[0x16, 3, 1, 0, 45, 1, 0, 0, 41, 3, 2];
    let hello = [head, &[7; 32], &[0, 0, 2, 0xc0, 0x13, 1, 0]].concat();
    let environment = shared();
    let mut stream = TcpStream::connect(("127.0.0.1", environment.cluster.description().ports.webhook)).unwrap();
    stream.write_all(&hello).unwrap();
    let mut alert = [0; 7];
    stream.read_exact(&mut alert).unwrap();
    // A fatal alert.
    assert_eq!((alert[0], alert[5]), (0x15, 2), "{alert:?}");
}
