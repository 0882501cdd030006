//! `helm template --show-only`.

use super::split;
use crate::glob::PathPattern;
use crate::profile::DocumentSplitter;

const SOURCE: &str = "# Source: ";

/// A pattern that selects no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("could not find template {pattern} in chart")]
pub struct ShowOnlyError {
    /// The pattern.
    pub pattern: String,
}

/// Selects documents of Helm's complete output, which Helm cuts once more for this.
pub(super) fn show_only(output: &str, patterns: &[&str], splitter: DocumentSplitter) -> Result<String, ShowOnlyError> {
    let documents = split::documents(output.as_bytes(), splitter);
    let documents: Vec<_> = documents.into_iter().map(String::from_utf8_lossy).collect();
    let mut selected = String::new();
    for pattern in patterns {
        let compiled = PathPattern::parse(pattern).ok();
        let mut missing = true;
        for document in &documents {
            let matches = |path: &str| compiled.as_ref().is_some_and(|compiled| compiled.matches(path));
            if source(document).is_some_and(matches) {
                missing = false;
                selected.push_str("---\n");
                selected.push_str(document);
                selected.push('\n');
            }
        }
        if missing {
            return Err(ShowOnlyError { pattern: (*pattern).to_owned() });
        }
    }
    Ok(selected)
}

/// The template that the first `# Source:` comment with a path names, without the chart's name.
fn source(document: &str) -> Option<&str> {
    document.match_indices(SOURCE).find_map(|(start, _)| {
        let (chart, rest) = document[start + SOURCE.len()..].split_once('/')?;
        let path = rest.lines().next()?;
        (!chart.is_empty() && !path.is_empty()).then_some(path)
    })
}
