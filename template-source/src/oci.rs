//! Charts from OCI registries (OCI distribution specification 1.1; Helm: pkg/registry).
//!
//! A version is a tag, which is resolved to the digest of its manifest; the manifest names the archive by its digest.
//! Both are hashed when they arrive and when they are read from the cache.

use std::cell::RefCell;

use renderer::semver::Version;
use reqwest::Url;
use reqwest::header::{HeaderMap, LINK, WWW_AUTHENTICATE};
use serde::Deserialize;

use crate::blobs::{BlobCache, digest_of, is_digest};
use crate::helm::MAX_ARCHIVE_BYTES;
use crate::http::{Answer, Conversation};
use crate::{SourceError, SourceOptions, chart_version};

/// What registries have to take at least, and rarely take more.
const MAX_MANIFEST_BYTES: u64 = 4 << 20;

/// A token is a few KiB.
const MAX_TOKEN_BYTES: u64 = 256 << 10;

/// Pages of tags that are read. Registries put 100 to 10,000 tags on one.
const MAX_TAG_PAGES: usize = 64;

const MANIFEST_MEDIA_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// The archive among the layers: what Helm writes, and what it wrote at first (Helm: pkg/registry/constants.go).
const LAYER_MEDIA_TYPES: [&str; 2] = ["application/vnd.cncf.helm.chart.content.v1.tar+gzip", "application/tar+gzip"];

/// Charts from OCI registries over HTTPS. Calls block: run them on a thread that may.
#[derive(Debug)]
pub struct OciRegistries {
    options: SourceOptions,
    blobs: BlobCache,
}

impl OciRegistries {
    /// A source that caches below `options.cache_directory`.
    pub fn new(options: SourceOptions) -> Self {
        let blobs = BlobCache::new(options.cache_directory.join("blobs"));
        Self { options, blobs }
    }

    /// Resolves a version of a chart, or a constraint such as `^1.2`, to the digest of its manifest: `sha256:` and 64
    /// digits. An empty version is the highest release. A digest is taken as it is.
    ///
    /// `repo` is an `oci://` URL; `chart` is what follows it in the name of the registry's repository, or empty.
    pub fn resolve(&self, repo: &str, chart: &str, version: &str) -> Result<String, SourceError> {
        if is_digest(version) {
            return Ok(version.to_owned());
        }
        let registry = Registry::open(repo, repo, chart, &self.options)?;
        let unknown = || SourceError::UnknownChartVersion {
            repo: repo.to_owned(),
            chart: chart.to_owned(),
            version: version.to_owned(),
        };
        let tag = if Version::parse(version).is_ok() {
            version.to_owned()
        } else {
            let tags = registry.tags()?;
            chart_version::pick(tags.iter().map(String::as_str), version)?.ok_or_else(unknown)?.to_owned()
        };
        let manifest = registry.manifest(&tag.replace('+', "_"))?.ok_or_else(unknown)?;
        self.blobs.write(&registry.place(), &manifest)?;
        Ok(digest_of(&manifest))
    }

    /// The archive of the chart whose manifest has this digest, from the cache if it is there.
    pub fn fetch(&self, repo: &str, chart: &str, digest: &str) -> Result<Vec<u8>, SourceError> {
        let registry = Registry::open(repo, repo, chart, &self.options)?;
        let place = registry.place();
        let manifest = if let Some(manifest) = self.blobs.read(&place, digest) {
            manifest
        } else {
            let manifest = registry.manifest(digest)?.ok_or_else(|| SourceError::ReplacedChart {
                repo: repo.to_owned(),
                chart: chart.to_owned(),
                digest: digest.to_owned(),
            })?;
            if digest_of(&manifest) != digest {
                return Err(registry.corrupt(&format!("what it sends is not {digest}")));
            }
            self.blobs.write(&place, &manifest)?;
            manifest
        };
        let layer = registry.chart_layer(&manifest)?;
        if let Some(archive) = self.blobs.read(&place, &layer) {
            return Ok(archive);
        }
        let archive = registry.blob(&layer)?;
        self.blobs.write(&place, &archive)?;
        Ok(archive)
    }
}

/// A repository of a registry, which is a chart.
pub(crate) struct Registry<'a> {
    /// What the Module names, for errors.
    repo: &'a str,
    /// `https://HOST/v2/NAME/`
    url: Url,
    conversation: Conversation<'a>,
    /// What the registry wanted to see, once it has said so.
    token: RefCell<Option<String>>,
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    media_type: String,
    digest: String,
}

#[derive(Deserialize)]
struct Tags {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    token: String,
    #[serde(default)]
    access_token: String,
}

