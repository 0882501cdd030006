//! Where templates may come from.

use super::glob::{Glob, GlobError};
use super::types::TemplateSource;

/// Why a template may not come from where a reference says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// There is no repository.
    #[error("the template has no repository")]
    Missing,
    /// The scheme is neither `https` nor `oci`, and no policy lists the repository.
    #[error("`{repo}` is not an https:// or oci:// URL")]
    Insecure {
        /// The repository.
        repo: String,
    },
    /// User name, password, query, fragment, white space, `..`, a backslash or a percent sign: different programs read
    /// such a URL differently.
    #[error("`{repo}` contains {what}, which a template repository must not")]
    Ambiguous {
        /// The repository, without credentials.
        repo: String,
        /// What it contains.
        what: &'static str,
    },
    /// A policy lists sources and this is none of them.
    #[error("no policy lists `{repo}` with path `{path}` as a template source")]
    NotListed {
        /// The repository.
        repo: String,
        /// The path.
        path: String,
    },
}

/// One spelling for all URLs of the same repository: scheme and host in lower case, the scheme's default port, `.git`
/// and trailing slashes left out. Errors for URLs that could be read in more than one way.
pub fn canonical_repository(repo: &str) -> Result<String, SourceError> {
    if repo.is_empty() {
        return Err(SourceError::Missing);
    }
    let (scheme, rest) = repo.split_once("://").unwrap_or(("", repo));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let shown = match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{host}{path}"),
        None => repo.to_owned(),
    };
    let ambiguous = |what| Err(SourceError::Ambiguous { repo: shown.clone(), what });
    if repo.chars().any(|character| character.is_whitespace() || character.is_control()) {
        return ambiguous("white space or control characters");
    }
    for (sign, what) in
        [("@", "a user name"), ("?", "a query"), ("#", "a fragment"), ("%", "percent-encoding"), ("\\", "a backslash")]
    {
        let place = if sign == "@" { authority } else { repo };
        if place.contains(sign) {
            return ambiguous(what);
        }
    }
    if path.split('/').any(|segment| segment == ".." || segment == ".") {
        return ambiguous("relative path segments");
    }
    let scheme = scheme.to_ascii_lowercase();
    let authority = authority.to_ascii_lowercase();
    let authority = match scheme.as_str() {
        "https" | "oci" => authority.strip_suffix(":443").unwrap_or(&authority),
        "http" => authority.strip_suffix(":80").unwrap_or(&authority),
        _ => &authority,
    };
    let path: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let path = path.join("/");
    let path = path.strip_suffix(".git").unwrap_or(&path);
    let separator = if scheme.is_empty() { "" } else { "://" };
    let slash = if path.is_empty() { "" } else { "/" };
    Ok(format!("{scheme}{separator}{authority}{slash}{path}"))
}

/// A policy's list of sources; none: any over TLS.
#[derive(Clone, Debug)]
pub(crate) struct TemplateSources(Option<Vec<(Glob, Option<Glob>)>>);

impl TemplateSources {
    pub(crate) fn new(sources: Option<&[TemplateSource]>) -> Result<Self, GlobError> {
        let Some(sources) = sources else { return Ok(Self(None)) };
        let read = |source: &TemplateSource| {
            // A literal repository is written as freely as a reference to it; a pattern is taken as it stands.
            let repo = match canonical_repository(&source.repo) {
                Ok(canonical) if !source.repo.contains('*') => canonical,
                _ => source.repo.clone(),
            };
            Ok((Glob::new(&repo)?, source.path.as_deref().map(Glob::new).transpose()?))
        };
        Ok(Self(Some(sources.iter().map(read).collect::<Result<_, _>>()?)))
    }

    /// No source at all.
    pub(crate) fn none() -> Self {
        Self(Some(Vec::new()))
    }

    pub(crate) fn is_list(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn check(&self, repo: &str, path: &str) -> Result<(), SourceError> {
        let canonical = canonical_repository(repo)?;
        match &self.0 {
            None if canonical.starts_with("https://") || canonical.starts_with("oci://") => Ok(()),
            None => Err(SourceError::Insecure { repo: repo.to_owned() }),
            Some(sources) => {
                let path = path.trim_matches('/');
                let listed = sources.iter().any(|(repo_glob, path_glob)| {
                    repo_glob.matches(&canonical) && path_glob.as_ref().is_none_or(|glob| glob.matches(path))
                });
                if listed {
                    Ok(())
                } else {
                    Err(SourceError::NotListed { repo: repo.to_owned(), path: path.to_owned() })
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_repository_are_one() {
        for repo in [
            "https://github.com/cyclops-ui/templates",
            "https://github.com/cyclops-ui/templates/",
            "https://github.com/cyclops-ui/templates.git",
            "HTTPS://GitHub.com:443//cyclops-ui/templates.git/",
        ] {
            assert_eq!(canonical_repository(repo).unwrap(), "https://github.com/cyclops-ui/templates", "{repo}");
        }
        assert_eq!(canonical_repository("oci://ghcr.io/acme").unwrap(), "oci://ghcr.io/acme");
        assert_eq!(canonical_repository("https://charts.example.com").unwrap(), "https://charts.example.com");
    }

    #[test]
    fn urls_that_can_be_misread_are_refused_without_their_credentials() {
        for repo in [
            "https://user:secret@github.com/a/b",
            "https://evil.example/?x=https://github.com/a/b",
            "https://github.com/a/../b",
            "https://github.com/a%2fb",
            "https://github.com/a b",
            "https://github.com/a#b",
            "https://github.com\\@evil.example/a",
        ] {
            let error = canonical_repository(repo).unwrap_err();
            assert!(matches!(error, SourceError::Ambiguous { .. }), "{repo}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn without_a_list_any_source_over_tls_passes() {
        let sources = TemplateSources::new(None).unwrap();
        assert!(sources.check("https://github.com/a/b", "c").is_ok());
        assert!(sources.check("oci://ghcr.io/a", "c").is_ok());
        for repo in ["http://github.com/a/b", "github.com/a/b", "file:///etc", "ssh://git.example.com/a", ""] {
            assert!(sources.check(repo, "c").is_err(), "{repo}");
        }
    }

    #[test]
    fn a_list_is_matched_against_the_canonical_spelling() {
        let source = |repo: &str, path: Option<&str>| TemplateSource { repo: repo.into(), path: path.map(Into::into) };
        let list = [source("https://github.com/acme/*", Some("charts/*")), source("http://git.test/x.git", None)];
        let sources = TemplateSources::new(Some(&list)).unwrap();
        assert!(sources.check("https://GitHub.com/acme/one.git", "/charts/a/").is_ok());
        assert!(sources.check("https://github.com/acme/one", "other").is_err());
        assert!(sources.check("https://github.com/other/one", "charts/a").is_err());
        assert!(sources.check("http://git.test/x", "anything").is_ok());
        assert!(TemplateSources::none().check("https://github.com/acme/one", "charts/a").is_err());
    }
}
