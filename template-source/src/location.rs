//! What a Module asks for, and what it gets.

use std::fmt;

use renderer::ChartFile;

/// A chart as a Module names it in `spec.template`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TemplateLocation {
    /// The repository's URL.
    pub repo: String,
    /// The chart's folder inside the repository, with `/`; empty for the root.
    pub path: String,
    /// Branch, tag, commit or full reference name; empty for the default branch.
    pub version: String,
}

impl fmt::Display for TemplateLocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.repo)?;
        if !self.path.is_empty() {
            write!(formatter, " path {}", self.path)?;
        }
        if !self.version.is_empty() {
            write!(formatter, " version {}", self.version)?;
        }
        Ok(())
    }
}

/// A chart's files, and the digest that stands for them.
#[derive(Clone, Debug)]
pub struct FetchedTemplate {
    /// `sha256:…` over the files of a local folder, or the commit id of a git repository.
    pub digest: String,
    /// The chart's files, relative to its folder, sorted by name.
    pub files: Vec<ChartFile>,
}
