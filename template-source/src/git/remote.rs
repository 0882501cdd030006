//! Talking to a git server.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{fs, thread};

use gix::protocol::handshake::Ref;
use gix::protocol::transport::client::blocking_io::http;
use gix::remote::Direction;
use gix::url::Scheme;
use gix::{ObjectId, Repository};

use super::credentials::{self, GitCredentials};
use super::version::Version;
use crate::{SourceError, SourceLimits};

/// A server that does not accept a connection within this time is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a running transfer is checked against its limits.
const WATCH_INTERVAL: Duration = Duration::from_millis(50);

/// Accepts `http://` and `https://` URLs without credentials in them.
pub(super) fn parse_url(repo: &str) -> Result<gix::Url, SourceError> {
    let unsupported = || SourceError::UnsupportedUrl { repo: repo.to_owned() };
    let url = gix::url::parse(repo).map_err(|_| unsupported())?;
    let usable = matches!(url.scheme, Scheme::Http | Scheme::Https) && url.user().is_none() && url.host().is_some();
    if usable { Ok(url) } else { Err(unsupported()) }
}

/// The largest object that is unpacked: a few bytes of a pack can stand for gigabytes. GitHub takes no larger file.
const MAX_OBJECT_BYTES: u64 = 100 << 20;

/// How repositories are opened: without any configuration of the machine.
pub(super) fn options() -> gix::open::Options {
    gix::open::Options::isolated().config_overrides([format!("gitoxide.objects.allocLimit={MAX_OBJECT_BYTES}")])
}

/// Makes an empty bare repository that no configuration of the machine reaches.
pub(super) fn init(directory: &Path, repo: &str) -> Result<Repository, SourceError> {
    gix::ThreadSafeRepository::init_opts(directory, gix::create::Kind::Bare, gix::create::Options::default(), options())
        .map(Into::into)
        .map_err(|error| corrupt(repo, error))
}

/// Lists the references that can be `version`.
pub(super) fn list(
    repository: &Repository,
    url: &gix::Url,
    repo: &str,
    version: &Version,
    credentials: &[GitCredentials],
    limits: &SourceLimits,
) -> Result<Vec<Ref>, SourceError> {
    let specs = version.references();
    let started = Instant::now();
    let attempt = || -> gix::Result<Vec<Ref>> {
        let remote = repository
            .remote_at_without_url_rewrite(url.clone())?
            .with_fetch_tags(gix::remote::fetch::Tags::None)
            .with_refspecs(specs.iter().map(String::as_str), Direction::Fetch)?;
        let connection = remote
            .connect(Direction::Fetch)?
            .with_credentials(|action| Ok(credentials::answer(credentials, action)))
            .with_transport_options(Box::new(transport_options(limits)));
        let (references, _) = connection.ref_map(gix::progress::Discard, gix::remote::ref_map::Options::default())?;
        Ok(references.remote_refs)
    };
    attempt().map_err(|error| failure(repo, error, started, limits))
}

