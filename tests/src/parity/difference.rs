//! Where two outputs part.

use std::fmt;

/// The first line in which two outputs differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The template that the line comes from, as in Helm's last `# Source:` line before it.
    pub source: String,
    /// The line's number, from one.
    pub line: usize,
    /// That line in Helm's output, if it has one.
    pub helm: Option<String>,
    /// That line in ours, if it has one.
    pub ours: Option<String>,
}

impl Difference {
    /// Finds the first difference; none if the texts are the same.
    pub fn first(helm: &str, ours: &str) -> Option<Self> {
        Self::first_that(helm, ours, |_, _| true)
    }

    /// Finds the first pair of unlike lines for which `counts(line number, our line)` holds.
    pub fn first_that(helm: &str, ours: &str, counts: impl Fn(usize, &str) -> bool) -> Option<Self> {
        // Lines with their ends: a missing last newline is a difference too.
        let (mut helm, mut ours) = (helm.split_inclusive('\n'), ours.split_inclusive('\n'));
        let mut source = String::new();
        let mut line = 1;
        loop {
            let (theirs, own) = (helm.next(), ours.next());
            if theirs.is_none() && own.is_none() {
                return None;
            }
            if let Some(path) = theirs.and_then(|text| text.strip_prefix("# Source: ")) {
                path.trim_end().clone_into(&mut source);
            }
            if theirs != own && own.is_none_or(|own| counts(line, own)) {
                return Some(Self { source, line, helm: theirs.map(str::to_owned), ours: own.map(str::to_owned) });
            }
            line += 1;
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let template = if self.source.is_empty() { "no template" } else { &self.source };
        writeln!(formatter, "line {} differs, from {template}:", self.line)?;
        let mut side = |name: &str, text: &Option<String>| match text {
            Some(text) => writeln!(formatter, "  {name} {text:?}"),
            None => writeln!(formatter, "  {name} has ended"),
        };
        side("helm:", &self.helm)?;
        side("ours:", &self.ours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_found() {
        let difference = Difference::first("# Source: c/a.yaml\nb\nc\n", "# Source: c/a.yaml\nB\nc\n").unwrap();
        assert_eq!(difference.to_string(), "line 2 differs, from c/a.yaml:\n  helm: \"b\\n\"\n  ours: \"B\\n\"\n");
        let difference = Difference::first("a\nb", "a\n").unwrap();
        assert_eq!(difference.to_string(), "line 2 differs, from no template:\n  helm: \"b\"\n  ours: has ended\n");
        assert_eq!(Difference::first("a\n", "a\n"), None);
    }
}
