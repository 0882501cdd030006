//! `filepath.Match`: `*` and `?` stop at `/`, `[a-z]` and `[^a-z]` are classes, `\` escapes.

use std::iter::Peekable;
use std::str::Chars;

/// A pattern that has been checked and can be matched against any number of paths.
#[derive(Clone, Debug)]
pub(crate) struct PathPattern {
    tokens: Vec<Token>,
    /// How a path has to begin and to end, which tells most of those that do not match.
    prefix: String,
    suffix: String,
}

#[derive(Clone, Debug)]
enum Token {
    Literal(char),
    /// Any character except `/`.
    One,
    /// Any run of characters except `/`.
    Run,
    /// One character of these ranges, or of none of them; unlike `?` this can be `/`.
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

/// A pattern that Go refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("syntax error in pattern")]
pub(crate) struct BadPattern;

impl PathPattern {
    /// Checks a pattern.
    pub(crate) fn parse(pattern: &str) -> Result<Self, BadPattern> {
        let mut tokens = Vec::new();
        let mut characters = pattern.chars().peekable();
        while let Some(character) = characters.next() {
            tokens.push(match character {
                '*' => Token::Run,
                '?' => Token::One,
                '\\' => Token::Literal(characters.next().ok_or(BadPattern)?),
                '[' => parse_class(&mut characters)?,
                other => Token::Literal(other),
            });
        }
        let prefix = tokens.iter().map_while(Token::literal).collect();
        let suffix: Vec<char> = tokens.iter().rev().map_while(Token::literal).collect();
        Ok(Self { tokens, prefix, suffix: suffix.into_iter().rev().collect() })
    }

    /// Whether the whole path matches. Takes at most time proportional to the lengths of pattern and path multiplied.
    pub(crate) fn matches(&self, path: &str) -> bool {
        if !path.starts_with(&self.prefix) || !path.ends_with(&self.suffix) {
            return false;
        }
        let path: Vec<char> = path.chars().collect();
        let (mut token, mut position) = (0, 0);
        // Where to go on after the last `*` has swallowed one more character. Earlier ones need not be tried again.
        let mut resume: Option<(usize, usize)> = None;
        loop {
            match self.tokens.get(token) {
                Some(Token::Run) => {
                    token += 1;
                    resume = Some((token, position));
                    continue;
                }
                None if position == path.len() => return true,
                Some(other) if path.get(position).is_some_and(|character| other.accepts(*character)) => {
                    token += 1;
                    position += 1;
                    continue;
                }
                _ => {}
            }
            match resume {
                Some((after_run, start)) if path.get(start).is_some_and(|character| *character != '/') => {
                    resume = Some((after_run, start + 1));
                    token = after_run;
                    position = start + 1;
                }
                _ => return false,
            }
        }
    }
}

impl Token {
    fn literal(&self) -> Option<char> {
        if let Self::Literal(literal) = self { Some(*literal) } else { None }
    }

    fn accepts(&self, character: char) -> bool {
        match self {
            Self::Literal(literal) => *literal == character,
            Self::One => character != '/',
            Self::Run => false,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&character)) != *negated
            }
        }
    }
}

fn parse_class(characters: &mut Peekable<Chars<'_>>) -> Result<Token, BadPattern> {
    let negated = characters.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        if !ranges.is_empty() && characters.next_if_eq(&']').is_some() {
            return Ok(Token::Class { negated, ranges });
        }
        let low = class_member(characters)?;
        let high = if characters.next_if_eq(&'-').is_some() { class_member(characters)? } else { low };
        ranges.push((low, high));
    }
}

fn class_member(characters: &mut Peekable<Chars<'_>>) -> Result<char, BadPattern> {
    match characters.next() {
        None | Some('-' | ']') => Err(BadPattern),
        Some('\\') => characters.next().ok_or(BadPattern),
        Some(other) => Ok(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_go_does() {
        for (pattern, path, expected) in [
            ("abc", "abc", true),
            ("*", "abc", true),
            ("*", "a/b", false),
            ("*c", "abc", true),
            ("a*", "ab/c", false),
            ("a*/b", "abc/b", true),
            ("a*/b", "a/c/b", false),
            ("a*b*c*d*e*/f", "axbxcxdxe/f", true),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", false),
            ("a*b?c*x", "abxbbxdbxebxczzx", true),
            ("a*b?c*x", "abxbbxdbxebxczzy", false),
            ("ab[c]", "abc", true),
            ("ab[b-d]", "abc", true),
            ("ab[^b-d]", "abc", false),
            ("a[^b]c", "a/c", true),
            ("a?b", "a/b", false),
            ("a\\*b", "a*b", true),
            ("[\\]a]", "]", true),
            ("[x-]", "x", false),
            ("*x", "xxx", true),
            ("", "", true),
            ("", "a", false),
            ("a[!b]c", "a!c", true),
        ] {
            let matched = PathPattern::parse(pattern).is_ok_and(|parsed| parsed.matches(path));
            assert_eq!(matched, expected, "{pattern} {path}");
        }
    }

    #[test]
    fn refuses_bad_patterns() {
        for pattern in ["[", "[]a]", "[-a]", "[a-]", "[a", "a\\", "[^]", "[a-b-c]"] {
            assert!(PathPattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}
