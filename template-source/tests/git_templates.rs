//! Resolving, fetching and caching, and what goes wrong.

use std::io::{Read, Write};
use std::time::Duration;
use std::{fs, thread};

use template_source::Access::Anonymous;
use template_source::{CertificateAuthorities, GitTemplates, SourceError, SourceLimits, SourceOptions};

use crate::git_server::{Server, git, repository};

fn templates(cache: &std::path::Path, limits: SourceLimits) -> GitTemplates {
    // Installed once by whichever test comes first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    GitTemplates::new(SourceOptions {
        cache_directory: cache.to_owned(),
        limits,
        authorities: CertificateAuthorities::default(),
    })
}

/// A served repository, its commits, and a cache.
struct Fixture {
    folder: tempfile::TempDir,
    server: Server,
    repo: String,
    main: String,
    release: String,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (_, main, release) = repository(folder.path());
        let server = Server::start(folder.path());
        let repo = format!("{}/templates.git", server.url);
        Self { folder, server, repo, main, release }
    }

    fn templates(&self) -> GitTemplates {
        templates(&self.folder.path().join("cache"), SourceLimits::default())
    }
}

#[test]
fn versions_resolve_to_commits() {
    let fixture = Fixture::new();
    let templates = fixture.templates();
    let resolve = |version: &str| templates.resolve(&fixture.repo, version, Anonymous);
    assert_eq!(resolve("").unwrap(), fixture.main);
    assert_eq!(resolve("main").unwrap(), fixture.main);
    assert_eq!(resolve("v1").unwrap(), fixture.release, "the tag comes before the branch of the same name");
    assert_eq!(resolve("refs/heads/v1").unwrap(), fixture.main);
    assert_eq!(resolve(&fixture.release).unwrap(), fixture.release);
    let error = resolve("v9").unwrap_err();
    assert!(matches!(error, SourceError::UnknownVersion { .. }), "{error:?}");
    assert!(error.to_string().contains("v9"), "{error}");
}

#[test]
fn a_chart_is_read_from_its_commit() {
    let fixture = Fixture::new();
    let templates = fixture.templates();
    let fetched = templates.fetch(&fixture.repo, "charts/demo", &fixture.release, Anonymous).unwrap();
    assert_eq!(fetched.digest, fixture.release);
    let names: Vec<&str> = fetched.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["Chart.yaml", "templates/_shared.tpl", "templates/configmap.yaml", "values.yaml"]);
    assert_eq!(fetched.files[1].data, b"shared\n", "a link is read as the file it points to");
    assert_eq!(fetched.files[3].data, b"replicas: 1\n");
    let newer = templates.fetch(&fixture.repo, "/charts/demo/".trim_matches('/'), &fixture.main, Anonymous).unwrap();
    assert_eq!(newer.files[3].data, b"replicas: 2\n");
}

#[test]
fn a_commit_is_fetched_once_and_again_when_damaged() {
    let fixture = Fixture::new();
    let templates = fixture.templates();
    templates.fetch(&fixture.repo, "charts/demo", &fixture.main, Anonymous).unwrap();
    let requests = fixture.server.requests();
    templates.fetch(&fixture.repo, "charts/demo", &fixture.main, Anonymous).unwrap();
    assert_eq!(fixture.server.requests(), requests, "the second fetch comes from the cache");

    let commits = fixture.folder.path().join("cache/commits");
    let entry = fs::read_dir(&commits).unwrap().next().unwrap().unwrap().path();
    for file in fs::read_dir(entry.join("objects/pack")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "pack") {
            let mut permissions = fs::metadata(&path).unwrap().permissions();
            #[expect(clippy::permissions_set_readonly_false, reason = "a file of this test")]
            permissions.set_readonly(false);
            fs::set_permissions(&path, permissions).unwrap();
            let mut bytes = fs::read(&path).unwrap();
            for byte in bytes.iter_mut().skip(12) {
                *byte ^= 0x55;
            }
            fs::write(&path, bytes).unwrap();
        }
    }
    let fetched = templates.fetch(&fixture.repo, "charts/demo", &fixture.main, Anonymous).unwrap();
    assert_eq!(fetched.files.len(), 4);
    assert!(fixture.server.requests() > requests, "a damaged entry is fetched anew");
}

#[test]
fn a_cached_commit_survives_an_outage() {
    let fixture = Fixture::new();
    fixture.templates().fetch(&fixture.repo, "charts/demo", &fixture.main, Anonymous).unwrap();
    fs::remove_dir_all(fixture.folder.path().join("templates.git")).unwrap();
    fixture.templates().fetch(&fixture.repo, "charts/demo", &fixture.main, Anonymous).unwrap();
}

