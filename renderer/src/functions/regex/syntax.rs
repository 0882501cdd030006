//! Go's regular expression syntax (RE2 with Perl extensions) and its errors.
//!
//! Differs from the `regex` crate's: `\d`, `\s`, `\w` and `\b` are ASCII, an unescaped `{` that starts no repetition is
//! literal, `\Q..\E` quotes, octal escapes exist, classes have no set operations, repetitions do not stack.

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

use super::class;
use crate::functions::unicode::runes;

/// The largest repetition count, alone and multiplied over nested repetitions.
// Go: regexp/syntax/parse.go, "min > 1000", repeatIsValid
const MAX_REPEAT: i64 = 1000;
/// The deepest syntax tree.
// Go: regexp/syntax/parse.go maxHeight
const MAX_HEIGHT: u32 = 1000;
/// The largest program in Go's instructions.
// Go: regexp/syntax/parse.go maxSize
const MAX_SIZE: u64 = (128 << 20) / 40;

/// Why an expression is refused; the texts are Go's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorKind {
    InvalidCharRange,
    InvalidEscape,
    InvalidNamedCapture,
    InvalidPerlOp,
    InvalidRepeatOp,
    InvalidRepeatSize,
    InvalidUtf8,
    MissingBracket,
    MissingParen,
    MissingRepeatArgument,
    TrailingBackslash,
    UnexpectedParen,
    NestingDepth,
    Large,
}

impl ErrorKind {
    // Go: regexp/syntax/parse.go ErrorCode
    fn text(self) -> &'static str {
        match self {
            Self::InvalidCharRange => "invalid character class range",
            Self::InvalidEscape => "invalid escape sequence",
            Self::InvalidNamedCapture => "invalid named capture",
            Self::InvalidPerlOp => "invalid or unsupported Perl syntax",
            Self::InvalidRepeatOp => "invalid nested repetition operator",
            Self::InvalidRepeatSize => "invalid repeat count",
            Self::InvalidUtf8 => "invalid UTF-8",
            Self::MissingBracket => "missing closing ]",
            Self::MissingParen => "missing closing )",
            Self::MissingRepeatArgument => "missing argument to repetition operator",
            Self::TrailingBackslash => "trailing backslash at end of expression",
            Self::UnexpectedParen => "unexpected )",
            Self::NestingDepth => "expression nests too deeply",
            Self::Large => "expression too large",
        }
    }
}

/// A refused expression: what is wrong, and the part of it that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) kind: ErrorKind,
    pub(super) part: Vec<u8>,
}

impl SyntaxError {
    /// Go's text, with the offending part in backquotes.
    pub(super) fn text(&self) -> String {
        format!("error parsing regexp: {}: `{}`", self.kind.text(), String::from_utf8_lossy(&self.part))
    }
}

fn refuse<T>(kind: ErrorKind, part: &[u8]) -> Result<T, SyntaxError> {
    Err(SyntaxError { kind, part: part.to_vec() })
}

/// A parsed expression with what Go's limits depend on.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    height: u32,
    /// Instructions of Go's program.
    size: u64,
    /// States of an automaton over bytes, roughly: classes take some for each of their ranges.
    pub(super) weight: u64,
}

/// The forms of an expression.
#[derive(Clone, Debug)]
pub(super) enum NodeKind {
    Empty,
    Literal(char),
    Class(ClassUnicode),
    Assertion(Assertion),
    /// A capturing group by its number; names are in [`Expression::names`].
    Capture(u32, Box<Node>),
    Concat(Vec<Node>),
    Alternate(Vec<Node>),
    Repeat {
        min: u32,
        max: Option<u32>,
        greedy: bool,
        operand: Box<Node>,
    },
}

/// Conditions on a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Assertion {
    BeginText,
    EndText,
    BeginLine,
    EndLine,
    WordBoundary,
    NoWordBoundary,
}

/// A whole parsed expression.
#[derive(Clone, Debug)]
pub(super) struct Expression {
    pub(super) root: Node,
    /// The names of the groups by number; the whole match and groups without a name have an empty one.
    pub(super) names: Vec<String>,
}

/// The flags that `(?imsU)` change.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "four independent switches")]
struct Flags {
    fold_case: bool,
    multi_line: bool,
    dot_newline: bool,
    swap_greed: bool,
}

