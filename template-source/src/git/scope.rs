//! Which repositories credentials are for.

use std::cmp::Reverse;
use std::fmt;

use gix::bstr::ByteSlice;
use gix::url::Scheme;

use super::remote::parse_url;

/// One repository, or all at and below a URL, of one `https` origin.
///
/// `https://host/team` is good for `https://host/team/charts`, and not for `https://host/team-b/charts`. A suffix `.git`
/// and a final slash make no difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryScope {
    url: gix::Url,
    below: bool,
}

/// Why an expression is not taken for a [`RepositoryScope`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// Credentials would be sent in the clear, or to a server that is not named.
    #[error("it does not begin with https:// and the name of a server")]
    Origin,
    /// An operator of regular expressions, or a character that has no place in the URL of a repository.
    #[error("it contains `{found}`, which is more than the URL of repositories")]
    NotLiteral {
        /// The character, or the escape.
        found: String,
    },
    /// Empty or relative segments: servers read such a path in different ways.
    #[error("its path has empty or relative segments")]
    Ambiguous,
}

/// Characters of a repository's URL beside letters and digits. The dot is also an operator, and taken for the dot.
const SIGNS: &str = "-._~/:";

impl RepositoryScope {
    /// Reads `spec.repo` of a `TemplateAuthRule`. Cyclops looks for this regular expression anywhere in a repository's
    /// URL (pkg/auth/templates.go: `regexp.MatchString`), so that one meant for `https://host/team` is also good for
    /// `https://evil/?https://host/team`. Here it has to be a literal `https` URL and stands for the repositories at and
    /// below that. It may begin with `^`, end with `$` (that repository only), `/` or `/.*`, and escape its signs.
    pub fn from_expression(expression: &str) -> Result<Self, ScopeError> {
        let expression = expression.strip_prefix('^').unwrap_or(expression);
        let (expression, ends) = match expression.strip_suffix('$') {
            Some(expression) => (expression, true),
            None => (expression, false),
        };
        let (expression, open) = match expression.strip_suffix(".*") {
            Some(before) if before.ends_with('/') => (before, true),
            _ => (expression, false),
        };
        let url = parse_url(&literal(expression)?).map_err(|_| ScopeError::Origin)?;
        if url.scheme != Scheme::Https || url.host().is_none_or(str::is_empty) {
            return Err(ScopeError::Origin);
        }
        if segments(&url).is_none() {
            return Err(ScopeError::Ambiguous);
        }
        Ok(Self { url, below: open || !ends })
    }

    pub(super) fn covers(&self, url: &gix::Url) -> bool {
        let port = |url: &gix::Url| url.port.or_else(|| url.scheme.default_port());
        let same_origin = self.url.scheme == url.scheme
            && self.url.host().zip(url.host()).is_some_and(|(left, right)| left.eq_ignore_ascii_case(right))
            && port(&self.url) == port(url);
        let (Some(own), Some(path)) = (segments(&self.url), segments(url)) else { return false };
        same_origin && path.starts_with(&own) && (self.below || path.len() == own.len())
    }

    /// Sorts the closest scope first.
    pub(super) fn distance(&self) -> impl Ord + use<> {
        (Reverse(segments(&self.url).map_or(0, |segments| segments.len())), self.below)
    }
}

impl fmt::Display for RepositoryScope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.url.to_bstring();
        let url = url.to_str_lossy();
        write!(formatter, "{}{}", url.trim_end_matches('/'), if self.below { "/**" } else { "" })
    }
}

/// The text that an expression without operators stands for.
fn literal(expression: &str) -> Result<String, ScopeError> {
    let mut text = String::new();
    let mut characters = expression.chars();
    while let Some(character) = characters.next() {
        let (character, escaped) = match character {
            '\\' => (characters.next().unwrap_or('\\'), true),
            plain => (plain, false),
        };
        // An escaped letter is a class or an assertion, an escaped sign itself (Go: regexp/syntax).
        if !SIGNS.contains(character) && (escaped || !character.is_ascii_alphanumeric()) {
            let found = if escaped { format!("\\{character}") } else { character.to_string() };
            return Err(ScopeError::NotLiteral { found });
        }
        text.push(character);
    }
    Ok(text)
}