impl<'a> Registry<'a> {
    /// The repository that an `oci://` URL and what follows it name.
    pub(crate) fn open(
        repo: &'a str,
        location: &str,
        chart: &str,
        options: &SourceOptions,
    ) -> Result<Self, SourceError> {
        let url = repository_url(location, chart)
            .ok_or_else(|| SourceError::InvalidRegistryName { repo: location.to_owned(), chart: chart.to_owned() })?;
        let conversation = Conversation::new(repo, options.limits, &options.authorities)?;
        Ok(Self { repo, url, conversation, token: RefCell::default() })
    }

    fn place(&self) -> String {
        self.url.to_string()
    }

    /// All tags, with `+` where the version has one, which no tag can.
    fn tags(&self) -> Result<Vec<String>, SourceError> {
        let mut tags = Vec::new();
        let mut next = Some(self.join("tags/list")?);
        for _ in 0..MAX_TAG_PAGES {
            let Some(url) = next else { break };
            let answer = self.get(&url, "application/json", MAX_MANIFEST_BYTES)?;
            if answer.status != 200 {
                return Err(SourceError::RepositoryNotFound { repo: self.repo.to_owned(), status: answer.status });
            }
            let page: Tags = self.json(&answer.body, "its list of tags")?;
            tags.extend(page.tags.unwrap_or_default().into_iter().map(|tag| tag.replace('_', "+")));
            next = self.next_page(&answer);
        }
        Ok(tags)
    }

    /// Where the list goes on, if that is on the same server.
    fn next_page(&self, answer: &Answer) -> Option<Url> {
        let link = answer.headers.get(LINK)?.to_str().ok()?;
        let (target, parameters) = link.strip_prefix('<')?.split_once('>')?;
        let url = answer.url.join(target).ok()?;
        (parameters.contains("next") && url.origin() == self.url.origin()).then_some(url)
    }

    /// The manifest of a tag or digest; none if there is no such thing.
    pub(crate) fn manifest(&self, reference: &str) -> Result<Option<Vec<u8>>, SourceError> {
        let is_tag = reference.len() <= 128
            && reference.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
            && !reference.starts_with(['.', '-']);
        if !is_tag && !is_digest(reference) {
            return Ok(None);
        }
        let url = self.join(&format!("manifests/{reference}"))?;
        let answer = self.get(&url, MANIFEST_MEDIA_TYPE, MAX_MANIFEST_BYTES)?;
        match answer.status {
            200 => Ok(Some(answer.body)),
            404 => Ok(None),
            status => Err(SourceError::RepositoryNotFound { repo: self.repo.to_owned(), status }),
        }
    }

    /// The digest of the chart's archive.
    pub(crate) fn chart_layer(&self, manifest: &[u8]) -> Result<String, SourceError> {
        let Manifest { layers } = self.json(manifest, "its manifest")?;
        let layer = layers.into_iter().find(|layer| LAYER_MEDIA_TYPES.contains(&layer.media_type.as_str()));
        layer
            .map(|layer| layer.digest)
            .filter(|digest| is_digest(digest))
            .ok_or_else(|| SourceError::NoChartLayer { repo: self.repo.to_owned(), digest: digest_of(manifest) })
    }

    /// The content of a digest.
    pub(crate) fn blob(&self, digest: &str) -> Result<Vec<u8>, SourceError> {
        let url = self.join(&format!("blobs/{digest}"))?;
        let answer = self.get(&url, "application/octet-stream", MAX_ARCHIVE_BYTES)?;
        match answer.status {
            200 if digest_of(&answer.body) == digest => Ok(answer.body),
            200 => Err(self.corrupt(&format!("what it sends is not {digest}"))),
            status => Err(SourceError::MissingArchive { repo: self.repo.to_owned(), url: url.to_string(), status }),
        }
    }

    /// Asks, and once more with the token that a registry wants to see even of those who are nobody.
    fn get(&self, url: &Url, accept: &str, limit: u64) -> Result<Answer, SourceError> {
        let ask = || self.conversation.get(url, Some(accept), self.token.borrow().as_deref(), limit);
        let answer = ask()?;
        if answer.status != 401 || self.token.borrow().is_some() {
            return Ok(answer);
        }
        let Some(authority) = token_url(&answer.headers) else { return Ok(answer) };
        let granted = self.conversation.get(&authority, Some("application/json"), None, MAX_TOKEN_BYTES)?;
        if granted.status != 200 {
            return Ok(answer);
        }
        let Token { token, access_token } = self.json(&granted.body, "the token that it sends to fetch")?;
        self.token.replace(Some(if token.is_empty() { access_token } else { token }));
        ask()
    }

    fn join(&self, path: &str) -> Result<Url, SourceError> {
        // A digest has a colon, which would make a scheme of what precedes it.
        self.url.join(&format!("./{path}")).map_err(|_| SourceError::UnsupportedUrl { repo: self.repo.to_owned() })
    }

    fn json<T: serde::de::DeserializeOwned>(&self, text: &[u8], what: &str) -> Result<T, SourceError> {
        serde_json::from_slice(text).map_err(|error| self.corrupt(&format!("{what} cannot be read: {error}")))
    }