/// An open group, or the whole expression.
struct Group {
    /// The group's number if it captures.
    capture: Option<u32>,
    /// The flags to go back to at its end.
    outer_flags: Flags,
    alternatives: Vec<Node>,
    items: Vec<Node>,
}

impl Group {
    fn new(capture: Option<u32>, outer_flags: Flags) -> Self {
        Self { capture, outer_flags, alternatives: Vec::new(), items: Vec::new() }
    }

    fn end_alternative(&mut self) {
        let items = std::mem::take(&mut self.items);
        self.alternatives.push(concat(items));
    }
}

fn leaf(kind: NodeKind) -> Node {
    let weight = match &kind {
        NodeKind::Class(class) => 2 * class.ranges().len() as u64 + 1,
        _ => 1,
    };
    Node { kind, height: 1, size: 1, weight }
}

/// A sequence or a choice; `extra` is what Go adds to the sizes of the parts.
fn compound(parts: Vec<Node>, extra: u64, kind: fn(Vec<Node>) -> NodeKind) -> Node {
    Node {
        height: parts.iter().map(|part| part.height).max().unwrap_or(0) + 1,
        size: parts.iter().map(|part| part.size).sum::<u64>() + extra,
        weight: parts.iter().fold(0, |weight, part| weight.saturating_add(part.weight)),
        kind: kind(parts),
    }
}

fn concat(mut items: Vec<Node>) -> Node {
    match items.len() {
        0 => leaf(NodeKind::Empty),
        1 => items.remove(0),
        _ => compound(items, 0, NodeKind::Concat),
    }
}

fn alternate(mut alternatives: Vec<Node>) -> Node {
    if alternatives.len() == 1 {
        return alternatives.remove(0);
    }
    let extra = alternatives.len() as u64 - 1;
    compound(alternatives, extra, NodeKind::Alternate)
}

/// Parses an expression.
// Go: regexp/syntax/parse.go parse, with the flags of regexp.Compile
pub(super) fn parse(whole: &[u8]) -> Result<Expression, SyntaxError> {
    let mut parser = Parser {
        whole,
        rest: whole,
        flags: Flags::default(),
        groups: vec![Group::new(None, Flags::default())],
        names: vec![String::new()],
    };
    parser.run()?;
    let Some(mut group) = parser.groups.pop().filter(|_| parser.groups.is_empty()) else {
        return refuse(ErrorKind::MissingParen, whole);
    };
    group.end_alternative();
    let root = alternate(group.alternatives);
    parser.check(&root)?;
    Ok(Expression { root, names: parser.names })
}

struct Parser<'a> {
    whole: &'a [u8],
    rest: &'a [u8],
    flags: Flags,
    /// Never empty: the first one is the whole expression.
    groups: Vec<Group>,
    names: Vec<String>,
}

impl<'a> Parser<'a> {
    fn run(&mut self) -> Result<(), SyntaxError> {
        // Where the repetition operator starts that the previous round ended with.
        let mut last_repeat: Option<&'a [u8]> = None;
        while let Some(&byte) = self.rest.first() {
            let before = self.rest;
            let mut repeat = None;
            match byte {
                b'(' if before.get(1) == Some(&b'?') => self.perl_group()?,
                b'(' => {
                    self.rest = &before[1..];
                    self.open(Some(String::new()));
                }
                b'|' => {
                    self.rest = &before[1..];
                    self.group().end_alternative();
                }
                b')' => {
                    self.rest = &before[1..];
                    self.close()?;
                }
                b'^' if self.flags.multi_line => self.assertion(Assertion::BeginLine, 1),
                b'^' => self.assertion(Assertion::BeginText, 1),
                b'$' if self.flags.multi_line => self.assertion(Assertion::EndLine, 1),
                b'$' => self.assertion(Assertion::EndText, 1),
                b'.' => {
                    self.rest = &before[1..];
                    let class = if self.flags.dot_newline { class::any() } else { class::any_but_newline() };
                    self.push(leaf(NodeKind::Class(class)));
                }
                b'[' => self.class()?,
                b'*' | b'+' | b'?' => {
                    let (min, max) = match byte {
                        b'*' => (0, None),
                        b'+' => (1, None),
                        _ => (0, Some(1)),
                    };
                    self.repeat(before, &before[1..], min, max, last_repeat)?;
                    repeat = Some(before);
                }
                b'{' => match counted(before) {
                    None => {
                        self.rest = &before[1..];
                        self.literal('{');
                    }
                    Some(Counted { min, max, after }) => {
                        let operator = &before[..before.len() - after.len()];
                        if !(0..=MAX_REPEAT).contains(&min) || max.is_some_and(|max| max > MAX_REPEAT || min > max) {
                            return refuse(ErrorKind::InvalidRepeatSize, operator);
                        }
                        self.repeat(before, after, min as u32, max.map(|max| max as u32), last_repeat)?;
                        repeat = Some(before);
                    }
                },
                b'\\' => self.escape()?,
                _ => {
                    let (character, rest) = next_rune(before)?;
                    self.rest = rest;
                    self.literal(character);
                }
            }
            last_repeat = repeat;
        }
        Ok(())
    }

