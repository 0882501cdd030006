//! Anchored patterns: the whole text must match.

use std::fmt;

/// A pattern that must match the whole text: `*` stands for any run of characters other than `/`, `**` for any run.
/// There is nothing else to escape or to know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Glob {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Part {
    Literal(String),
    WithinSegment,
    Anything,
}

/// Why a pattern is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GlobError {
    /// An empty pattern would match nothing but empty text; it is a slip.
    #[error("a pattern must not be empty")]
    Empty,
    /// Three or more stars in a row.
    #[error("`{pattern}` has more than two stars in a row")]
    Stars {
        /// The pattern.
        pattern: String,
    },
}

impl Glob {
    /// Reads a pattern.
    pub fn new(pattern: &str) -> Result<Self, GlobError> {
        if pattern.is_empty() {
            return Err(GlobError::Empty);
        }
        if pattern.contains("***") {
            return Err(GlobError::Stars { pattern: pattern.to_owned() });
        }
        let mut parts = Vec::new();
        let mut rest = pattern;
        while let Some(star) = rest.find('*') {
            if star > 0 {
                parts.push(Part::Literal(rest[..star].to_owned()));
            }
            rest = &rest[star + 1..];
            match rest.strip_prefix('*') {
                Some(after) => {
                    parts.push(Part::Anything);
                    rest = after;
                }
                None => parts.push(Part::WithinSegment),
            }
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self { text: pattern.to_owned(), parts })
    }

    /// Whether the whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        let text = text.as_bytes();
        // Positions in the text that the parts so far can end at: linear in parts times length, whatever the pattern.
        let mut reached = vec![false; text.len() + 1];
        reached[0] = true;
        for part in &self.parts {
            let mut next = vec![false; text.len() + 1];
            match part {
                Part::Literal(literal) => {
                    for start in 0..text.len() {
                        if reached[start] && text[start..].starts_with(literal.as_bytes()) {
                            next[start + literal.len()] = true;
                        }
                    }
                }
                Part::WithinSegment | Part::Anything => {
                    for end in 0..=text.len() {
                        let continued = end > 0 && next[end - 1] && (*part == Part::Anything || text[end - 1] != b'/');
                        next[end] = reached[end] || continued;
                    }
                }
            }
            reached = next;
        }
        reached[text.len()]
    }

    /// Whether the pattern has a star.
    pub fn is_pattern(&self) -> bool {
        self.parts.iter().any(|part| !matches!(part, Part::Literal(_)))
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_texts() {
        for (pattern, text, expected) in [
            ("team-a", "team-a", true),
            ("team-a", "team-ab", false),
            ("team-a", "my-team-a", false),
            ("team-*", "team-a", true),
            ("team-*", "team-", true),
            ("team-*", "x-team-a", false),
            ("*", "anything", true),
            ("*", "", true),
            ("*-prod", "a-prod-prod", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "acb", false),
            ("https://github.com/acme/*", "https://github.com/acme/charts", true),
            ("https://github.com/acme/*", "https://github.com/acme/charts/more", false),
            ("https://github.com/acme/**", "https://github.com/acme/charts/more", true),
            ("https://github.com/acme/*", "https://evil.example/?x=https://github.com/acme/charts", false),
            ("https://*.example.com/x", "https://evil.test/.example.com/x", false),
        ] {
            assert_eq!(Glob::new(pattern).unwrap().matches(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_stay_linear() {
        let pattern = "*a".repeat(100) + "*b";
        assert!(!Glob::new(&pattern).unwrap().matches(&"a".repeat(10_000)));
    }

    #[test]
    fn slips_are_errors() {
        assert_eq!(Glob::new(""), Err(GlobError::Empty));
        assert_eq!(Glob::new("a***"), Err(GlobError::Stars { pattern: "a***".into() }));
    }
}