    fn corrupt(&self, problem: &str) -> SourceError {
        SourceError::Corrupt { repo: self.repo.to_owned(), source: problem.into() }
    }
}

/// The URL of a registry's repository.
fn repository_url(location: &str, chart: &str) -> Option<Url> {
    let place = location.strip_prefix("oci://")?;
    let (authority, path) = place.split_once('/').unwrap_or((place, ""));
    if authority.is_empty() || authority.contains(['@', '?', '#', '\\']) {
        return None;
    }
    let segments: Vec<&str> = path.split('/').chain(chart.split('/')).filter(|segment| !segment.is_empty()).collect();
    if segments.is_empty() || !segments.iter().all(|segment| is_name(segment)) {
        return None;
    }
    // The name under which everybody knows it does not answer.
    let authority = if authority == "docker.io" { "registry-1.docker.io" } else { authority };
    Url::parse(&format!("https://{authority}/v2/{}/", segments.join("/"))).ok()
}

/// A segment of the name of a repository (distribution specification, "Pulling manifests").
fn is_name(segment: &str) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = segment.as_bytes();
    bytes.first().is_some_and(is_letter)
        && bytes.last().is_some_and(is_letter)
        && bytes.iter().all(|byte| is_letter(byte) || matches!(byte, b'.' | b'_' | b'-'))
}

/// Where a token can be had, from the challenge of a registry (distribution: token authentication).
fn token_url(headers: &HeaderMap) -> Option<Url> {
    let challenges = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    let parameters = challenges
        .filter_map(|challenge| challenge.split_once(' '))
        .find_map(|(scheme, parameters)| scheme.eq_ignore_ascii_case("bearer").then_some(parameters))?;
    let mut realm = None;
    let mut query = Vec::new();
    let mut rest = parameters;
    while let Some((name, tail)) = rest.split_once('=') {
        let (value, tail) = match tail.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => tail.split_at(tail.find(',').unwrap_or(tail.len())),
        };
        match name.trim().to_ascii_lowercase().as_str() {
            "realm" => realm = Some(value),
            "service" => query.push(("service", value)),
            "scope" => query.push(("scope", value)),
            _ => {}
        }
        rest = tail.trim_start().strip_prefix(',').unwrap_or_default();
    }
    let mut url = Url::parse(realm?).ok().filter(|url| url.scheme() == "https")?;
    url.query_pairs_mut().extend_pairs(query);
    Some(url)
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn names_of_repositories() {
        for (location, chart, expected) in [
            ("oci://ghcr.io/acme", "demo", Some("https://ghcr.io/v2/acme/demo/")),
            ("oci://ghcr.io/acme/", "demo", Some("https://ghcr.io/v2/acme/demo/")),
            ("oci://ghcr.io/acme/charts/demo", "", Some("https://ghcr.io/v2/acme/charts/demo/")),
            ("oci://127.0.0.1:5000", "demo", Some("https://127.0.0.1:5000/v2/demo/")),
            ("oci://docker.io/acme", "demo", Some("https://registry-1.docker.io/v2/acme/demo/")),
            ("oci://ghcr.io", "", None),
            ("oci:///acme", "demo", None),
            ("oci://ghcr.io/acme", "../other", None),
            ("oci://ghcr.io/acme", "demo?x", None),
            ("oci://ghcr.io/acme", "Demo", None),
            ("oci://ghcr.io/acme%2fx", "demo", None),
            ("oci://user@ghcr.io/acme", "demo", None),
            ("oci://ghcr.io?x=/acme", "demo", None),
            ("https://ghcr.io/acme", "demo", None),
        ] {
            let found = repository_url(location, chart).map(|url| url.to_string());
            assert_eq!(found.as_deref(), expected, "{location} {chart}");
        }
    }

    #[test]
    fn challenges() {
        let url = |challenge: &'static str| {
            let headers = HeaderMap::from_iter([(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))]);
            token_url(&headers).map(|url| url.to_string())
        };
        assert_eq!(
            url(r#"Bearer realm="https://auth.example.com/token",service="registry",scope="repository:a/b:pull""#)
                .as_deref(),
            Some("https://auth.example.com/token?service=registry&scope=repository%3Aa%2Fb%3Apull")
        );
        assert_eq!(
            url(r#"bearer realm=https://auth.example.com/t?x=1, error="a, b=c""#).as_deref(),
            Some("https://auth.example.com/t?x=1")
        );
        for challenge in [
            "",
            "Basic realm=\"x\"",
            "Bearer",
            "Bearer service=\"x\"",
            "Bearer realm=\"http://auth.example.com/\"",
            "Bearer realm=\"file:///etc/passwd\"",
            "Bearer realm=\"https://auth.example.com",
        ] {
            assert_eq!(url(challenge), None, "{challenge}");
        }
    }
}
