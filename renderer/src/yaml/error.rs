//! What can be wrong with a YAML text.

use super::node::Position;

/// A YAML text that cannot be read. It prints as `sigs.k8s.io/yaml` prints it:
/// `error converting YAML to JSON: yaml: line 3: did not find expected key`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("error converting YAML to JSON: {}", self.problem())]
pub struct YamlError {
    cause: Cause,
    position: Option<Position>,
    is_limit: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Cause {
    /// From the YAML parser, with the line that Go names, which is not always the line of [`YamlError::position`].
    Yaml { line: Option<usize>, problem: String },
    /// From the conversion to JSON, which knows no lines.
    Conversion(String),
}

impl YamlError {
    /// An error of the parser; `line` is the line that Go prints, if it prints one.
    pub(crate) fn yaml(line: Option<usize>, problem: impl Into<String>) -> Self {
        Self { cause: Cause::Yaml { line, problem: problem.into() }, position: None, is_limit: false }
    }

    /// An error of the conversion to JSON.
    pub(crate) fn conversion(problem: impl Into<String>) -> Self {
        Self { cause: Cause::Conversion(problem.into()), position: None, is_limit: false }
    }

    /// A limit of this crate, where Go reads on.
    pub(crate) fn limit(problem: impl Into<String>) -> Self {
        Self { is_limit: true, ..Self::yaml(None, problem) }
    }

    /// Whether the text is only too much for this crate. Whoever turns errors into values must not do so with these: the
    /// text has another value in Helm.
    pub fn is_limit(&self) -> bool {
        self.is_limit
    }

    /// The same error with the place of the offending text.
    #[must_use]
    pub(crate) fn at(mut self, position: Position) -> Self {
        self.position = Some(position);
        self
    }

    /// The text without the prefix `error converting YAML to JSON: `, such as `yaml: line 3: found ...`.
    pub fn problem(&self) -> String {
        match &self.cause {
            Cause::Yaml { line: Some(line), problem } => format!("yaml: line {line}: {problem}"),
            Cause::Yaml { line: None, problem } => format!("yaml: {problem}"),
            Cause::Conversion(problem) => problem.clone(),
        }
    }

    /// Where the offending text is, as far as known.
    pub fn position(&self) -> Option<Position> {
        self.position
    }
}
