//! Charts from Helm repositories.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sha2::{Digest, Sha256};
use template_source::{CertificateAuthorities, HelmRepositories, SourceError, SourceLimits, SourceOptions};

use crate::git_server::{Server, body, status};

/// What a server has, by path.
pub(crate) type Site = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// A server over TLS that answers what a site has, and its certificate.
pub(crate) fn site() -> (Server, String, Site) {
    let site = Site::default();
    let files = Arc::clone(&site);
    let (server, certificate) = Server::secure(move |request| {
        let files = files.lock().unwrap();
        files.get(&request.target).cloned().unwrap_or_else(|| status("404 Not Found", "X: y"))
    });
    (server, certificate, site)
}

pub(crate) fn put(site: &Site, path: &str, answer: Vec<u8>) {
    site.lock().unwrap().insert(path.to_owned(), answer);
}

pub(crate) fn options(cache: &Path, certificate: &str) -> SourceOptions {
    SourceOptions {
        cache_directory: cache.to_owned(),
        limits: SourceLimits::default(),
        authorities: CertificateAuthorities::from_pem(certificate.as_bytes()).unwrap(),
    }
}

pub(crate) fn digest(content: &[u8]) -> String {
    Sha256::digest(content).iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

fn index(entries: &[(&str, Option<&str>, &str)]) -> Vec<u8> {
    let entries: Vec<String> = entries
        .iter()
        .map(|(version, digest, url)| {
            let digest = digest.map(|digest| format!("    digest: {}\n", digest.trim_start_matches("sha256:")));
            let digest = digest.unwrap_or_default();
            format!("  - name: demo\n    version: {version}\n    urls: [\"{url}\"]\n    created: 2026-01-01\n{digest}")
        })
        .collect();
    body(format!("apiVersion: v1\nentries:\n  other: []\n  demo:\n{}", entries.concat()).as_bytes())
}

#[test]
fn a_version_is_resolved_to_the_hash_of_its_archive_and_fetched_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let (server, certificate, site) = site();
    let (old, new) = (digest(b"old"), digest(b"new"));
    let entries = [
        ("1.9.0", Some(old.as_str()), "demo-1.9.0.tgz"),
        ("1.10.0", Some(new.as_str()), "/elsewhere/demo-1.10.0.tgz"),
        ("2.0.0-rc.1", Some(new.as_str()), "x"),
    ];
    put(&site, "/charts/index.yaml", index(&entries));
    put(&site, "/charts/demo-1.9.0.tgz", body(b"old"));
    put(&site, "/elsewhere/demo-1.10.0.tgz", body(b"new"));
    let helm = HelmRepositories::new(options(folder.path(), &certificate));
    let repo = format!("{}/charts", server.url);
    for (version, expected) in [("", &new), ("1.x", &new), ("1.9.0", &old), ("~1.9", &old), (&old, &old)] {
        assert_eq!(&helm.resolve(&repo, "demo", version).unwrap(), expected, "{version}");
    }
    // With and without a slash at its end, a URL is the same.
    assert_eq!(helm.fetch(&format!("{repo}/"), "demo", "1.9.0", &old).unwrap(), b"old");
    assert_eq!(helm.fetch(&repo, "demo", "", &new).unwrap(), b"new");
    // From the cache, for this chart of this repository only.
    let before = server.requests();
    assert_eq!(helm.fetch(&repo, "demo", "", &new).unwrap(), b"new");
    assert_eq!(server.requests(), before);
    assert!(matches!(helm.fetch(&repo, "other", "", &new), Err(SourceError::UnknownChart { .. })));
}

#[test]
fn an_index_without_hashes_is_resolved_by_the_archive() {
    let folder = tempfile::tempdir().unwrap();
    let (server, certificate, site) = site();
    put(&site, "/index.yaml", index(&[("1.0.0", None, "demo.tgz")]));
    put(&site, "/demo.tgz", body(b"one"));
    let one = digest(b"one");
    let helm = HelmRepositories::new(options(&folder.path().join("a"), &certificate));
    assert_eq!(helm.resolve(&server.url, "demo", "").unwrap(), one);
    assert_eq!(helm.fetch(&server.url, "demo", "", &one).unwrap(), b"one");
    // Another replica has nothing in its cache, and finds it by the version.
    let other = HelmRepositories::new(options(&folder.path().join("b"), &certificate));
    assert_eq!(other.fetch(&server.url, "demo", "1.0.0", &one).unwrap(), b"one");
    put(&site, "/demo.tgz", body(b"two"));
    let third = HelmRepositories::new(options(&folder.path().join("c"), &certificate));
    let error = third.fetch(&server.url, "demo", "1.0.0", &one).unwrap_err();
    assert!(matches!(error, SourceError::ReplacedChart { .. }), "{error}");
}

