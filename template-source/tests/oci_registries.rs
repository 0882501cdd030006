//! Charts from OCI registries.

use template_source::{OciRegistries, SourceError};

use crate::git_server::{Server, body, status};
use crate::helm_repositories::{Site, digest, options, put, site};

const LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

/// Puts a chart under a tag, as `helm push` does. Returns the digest of its manifest.
fn push(site: &Site, tag: &str, archive: &[u8], media_type: &str) -> String {
    let layer = digest(archive);
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.cncf.helm.config.v1+json"}},
            "layers":[{{"mediaType":"x","digest":"y"}},{{"mediaType":"{media_type}","digest":"{layer}","size":1}}]}}"#
    );
    let manifest_digest = digest(manifest.as_bytes());
    for reference in [tag, &manifest_digest] {
        put(site, &format!("/v2/acme/demo/manifests/{reference}"), body(manifest.as_bytes()));
    }
    put(site, &format!("/v2/acme/demo/blobs/{layer}"), body(archive));
    manifest_digest
}

fn registry(server: &Server) -> String {
    format!("{}/acme", server.url.replace("https://", "oci://"))
}

#[test]
fn a_version_is_resolved_to_its_manifest_and_fetched_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let (server, certificate, site) = site();
    let first = push(&site, "1.9.0", b"first", LAYER);
    let second = push(&site, "1.10.0_build.5", b"second", LAYER);
    // Two pages.
    let tags = r#"{"name":"acme/demo","tags":["1.9.0","latest"]}"#;
    let page = String::from_utf8(body(tags.as_bytes())).unwrap();
    let link = "Link: </v2/acme/demo/tags/list?last=latest>; rel=\"next\"\r\n\r\n";
    put(&site, "/v2/acme/demo/tags/list", page.replacen("\r\n\r\n", &format!("\r\n{link}"), 1).into_bytes());
    put(&site, "/v2/acme/demo/tags/list?last=latest", body(br#"{"tags":["1.10.0_build.5","2.0.0-rc.1"]}"#));
    let oci = OciRegistries::new(options(folder.path(), &certificate));
    let repo = registry(&server);
    let versions = [("", &second), ("^1.9", &second), ("1.9.0", &first), ("1.10.0+build.5", &second), (&first, &first)];
    for (version, expected) in versions {
        assert_eq!(&oci.resolve(&repo, "demo", version).unwrap(), expected, "{version}");
    }
    assert_eq!(oci.fetch(&repo, "demo", &first).unwrap(), b"first");
    assert_eq!(oci.fetch(&format!("{repo}/demo"), "", &second).unwrap(), b"second");
    let before = server.requests();
    assert_eq!(oci.fetch(&repo, "demo", &first).unwrap(), b"first");
    assert_eq!(server.requests(), before);

    let moved = push(&site, "1.9.0", b"replaced", LAYER);
    assert_eq!(oci.resolve(&repo, "demo", "1.9.0").unwrap(), moved);
    assert_eq!(oci.fetch(&repo, "demo", &first).unwrap(), b"first");
}

#[test]
fn a_registry_may_want_a_token_of_anybody() {
    let folder = tempfile::tempdir().unwrap();
    let (origin, certificate, site) = site();
    let manifest = push(&site, "1.0.0", b"chart", LAYER);
    let files = std::sync::Arc::clone(&site);
    let realm = format!("{}/token", origin.url);
    let (guarded, own_certificate) = Server::secure(move |request| {
        if request.header("authorization") == Some("Bearer for-anybody") {
            return files.lock().unwrap()[&request.target].clone();
        }
        let scope = "repository:acme/demo:pull";
        let challenge = format!("WWW-Authenticate: Bearer realm=\"{realm}\",service=\"r\",scope=\"{scope}\"");
        status("401 Unauthorized", &challenge)
    });
    put(&site, "/token?service=r&scope=repository%3Aacme%2Fdemo%3Apull", body(br#"{"access_token":"for-anybody"}"#));
    let oci = OciRegistries::new(options(folder.path(), &format!("{certificate}{own_certificate}")));
    let repo = registry(&guarded);
    assert_eq!(oci.resolve(&repo, "demo", "1.0.0").unwrap(), manifest);
    assert_eq!(oci.fetch(&repo, "demo", &manifest).unwrap(), b"chart");

    // Without a token that it accepts, it stays closed.
    put(&site, "/token?service=r&scope=repository%3Aacme%2Fdemo%3Apull", body(br#"{"token":"forged"}"#));
    let error = oci.resolve(&repo, "demo", "1.0.0").unwrap_err();
    assert!(matches!(error, SourceError::RepositoryNotFound { status: 401, .. }), "{error}");
}

#[test]
fn what_is_not_there_or_not_a_chart_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let (server, certificate, site) = site();
    let repo = registry(&server);
    let oci = OciRegistries::new(options(folder.path(), &certificate));
    let error = |version: &str| oci.resolve(&repo, "demo", version).unwrap_err();
    assert!(matches!(error(""), SourceError::RepositoryNotFound { status: 404, .. }));
    assert!(matches!(error("1.0.0"), SourceError::UnknownChartVersion { .. }));
    put(&site, "/v2/acme/demo/tags/list", body(br#"{"tags":null}"#));
    assert!(matches!(error(""), SourceError::UnknownChartVersion { .. }));
    assert!(matches!(error("main"), SourceError::InvalidConstraint { .. }));
    put(&site, "/v2/acme/demo/tags/list", body(b"<html>"));
    assert!(matches!(error(""), SourceError::Corrupt { .. }));
    assert!(matches!(oci.resolve(&repo, "../other", ""), Err(SourceError::InvalidRegistryName { .. })));

    let image = push(&site, "1.0.0", b"layers", "application/vnd.oci.image.layer.v1.tar+gzip");
    assert_eq!(oci.resolve(&repo, "demo", "1.0.0").unwrap(), image);
    assert!(matches!(oci.fetch(&repo, "demo", &image), Err(SourceError::NoChartLayer { .. })));

    let forged = push(&site, "2.0.0", b"good", LAYER);
    put(&site, &format!("/v2/acme/demo/blobs/{}", digest(b"good")), body(b"evil"));
    assert!(matches!(oci.fetch(&repo, "demo", &forged), Err(SourceError::Corrupt { .. })));
    put(&site, &format!("/v2/acme/demo/manifests/{}", digest(b"x")), body(b"{}"));
    assert!(matches!(oci.fetch(&repo, "demo", &digest(b"x")), Err(SourceError::Corrupt { .. })));
    assert!(matches!(oci.fetch(&repo, "demo", &digest(b"y")), Err(SourceError::ReplacedChart { .. })));
}