/// Fetches one commit without its history.
pub(super) fn fetch(
    repository: &Repository,
    url: &gix::Url,
    repo: &str,
    commit: ObjectId,
    credentials: &[GitCredentials],
    limits: &SourceLimits,
) -> Result<(), SourceError> {
    let started = Instant::now();
    let interrupt = AtomicBool::new(false);
    let too_large = AtomicBool::new(false);
    let pack_directory = repository.objects.store_ref().path().join("pack");
    let attempt = || -> gix::Result<()> {
        let remote = repository
            .remote_at_without_url_rewrite(url.clone())?
            .with_fetch_tags(gix::remote::fetch::Tags::None)
            .with_refspecs([format!("{commit}:refs/heads/fetched").as_str()], Direction::Fetch)?;
        remote
            .connect(Direction::Fetch)?
            .with_credentials(|action| Ok(credentials::answer(credentials, action)))
            .with_transport_options(Box::new(transport_options(limits)))
            .prepare_fetch(gix::progress::Discard, gix::remote::ref_map::Options::default())?
            .with_shallow(gix::remote::fetch::Shallow::DepthAtRemote(NonZeroU32::MIN))
            .receive(gix::progress::Discard, &interrupt)?;
        Ok(())
    };
    let (done, watched) = mpsc::channel::<()>();
    let outcome = thread::scope(|scope| {
        scope.spawn(|| {
            let watched = watched;
            while watched.recv_timeout(WATCH_INTERVAL) == Err(mpsc::RecvTimeoutError::Timeout) {
                if directory_bytes(&pack_directory) > limits.transfer_bytes {
                    too_large.store(true, Ordering::Relaxed);
                    interrupt.store(true, Ordering::Relaxed);
                }
                if started.elapsed() > limits.timeout {
                    interrupt.store(true, Ordering::Relaxed);
                }
            }
        });
        let outcome = attempt();
        drop(done);
        outcome
    });
    if too_large.load(Ordering::Relaxed) {
        return Err(SourceError::TooLarge {
            repo: repo.to_owned(),
            path: String::new(),
            limit: limits.transfer_bytes,
            unit: "bytes to transfer",
        });
    }
    outcome.map_err(|error| match failure(repo, error, started, limits) {
        // The server is there and speaks git, but will not send this object.
        SourceError::Unreachable { source, .. } if mentions(&*source, &MISSING_OBJECT) => {
            SourceError::UnknownVersion { repo: repo.to_owned(), version: commit.to_string() }
        }
        SourceError::Unreachable { source, .. } if mentions(&*source, &[LARGE_OBJECT]) => SourceError::TooLarge {
            repo: repo.to_owned(),
            path: String::new(),
            limit: MAX_OBJECT_BYTES,
            unit: "bytes in one object",
        },
        other => other,
    })
}

fn directory_bytes(directory: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    entries.flatten().filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}

fn transport_options(limits: &SourceLimits) -> http::Options {
    let timeout = limits.timeout;
    http::Options {
        follow_redirects: http::options::FollowRedirects::Initial,
        user_agent: Some(concat!("module-template-source/", env!("CARGO_PKG_VERSION")).to_owned()),
        backend: Some(Arc::new(Mutex::new(http::reqwest::Options {
            configure_client: Some(Box::new(move |client| {
                Ok(client.connect_timeout(CONNECT_TIMEOUT.min(timeout)).timeout(timeout))
            })),
            configure_request: None,
        }))),
        ..http::Options::default()
    }
}

pub(super) fn corrupt(repo: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> SourceError {
    SourceError::Corrupt { repo: repo.to_owned(), source: error.into() }
}

/// Tells what a failed conversation means.
fn failure(repo: &str, error: gix::Error, started: Instant, limits: &SourceLimits) -> SourceError {
    let texts: Vec<String> = error.iter_errors().map(ToString::to_string).collect();
    let status = texts.iter().find_map(|text| text.strip_prefix("Received HTTP status ")?.trim().parse().ok());
    let repo = repo.to_owned();
    if error.is_unauthenticated() || texts.iter().any(|text| text.contains("uthentication")) {
        return SourceError::RepositoryNotFound { repo, status: 401 };
    }
    match status {
        Some(status @ 400..500) => SourceError::RepositoryNotFound { repo, status },
        _ if started.elapsed() >= limits.timeout => SourceError::TimedOut { repo, timeout: limits.timeout },
        _ => SourceError::Unreachable { repo, source: error.into() },
    }
}

/// What servers say about a commit that they do not have.
const MISSING_OBJECT: [&str; 2] = ["not our ref", "unadvertised object"];
/// What the pack reader says about an object above [`MAX_OBJECT_BYTES`].
const LARGE_OBJECT: &str = "too large to fit in memory";

/// Whether an error or one of its causes contains one of the texts.
fn mentions(error: &(dyn std::error::Error + 'static), texts: &[&str]) -> bool {
    std::iter::successors(Some(error), |error| error.source())
        .any(|error| texts.iter().any(|text| error.to_string().contains(text)))
}