#[test]
fn what_is_missing_is_named() {
    let fixture = Fixture::new();
    let templates = fixture.templates();
    let fetch = |repo: &str, path: &str, commit: &str| templates.fetch(repo, path, commit, Anonymous).unwrap_err();

    let error = fetch(&fixture.repo, "charts/none", &fixture.main);
    assert!(matches!(error, SourceError::PathNotFound { .. }), "{error:?}");
    let error = fetch(&fixture.repo, "charts", &fixture.main);
    assert!(matches!(error, SourceError::NotAChart { .. }), "{error:?}");
    let error = fetch(&fixture.repo, "README.md", &fixture.main);
    assert!(matches!(error, SourceError::PathNotFound { .. }), "{error:?}");
    let error = fetch(&fixture.repo, "../templates", &fixture.main);
    assert!(matches!(error, SourceError::InvalidPath { .. }), "{error:?}");
    let error = fetch(&fixture.repo, "charts/demo", &"1".repeat(40));
    assert!(matches!(error, SourceError::UnknownVersion { .. }), "{error:?}");
    let error = fetch(&format!("{}/none.git", fixture.server.url), "charts/demo", &fixture.main);
    assert!(matches!(error, SourceError::RepositoryNotFound { status: 404, .. }), "{error:?}");
    let outside = git(&fixture.folder.path().join("work"), &["rev-parse", "outside"]);
    let error = fetch(&fixture.repo, "charts/demo", &outside);
    assert!(matches!(error, SourceError::IrregularFile { .. }), "{error:?}");
}

#[test]
fn only_http_urls_without_credentials_are_used() {
    let folder = tempfile::tempdir().unwrap();
    let templates = templates(folder.path(), SourceLimits::default());
    for repo in
        ["", "/srv/git", "file:///srv/git", "ssh://git@host/x", "git@host:x", "ext::sh -c x", "https://u:p@host/x"]
    {
        let error = templates.resolve(repo, "main", Anonymous).unwrap_err();
        assert!(matches!(error, SourceError::UnsupportedUrl { .. }), "{repo}: {error:?}");
    }
}

#[test]
fn a_dead_server_is_unreachable() {
    let folder = tempfile::tempdir().unwrap();
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error =
        templates(folder.path(), SourceLimits::default()).resolve(&format!("http://{unused}/x"), "main", Anonymous);
    assert!(matches!(error, Err(SourceError::Unreachable { .. })), "{error:?}");
    assert!(error.unwrap_err().is_temporary());
}

#[test]
fn a_silent_server_times_out() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(|mut stream| {
        let mut request = [0; 1024];
        let _ = stream.read(&mut request);
        thread::sleep(Duration::from_mins(1));
    });
    let limits = SourceLimits { timeout: Duration::from_millis(300), ..SourceLimits::default() };
    let error = templates(folder.path(), limits).resolve(&format!("{}/x", server.url), "main", Anonymous);
    assert!(matches!(error, Err(SourceError::TimedOut { .. })), "{error:?}");
}

#[test]
fn a_server_that_asks_for_a_password_gets_none() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(|mut stream| {
        let mut request = [0; 4096];
        let _ = stream.read(&mut request);
        let _ = stream.write_all(
            b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        );
    });
    let error =
        templates(folder.path(), SourceLimits::default()).resolve(&format!("{}/x", server.url), "main", Anonymous);
    assert!(matches!(error, Err(SourceError::RepositoryNotFound { status: 401, .. })), "{error:?}");
}

#[test]
fn an_object_that_unpacks_to_far_more_than_its_size_is_refused() {
    let fixture = Fixture::new();
    let work = fixture.folder.path().join("work");
    fs::File::create(work.join("zeros")).unwrap().set_len(101 << 20).unwrap();
    git(&work, &["add", "."]);
    git(&work, &["commit", "--quiet", "-m", "zeros"]);
    let commit = git(&work, &["rev-parse", "HEAD"]);
    git(fixture.folder.path(), &["clone", "--quiet", "--bare", "work", "zeros.git"]);
    let error =
        fixture.templates().fetch(&format!("{}/zeros.git", fixture.server.url), "charts/demo", &commit, Anonymous);
    assert!(matches!(error, Err(SourceError::TooLarge { unit: "bytes in one object", .. })), "{error:?}");
}

#[test]
fn limits_hold() {
    let fixture = Fixture::new();
    let cache = fixture.folder.path().join("small");
    let fetch = |limits| templates(&cache, limits).fetch(&fixture.repo, "charts/demo", &fixture.main, Anonymous);
    let error = fetch(SourceLimits { files: 2, ..SourceLimits::default() }).unwrap_err();
    assert!(matches!(error, SourceError::TooLarge { unit: "files", .. }), "{error:?}");
    let error = fetch(SourceLimits { file_bytes: 10, ..SourceLimits::default() }).unwrap_err();
    assert!(matches!(error, SourceError::TooLarge { unit: "bytes in one file", .. }), "{error:?}");
    let error = fetch(SourceLimits { chart_bytes: 40, ..SourceLimits::default() }).unwrap_err();
    assert!(matches!(error, SourceError::TooLarge { unit: "bytes", .. }), "{error:?}");
}
