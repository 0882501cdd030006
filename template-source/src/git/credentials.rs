//! Who to be for which repository.

use std::fmt;

use gix::credentials::helper::Action;
use gix::credentials::protocol::Outcome;
use gix::sec::identity::Account;
use gix::url::Scheme;

use super::remote::parse_url;
use crate::SourceError;

/// A user name and a password for the repositories below one URL.
///
/// They are sent to that scheme, host and port only, and only for paths below the URL's: `https://host/team` is good for
/// `https://host/team/charts`, not for `https://host/team-b/charts`. A redirect to another origin never gets them.
#[derive(Clone)]
pub struct GitCredentials {
    prefix: gix::Url,
    username: String,
    password: String,
}

impl GitCredentials {
    /// Credentials for the repositories at or below `prefix`, an `https://` URL: nothing secret travels in the clear.
    pub fn new(prefix: &str, username: impl Into<String>, password: impl Into<String>) -> Result<Self, SourceError> {
        match parse_url(prefix)? {
            prefix if prefix.scheme == Scheme::Https => {
                Ok(Self { prefix, username: username.into(), password: password.into() })
            }
            _ => Err(SourceError::InsecureCredentials { prefix: prefix.to_owned() }),
        }
    }

    fn covers(&self, url: &gix::Url) -> bool {
        let port = |url: &gix::Url| url.port.or_else(|| url.scheme.default_port());
        let same_origin = self.prefix.scheme == url.scheme
            && self.prefix.host().zip(url.host()).is_some_and(|(left, right)| left.eq_ignore_ascii_case(right))
            && port(&self.prefix) == port(url);
        let (Some(prefix), Some(path)) = (segments(&self.prefix), segments(url)) else { return false };
        same_origin && path.starts_with(&prefix)
    }
}

impl fmt::Debug for GitCredentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("GitCredentials").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// The segments of a URL's path, without the suffix `.git`. None if they could mean another path to the server.
fn segments(url: &gix::Url) -> Option<Vec<&str>> {
    let path = std::str::from_utf8(&url.path).ok()?.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    if path.is_empty() {
        return Some(Vec::new());
    }
    let segments: Vec<&str> = path.split('/').collect();
    let ambiguous = |segment: &&str| matches!(*segment, "" | "." | "..") || segment.contains(['%', '\\', ';']);
    if segments.iter().any(ambiguous) { None } else { Some(segments) }
}

/// Answers the transport, which asks with the URL that wants to know: after a redirect, the redirect's.
pub(super) fn answer(credentials: &[GitCredentials], action: Action) -> Option<Outcome> {
    let Action::Get(context) = action else { return None };
    let url = gix::url::parse(context.url.as_ref()?).ok()?;
    let best = credentials
        .iter()
        .filter(|credentials| credentials.covers(&url))
        .max_by_key(|credentials| credentials.prefix.path.len())?;
    let identity =
        Account { username: best.username.clone(), password: best.password.clone(), oauth_refresh_token: None };
    Some(Outcome { identity, next: context.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_stay_below_their_prefix() {
        let rows = [
            ("https://host/team", "https://host/team/charts", true),
            ("https://host/team/charts", "https://HOST:443/team/charts.git", true),
            ("https://host/team/charts.git", "https://host/team/charts", true),
            ("https://host/", "https://host/any", true),
            ("https://host/team", "https://host/team-b/charts", false),
            ("https://host/team", "https://host/team/../other", false),
            ("https://host/team", "https://host/team/%2e%2e/other", false),
            ("https://host/team", "http://host/team/charts", false),
            ("https://host/team", "https://host:8443/team/charts", false),
            ("https://host/team", "https://host.example/team/charts", false),
        ];
        for (prefix, url, covered) in rows {
            let credentials = GitCredentials::new(prefix, "user", "secret").unwrap();
            assert_eq!(credentials.covers(&gix::url::parse(url).unwrap()), covered, "{prefix} {url}");
        }
    }

    #[test]
    fn credentials_are_for_https_only() {
        let error = GitCredentials::new("http://host/team", "user", "secret").unwrap_err();
        assert!(matches!(error, SourceError::InsecureCredentials { .. }), "{error:?}");
        assert!(GitCredentials::new("https://user:secret@host/team", "user", "secret").is_err());
    }

    #[test]
    fn the_closest_prefix_counts_and_passwords_are_not_shown() {
        let credentials = [
            GitCredentials::new("https://host", "wide", "secret").unwrap(),
            GitCredentials::new("https://host/team", "narrow", "secret").unwrap(),
        ];
        let outcome = answer(&credentials, Action::get_for_url("https://host/team/charts")).unwrap();
        assert_eq!(outcome.identity.username, "narrow");
        assert!(answer(&credentials, Action::get_for_url("https://other/team/charts")).is_none());
        assert!(!format!("{credentials:?}").contains("secret"));
    }
}
