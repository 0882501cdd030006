//! Repositories that ask for credentials, and servers that would like to have those of others.

use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use template_source::{
    Access, CertificateAuthorities, GitCredentials, GitTemplates, RepositoryScope, SourceError, SourceLimits,
    SourceOptions,
};

use crate::git_server::{Request, Server, backend, repository, status};

/// What a server saw of credentials: for each request the header, or nothing.
type Seen = Arc<Mutex<Vec<Option<String>>>>;

fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{username}:{password}")))
}

fn unauthorized() -> Vec<u8> {
    status("401 Unauthorized", "WWW-Authenticate: Basic realm=git")
}

/// A server over TLS that notes what it sees of credentials. Returns its certificate too.
fn noting(respond: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static) -> (Server, String, Seen) {
    let seen = Seen::default();
    let notes = Arc::clone(&seen);
    let (server, certificate) = Server::secure(move |request| {
        notes.lock().unwrap().push(request.header("authorization").map(str::to_owned));
        respond(request)
    });
    (server, certificate, seen)
}

/// A git server that knows one user, whose password can change.
fn private(root: &Path, password: &Arc<Mutex<&'static str>>) -> (Server, String, Seen) {
    let (root, password) = (root.to_owned(), Arc::clone(password));
    noting(move |request| {
        let wanted = basic("robot", *password.lock().unwrap());
        if request.header("authorization") == Some(&wanted) { backend(request, &root) } else { unauthorized() }
    })
}

fn templates(cache: &Path, certificates: &str) -> GitTemplates {
    GitTemplates::new(SourceOptions {
        cache_directory: cache.to_owned(),
        limits: SourceLimits::default(),
        authorities: CertificateAuthorities::from_pem(certificates.as_bytes()).unwrap(),
    })
}

fn credentials(url: &str, password: &str) -> GitCredentials {
    GitCredentials::new(RepositoryScope::from_expression(url).unwrap(), "robot", password)
}