/// The segments of a URL's path, without the suffix `.git`. None if they could mean another path to the server.
fn segments(url: &gix::Url) -> Option<Vec<&str>> {
    // The path is decoded already; which server decodes what is another matter.
    if url.to_bstring().contains(&b'%') {
        return None;
    }
    let path = std::str::from_utf8(&url.path).ok()?.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    if path.is_empty() {
        return Some(Vec::new());
    }
    let segments: Vec<&str> = path.split('/').collect();
    let ambiguous = |segment: &&str| matches!(*segment, "" | "." | "..") || segment.contains(['\\', ';', '?', '#']);
    if segments.iter().any(ambiguous) { None } else { Some(segments) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_covers_what_lies_below_its_url_and_nothing_else() {
        let rows = [
            // How it can be written.
            ("https://github.com/org", "https://github.com/org/charts", true),
            ("https://github.com/org/", "https://github.com/org/charts", true),
            ("https://github.com/org/.*", "https://github.com/org/charts", true),
            ("^https://github\\.com/org/.*$", "https://github.com/org/charts.git", true),
            ("https:\\/\\/github\\.com\\/org\\/.*", "https://github.com/org/charts/", true),
            ("https://github.com/org/charts", "https://github.com/org/charts.git", true),
            ("https://github.com/org/charts.git", "https://github.com/org/charts", true),
            ("https://github.com/org/charts\\.git$", "https://github.com/org/charts", true),
            ("https://github.com", "https://github.com/any/charts", true),
            ("https://github.com/.*", "https://github.com/any/charts", true),
            ("https://gitlab.com/group/team-a/~x_1", "https://gitlab.com/group/team-a/~x_1/charts", true),
            // What the end of a URL ends.
            ("https://github.com/org$", "https://github.com/org", true),
            ("https://github.com/org$", "https://github.com/org/charts", false),
            ("https://github.com/org/$", "https://github.com/org/charts", false),
            // Another repository of the same server.
            ("https://github.com/org", "https://github.com/org-b/charts", false),
            ("https://github.com/org", "https://github.com/other/org/charts", false),
            ("https://github.com/org", "https://github.com/Org/charts", false),
            ("https://github.com/org", "https://github.com/org/../other", false),
            ("https://github.com/org", "https://github.com/org/./../other", false),
            ("https://github.com/org", "https://github.com/org/%2e%2e/other", false),
            ("https://github.com/org", "https://github.com/org%2fcharts", false),
            ("https://github.com/org", "https://github.com/%6frg/charts", false),
            ("https://github.com/org", "https://github.com//org/charts", true),
            ("https://github.com/org", "https://github.com/org//charts", false),
            ("https://github.com/org", "https://github.com/org\\charts", false),
            ("https://github.com/org", "https://github.com/org;x/charts", false),
            ("https://github.com/org", "https://github.com/org/charts?x=y", false),
            ("https://github.com/org", "https://github.com/org/charts#x", false),
            // Another server.
            ("https://github.com/org", "https://evil.example/?x=https://github.com/org/", false),
            ("https://github.com/org", "https://evil.example/https://github.com/org/charts", false),
            ("https://github.com/org", "https://evil.example/#https://github.com/org/charts", false),
            ("https://github.com/org", "https://github.com.evil.example/org/charts", false),
            ("https://github.com", "https://github.com.evil.example/org/charts", false),
            ("https://github.com/org", "https://evilgithub.com/org/charts", false),
            ("https://github.com/org", "https://githubXcom/org/charts", false),
            ("https://github.com/org", "https://github.com@evil.example/org/charts", false),
            ("https://github.com/org", "https://github.com:x@evil.example/org/charts", false),
            ("https://github.com/org", "https://github.com\\@evil.example/org/charts", false),
            ("https://github.com/org", "https://github.com./org/charts", false),
            // Another scheme or port.
            ("https://github.com/org", "http://github.com/org/charts", false),
            ("https://github.com/org", "ssh://github.com/org/charts", false),
            ("https://github.com/org", "https://github.com:8443/org/charts", false),
            ("https://github.com/org", "https://GitHub.com:443/org/charts", true),
            ("https://GitHub.com/org", "https://github.com/org/charts", true),
            ("https://git.example.com:8443/org", "https://git.example.com:8443/org/charts", true),
            ("https://git.example.com:8443/org", "https://git.example.com/org/charts", false),
        ];
        for (expression, url, covered) in rows {
            let scope = RepositoryScope::from_expression(expression).unwrap();
            let covers = gix::url::parse(url).is_ok_and(|url| scope.covers(&url));
            assert_eq!(covers, covered, "{expression} {url}");
        }
    }

    #[test]
    fn an_expression_that_could_mean_another_server_is_not_used() {
        let origin = [
            "",
            "^",
            "https://",
            "https://.*",
            "https:///.*",
            "https://:443/org",
            "https:/github.com/org",
            "http://github.com/org",
            "github.com/org",
            "^github\\.com/org",
            "//github.com/org",
            "ssh://github.com/org",
            "xhttps://github.com/org",
            "https://github.com:port/org",
            "https://github.com:99999/org",
            "https://git:hub:com/org",
        ];
        for expression in origin {
            let scope = RepositoryScope::from_expression(expression);
            assert_eq!(scope, Err(ScopeError::Origin), "{expression}");
        }
        let operators = [
            (".*", "*"),
            (".*https://github.com/org", "*"),
            ("https?://github.com/org", "?"),
            ("https://.*/org", "*"),
            ("https://[a-z]+/org", "["),
            ("https://.+", "+"),
            ("https://github.com.*", "*"),
            ("https://github.com/org.*", "*"),
            ("https://github.com/org/.*.*", "*"),
            ("https://github.com/(org|other)", "("),
            ("https://github.com/org|https://evil.example", "|"),
            ("(?i)https://github.com/org", "("),
            ("https://github.com/^org", "^"),
            ("https://github.com/$org", "$"),
            ("https://github.com/org\\$", "\\\\"),
            ("https://github.com/\\w", "\\w"),
            ("\\Ahttps://github.com/org", "\\A"),
            ("https://github\\x2ecom/org", "\\x"),
            ("\\Qhttps://github.com/org\\E", "\\Q"),
            ("https://github.com/org{2}", "{"),
            ("https://user@github.com/org", "@"),
            ("https://github.com/org%2fcharts", "%"),
            ("https://github.com/org\\?x", "\\?"),
            ("https://github.com/org#x", "#"),
            ("https://github.com/org ", " "),
            ("https://github.com/org\n", "\n"),
            ("https://gith\u{fc}b.com/org", "\u{fc}"),
        ];
        for (expression, found) in operators {
            let scope = RepositoryScope::from_expression(expression);
            assert_eq!(scope, Err(ScopeError::NotLiteral { found: found.to_owned() }), "{expression}");
        }
        for expression in
            ["https://github.com/org/../other", "https://github.com/org//charts", "https://github.com/./x"]
        {
            assert_eq!(RepositoryScope::from_expression(expression), Err(ScopeError::Ambiguous), "{expression}");
        }
    }

    #[test]
    fn a_scope_is_shown_as_what_it_covers() {
        let shown = |expression| RepositoryScope::from_expression(expression).unwrap().to_string();
        assert_eq!(shown("^https://GitHub\\.com/org/.*"), "https://github.com/org/**");
        assert_eq!(shown("https://github.com/org/charts$"), "https://github.com/org/charts");
        assert_eq!(shown("https://github.com"), "https://github.com/**");
    }
}