    #[expect(clippy::expect_used, reason = "the group of the whole expression is never closed")]
    fn group(&mut self) -> &mut Group {
        self.groups.last_mut().expect("an open group")
    }

    fn push(&mut self, node: Node) {
        self.group().items.push(node);
    }

    fn literal(&mut self, character: char) {
        let kind = if self.flags.fold_case {
            match class::folded(class::single(character)) {
                folded if folded.ranges().len() == 1 && is_single(folded.ranges()[0]) => NodeKind::Literal(character),
                folded => NodeKind::Class(folded),
            }
        } else {
            NodeKind::Literal(character)
        };
        self.push(leaf(kind));
    }

    fn assertion(&mut self, assertion: Assertion, width: usize) {
        self.rest = &self.rest[width..];
        self.push(leaf(NodeKind::Assertion(assertion)));
    }

    /// Opens a group; one with a name, possibly empty, captures.
    fn open(&mut self, name: Option<String>) {
        let capture = name.map(|name| {
            self.names.push(name);
            self.names.len() as u32 - 1
        });
        self.groups.push(Group::new(capture, self.flags));
    }

    fn close(&mut self) -> Result<(), SyntaxError> {
        if self.groups.len() < 2 {
            return refuse(ErrorKind::UnexpectedParen, self.whole);
        }
        let Some(mut group) = self.groups.pop() else { return refuse(ErrorKind::UnexpectedParen, self.whole) };
        group.end_alternative();
        self.flags = group.outer_flags;
        let node = alternate(group.alternatives);
        let node = match group.capture {
            Some(number) => Node {
                height: node.height + 1,
                size: node.size + 2,
                weight: node.weight,
                kind: NodeKind::Capture(number, Box::new(node)),
            },
            None => node,
        };
        self.check(&node)?;
        self.push(node);
        Ok(())
    }

    fn check(&self, node: &Node) -> Result<(), SyntaxError> {
        if node.height > MAX_HEIGHT {
            return refuse(ErrorKind::NestingDepth, self.whole);
        }
        if node.size > MAX_SIZE {
            return refuse(ErrorKind::Large, self.whole);
        }
        Ok(())
    }

    // Go: regexp/syntax/parse.go repeat
    fn repeat(
        &mut self,
        before: &'a [u8],
        after: &'a [u8],
        min: u32,
        max: Option<u32>,
        last_repeat: Option<&'a [u8]>,
    ) -> Result<(), SyntaxError> {
        let (after, lazy) = match after.strip_prefix(b"?") {
            Some(after) => (after, true),
            None => (after, false),
        };
        if let Some(last) = last_repeat {
            return refuse(ErrorKind::InvalidRepeatOp, &last[..last.len() - after.len()]);
        }
        let operator = &before[..before.len() - after.len()];
        let greedy = lazy == self.flags.swap_greed;
        let Some(operand) = self.group().items.pop() else {
            return refuse(ErrorKind::MissingRepeatArgument, operator);
        };
        let size = match (min, max) {
            (0, None) => operand.size + 2,
            (0, Some(1)) => operand.size + 1,
            (min, None) => u64::from(min) * operand.size + 1,
            (min, Some(max)) => u64::from(max) * operand.size + u64::from(max - min.min(max)),
        };
        let node = Node {
            height: operand.height + 1,
            size: size.max(1),
            weight: operand.weight.saturating_mul(u64::from(max.unwrap_or(min).max(1))),
            kind: NodeKind::Repeat { min, max, greedy, operand: Box::new(operand) },
        };
        self.check(&node)?;
        let counted = before.first() == Some(&b'{');
        if counted && (min >= 2 || max.is_some_and(|max| max >= 2)) && !repeat_is_valid(&node, MAX_REPEAT) {
            return refuse(ErrorKind::InvalidRepeatSize, operator);
        }
        self.push(node);
        self.rest = after;
        Ok(())
    }

