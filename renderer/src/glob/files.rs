//! The glob dialect of `.Files.Glob` (gobwas/glob with `/` as the separator).
//!
//! `*` is any run without `/`, `**` any run, `?` one character but `/`, `[abc]`, `[a-z]` and `[!abc]` are classes,
//! `{a,b*}` alternatives, `\` escapes. A pattern that cannot be compiled matches every file.

use std::fmt::Write;
use std::iter::Peekable;
use std::str::Chars;

use regex_automata::meta::Regex;

/// Alternatives may nest this deep; more makes the pattern one that cannot be compiled.
const MAX_NESTING: usize = 64;

/// A compiled pattern.
#[derive(Clone, Debug)]
pub(crate) struct FilesPattern {
    /// None matches everything.
    regex: Option<Regex>,
}

#[derive(Debug)]
enum Token {
    Text(String),
    Any,
    Super,
    Single,
    Class { negated: bool, ranges: Vec<(char, char)> },
    Alternatives(Vec<Vec<Token>>),
}

impl FilesPattern {
    /// Compiles a pattern.
    pub(crate) fn new(pattern: &str) -> Self {
        let regex = parse(&mut pattern.chars().peekable(), 0).and_then(|tokens| {
            let mut expression = String::from("^(?s:");
            write_sequence(&mut expression, &tokens);
            expression.push_str(")$");
            Regex::new(&expression).ok()
        });
        Self { regex }
    }

    /// Whether the whole path matches.
    pub(crate) fn matches(&self, path: &str) -> bool {
        self.regex.as_ref().is_none_or(|regex| regex.is_match(path))
    }
}

/// Reads up to the end of the pattern or, inside alternatives, up to `,` or `}`. None if it cannot be compiled.
fn parse(characters: &mut Peekable<Chars<'_>>, nesting: usize) -> Option<Vec<Token>> {
    if nesting > MAX_NESTING {
        return None;
    }
    let mut tokens = Vec::new();
    while let Some(&next) = characters.peek() {
        if nesting > 0 && matches!(next, ',' | '}') {
            break;
        }
        characters.next();
        match next {
            '*' if characters.next_if_eq(&'*').is_some() => tokens.push(Token::Super),
            '*' => tokens.push(Token::Any),
            '?' => tokens.push(Token::Single),
            '[' => tokens.push(parse_class(characters)?),
            '{' => {
                let mut alternatives = vec![parse(characters, nesting + 1)?];
                while characters.next_if_eq(&',').is_some() {
                    alternatives.push(parse(characters, nesting + 1)?);
                }
                // An alternative that is not closed ends with the pattern.
                characters.next_if_eq(&'}');
                tokens.push(Token::Alternatives(alternatives));
            }
            _ => {
                let literal = if next == '\\' { characters.next() } else { Some(next) };
                if let Some(Token::Text(text)) = tokens.last_mut() {
                    text.extend(literal);
                } else {
                    tokens.push(Token::Text(literal.into_iter().collect()));
                }
            }
        }
    }
    Some(tokens)
}

/// Reads a class after `[`: either one range or a list of characters.
fn parse_class(characters: &mut Peekable<Chars<'_>>) -> Option<Token> {
    let negated = characters.next_if_eq(&'!').is_some();
    let mut ahead = characters.clone();
    if let (Some(low), Some('-')) = (ahead.next(), ahead.next()) {
        let high = ahead.next()?;
        if ahead.next() != Some(']') || high < low {
            return None;
        }
        *characters = ahead;
        return Some(Token::Class { negated, ranges: vec![(low, high)] });
    }
    let mut ranges = Vec::new();
    loop {
        let member = match characters.next()? {
            ']' if ranges.is_empty() => return None,
            ']' => return Some(Token::Class { negated, ranges }),
            '\\' => characters.next()?,
            other => other,
        };
        ranges.push((member, member));
    }
}

fn write_sequence(expression: &mut String, tokens: &[Token]) {
    if let [Token::Text(prefix), Token::Super, Token::Text(suffix)] = tokens {
        // Upstream compares prefix and suffix alone here, so they may share characters: `d/**/x` matches `d/x`.
        expression.push_str("(?:");
        for (start, _) in suffix.char_indices().skip(1).chain([(suffix.len(), ' ')]) {
            if prefix.ends_with(&suffix[..start]) {
                expression.push_str(&escape(&format!("{prefix}{}", &suffix[start..])));
                expression.push('|');
            }
        }
        expression.extend([escape(prefix).as_str(), ".*", escape(suffix).as_str(), ")"]);
        return;
    }
    for token in tokens {
        match token {
            Token::Text(text) => expression.push_str(&escape(text)),
            Token::Any => expression.push_str("[^/]*"),
            Token::Super => expression.push_str(".*"),
            Token::Single => expression.push_str("[^/]"),
            Token::Class { negated, ranges } => {
                expression.push_str(if *negated { "[^" } else { "[" });
                for (low, high) in ranges {
                    let _ = write!(expression, "\\x{{{:x}}}-\\x{{{:x}}}", *low as u32, *high as u32);
                }
                expression.push(']');
            }
            Token::Alternatives(alternatives) => {
                expression.push_str("(?:");
                for (index, alternative) in alternatives.iter().enumerate() {
                    if index > 0 {
                        expression.push('|');
                    }
                    write_sequence(expression, alternative);
                }
                expression.push(')');
            }
        }
    }
}

fn escape(text: &str) -> String {
    regex_syntax::escape(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_upstream_does() {
        for (pattern, path, expected) in [
            ("*", "a.yaml", true),
            ("*", ".hidden", true),
            ("*", "d/a.yaml", false),
            ("**", "d/a.yaml", true),
            ("d/*", "d/a", true),
            ("d/*", "d/e/a", false),
            ("d/**", "d/", true),
            ("d/**", "d", false),
            ("d/**", "d/e/f", true),
            ("**/*.yaml", "a.yaml", false),
            ("**/*.yaml", "d/a.yaml", true),
            ("conf/**.json", "conf/a/b.json", true),
            ("conf/**.json", "conf/b.json", true),
            ("d/**/x", "d/x", true),
            ("d/**/x", "d/e/x", true),
            ("{a,b}/*.{json,y*ml}", "b/x.yaml", true),
            ("{a,b}/*.{json,y*ml}", "c/x.yaml", false),
            ("{a,{b,c}}", "c", true),
            ("[abc].txt", "b.txt", true),
            ("[a-c].txt", "d.txt", false),
            ("[!a-c].txt", "d.txt", true),
            ("[!ab].txt", "a.txt", false),
            ("[^a].txt", "^.txt", true),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("a\\*c", "a*c", true),
            ("a\\*c", "abc", false),
            ("a.c", "abc", false),
            ("{a,b", "b", true),
            ("[a-z0-9]", "anything at/all", true),
            ("[", "anything", true),
            ("", "a", false),
        ] {
            assert_eq!(FilesPattern::new(pattern).matches(path), expected, "{pattern} {path}");
        }
    }
}
