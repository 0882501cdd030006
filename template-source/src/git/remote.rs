//! Talking to a git server.

use std::cell::Cell;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{fs, thread};

use gix::credentials::helper::Action;
use gix::credentials::protocol::Outcome;
use gix::protocol::handshake::Ref;
use gix::protocol::transport::client::blocking_io::http;
use gix::remote::Direction;
use gix::url::Scheme;
use gix::{ObjectId, Repository};

use super::credentials::GitCredentials;
use super::version::Version;
use crate::{SourceError, SourceOptions};

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

/// A repository on its server.
pub(super) struct Server<'a> {
    /// The repository as the Module names it.
    pub(super) repo: &'a str,
    pub(super) url: gix::Url,
    pub(super) credentials: Option<GitCredentials>,
    pub(super) options: &'a SourceOptions,
}

impl Server<'_> {
    /// Lists the references that can be `version`.
    pub(super) fn list(&self, repository: &Repository, version: &Version) -> Result<Vec<Ref>, SourceError> {
        let specs = version.references();
        let conversation = Conversation::new(self);
        let attempt = || -> gix::Result<Vec<Ref>> {
            let remote = repository
                .remote_at_without_url_rewrite(self.url.clone())?
                .with_fetch_tags(gix::remote::fetch::Tags::None)
                .with_refspecs(specs.iter().map(String::as_str), Direction::Fetch)?;
            let connection = remote
                .connect(Direction::Fetch)?
                .with_credentials(|action| Ok(conversation.credentials(action)))
                .with_transport_options(Box::new(transport_options(self.options)));
            let (references, _) =
                connection.ref_map(gix::progress::Discard, gix::remote::ref_map::Options::default())?;
            Ok(references.remote_refs)
        };
        attempt().map_err(|error| conversation.failure(error))
    }

    /// Fetches one commit without its history.
    pub(super) fn fetch(&self, repository: &Repository, commit: ObjectId) -> Result<(), SourceError> {
        let (repo, limits) = (self.repo, &self.options.limits);
        let interrupt = AtomicBool::new(false);
        let too_large = AtomicBool::new(false);
        let pack_directory = repository.objects.store_ref().path().join("pack");
        let conversation = Conversation::new(self);
        let attempt = || -> gix::Result<()> {
            let remote = repository
                .remote_at_without_url_rewrite(self.url.clone())?
                .with_fetch_tags(gix::remote::fetch::Tags::None)
                .with_refspecs([format!("{commit}:refs/heads/fetched").as_str()], Direction::Fetch)?;
            remote
                .connect(Direction::Fetch)?
                .with_credentials(|action| Ok(conversation.credentials(action)))
                .with_transport_options(Box::new(transport_options(self.options)))
                .prepare_fetch(gix::progress::Discard, gix::remote::ref_map::Options::default())?
                .with_shallow(gix::remote::fetch::Shallow::DepthAtRemote(NonZeroU32::MIN))
                .receive(gix::progress::Discard, &interrupt)?;
            Ok(())
        };
        let started = conversation.started;
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
        outcome.map_err(|error| match conversation.failure(error) {
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
}

/// One attempt to get something from a server.
struct Conversation<'a> {
    server: &'a Server<'a>,
    started: Instant,
    /// Whether the server was given credentials.
    authenticated: Cell<bool>,
}

impl<'a> Conversation<'a> {
    fn new(server: &'a Server<'a>) -> Self {
        Self { server, started: Instant::now(), authenticated: Cell::new(false) }
    }

    /// What a server gets that asks for credentials.
    fn credentials(&self, action: Action) -> Option<Outcome> {
        let outcome = self.server.credentials.as_ref()?.answer(action);
        self.authenticated.set(self.authenticated.get() || outcome.is_some());
        outcome
    }

    /// Tells what a failure means.
    fn failure(&self, error: gix::Error) -> SourceError {
        let texts: Vec<String> = error.iter_errors().map(ToString::to_string).collect();
        let status = if error.is_unauthenticated() || texts.iter().any(|text| text.contains("uthentication")) {
            Some(401)
        } else {
            texts.iter().find_map(|text| text.strip_prefix("Received HTTP status ")?.trim().parse().ok())
        };
        let repo = self.server.repo.to_owned();
        let timeout = self.server.options.limits.timeout;
        match status {
            // Slow down, or try again.
            Some(408 | 425 | 429) => SourceError::Unreachable { repo, source: error.into() },
            Some(status @ 400..500) if self.authenticated.get() => SourceError::CredentialsRefused { repo, status },
            Some(status @ 400..500) => SourceError::RepositoryNotFound { repo, status },
            _ if self.started.elapsed() >= timeout => SourceError::TimedOut { repo, timeout },
            _ => SourceError::Unreachable { repo, source: error.into() },
        }
    }
}

fn directory_bytes(directory: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    entries.flatten().filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}

fn transport_options(options: &SourceOptions) -> http::Options {
    let timeout = options.limits.timeout;
    let authorities = options.authorities.clone();
    http::Options {
        follow_redirects: http::options::FollowRedirects::Initial,
        user_agent: Some(concat!("module-template-source/", env!("CARGO_PKG_VERSION")).to_owned()),
        backend: Some(Arc::new(Mutex::new(http::reqwest::Options {
            configure_client: Some(Box::new(move |client| {
                let client = client.connect_timeout(CONNECT_TIMEOUT.min(timeout)).timeout(timeout);
                Ok(client.tls_certs_merge(authorities.certificates().iter().cloned()))
            })),
            configure_request: None,
        }))),
        ..http::Options::default()
    }
}

pub(super) fn corrupt(repo: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> SourceError {
    SourceError::Corrupt { repo: repo.to_owned(), source: error.into() }
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
