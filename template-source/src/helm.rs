//! Charts from Helm repositories: an `index.yaml` that names archives (Helm: pkg/repo/v1).
//!
//! A version is resolved to the hash of its archive, which the index tells; whatever the archive's server sends later
//! has to have that hash.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use reqwest::Url;
use serde::Deserialize;

use crate::blobs::{BlobCache, digest_of, is_digest};
use crate::http::{Conversation, shown};
use crate::oci::Registry;
use crate::{SourceError, SourceOptions, chart_version};

/// The largest index. Reading one takes about ten times its size in memory for a moment.
const MAX_INDEX_BYTES: u64 = 16 << 20;

/// The largest archive. That of kube-prometheus-stack, the largest chart tried, has half a MiB.
pub(crate) const MAX_ARCHIVE_BYTES: u64 = 10 << 20;

/// Charts from Helm repositories over HTTP(S). Calls block: run them on a thread that may.
#[derive(Debug)]
pub struct HelmRepositories {
    options: SourceOptions,
    archives: BlobCache,
    /// One index is read at a time, for the memory that it takes.
    reading: Mutex<()>,
}

/// `index.yaml`, as far as it is used.
#[derive(Debug, Deserialize)]
struct Index {
    #[serde(default)]
    entries: BTreeMap<String, Option<Vec<Option<Entry>>>>,
}

/// One version of a chart.
#[derive(Clone, Debug, Deserialize)]
struct Entry {
    #[serde(default)]
    version: String,
    #[serde(default)]
    urls: Vec<String>,
    #[serde(default)]
    digest: Option<String>,
}

impl HelmRepositories {
    /// A source that caches below `options.cache_directory`.
    pub fn new(options: SourceOptions) -> Self {
        let archives = BlobCache::new(options.cache_directory.join("archives"));
        Self { options, archives, reading: Mutex::default() }
    }

    /// Resolves a version of a chart, or a constraint such as `^1.2`, to the digest of its archive: `sha256:` and 64
    /// digits. An empty version is the highest release. A digest is taken as it is.
    pub fn resolve(&self, repo: &str, chart: &str, version: &str) -> Result<String, SourceError> {
        if is_digest(version) {
            return Ok(version.to_owned());
        }
        let server = self.server(repo)?;
        let entries = self.entries(&server, chart)?;
        let entry = server.pick(&entries, chart, version)?;
        if let Some(digest) = entry.digest() {
            return Ok(digest);
        }
        let archive = server.download(entry, chart, &self.options)?;
        self.archives.write(&place(repo, chart), &archive)?;
        Ok(digest_of(&archive))
    }

    /// The archive of this digest, from the cache if it is there. `version`: what the digest was resolved from, for
    /// repositories whose index has no digests.
    pub fn fetch(&self, repo: &str, chart: &str, version: &str, digest: &str) -> Result<Vec<u8>, SourceError> {
        let place = place(repo, chart);
        if let Some(archive) = self.archives.read(&place, digest) {
            return Ok(archive);
        }
        let server = self.server(repo)?;
        let entries = self.entries(&server, chart)?;
        let named = entries.iter().find(|entry| entry.digest().as_deref() == Some(digest));
        let replaced =
            || SourceError::ReplacedChart { repo: repo.to_owned(), chart: chart.to_owned(), digest: digest.to_owned() };
        let entry = match named {
            Some(entry) => entry,
            None => server
                .pick(&entries, chart, version)
                .ok()
                .filter(|entry| entry.digest().is_none())
                .ok_or_else(replaced)?,
        };
        let archive = server.download(entry, chart, &self.options)?;
        if digest_of(&archive) != digest {
            return Err(match named {
                Some(_) => SourceError::Corrupt {
                    repo: repo.to_owned(),
                    source: format!("the archive of {chart} is not {digest}, as the index says").into(),
                },
                None => replaced(),
            });
        }
        self.archives.write(&place, &archive)?;
        Ok(archive)
    }

