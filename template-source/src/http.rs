//! Bounded requests to the servers of charts: Helm repositories and OCI registries.

use std::io::Read;
use std::time::{Duration, Instant};

use reqwest::Url;
use reqwest::blocking::{Client, Response};
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap};
use reqwest::redirect::Policy;

use crate::{CertificateAuthorities, SourceError, SourceLimits};

/// A server that does not accept a connection within this time is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// From a release to the storage that holds it there are two.
const MAX_REDIRECTS: usize = 5;

/// A conversation with the server of a repository, and with those that it names.
pub(crate) struct Conversation<'a> {
    repo: &'a str,
    limits: SourceLimits,
    client: Client,
    started: Instant,
}

/// What a server has answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The URL that answered, after redirects.
    pub(crate) url: Url,
    pub(crate) body: Vec<u8>,
}

impl<'a> Conversation<'a> {
    pub(crate) fn new(
        repo: &'a str,
        limits: SourceLimits,
        authorities: &CertificateAuthorities,
    ) -> Result<Self, SourceError> {
        let client = Client::builder()
            .user_agent(concat!("module-template-source/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT.min(limits.timeout))
            .redirect(Policy::custom(|attempt| {
                let was_secure = attempt.previous().iter().any(|url| url.scheme() == "https");
                if attempt.previous().len() > MAX_REDIRECTS {
                    attempt.error("too many redirects")
                } else if was_secure && attempt.url().scheme() != "https" {
                    attempt.error("a redirect from https to an address without encryption")
                } else {
                    attempt.follow()
                }
            }))
            .tls_certs_merge(authorities.certificates().iter().cloned())
            .build()
            .map_err(|error| SourceError::Unreachable { repo: repo.to_owned(), source: error.into() })?;
        Ok(Self { repo, limits, client, started: Instant::now() })
    }

    /// Asks for something of at most `limit` bytes. `accept`: media types; `token`: a bearer token, which goes to this
    /// URL's server only.
    pub(crate) fn get(
        &self,
        url: &Url,
        accept: Option<&str>,
        token: Option<&str>,
        limit: u64,
    ) -> Result<Answer, SourceError> {
        let left = self.limits.timeout.saturating_sub(self.started.elapsed());
        if left.is_zero() {
            return Err(self.timed_out());
        }
        let mut request = self.client.get(url.clone()).timeout(left);
        if let Some(accept) = accept {
            request = request.header(ACCEPT, accept);
        }
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let response = request.send().map_err(|error| self.failure(error))?;
        match response.status().as_u16() {
            // Slow down, or try again.
            408 | 425 | 429 | 500.. => Err(SourceError::Unreachable {
                repo: self.repo.to_owned(),
                source: format!("{} answers with HTTP {}", shown(response.url()), response.status()).into(),
            }),
            _ => self.read(response, limit),
        }
    }

    fn read(&self, response: Response, limit: u64) -> Result<Answer, SourceError> {
        let (status, headers, url) = (response.status().as_u16(), response.headers().clone(), response.url().clone());
        let mut body = Vec::new();
        response.take(limit + 1).read_to_end(&mut body).map_err(|error| self.failure(error))?;
        if body.len() as u64 > limit {
            return Err(SourceError::TooLarge {
                repo: self.repo.to_owned(),
                path: shown(&url),
                limit,
                unit: "bytes to transfer",
            });
        }
        Ok(Answer { status, headers, url, body })
    }

    fn failure(&self, error: impl std::error::Error + Send + Sync + 'static) -> SourceError {
        if self.started.elapsed() >= self.limits.timeout {
            return self.timed_out();
        }
        SourceError::Unreachable { repo: self.repo.to_owned(), source: error.into() }
    }

    fn timed_out(&self) -> SourceError {
        SourceError::TimedOut { repo: self.repo.to_owned(), timeout: self.limits.timeout }
    }
}

/// A URL for people: storage is often addressed with signatures in the query.
pub(crate) fn shown(url: &Url) -> String {
    url.as_str().split(['?', '#']).next().unwrap_or_default().to_owned()
}