#[test]
fn what_is_not_there_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let (server, certificate, site) = site();
    let (one, gone) = (digest(b"one"), digest(b"gone"));
    put(&site, "/index.yaml", index(&[("1.0.0", Some(&one), "demo.tgz"), ("2.0.0", Some(&gone), "gone.tgz")]));
    put(&site, "/demo.tgz", body(b"forged"));
    put(&site, "/broken/index.yaml", body(b"entries: [\n"));
    put(&site, "/busy/index.yaml", status("503 Service Unavailable", "X: y"));
    put(&site, "/downgrade/index.yaml", status("302 Found", "Location: http://127.0.0.1:1/index.yaml"));
    put(&site, "/loop/index.yaml", status("302 Found", "Location: /loop/index.yaml"));
    put(&site, "/plain/index.yaml", index(&[("1.0.0", None, "http://127.0.0.1:1/demo.tgz")]));
    put(&site, "/file/index.yaml", index(&[("1.0.0", None, "file:///etc/passwd")]));
    let helm = HelmRepositories::new(options(folder.path(), &certificate));
    let url = |path: &str| format!("{}{path}", server.url);
    let error = |repo: &str, chart: &str, version: &str| helm.resolve(repo, chart, version).unwrap_err();

    assert!(matches!(error(&url(""), "demo", "3.0.0"), SourceError::UnknownChartVersion { .. }));
    assert!(matches!(error(&url(""), "demo", "main"), SourceError::InvalidConstraint { .. }));
    assert!(matches!(error(&url(""), "none", ""), SourceError::UnknownChart { .. }));
    assert!(matches!(error(&url("/none"), "demo", ""), SourceError::RepositoryNotFound { status: 404, .. }));
    assert!(matches!(error(&url("/broken"), "demo", ""), SourceError::InvalidIndex { .. }));
    for path in ["/plain", "/file"] {
        let error = error(&url(path), "demo", "");
        assert!(matches!(error, SourceError::InvalidIndex { .. }), "{error}");
        assert!(error.to_string().ends_with("version 1.0.0 of demo has a URL without encryption"), "{error}");
    }
    for path in ["/busy", "/downgrade", "/loop"] {
        assert!(error(&url(path), "demo", "").is_temporary(), "{path}");
    }
    for repo in ["ftp://x/y", "nothing", "https://user:pass@x/y", "https://x/y?z=1", "https://x/y#z"] {
        assert!(matches!(error(repo, "demo", ""), SourceError::UnsupportedUrl { .. }), "{repo}");
    }
    assert!(matches!(helm.fetch(&url(""), "demo", "", &one), Err(SourceError::Corrupt { .. })));
    assert!(matches!(helm.fetch(&url(""), "demo", "", &gone), Err(SourceError::MissingArchive { status: 404, .. })));
    let never = digest(b"never");
    assert!(matches!(helm.fetch(&url(""), "demo", "1.0.0", &never), Err(SourceError::ReplacedChart { .. })));
}

#[test]
fn limits_end_what_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let (server, certificate, site) = site();
    put(&site, "/index.yaml", body(&vec![b'#'; (16 << 20) + 1]));
    let error =
        HelmRepositories::new(options(folder.path(), &certificate)).resolve(&server.url, "demo", "").unwrap_err();
    assert!(matches!(error, SourceError::TooLarge { .. }), "{error}");

    let silent = Server::with(|stream| {
        std::thread::sleep(Duration::from_secs(5));
        drop(stream);
    });
    let mut hurried = options(folder.path(), &certificate);
    hurried.limits.timeout = Duration::from_millis(200);
    let error = HelmRepositories::new(hurried).resolve(&silent.url, "demo", "").unwrap_err();
    assert!(matches!(error, SourceError::TimedOut { .. }), "{error}");
    assert!(error.is_temporary());
}

/// Aliases that stand for more and more are no way to the memory of the reader.
#[test]
fn an_index_may_not_explode() {
    let folder = tempfile::tempdir().unwrap();
    let (server, certificate, site) = site();
    let levels: Vec<String> = (1..12)
        .map(|level| format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(", ")))
        .collect();
    let text = format!("a0: &a0 [x, x]\n{}entries:\n  demo: *a11\n", levels.concat());
    put(&site, "/index.yaml", body(text.as_bytes()));
    let helm = HelmRepositories::new(options(folder.path(), &certificate));
    let error = helm.resolve(&server.url, "demo", "").unwrap_err();
    assert!(matches!(error, SourceError::InvalidIndex { .. }), "{error}");
}
