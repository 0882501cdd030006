//! `.helmignore`: which files of a chart directory are not part of the chart.

use crate::glob::{BadPattern, PathPattern};

/// The rules of one `.helmignore`, and Helm's own: dot-files directly in `templates/` are ignored.
#[derive(Clone, Debug)]
pub struct IgnoreRules {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    pattern: PathPattern,
    negated: bool,
    directories_only: bool,
    scope: Scope,
}

/// What a rule's pattern is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    WholePath,
    LastSegment,
}

/// Why a `.helmignore` cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IgnoreError {
    /// `**` in a rule.
    #[error("double-star (**) syntax is not supported")]
    DoubleStar {
        /// The rule's line, from 1.
        line: usize,
    },
    /// A rule that is no valid pattern.
    #[error("{BadPattern}")]
    BadPattern {
        /// The rule's line, from 1.
        line: usize,
    },
}

impl Default for IgnoreRules {
    fn default() -> Self {
        let mut rules = Self { rules: Vec::new() };
        rules.add_defaults();
        rules
    }
}

impl IgnoreRules {
    /// Parses the text of a `.helmignore`: one rule a line, `#` for comments.
    pub fn parse(text: &str) -> Result<Self, IgnoreError> {
        let mut rules = Self { rules: Vec::new() };
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let rule = line.trim();
            if rule.is_empty() || rule.starts_with('#') {
                continue;
            }
            if rule.contains("**") {
                return Err(IgnoreError::DoubleStar { line: index + 1 });
            }
            rules.add(rule).map_err(|BadPattern| IgnoreError::BadPattern { line: index + 1 })?;
        }
        rules.add_defaults();
        Ok(rules)
    }

    fn add_defaults(&mut self) {
        let added = self.add("templates/.?*");
        debug_assert!(added.is_ok(), "the default rule is a valid pattern");
    }

    fn add(&mut self, rule: &str) -> Result<(), BadPattern> {
        PathPattern::parse(rule)?;
        let (negated, rule) = rule.strip_prefix('!').map_or((false, rule), |rest| (true, rest));
        let (directories_only, rule) = rule.strip_suffix('/').map_or((false, rule), |rest| (true, rest));
        let (scope, rule) = match rule.strip_prefix('/') {
            Some(rest) => (Scope::WholePath, rest),
            None if rule.contains('/') => (Scope::WholePath, rule),
            None => (Scope::LastSegment, rule),
        };
        // What is left can be invalid although the whole was not, such as `\/`. Go then matches nothing.
        if let Ok(pattern) = PathPattern::parse(rule) {
            self.rules.push(Rule { pattern, negated, directories_only, scope });
        }
        Ok(())
    }

    /// Whether a file or directory is ignored, given its path relative to the chart's root. The first rule that decides
    /// wins; a negated rule decides against everything that it does not match. An ignored directory hides all below it:
    /// a walk does not enter it.
    pub fn ignores(&self, path: &str, is_directory: bool) -> bool {
        if matches!(path, "" | "." | "./") {
            return false;
        }
        for rule in &self.rules {
            let applicable = !rule.directories_only || is_directory;
            let matched = applicable && rule.matches(path);
            if matched != rule.negated {
                return true;
            }
        }
        false
    }

    /// Keeps the files that are ignored neither by themselves nor through one of the directories above them. `path` is
    /// that of a file; files of one directory that follow each other cost least.
    pub(super) fn retain<F>(&self, files: &mut Vec<F>, path: impl Fn(&F) -> &str) {
        let mut directory = (String::new(), false);
        files.retain(|file| {
            let path = path(file);
            let parent = path.rfind('/').map_or("", |slash| &path[..=slash]);
            if directory.0 != parent {
                let is_ignored = parent.match_indices('/').any(|(slash, _)| self.ignores(&path[..slash], true));
                directory = (parent.to_owned(), is_ignored);
            }
            !directory.1 && !self.ignores(path, false)
        });
    }
}

impl Rule {
    fn matches(&self, path: &str) -> bool {
        let subject = match self.scope {
            Scope::WholePath => path,
            Scope::LastSegment => path.rsplit('/').next().unwrap_or(path),
        };
        self.pattern.matches(subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applies_the_first_rule_that_decides() {
        for (rules, path, expected) in [
            ("helm.txt", "helm.txt", true),
            ("helm.*", "mast/helm.txt", true),
            ("h*m.txt", "helm.tx", false),
            ("mast/", "mast/a.txt", true),
            ("mast/", "mast", false),
            ("/cargo/*.txt", "cargo/a.txt", true),
            ("/cargo/*.txt", "hold/cargo/a.txt", false),
            ("cargo/*.txt", "hold/cargo/a.txt", false),
            ("/a.txt", "cargo/a.txt", false),
            ("[a-c].txt", "cargo/b.txt", true),
            ("# helm.txt\n\n  \n", "helm.txt", false),
            ("\u{feff}helm.txt", "helm.txt", true),
            ("!helm.txt", "tiller.txt", true),
            ("!helm.txt", "helm.txt", false),
            ("!*.yaml\n*.yaml", "a.yaml", true),
            ("!helm/", "Chart.yaml", true),
            ("", "templates/.dotfile", true),
            ("", "templates/sub/.dotfile", false),
            ("", ".helmignore", false),
            ("  *.bak  \r\n*.tmp", "x.tmp", true),
        ] {
            let mut paths = vec![path, "other/file", path];
            IgnoreRules::parse(rules).unwrap().retain(&mut paths, |path| path);
            assert_eq!(!paths.contains(&path), expected, "{rules:?} {path}");
        }
    }

    #[test]
    fn refuses_bad_rules() {
        assert_eq!(IgnoreRules::parse("a\n**/b").err(), Some(IgnoreError::DoubleStar { line: 2 }));
        let error = IgnoreRules::parse("[]a]").unwrap_err();
        assert_eq!(error.to_string(), "syntax error in pattern");
    }
}