    // Go: regexp/syntax/parse.go parsePerlFlags
    fn perl_group(&mut self) -> Result<(), SyntaxError> {
        let start = self.rest;
        let name_at = match start {
            [_, _, b'P', b'<', _, ..] => Some(4),
            [_, _, b'<', _, ..] => Some(3),
            _ => None,
        };
        if let Some(name_at) = name_at {
            let Some(end) = start.iter().position(|&byte| byte == b'>') else {
                check_utf8(start)?;
                return refuse(ErrorKind::InvalidNamedCapture, start);
            };
            let name = start.get(name_at..end).unwrap_or_default();
            check_utf8(name)?;
            let valid = !name.is_empty() && name.iter().all(|&byte| byte == b'_' || byte.is_ascii_alphanumeric());
            if !valid {
                return refuse(ErrorKind::InvalidNamedCapture, &start[..=end]);
            }
            self.rest = &start[end + 1..];
            self.open(Some(String::from_utf8_lossy(name).into_owned()));
            return Ok(());
        }

        let mut rest = &start[2..];
        let mut flags = self.flags;
        let mut value = true;
        let mut saw_flag = false;
        while !rest.is_empty() {
            let (character, after) = next_rune(rest)?;
            rest = after;
            match character {
                'i' => flags.fold_case = value,
                'm' => flags.multi_line = value,
                's' => flags.dot_newline = value,
                'U' => flags.swap_greed = value,
                '-' if value => {
                    value = false;
                    saw_flag = false;
                    continue;
                }
                ':' | ')' if value || saw_flag => {
                    if character == ':' {
                        self.open(None);
                    }
                    self.flags = flags;
                    self.rest = rest;
                    return Ok(());
                }
                _ => break,
            }
            saw_flag = true;
        }
        refuse(ErrorKind::InvalidPerlOp, &start[..start.len() - rest.len()])
    }

    fn escape(&mut self) -> Result<(), SyntaxError> {
        let start = self.rest;
        match start.get(1) {
            Some(b'A') => self.assertion(Assertion::BeginText, 2),
            Some(b'z') => self.assertion(Assertion::EndText, 2),
            Some(b'b') => self.assertion(Assertion::WordBoundary, 2),
            Some(b'B') => self.assertion(Assertion::NoWordBoundary, 2),
            Some(b'C') => return refuse(ErrorKind::InvalidEscape, &start[..2]),
            Some(b'Q') => {
                let quoted = &start[2..];
                let end = quoted.windows(2).position(|window| window == br"\E");
                self.rest = end.map_or(&[], |end| &quoted[end + 2..]);
                let mut literal = &quoted[..end.unwrap_or(quoted.len())];
                while !literal.is_empty() {
                    let (character, rest) = next_rune(literal)?;
                    self.literal(character);
                    literal = rest;
                }
            }
            Some(b'p' | b'P') => {
                let (class, rest) = self.unicode_class(start)?;
                self.rest = rest;
                self.push(leaf(NodeKind::Class(class)));
            }
            Some(&letter) if class::is_perl(letter) => {
                self.rest = &start[2..];
                let class = class::perl(letter, self.flags.fold_case);
                self.push(leaf(NodeKind::Class(class)));
            }
            _ => {
                let (character, rest) = escaped(start)?;
                self.rest = rest;
                self.literal(character);
            }
        }
        Ok(())
    }

