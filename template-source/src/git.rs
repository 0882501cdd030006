//! Charts from git repositories over smart HTTP(S), in process.
//!
//! A version is resolved to a commit by listing the server's references; a commit is fetched alone (depth 1) into a
//! bare repository of its own below the cache directory, published by a rename, and read from the object database
//! without a work tree. A published repository never changes, so readers need no locks. Every object read is hashed
//! again: a damaged cache entry is thrown away and fetched anew.

mod credentials;
mod remote;
mod scope;
mod tree;
mod version;

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use gix::ObjectId;
use sha2::{Digest, Sha256};

use remote::Server;

use crate::files::{Collector, hexadecimal, segments};
use crate::{FetchedTemplate, SourceError, SourceOptions};

pub use credentials::GitCredentials;
pub use scope::{RepositoryScope, ScopeError};

/// Commits kept on disk. A commit of a large chart repository takes about 10 MB packed.
const MAX_CACHED_COMMITS: usize = 64;

/// As whom a server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// As nobody.
    Anonymous,
    /// With the credentials for the repository, if there are any and the server asks for some. What was fetched so is
    /// kept apart: it is never found in the cache by whoever may only ask as nobody.
    WithCredentials,
}

/// Charts from git repositories. Calls block: run them on a thread that may.
#[derive(Debug)]
pub struct GitTemplates {
    options: SourceOptions,
    credentials: RwLock<Vec<GitCredentials>>,
    /// One lock a cache entry, so that concurrent requests for a commit fetch it once.
    fetching: Mutex<HashMap<String, Arc<Mutex<()>>>>,
}

impl GitTemplates {
    /// A source that caches below `options.cache_directory`.
    pub fn new(options: SourceOptions) -> Self {
        Self { options, credentials: RwLock::default(), fetching: Mutex::default() }
    }

    /// Replaces the credentials for later calls. For one repository those with the closest scope count, and of equals
    /// the first.
    pub fn set_credentials(&self, credentials: Vec<GitCredentials>) {
        *self.credentials.write().unwrap_or_else(PoisonError::into_inner) = credentials;
    }

    fn server<'a>(&'a self, repo: &'a str, access: Access) -> Result<Server<'a>, SourceError> {
        let url = remote::parse_url(repo)?;
        let credentials = match access {
            Access::Anonymous => None,
            Access::WithCredentials => {
                let known = self.credentials.read().unwrap_or_else(PoisonError::into_inner);
                credentials::closest(&known, &url).cloned()
            }
        };
        Ok(Server { repo, url, credentials, options: &self.options })
    }

    /// Resolves a version to a commit id (40 hexadecimal digits).
    ///
    /// An empty version is the server's `HEAD`; 40 hexadecimal digits are a commit and taken as they are; a name that
    /// starts with `refs/heads/` or `refs/tags/` is looked up exactly, and others below `refs/` not at all; any other name
    /// is a tag or, if there is no such tag, a branch: git's own order (gitrevisions), so that a branch cannot shadow a
    /// release. Annotated tags count as what they point to.
    pub fn resolve(&self, repo: &str, version: &str, access: Access) -> Result<String, SourceError> {
        let version = version::parse(version)?;
        if let version::Version::Commit(commit) = version {
            return Ok(commit.to_string());
        }
        let server = self.server(repo, access)?;
        let scratch = self.scratch()?;
        let repository = remote::init(scratch.path(), repo)?;
        version
            .pick(&server.list(&repository, &version)?)
            .map(|commit| commit.to_string())
            .ok_or_else(|| SourceError::UnknownVersion { repo: repo.to_owned(), version: version.to_string() })
    }

    /// Reads the chart in folder `path` of a commit, from the cache if it is there.
    pub fn fetch(&self, repo: &str, path: &str, commit: &str, access: Access) -> Result<FetchedTemplate, SourceError> {
        let segments = segments(path)?;
        let version::Version::Commit(id) = version::parse(commit)? else {
            return Err(SourceError::InvalidVersion { version: commit.to_owned() });
        };
        let server = self.server(repo, access)?;
        let key = hexadecimal(&Sha256::digest(format!("{access:?}\n{repo}\n{id}")));
        let directory = self.options.cache_directory.join("commits").join(&key);

        let lock = {
            let mut fetching = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(fetching.entry(key.clone()).or_default())
        };
        let guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
        let cached = directory.is_dir();
        if !cached {
            self.download(&server, id, &directory)?;
        }
        let mut result = self.read(&directory, repo, path, &segments, id);
        if cached && matches!(result, Err(SourceError::Corrupt { .. })) {
            remove(&directory)?;
            self.download(&server, id, &directory)?;
            result = self.read(&directory, repo, path, &segments, id);
        }
        drop(guard);
        let mut fetching = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        if fetching.get(&key).is_some_and(|lock| Arc::strong_count(lock) <= 2) {
            fetching.remove(&key);
        }
        result
    }

    fn download(&self, server: &Server<'_>, commit: ObjectId, directory: &Path) -> Result<(), SourceError> {
        let scratch = self.scratch()?;
        let repository = remote::init(scratch.path(), server.repo)?;
        server.fetch(&repository, commit)?;
        drop(repository);
        let file_error = |path: &Path, source| SourceError::File { path: path.to_owned(), source };
        let parent = self.options.cache_directory.join("commits");
        fs::create_dir_all(&parent).map_err(|source| file_error(&parent, source))?;
        evict(&parent);
        match fs::rename(scratch.keep(), directory) {
            // Another process with the same cache published the same commit first.
            Err(_) if directory.is_dir() => Ok(()),
            outcome => outcome.map_err(|source| file_error(directory, source)),
        }
    }

    fn read(
        &self,
        directory: &Path,
        repo: &str,
        path: &str,
        segments: &[&str],
        commit: ObjectId,
    ) -> Result<FetchedTemplate, SourceError> {
        let repository = gix::open_opts(directory, remote::options()).map_err(|error| remote::corrupt(repo, error))?;
        let mut collector = Collector::new(repo, self.options.limits);
        tree::read(&repository, commit, path, segments, &mut collector)?;
        Ok(FetchedTemplate { digest: commit.to_string(), files: collector.finish(path)? })
    }

    fn scratch(&self) -> Result<tempfile::TempDir, SourceError> {
        let parent = self.options.cache_directory.join("scratch");
        fs::create_dir_all(&parent)
            .and_then(|()| tempfile::tempdir_in(&parent))
            .map_err(|source| SourceError::File { path: parent, source })
    }
}

fn remove(directory: &Path) -> Result<(), SourceError> {
    fs::remove_dir_all(directory).map_err(|source| SourceError::File { path: directory.to_owned(), source })
}

/// Makes room for one more commit: the oldest go first. A failure only leaves the cache larger.
fn evict(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    let mut entries: Vec<_> =
        entries.flatten().filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path()))).collect();
    entries.sort();
    for (_, path) in entries.iter().take((entries.len() + 1).saturating_sub(MAX_CACHED_COMMITS)) {
        let _ = fs::remove_dir_all(path);
    }
}