    fn server<'a>(&self, repo: &'a str) -> Result<Server<'a>, SourceError> {
        let unsupported = || SourceError::UnsupportedUrl { repo: repo.to_owned() };
        let url = Url::parse(&format!("{}/", repo.trim_end_matches('/'))).map_err(|_| unsupported())?;
        let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        if !matches!(url.scheme(), "http" | "https") || !is_plain || url.fragment().is_some() {
            return Err(unsupported());
        }
        let conversation = Conversation::new(repo, self.options.limits, &self.options.authorities)?;
        Ok(Server { repo, url, conversation })
    }

    /// The versions of a chart.
    fn entries(&self, server: &Server<'_>, chart: &str) -> Result<Vec<Entry>, SourceError> {
        let text = server.index()?;
        let _one = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let mut index: Index = serde_yaml::from_slice(&text)
            .map_err(|error| SourceError::InvalidIndex { repo: server.repo.to_owned(), reason: error.to_string() })?;
        let entries = index.entries.remove(chart).flatten().unwrap_or_default();
        let entries: Vec<Entry> = entries.into_iter().flatten().collect();
        if entries.is_empty() {
            return Err(SourceError::UnknownChart { repo: server.repo.to_owned(), chart: chart.to_owned() });
        }
        Ok(entries)
    }
}

/// Archives of one chart of one repository are answers to questions about no other.
fn place(repo: &str, chart: &str) -> String {
    format!("{repo}\n{chart}")
}

struct Server<'a> {
    repo: &'a str,
    /// With a slash at the end: URLs in the index are relative to it.
    url: Url,
    conversation: Conversation<'a>,
}

impl Server<'_> {
    fn index(&self) -> Result<Vec<u8>, SourceError> {
        let unsupported = |_| SourceError::UnsupportedUrl { repo: self.repo.to_owned() };
        let url = self.url.join("index.yaml").map_err(unsupported)?;
        let answer = self.conversation.get(&url, None, None, MAX_INDEX_BYTES)?;
        match answer.status {
            200 => Ok(answer.body),
            status => Err(SourceError::RepositoryNotFound { repo: self.repo.to_owned(), status }),
        }
    }

    fn pick<'e>(&self, entries: &'e [Entry], chart: &str, version: &str) -> Result<&'e Entry, SourceError> {
        let picked = chart_version::pick(entries.iter().map(|entry| entry.version.as_str()), version)?;
        picked.and_then(|picked| entries.iter().find(|entry| entry.version == picked)).ok_or_else(|| {
            SourceError::UnknownChartVersion {
                repo: self.repo.to_owned(),
                chart: chart.to_owned(),
                version: version.to_owned(),
            }
        })
    }

    /// The archive of a version, wherever the index says it is.
    fn download(&self, entry: &Entry, chart: &str, options: &SourceOptions) -> Result<Vec<u8>, SourceError> {
        let unusable = |reason: &str| SourceError::InvalidIndex {
            repo: self.repo.to_owned(),
            reason: format!("version {} of {chart} {reason}", entry.version),
        };
        let first = entry.urls.first().ok_or_else(|| unusable("has no URL"))?;
        if let Some(image) = first.strip_prefix("oci://") {
            let (name, tag) = image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).unwrap_or((image, ""));
            let registry = Registry::open(self.repo, &format!("oci://{name}"), "", options)?;
            let tag = if tag.is_empty() { entry.version.replace('+', "_") } else { tag.to_owned() };
            let manifest = registry.manifest(&tag)?.ok_or_else(|| unusable("is not in its registry"))?;
            return registry.blob(&registry.chart_layer(&manifest)?);
        }
        let url = self.url.join(first).map_err(|_| unusable("has a URL that is none"))?;
        if url.scheme() != "https" && url.scheme() != self.url.scheme() {
            return Err(unusable("has a URL without encryption"));
        }
        let answer = self.conversation.get(&url, None, None, MAX_ARCHIVE_BYTES)?;
        match answer.status {
            200 => Ok(answer.body),
            status => Err(SourceError::MissingArchive { repo: self.repo.to_owned(), url: shown(&url), status }),
        }
    }
}

impl Entry {
    /// The hash of the archive in the form of our digests, if the index has one.
    fn digest(&self) -> Option<String> {
        let digest = self.digest.as_ref()?.to_ascii_lowercase();
        let digest = format!("sha256:{}", digest.strip_prefix("sha256:").unwrap_or(&digest));
        is_digest(&digest).then_some(digest)
    }
}