    /// `\pL`, `\P{Greek}`, `\p{^Lu}`, at the start of the text.
    // Go: regexp/syntax/parse.go parseUnicodeClass
    fn unicode_class(&self, start: &'a [u8]) -> Result<(ClassUnicode, &'a [u8]), SyntaxError> {
        let mut negated = start[1] == b'P';
        let (character, mut rest) = match start.get(2..) {
            Some([]) | None => return refuse(ErrorKind::InvalidCharRange, start),
            Some(after) => next_rune(after)?,
        };
        let mut name = &start[2..start.len() - rest.len()];
        if character == '{' {
            let Some(end) = start.iter().position(|&byte| byte == b'}') else {
                check_utf8(start)?;
                return refuse(ErrorKind::InvalidCharRange, start);
            };
            name = &start[3..end];
            rest = &start[end + 1..];
            check_utf8(name)?;
        }
        let sequence = &start[..start.len() - rest.len()];
        if let Some(positive) = name.strip_prefix(b"^") {
            negated = !negated;
            name = positive;
        }
        match class::unicode(&String::from_utf8_lossy(name), self.flags.fold_case) {
            Some(class) if negated => Ok((class::negated(class), rest)),
            Some(class) => Ok((class, rest)),
            None => refuse(ErrorKind::InvalidCharRange, sequence),
        }
    }

    // Go: regexp/syntax/parse.go parseClass
    fn class(&mut self) -> Result<(), SyntaxError> {
        let whole = self.rest;
        let mut rest = &whole[1..];
        let negated = rest.first() == Some(&b'^');
        if negated {
            rest = &rest[1..];
        }
        let mut class = ClassUnicode::empty();
        let mut first = true;
        while first || rest.first() != Some(&b']') {
            first = false;
            if rest.len() > 2
                && rest.starts_with(b"[:")
                && let Some(end) = rest[2..].windows(2).position(|window| window == b":]")
            {
                let name = &rest[..end + 4];
                match class::posix(name, self.flags.fold_case) {
                    Some(named) => class.union(&named),
                    None => return refuse(ErrorKind::InvalidCharRange, name),
                }
                rest = &rest[end + 4..];
                continue;
            }
            if let [b'\\', letter, ..] = rest {
                if matches!(letter, b'p' | b'P') {
                    let (named, after) = self.unicode_class(rest)?;
                    class.union(&named);
                    rest = after;
                    continue;
                }
                if class::is_perl(*letter) {
                    class.union(&class::perl(*letter, self.flags.fold_case));
                    rest = &rest[2..];
                    continue;
                }
            }
            let range = rest;
            let (low, after) = class_character(rest, whole)?;
            rest = after;
            let mut high = low;
            if let [b'-', next, ..] = rest
                && *next != b']'
            {
                (high, rest) = class_character(&rest[1..], whole)?;
                if high < low {
                    return refuse(ErrorKind::InvalidCharRange, &range[..range.len() - rest.len()]);
                }
            }
            let piece = ClassUnicode::new([ClassUnicodeRange::new(low, high)]);
            class.union(&if self.flags.fold_case { class::folded(piece) } else { piece });
        }
        self.rest = &rest[1..];
        self.push(leaf(NodeKind::Class(if negated { class::negated(class) } else { class })));
        Ok(())
    }
}

fn is_single(range: ClassUnicodeRange) -> bool {
    range.start() == range.end()
}

/// `{n}`, `{n,}` or `{n,m}`; a number of -1 is too large.
struct Counted<'a> {
    min: i64,
    max: Option<i64>,
    after: &'a [u8],
}

// Go: regexp/syntax/parse.go parseRepeat
fn counted(start: &[u8]) -> Option<Counted<'_>> {
    let (mut min, mut rest) = number(start.strip_prefix(b"{")?)?;
    let mut max = Some(min);
    if let Some(after) = rest.strip_prefix(b",") {
        if after.first() == Some(&b'}') {
            (max, rest) = (None, after);
        } else {
            let (number, after) = number(after)?;
            if number < 0 {
                min = -1;
            }
            (max, rest) = (Some(number), after);
        }
    }
    Some(Counted { min, max, after: rest.strip_prefix(b"}")? })
}

/// Digits without a leading zero; -1 for more than eight of them.
// Go: regexp/syntax/parse.go parseInt
fn number(text: &[u8]) -> Option<(i64, &[u8])> {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if length == 0 || length > 1 && text[0] == b'0' {
        return None;
    }
    let (digits, rest) = text.split_at(length);
    let value = if length > 9 { None } else { std::str::from_utf8(digits).ok()?.parse::<i64>().ok() };
    Some((value.unwrap_or(-1), rest))
}