#[test]
fn credentials_open_a_private_repository_and_may_change() {
    let folder = tempfile::tempdir().unwrap();
    let (_, main, release) = repository(folder.path());
    let password = Arc::new(Mutex::new("first-password"));
    let (server, certificate, seen) = private(folder.path(), &password);
    let templates = templates(&folder.path().join("cache"), &certificate);
    let repo = format!("{}/templates.git", server.url);

    let error = templates.resolve(&repo, "main", Access::WithCredentials).unwrap_err();
    assert!(matches!(error, SourceError::RepositoryNotFound { status: 401, .. }), "{error:?}");

    templates.set_credentials(vec![credentials(&server.url, "first-password")]);
    seen.lock().unwrap().clear();
    assert_eq!(templates.resolve(&repo, "main", Access::WithCredentials).unwrap(), main);
    let wanted = Some(basic("robot", "first-password"));
    assert_eq!(seen.lock().unwrap()[..2], [None, wanted.clone()], "only who asks is told");
    assert_eq!(templates.fetch(&repo, "charts/demo", &main, Access::WithCredentials).unwrap().files.len(), 4);
    assert!(seen.lock().unwrap().iter().all(|header| header.is_none() || *header == wanted));

    *password.lock().unwrap() = "second-password";
    let error = templates.fetch(&repo, "charts/demo", &release, Access::WithCredentials).unwrap_err();
    assert!(matches!(error, SourceError::CredentialsRefused { status: 401, .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("first-password"), "{error:?}");
    templates.set_credentials(vec![credentials(&server.url, "second-password")]);
    templates.fetch(&repo, "charts/demo", &release, Access::WithCredentials).unwrap();
}

#[test]
fn what_credentials_fetched_is_not_found_without_them() {
    let folder = tempfile::tempdir().unwrap();
    let (_, main, _) = repository(folder.path());
    let (server, certificate, _) = private(folder.path(), &Arc::new(Mutex::new("first-password")));
    let templates = templates(&folder.path().join("cache"), &certificate);
    templates.set_credentials(vec![credentials(&server.url, "first-password")]);
    let repo = format!("{}/templates.git", server.url);
    templates.fetch(&repo, "charts/demo", &main, Access::WithCredentials).unwrap();

    let error = templates.fetch(&repo, "charts/demo", &main, Access::Anonymous).unwrap_err();
    assert!(matches!(error, SourceError::RepositoryNotFound { status: 401, .. }), "{error:?}");
    // Whoever may use them keeps what is cached, as in any outage.
    templates.set_credentials(Vec::new());
    templates.fetch(&repo, "charts/demo", &main, Access::WithCredentials).unwrap();
}

#[test]
fn a_redirect_to_another_server_takes_no_credentials_along() {
    let folder = tempfile::tempdir().unwrap();
    let (other, other_certificate, other_seen) = noting(|_| unauthorized());
    let plain = Server::with(|_| panic!("nobody is sent from https to http"));
    // Before credentials are asked for, and after they were sent.
    for (target, before) in [(&other, true), (&other, false), (&plain, true), (&plain, false)] {
        let location = format!("Location: {}/templates.git", target.url);
        let (server, certificate, seen) = noting(move |request| {
            if before || request.header("authorization").is_some() {
                let tail = request.target.strip_prefix("/templates.git").unwrap_or_default();
                status("302 Found", &format!("{location}{tail}"))
            } else {
                unauthorized()
            }
        });
        let templates = templates(folder.path(), &[certificate.as_str(), &other_certificate].concat());
        templates.set_credentials(vec![credentials(&server.url, "first-password")]);
        let repo = format!("{}/templates.git", server.url);
        let error = templates.resolve(&repo, "main", Access::WithCredentials).unwrap_err();
        let sent = seen.lock().unwrap().iter().flatten().count();
        assert_eq!(sent, usize::from(!before), "{error:?}");
    }
    let seen = other_seen.lock().unwrap();
    assert!(!seen.is_empty() && seen.iter().all(Option::is_none), "{seen:?}");
    assert_eq!(plain.requests(), 0);
}

#[test]
fn a_redirect_into_a_private_repository_does_not_open_it() {
    let folder = tempfile::tempdir().unwrap();
    repository(folder.path());
    let (server, certificate, seen) = private(folder.path(), &Arc::new(Mutex::new("first-password")));
    let location = format!("Location: {}", server.url);
    let (elsewhere, elsewhere_certificate, elsewhere_seen) =
        noting(move |request| status("302 Found", &format!("{location}{}", request.target)));
    let templates = templates(&folder.path().join("cache"), &[certificate, elsewhere_certificate].concat());
    templates.set_credentials(vec![credentials(&server.url, "first-password")]);
    // Policies that list the one server do not speak of the other.
    let repo = format!("{}/templates.git", elsewhere.url);
    let error = templates.resolve(&repo, "main", Access::WithCredentials).unwrap_err();
    assert!(matches!(error, SourceError::RepositoryNotFound { status: 401, .. }), "{error:?}");
    for seen in [seen, elsewhere_seen] {
        let seen = seen.lock().unwrap();
        assert!(!seen.is_empty() && seen.iter().all(Option::is_none), "{seen:?}");
    }
}

#[test]
fn a_private_authority_is_trusted_when_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (_, main, _) = repository(folder.path());
    let root = folder.path().to_owned();
    let (server, certificate, _) = noting(move |request| backend(request, &root));
    let repo = format!("{}/templates.git", server.url);
    let resolve = |certificates: &str| {
        templates(&folder.path().join("cache"), certificates).resolve(&repo, "main", Access::Anonymous)
    };
    let (_, other_certificate, _) = noting(|_| unauthorized());
    let error = resolve(&other_certificate).unwrap_err();
    assert!(matches!(error, SourceError::Unreachable { .. }), "{error:?}");
    assert_eq!(resolve(&[other_certificate, certificate].concat()).unwrap(), main);
}

#[test]
fn a_file_without_certificates_is_no_authority() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    for text in ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let error = CertificateAuthorities::from_pem(text.as_bytes()).unwrap_err();
        assert!(matches!(error, SourceError::InvalidAuthorities { .. }), "{error:?}");
    }
}

#[test]
fn a_busy_server_is_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let (server, certificate, _) = noting(|_| status("429 Too Many Requests", "Retry-After: 1"));
    let error = templates(folder.path(), &certificate)
        .resolve(&format!("{}/templates.git", server.url), "main", Access::Anonymous)
        .unwrap_err();
    assert!(error.is_temporary(), "{error:?}");
}
