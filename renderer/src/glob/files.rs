//! The glob dialect of `.Files.Glob` (gobwas/glob with `/` as the separator).
//!
//! `*` is any run without `/`, `**` any run, `?` one character but `/`, `[abc]`, `[a-z]` and `[!abc]` are classes,
//! `{a,b*}` alternatives, `\` escapes. A pattern that cannot be compiled matches every file.

use std::iter::Peekable;
use std::str::Chars;

/// Alternatives may nest this deep; native stack bounds what recursion can take.
const MAX_NESTING: usize = 500;

/// Why a pattern has no automaton.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// Upstream cannot compile it either.
    Invalid,
    TooDeep,
}

/// A pattern whose alternatives nest too deep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the pattern has alternatives in more than {MAX_NESTING} levels")]
pub(crate) struct PatternTooDeep;

/// A compiled pattern: a small automaton, all states of which are followed at once.
#[derive(Clone, Debug)]
pub(crate) struct FilesPattern {
    /// None matches everything.
    states: Option<Vec<State>>,
}

/// What the automaton does in a state. Where nothing else is said, the next state follows.
#[derive(Clone, Debug)]
enum State {
    /// Takes this character.
    Character(char),
    /// Takes any character but `/`.
    WithinSegment,
    /// Takes any character.
    Anything,
    /// Takes a character of a class.
    Class { negated: bool, ranges: Vec<(char, char)> },
    /// Goes on in both the next state and another one.
    Split(usize),
    /// Goes on elsewhere.
    Jump(usize),
}

impl State {
    fn takes(&self, character: char) -> bool {
        match self {
            Self::Character(expected) => character == *expected,
            Self::WithinSegment => character != '/',
            Self::Anything => true,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&character)) != *negated
            }
            Self::Split(_) | Self::Jump(_) => false,
        }
    }
}

/// The states that the automaton is in; the state after the last one means that the pattern is at its end.
struct Active {
    list: Vec<usize>,
    is_active: Vec<bool>,
}

impl Active {
    fn new(states: &[State]) -> Self {
        Self { list: Vec::new(), is_active: vec![false; states.len() + 1] }
    }

    /// Enters a state and those that follow from it without a character.
    fn enter(&mut self, states: &[State], start: usize) {
        let mut pending = vec![start];
        while let Some(state) = pending.pop() {
            if std::mem::replace(&mut self.is_active[state], true) {
                continue;
            }
            self.list.push(state);
            match states.get(state) {
                Some(State::Split(other)) => pending.extend([*other, state + 1]),
                Some(State::Jump(target)) => pending.push(*target),
                _ => {}
            }
        }
    }

    fn clear(&mut self) {
        for state in self.list.drain(..) {
            self.is_active[state] = false;
        }
    }
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
    pub(crate) fn new(pattern: &str) -> Result<Self, PatternTooDeep> {
        match parse(&mut pattern.chars().peekable(), 0) {
            Ok(tokens) => {
                let mut states = Vec::new();
                add_sequence(&mut states, &tokens);
                Ok(Self { states: Some(states) })
            }
            Err(Refusal::Invalid) => Ok(Self { states: None }),
            Err(Refusal::TooDeep) => Err(PatternTooDeep),
        }
    }

    /// About how many bytes could be read in the time that it takes to compile a pattern and match it against paths of
    /// this length together.
    pub(crate) fn cost(pattern: &[u8], paths: usize) -> usize {
        /// Compiling takes some fifty microseconds, and a microsecond for each character.
        const COMPILE: usize = 32_000;
        const CHARACTER: usize = 512;
        // At worst every part of the pattern is compared with every character of a path.
        pattern.len().saturating_mul(CHARACTER.saturating_add(paths)).saturating_add(COMPILE)
    }

    /// Whether the whole path matches.
    pub(crate) fn matches(&self, path: &str) -> bool {
        let Some(states) = &self.states else { return true };
        let (mut active, mut next) = (Active::new(states), Active::new(states));
        active.enter(states, 0);
        for character in path.chars() {
            for state in &active.list {
                if states.get(*state).is_some_and(|known| known.takes(character)) {
                    next.enter(states, state + 1);
                }
            }
            active.clear();
            std::mem::swap(&mut active, &mut next);
        }
        active.is_active[states.len()]
    }
}

/// Reads up to the end of the pattern or, inside alternatives, up to `,` or `}`.
fn parse(characters: &mut Peekable<Chars<'_>>, nesting: usize) -> Result<Vec<Token>, Refusal> {
    if nesting > MAX_NESTING {
        return Err(Refusal::TooDeep);
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
            '[' => tokens.push(parse_class(characters).ok_or(Refusal::Invalid)?),
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
    Ok(tokens)
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

fn add_sequence(states: &mut Vec<State>, tokens: &[Token]) {
    if let [Token::Text(prefix), Token::Super, Token::Text(suffix)] = tokens {
        // Upstream compares prefix and suffix alone here, so they may share characters: `d/**/x` matches `d/x`.
        let shared = suffix.char_indices().skip(1).map(|(start, _)| start).chain([suffix.len()]);
        let joined = shared.filter(|start| prefix.ends_with(&suffix[..*start])).map(|start| {
            let text = format!("{prefix}{}", &suffix[start..]);
            vec![Token::Text(text)]
        });
        // Prefix, run and suffix as alternatives of their own do not come here again.
        let apart =
            [Token::Text(prefix.clone()), Token::Super, Token::Text(suffix.clone()), Token::Text(String::new())];
        add_alternatives(states, &joined.chain([apart.into()]).collect::<Vec<_>>());
        return;
    }
    for token in tokens {
        match token {
            Token::Text(text) => states.extend(text.chars().map(State::Character)),
            Token::Any => add_run(states, State::WithinSegment),
            Token::Super => add_run(states, State::Anything),
            Token::Single => states.push(State::WithinSegment),
            Token::Class { negated, ranges } => {
                states.push(State::Class { negated: *negated, ranges: ranges.clone() });
            }
            Token::Alternatives(alternatives) => add_alternatives(states, alternatives),
        }
    }
}

/// Any number of characters.
fn add_run(states: &mut Vec<State>, each: State) {
    let start = states.len();
    states.extend([State::Split(start + 3), each, State::Jump(start)]);
}

fn add_alternatives(states: &mut Vec<State>, alternatives: &[Vec<Token>]) {
    let mut ends = Vec::new();
    for (index, alternative) in alternatives.iter().enumerate() {
        let start = states.len();
        let is_last = index + 1 == alternatives.len();
        if !is_last {
            states.push(State::Split(0));
        }
        add_sequence(states, alternative);
        if !is_last {
            ends.push(states.len());
            states.push(State::Jump(0));
            states[start] = State::Split(states.len());
        }
    }
    let end = states.len();
    for jump in ends {
        states[jump] = State::Jump(end);
    }
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
            assert_eq!(FilesPattern::new(pattern).unwrap().matches(path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn long_and_deep_patterns_match_like_others() {
        let long = FilesPattern::new(&format!("{{{}b}}/*", "a,".repeat(5_000))).unwrap();
        assert!(long.matches("b/x") && !long.matches("c/x"));
        let nested = |depth| format!("{}b{}", "{a,".repeat(depth), "}".repeat(depth));
        let deep = FilesPattern::new(&nested(MAX_NESTING)).unwrap();
        assert!(deep.matches("b") && !deep.matches("c"));
        assert_eq!(FilesPattern::new(&nested(100_000)).unwrap_err(), PatternTooDeep);
    }
}