/// Whether nested counted repetitions multiply to no more than `limit`.
// Go: regexp/syntax/parse.go repeatIsValid
fn repeat_is_valid(node: &Node, limit: i64) -> bool {
    match &node.kind {
        NodeKind::Repeat { min, max, operand, .. } => {
            let is_counted = !matches!((min, max), (0 | 1, None) | (0, Some(1)));
            let mut limit = limit;
            if is_counted {
                let count = i64::from(max.unwrap_or(*min));
                if count == 0 && max.is_some() {
                    return true;
                }
                if count > limit {
                    return false;
                }
                if count > 0 {
                    limit /= count;
                }
            }
            repeat_is_valid(operand, limit)
        }
        NodeKind::Capture(_, inner) => repeat_is_valid(inner, limit),
        NodeKind::Concat(items) | NodeKind::Alternate(items) => items.iter().all(|item| repeat_is_valid(item, limit)),
        _ => true,
    }
}

/// The first character and the rest, of a text that is not empty.
// Go: regexp/syntax/parse.go nextRune
fn next_rune(text: &[u8]) -> Result<(char, &[u8]), SyntaxError> {
    match runes(text).next() {
        Some((char::REPLACEMENT_CHARACTER, 1)) | None => refuse(ErrorKind::InvalidUtf8, text),
        Some((character, width)) => Ok((character, &text[width..])),
    }
}

fn check_utf8(mut text: &[u8]) -> Result<(), SyntaxError> {
    while !text.is_empty() {
        text = next_rune(text)?.1;
    }
    Ok(())
}

fn class_character<'a>(text: &'a [u8], whole: &[u8]) -> Result<(char, &'a [u8]), SyntaxError> {
    match text.first() {
        None => refuse(ErrorKind::MissingBracket, whole),
        Some(b'\\') => escaped(text),
        Some(_) => next_rune(text),
    }
}

/// A one-character escape at the start of the text.
// Go: regexp/syntax/parse.go parseEscape
fn escaped(start: &[u8]) -> Result<(char, &[u8]), SyntaxError> {
    if start.len() < 2 {
        return refuse(ErrorKind::TrailingBackslash, b"");
    }
    let (character, mut rest) = next_rune(&start[1..])?;
    let is_octal = |byte: Option<&u8>| byte.is_some_and(|byte| matches!(byte, b'0'..=b'7'));
    let found = match character {
        '0'..='7' if character == '0' || is_octal(rest.first()) => {
            let mut value = character.to_digit(8).unwrap_or_default();
            for _ in 1..3 {
                if !is_octal(rest.first()) {
                    break;
                }
                value = value * 8 + u32::from(rest[0] - b'0');
                rest = &rest[1..];
            }
            char::from_u32(value)
        }
        'x' => {
            let (value, after) = hexadecimal(rest)?;
            rest = after;
            value
        }
        'a' => Some('\u{7}'),
        'f' => Some('\u{c}'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        'v' => Some('\u{b}'),
        other if other.is_ascii() && !other.is_ascii_alphanumeric() => Some(other),
        _ => None,
    };
    match found {
        Some(character) => Ok((character, rest)),
        None => refuse(ErrorKind::InvalidEscape, &start[..start.len() - rest.len()]),
    }
}

/// The value after `\x`: two digits, or any number of them in braces; and what of the text was read.
fn hexadecimal(text: &[u8]) -> Result<(Option<char>, &[u8]), SyntaxError> {
    if text.is_empty() {
        return Ok((None, text));
    }
    let (first, mut rest) = next_rune(text)?;
    if first != '{' {
        // Go reads a second character in any case, and reports the end of the text as invalid UTF-8's empty rest.
        let (second, after) = if rest.is_empty() { ('\0', rest) } else { next_rune(rest)? };
        let value = first.to_digit(16).zip(second.to_digit(16)).and_then(|(high, low)| char::from_u32(high * 16 + low));
        return Ok((value, after));
    }
    let mut value = 0;
    let mut any_digit = false;
    while !rest.is_empty() {
        let (character, after) = next_rune(rest)?;
        rest = after;
        if character == '}' {
            return Ok((char::from_u32(value).filter(|_| any_digit), rest));
        }
        let Some(digit) = character.to_digit(16) else { break };
        value = value * 16 + digit;
        if value > u32::from(char::MAX) {
            break;
        }
        any_digit = true;
    }
    Ok((None, rest))
}
